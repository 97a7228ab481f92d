"""An outage, and what came back of the calls that were missed in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg
from cti import App, Stack
from web import eventually

from test.conftest import Database

# Each ends with a state of its own; none is a text, for those cannot be asked for.
CALLS = "inbound_answered,missed,abandoned_in_queue,voicemail,recorded,ring_group,outbound_answered"


@contextlib.contextmanager
def database_down(database: Database) -> Iterator[None]:
    """Nobody can connect, and who was connected is not any more."""
    with psycopg.connect(database.cluster.superuser_url("postgres"), autocommit=True) as conn:
        conn.execute(f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS false")
        conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                     [database.name])
        yield
        conn.execute(f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS true")


def repairs(stack: Stack, app: App) -> list[dict]:
    return stack.admin("GET", f"/apps/{app.app_id}/repair")["repairs"]


def wait_for_repairs(stack: Stack, app: App, seconds: float = 60) -> list[dict]:
    eventually(lambda: repairs(stack, app)
               and all(one["finished_at"] and one["result"] for one in repairs(stack, app)), seconds,
               f"repairs: {repairs(stack, app)}")
    stack.wait_until_done()
    return repairs(stack, app)


def added_events(stack: Stack, app: App) -> list[int]:
    return [int(one) for (one,) in stack.sql(
        "SELECT dialpad_event_id FROM event_log WHERE app_id = %s AND source = 'repair'"
        " ORDER BY 1", app.app_id)]


def check(app: App, truth: dict, reason: str | None) -> None:
    call = app.get_json(f"/api/calls/{truth['call_id']}")
    assert (call["status"], call["ended_reason"]) == (truth["status"], reason), call
    assert call["ended_at"] or truth["ended_ms"] is None, call
    if reason is not None:
        assert call["duration"] == truth["talk_ms"] or truth["talk_ms"] is None
