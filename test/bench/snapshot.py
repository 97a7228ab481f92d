"""Workers while another session holds a snapshot, so that nothing that dies can be cleared away.

Once at a steady pace, once as fast as they can; before, while and after it is held.
"""

from __future__ import annotations

import contextlib
import math
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


@dataclass(frozen=True)
class Round:
    ended: float  # monotonic
    rate: float
    cpu_us: float  # for each event


class Full:
    """All events at once, and again with other calls as soon as they are done."""

    def __init__(self, backlog: Backlog, worker: rig.Workerd):
        self._backlog, self._worker = backlog, worker
        self._watch = _Watch(backlog.db, worker)
        self._copies = 0

    def phase(self, name: str, seconds: float) -> Phase:
        """A round of so many seconds: the last while the snapshot is held, else the median. The time
        to put the events in place is left out."""
        self._begun = time.monotonic()
        self._rounds = [self._round()]
        while time.monotonic() < self._begun + seconds:
            self._rounds.append(self._round())
        shown = self._rounds[-1]
        if name != "held":
            shown = sorted(self._rounds, key=lambda one: one.rate)[len(self._rounds) // 2]
        return Phase(name, shown.rate, 0, shown.cpu_us)

    def reached(self, rate: float) -> float:
        """Seconds from the begin of the last phase to the end of its first round at such a rate."""
        return next((one.ended - self._begun for one in self._rounds if one.rate >= rate), math.inf)

    def _round(self) -> Round:
        self._copies += 1
        self._backlog.queue_copies(self._copies)
        goal = self._copies * self._backlog.count
        self._watch.look()
        with connect(self._backlog.db) as conn:
            conn.execute("NOTIFY cti_events")
        until = time.monotonic() + LIMIT_SECONDS
        while self._worker.processed() < goal:
            if time.monotonic() > until:
                raise RuntimeError(f"not done after {LIMIT_SECONDS} s")
            time.sleep(0.01)
        done, took, cpu = self._watch.look()
        return Round(time.monotonic(), done / took, cpu * 1e6 / done)


def steady(backlog: Backlog, rate: float, seconds: Mapping[str, float],
           env: Mapping[str, str]) -> list[Phase]:
    backlog.empty()
    backlog.number()
    with rig.running(rig.Workerd(backlog.db, env)) as worker:
        time.sleep(1)
        return _phases(Steady(backlog, worker, rate), backlog.db, seconds)


def full(backlog: Backlog, seconds: Mapping[str, float], env: Mapping[str, str],
         normal: float) -> tuple[list[Phase], float]:
    """The phases, and how long after the snapshot's end a round had this share of the rate before."""
    backlog.empty()
    with rig.running(rig.Workerd(backlog.db, env)) as worker:
        load = Full(backlog, worker)
        phases = _phases(load, backlog.db, seconds)
        return phases, load.reached(normal * phases[0].rate)


def _phases(load: Steady | Full, db: rig.Database, seconds: Mapping[str, float]) -> list[Phase]:
    before = load.phase("before", seconds["before"])
    with held(db):
        while_held = load.phase("held", seconds["held"])
    return [before, while_held, load.phase("after", seconds["after"])]
