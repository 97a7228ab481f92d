"""Workers while another session holds a snapshot, so that nothing that dies can be cleared away.

Once at a steady pace, once as fast as they can; before, while and after it is held.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psycopg
import rig
from backlog import Backlog, connect

STEP_SECONDS = 0.05
LIMIT_SECONDS = 120


@dataclass(frozen=True)
class Phase:
    name: str
    rate: float  # events done a second
    waiting: int  # events in the queue at its end
    cpu_us: float  # of worker and server, for each event


@contextlib.contextmanager
def held(db: rig.Database) -> Iterator[None]:
    """Another session's snapshot."""
    with psycopg.connect(db.cluster.superuser_url()) as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        conn.execute("SELECT FROM event_queue LIMIT 1")
        yield
        conn.rollback()


class _Watch:
    """What was done since the last look."""

    def __init__(self, db: rig.Database, worker: rig.Workerd):
        self._db, self._worker = db, worker
        self.look()

    def look(self) -> tuple[int, float, float]:
        """Events, seconds, CPU seconds."""
        now = (self._worker.processed(), time.monotonic(),
               self._worker.cpu_seconds() + self._db.cpu_seconds())
        since = tuple(a - b for a, b in zip(now, getattr(self, "_last", now)))
        self._last = now
        return since


class Steady:
    """Events come at `rate` a second, whatever the worker does."""

    def __init__(self, backlog: Backlog, worker: rig.Workerd, rate: float):
        self._watch = _Watch(backlog.db, worker)
        self._worker, self._rate = worker, rate
        self._conn = connect(backlog.db)
        self._fed = 0

    def phase(self, name: str, seconds: float) -> Phase:
        begun, first = time.monotonic(), self._fed
        while (now := time.monotonic()) < begun + seconds:
            self._feed(first + int((now - begun) * self._rate))
            time.sleep(STEP_SECONDS)
        done, took, cpu = self._watch.look()
        return Phase(name, done / took, self._fed - self._worker.processed(),
                     cpu * 1e6 / max(1, done))

    def _feed(self, upto: int) -> None:
        self._conn.execute(
            "INSERT INTO event_queue (app_id, event_id, received_at)"
            " SELECT app_id, event_id, received_at FROM waiting WHERE n > %s AND n <= %s",
            (self._fed, upto))
        self._conn.execute("NOTIFY cti_events")
        self._fed = upto


class Full:
    """All events at once, and again with other calls as soon as they are done."""

    def __init__(self, backlog: Backlog, worker: rig.Workerd):
        self._backlog, self._worker = backlog, worker
        self._watch = _Watch(backlog.db, worker)
        self._round = 0

    def phase(self, name: str, seconds: float) -> Phase:
        """The last round of so many seconds; the time to put the events in place is left out."""
        until = time.monotonic() + seconds
        rounds = [self._one()]
        while time.monotonic() < until:
            rounds.append(self._one())
        done, took, cpu = rounds[-1] if name != "before" else _median(rounds)
        return Phase(name, done / took, 0, cpu * 1e6 / done)

    def _one(self) -> tuple[int, float, float]:
        self._round += 1
        self._backlog.queue_copies(self._round)
        goal = self._round * self._backlog.count
        self._watch.look()
        with connect(self._backlog.db) as conn:
            conn.execute("NOTIFY cti_events")
        until = time.monotonic() + LIMIT_SECONDS
        while self._worker.processed() < goal:
            if time.monotonic() > until:
                raise RuntimeError(f"not done after {LIMIT_SECONDS} s")
            time.sleep(0.01)
        return self._watch.look()


def _median(rounds: list[tuple[int, float, float]]) -> tuple[int, float, float]:
    return sorted(rounds, key=lambda one: one[0] / one[1])[len(rounds) // 2]


def steady(backlog: Backlog, rate: float, seconds: Mapping[str, float],
           env: Mapping[str, str]) -> list[Phase]:
    backlog.empty()
    backlog.number()
    with rig.running(rig.Workerd(backlog.db, env)) as worker:
        time.sleep(1)
        return _phases(Steady(backlog, worker, rate), backlog.db, seconds)


def full(backlog: Backlog, seconds: Mapping[str, float], env: Mapping[str, str]) -> list[Phase]:
    backlog.empty()
    with rig.running(rig.Workerd(backlog.db, env)) as worker:
        return _phases(Full(backlog, worker), backlog.db, seconds)


def _phases(load: Steady | Full, db: rig.Database, seconds: Mapping[str, float]) -> list[Phase]:
    before = load.phase("before", seconds["before"])
    with held(db):
        while_held = load.phase("held", seconds["held"])
    return [before, while_held, load.phase("after", seconds["after"])]
