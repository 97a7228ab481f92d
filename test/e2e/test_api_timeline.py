"""The events of a call that left the log for the archive."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cti import App, Stack
from test.plans import PlanLog
from rows import Rows, text

NOON = datetime(2020, 2, 29, 12, tzinfo=UTC)
DAYS = 40


@pytest.fixture(scope="module")
def archive(run_stack) -> Iterator[tuple[Stack, PlanLog]]:
    """Forty days of an archive, of which a call's events lie in two."""
    with run_stack() as stack:
        for number in range(-20, DAYS - 20):
            day = NOON.date() + timedelta(days=number)
            for table in ("event_log_archive", "event_outcomes_archive"):
                stack.sql(f"CREATE TABLE {table}_{day:%Y%m%d} PARTITION OF {table}"
                          f" FOR VALUES FROM ('{day}') TO ('{day + timedelta(days=1)}')")
        stack.apid.stop()
        plans = PlanLog(stack.database)
        stack.start()
        yield stack, plans


def add_event(stack: Stack, app: App, at: datetime, verdict: str | None = None) -> str:
    event = str(uuid.uuid4())
    stack.sql("INSERT INTO event_log_archive (app_id, event_id, received_at, arrived_at,"
              " event_type, dialpad_event_id, event_at, payload)"
              " VALUES (%s, %s, %s, %s, 'ringing', '77', %s, '{}')",
              app.app_id, event, at, at, at)
    if verdict is not None:
        stack.sql("INSERT INTO event_outcomes_archive (app_id, event_id, received_at, verdict)"
                  " VALUES (%s, %s, %s, %s)", app.app_id, event, at, verdict)
    return event


def test_archived_events_are_in_the_timeline_with_their_verdicts(archive):
    stack, plans = archive
    app, stranger = stack.create_app("archived"), stack.create_app("stranger")
    later = NOON + timedelta(days=1)
    rows = Rows(stack, app)
    rows.call(call_id=77, sort_at=NOON, created_at=NOON, updated_at=later)
    processed = add_event(stack, app, NOON)
    dead = add_event(stack, app, later + timedelta(days=3), "dead")
    last = add_event(stack, app, later)
    add_event(stack, stranger, NOON)
    plans.new()
    timeline = app.get_json("/api/calls/77")["timeline"]
    assert [(e["event_id"], e["verdict"], e["received_at"]) for e in timeline] == [
        (processed, "processed", text(NOON)),
        (last, "processed", text(later)),
        (dead, "dead", text(later + timedelta(days=3))),
    ]
    check_days([p for p in plans.new() if "dialpad_event_id" in p.sql])


def check_days(timelines: list) -> None:
    """From a day before the first event to a week after the last, by index."""
    [plan] = timelines
    days = {name[-8:] for name in plan.relations if "archive" in name}
    first, last = min(days), max(days)
    assert first == "20200228" and last == "20200308"
    assert not any(plan.reads_all_of(name) for name in plan.relations if "log" in name)


def test_a_call_of_today_opens_no_day_of_the_archive(archive):
    stack, plans = archive
    app = stack.create_app("today")
    Rows(stack, app).call(call_id=78)
    Rows(stack, app).event(78, "hangup", NOON)
    plans.new()
    assert len(app.get_json("/api/calls/78")["timeline"]) == 1
    [plan] = [p for p in plans.new() if "dialpad_event_id" in p.sql]
    assert not any("archive" in name for name in plan.relations)
    assert sum("event_log_" in name for name in plan.relations) <= 9
