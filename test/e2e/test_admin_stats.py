"""The whole server in a few numbers."""

from __future__ import annotations

from admin import admin
from cti import App, Stack

NIL = "00000000-0000-0000-0000-000000000000"
NOTHING = {"events": 0, "is_capped": False, "oldest_age_seconds": None}


def add_events(stack: Stack, app_id: str, count: int, age: str, attempts: int = 0) -> None:
    """In the log and in the queue, not due for an hour."""
    stack.sql(
        "WITH log AS (INSERT INTO event_log (app_id, event_id, received_at, arrived_at, payload)"
        "  SELECT %s, gen_random_uuid(), now() - %s::interval, now(), '{}'"
        "  FROM generate_series(1, %s) RETURNING app_id, event_id, received_at)"
        " INSERT INTO event_queue (app_id, event_id, received_at, attempts, next_attempt_at)"
        " SELECT app_id, event_id, received_at, %s, now() + interval '1 hour' FROM log",
        app_id, age, count, attempts)


def set_aside(stack: Stack, app_id: str, verdict: str, count: int, age: str = "1 second") -> None:
    stack.sql("INSERT INTO event_outcomes (app_id, received_at, event_id, verdict)"
              " SELECT %s, now() - %s::interval, gen_random_uuid(), %s"
              " FROM generate_series(1, %s)", app_id, age, verdict, count)


def stats(stack: Stack) -> dict:
    answer = admin(stack, "GET", "/stats")
    assert answer.status == 200, answer.body
    return answer.json()


def test_of_a_server_without_anything_everything_is_nothing(own_stack: Stack) -> None:
    shown = stats(own_stack)
    assert shown["last_event_at"] is None and shown["apps"] == []
    assert set(shown["events"]) == {"pending", "retrying", "dead", "quarantined", "retired_hook",
                                    "unknown_app", "unclaimed"}
    assert all(state == NOTHING for state in shown["events"].values())
    assert shown["connections"] == {"connected": 0, "needs_reconnect": 0, "never_connected": 0,
                                    "disconnected": 0, "failing": []}
    assert admin(own_stack, "GET", "/stats?top=5").status == 400


def connect(stack: Stack, app: App, state: str, failures: int, error: str | None = None) -> None:
    stack.sql("INSERT INTO dialpad_connections (app_id, environment, state, refresh_failures,"
              " last_error) VALUES (%s, 'sandbox', %s, %s, %s)", app.app_id, state, failures, error)


def test_what_waits_is_counted_by_state_and_by_app(own_stack: Stack) -> None:
    small, large, idle = (own_stack.create_app(name) for name in ("small", "large", "idle"))
    add_events(own_stack, small.app_id, 2, "90 seconds")
    add_events(own_stack, large.app_id, 5, "10 seconds")
    add_events(own_stack, large.app_id, 3, "30 minutes", attempts=2)
    set_aside(own_stack, idle.app_id, "dead", 4, "5 minutes")
    set_aside(own_stack, idle.app_id, "quarantined", 1)
    set_aside(own_stack, NIL, "unclaimed", 2, "1 minute")
    set_aside(own_stack, NIL, "assigned", 50)
    events = stats(own_stack)["events"]
    assert {state: told["events"] for state, told in events.items()} == {
        "pending": 7, "retrying": 3, "dead": 4, "quarantined": 1, "retired_hook": 0,
        "unknown_app": 0, "unclaimed": 2}
    ages = {state: told["oldest_age_seconds"] for state, told in events.items()}
    for state, age in (("pending", 90), ("retrying", 1800), ("dead", 300), ("unclaimed", 60)):
        assert age <= ages[state] < age + 30, state
    first, second = stats(own_stack)["apps"]
    assert (first["name"], first["pending"], first["retrying"]) == ("large", 5, 3)
    assert 1800 <= first["oldest_age_seconds"] < 1830
    assert (second["app_id"], second["pending"], second["retrying"]) == (small.app_id, 2, 0)
    assert stats(own_stack)["last_event_at"] == first["last_event_at"] > second["last_event_at"]


def test_connections_that_fail_are_named(own_stack: Stack) -> None:
    fine, lost, shaky, away, _ = (own_stack.create_app(name)
                                  for name in ("fine", "lost", "shaky", "away", "new"))
    connect(own_stack, fine, "connected", 0)
    connect(own_stack, lost, "needs_reconnect", 5, "refused")
    connect(own_stack, shaky, "connected", 2, "timed out")
    connect(own_stack, away, "disconnected", 1)
    shown = stats(own_stack)["connections"]
    assert {k: v for k, v in shown.items() if k != "failing"} == {
        "connected": 2, "needs_reconnect": 1, "disconnected": 1, "never_connected": 1}
    assert {(f["name"], f["state"], f["refresh_failures"], f["error"]) for f in shown["failing"]} \
        == {("lost", "needs_reconnect", 5, "refused"), ("shaky", "connected", 2, "timed out")}


def test_counting_of_what_was_set_aside_stops_somewhere_and_says_so(own_stack: Stack) -> None:
    app = own_stack.create_app("flooded")
    set_aside(own_stack, app.app_id, "retired_hook", 100_001)
    set_aside(own_stack, NIL, "unclaimed", 3)
    events = stats(own_stack)["events"]
    assert events["retired_hook"]["events"] == 100_000 and events["retired_hook"]["is_capped"]
    assert not events["unclaimed"]["is_capped"] and not events["pending"]["is_capped"]
