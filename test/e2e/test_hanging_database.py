"""A database that hangs without closing anything."""

from __future__ import annotations

import time

from crew import CrewMaker
from proxy import Proxy

GRACE_S = 1.0
MORE_S = 4.0  # for the rest of an orderly end, on a busy machine


def test_a_hanging_database_does_not_keep_workerd_from_ending(run_crew: CrewMaker) -> None:
    env = {"DRAIN_TIMEOUT_MS": str(int(GRACE_S * 1000)), "WORKER_POLL_MS": "100"}
    with run_crew(env, start=False) as crew, Proxy(crew.database.cluster.port) as proxy:
        [worker] = crew.workers
        worker.set_env("DATABASE_URL", proxy.before(crew.database.url("cti_worker")))
        crew.start()
        proxy.fall_silent()
        time.sleep(1.0)  # by now every thread that polls waits for an answer
        begun = time.monotonic()
        assert worker.stop() == 0
        assert time.monotonic() - begun < GRACE_S + MORE_S


def test_workerd_ends_while_it_waits_for_a_connection(run_crew: CrewMaker) -> None:
    env = {"DRAIN_TIMEOUT_MS": str(int(GRACE_S * 1000)), "WORKER_POLL_MS": "100"}
    with run_crew(env, start=False) as crew, Proxy(crew.database.cluster.port) as proxy:
        [worker] = crew.workers
        worker.set_env("DATABASE_URL", proxy.before(crew.database.url("cti_worker")))
        crew.start()
        proxy.fall_silent()
        proxy.cut()
        time.sleep(1.0)
        begun = time.monotonic()
        assert worker.stop() == 0
        assert time.monotonic() - begun < GRACE_S + MORE_S
