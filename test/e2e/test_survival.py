"""Daemons and database come and go while events arrive; nothing acknowledged is lost."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from cti import App, Daemon, Stack
from kept import check_kept
from web import eventually

from test.sim.catalogue import events_by_time, names_of, perform
from test.sim.delivery import Parcel
from test.sim.model import Play
from test.sim.report import summarise

PLAYS = 76  # each scenario four times: some 300 events
WAITING = """\
SELECT 1 FROM pg_locks
WHERE relation = %s::regclass AND NOT granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


@pytest.fixture(autouse=True)
def everything_runs(stack: Stack) -> None:
    """Whatever the test before has left dead."""
    stack.start()


def some_plays(app: App, count: int = PLAYS) -> list[Play]:
    now_ms = time.time_ns() // 1_000_000
    return perform(names_of("all"), count, seed=app.app_id, now_ms=now_ms)


@contextlib.contextmanager
def under_way(
    app: App, plays: list[Play], **how: float
) -> Iterator[Future[list[Parcel]]]:
    """Events are sent while the body runs, some of them twice. Daemons must be started by
    the main thread, so it is the delivery that gets one of its own."""
    with ThreadPoolExecutor(1) as pool:
        delivery = pool.submit(
            app.hook.deliver, events_by_time(plays), repeat=0.1, **how
        )
        time.sleep(0.7)
        assert not delivery.done(), "all was sent before anything happened"
        yield delivery


def acknowledged_after(parcels: list[Parcel], seconds: float) -> int:
    """How many got through so long after the start of the delivery."""
    return sum(p.acknowledged and p.attempts[-1].at_s > seconds for p in parcels)


# Asked to end


def test_ingestd_may_be_restarted_while_events_come(stack: Stack, app: App) -> None:
    plays = some_plays(app)
    with under_way(app, plays, rate=30) as delivery:
        assert stack.ingestd.stop() == 0
        stack.start()
        parcels = delivery.result()
    assert acknowledged_after(parcels, 1.5) > 20
    check_kept(stack, app, plays, parcels)


def test_workerd_may_be_restarted_while_events_come(stack: Stack, app: App) -> None:
    plays = some_plays(app)
    with under_way(app, plays, rate=120) as delivery:
        assert stack.workerd.stop() == 0
        stack.start()
        parcels = delivery.result()
    assert summarise(parcels).lost == 0
    check_kept(stack, app, plays, parcels)


class Reader:
    """A client that asks for the list again and again."""

    def __init__(self, app: App):
        self.statuses: list[int] = []
        self._app = app
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._enough.is_set():
            # A refused or dropped connection shows that the daemon is away. Half an
            # answer would be an IncompleteRead or a ValueError, and end this thread.
            with contextlib.suppress(ConnectionError):
                answer = self._app.get("/api/calls")
                answer.json()
                self.statuses.append(answer.status)
            time.sleep(0.01)

    def check(self) -> None:
        assert self._thread.is_alive(), "an answer was cut off"
        assert set(self.statuses) <= {200, 503}


def test_apid_may_be_restarted_while_events_come(stack: Stack, app: App) -> None:
    plays = some_plays(app)
    with under_way(app, plays, rate=120) as delivery, Reader(app) as reader:
        eventually(lambda: reader.statuses, 20, "an answer before")
        assert stack.apid.stop() == 0
        stack.start()
        before = len(reader.statuses)
        eventually(lambda: 200 in reader.statuses[before:], 20, "an answer after")
        parcels = delivery.result()
        reader.check()
    assert summarise(parcels).lost == 0
    check_kept(stack, app, plays, parcels)


# Killed


def test_what_ingestd_acknowledged_survives_its_being_killed(
    stack: Stack, app: App
) -> None:
    plays = some_plays(app)
    with under_way(app, plays, rate=40) as delivery:
        stack.ingestd.kill()
        stack.start()
        parcels = delivery.result()
    assert acknowledged_after(parcels, 0.7) > 20
    check_kept(stack, app, plays, parcels)


@pytest.mark.parametrize("table", ["calls", "change_feed"])
def test_a_batch_that_is_killed_halfway_leaves_no_trace_and_is_done_again(
    stack: Stack, app: App, table: str
) -> None:
    assert stack.workerd.stop() == 0
    plays = some_plays(app)
    parcels = app.hook.deliver(events_by_time(plays), repeat=0.1)
    with stack.database.connect() as holder:
        holder.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        stack.workerd.start()
        eventually(lambda: stack.sql(WAITING, table), 20, f"workerd waits for {table}")
        stack.workerd.kill()
        if table == "change_feed":
            count = stack.sql("SELECT count(*) FROM calls WHERE app_id = %s", app.app_id)
            assert count == [(0,)], "records were committed before the batch"
        holder.rollback()
    stack.start()
    check_kept(stack, app, plays, parcels)


def kill_again_and_again(daemon: Daemon, times: int) -> None:
    for _ in range(times):
        time.sleep(0.15)
        daemon.kill()
        daemon.start()


def test_a_worker_that_is_killed_again_and_again_still_gets_it_done(
    stack: Stack, app: App
) -> None:
    plays = some_plays(app)
    with under_way(app, plays, rate=120) as delivery:
        kill_again_and_again(stack.workerd, 6)
        parcels = delivery.result()
    stack.start()
    assert summarise(parcels).lost == 0
    check_kept(stack, app, plays, parcels)


# The database


def test_postgresql_may_be_restarted_while_events_come(stack: Stack, app: App) -> None:
    server = stack.database.cluster
    server.wanted_port = server.port  # the daemons know it under this one
    plays = some_plays(app)
    with under_way(app, plays, rate=40, time_scale=0.2) as delivery:
        server.stop()
        server.start(dies_with_us=True)
        parcels = delivery.result()
    assert acknowledged_after(parcels, 1.5) > 20
    for daemon in stack.daemons:
        assert daemon.is_running
        daemon.wait_ready()
    check_kept(stack, app, plays, parcels)
