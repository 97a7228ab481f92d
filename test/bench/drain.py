"""How fast workers empty a full queue."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass

import rig
from backlog import Backlog

LIMIT_SECONDS = 120


@dataclass(frozen=True)
class DrainRun:
    rate: float  # events a second
    worker_us: float  # CPU of all workers, for each event
    server_us: float  # CPU of PostgreSQL, for each event
    faults: str  # empty when all went well


def run(backlog: Backlog, workers: int, env: Mapping[str, str]) -> DrainRun:
    """From the workers' start to the last commit, without the time before the first one."""
    backlog.refill()
    daemons = [rig.Workerd(backlog.db, env) for _ in range(workers)]
    with contextlib.ExitStack() as stack:
        server = backlog.db.cpu_seconds()
        for daemon in daemons:
            stack.enter_context(rig.running(daemon))
        first, begun = _wait_for(daemons, 1)
        last, ended = _wait_for(daemons, backlog.count)
        cpu = sum(daemon.cpu_seconds() for daemon in daemons)
        server = backlog.db.cpu_seconds() - server
    return DrainRun((last - first) / (ended - begun), cpu * 1e6 / backlog.count,
                    server * 1e6 / backlog.count, backlog.check().fault())


def _wait_for(daemons: list[rig.Workerd], count: int) -> tuple[int, float]:
    """How many are done, as soon as it is `count` or more, and when that was."""
    until = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < until:
        done = sum(daemon.processed() for daemon in daemons)
        if done >= count:
            return done, time.monotonic()
        time.sleep(0.002 if count == 1 else 0.01)
    raise RuntimeError(f"{done} of {count} events after {LIMIT_SECONDS} s")
