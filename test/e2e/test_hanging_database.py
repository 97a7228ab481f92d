"""A database that hangs without closing anything."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

import pytest
from crew import CrewMaker
from cti import Daemon
from proxy import Proxy

ENV = {"DRAIN_TIMEOUT_MS": "200", "WORKER_POLL_MS": "100"}
END_S = 3.0  # less than the 4 s of a connection and the 30 s of a statement


@contextlib.contextmanager
def worker_behind_proxy(run_crew: CrewMaker) -> Iterator[tuple[Daemon, Proxy]]:
    with run_crew(ENV, start=False) as crew, Proxy(crew.database.cluster.port) as proxy:
        [worker] = crew.workers
        worker.set_env({"DATABASE_URL": proxy.before(crew.database.url("cti_worker"))})
        crew.start()
        yield worker, proxy


def ends_in_time(run_crew: CrewMaker, hang: Callable[[Proxy], None]) -> bool:
    with worker_behind_proxy(run_crew) as (worker, proxy):
        hang(proxy)
        begun = time.monotonic()
        assert worker.stop() == 0
        return time.monotonic() - begun < END_S


def hang_with_answers_to_come(proxy: Proxy) -> None:
    proxy.fall_silent()
    time.sleep(1.0)  # by now every thread that polls waits for an answer


def hang_with_connections_to_make(proxy: Proxy) -> None:
    proxy.fall_silent()
    proxy.cut()
    time.sleep(0.3)  # by now they try to connect


@pytest.mark.parametrize("hang", [hang_with_answers_to_come, hang_with_connections_to_make])
def test_a_hanging_database_does_not_keep_workerd_from_ending(
    run_crew: CrewMaker, hang: Callable[[Proxy], None]
) -> None:
    assert any(ends_in_time(run_crew, hang) for _ in range(3)), "a busy machine may be late once"
