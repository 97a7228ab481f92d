"""One event that cannot be folded stops nobody else's, and is never lost from sight."""

from __future__ import annotations

import pytest
from cti import App, Stack
from hook import payload
from web import eventually

CALL = payload("call_ringing_inbound_2024")
FIRST_ID = 5_000_000_000_000_001
CALLS = 12
POISON_ID = FIRST_ID + 5
LEFT = "SELECT attempts, last_error FROM event_queue ORDER BY event_id"


def post_calls(app: App) -> None:
    for call_id in range(FIRST_ID, FIRST_ID + CALLS):
        assert app.hook.post(CALL | {"call_id": call_id}).status == 200


def call_ids(app: App) -> set[int]:
    return {call["call_id"] for call in app.get_json("/api/calls")["calls"]}


def test_an_event_that_the_database_refuses_is_set_aside_alone(own_stack: Stack) -> None:
    app = own_stack.create_app("poisoned")
    own_stack.workerd.stop()
    own_stack.sql(f"ALTER TABLE calls ADD CONSTRAINT poison CHECK (call_id <> {POISON_ID})")
    post_calls(app)
    own_stack.workerd.start()

    eventually(lambda: len(own_stack.sql(LEFT)) == 1, 10, "one event left in the queue")
    eventually(lambda: own_stack.sql(LEFT)[0][0] >= 1, 10, "a failed attempt")
    assert "calls" in own_stack.sql(LEFT)[0][1]
    assert call_ids(app) == set(range(FIRST_ID, FIRST_ID + CALLS)) - {POISON_ID}
    own_stack.workerd.wait_for_log("event.set_aside")

    own_stack.sql("ALTER TABLE calls DROP CONSTRAINT poison")
    own_stack.sql("UPDATE event_queue SET next_attempt_at = now()")
    app.wait_for(f"/api/calls/{POISON_ID}")
    assert own_stack.sql(LEFT) == []


def test_an_event_that_is_refused_too_often_is_dead(run_stack) -> None:
    with run_stack({"workerd": {"WORKER_MAX_ATTEMPTS": "1"}}) as stack:
        app = stack.create_app("poisoned")
        stack.sql(f"ALTER TABLE calls ADD CONSTRAINT poison CHECK (call_id <> {POISON_ID})")
        post_calls(app)
        stack.wait_until_done()
        assert call_ids(app) == set(range(FIRST_ID, FIRST_ID + CALLS)) - {POISON_ID}
        [(verdict, dialpad_id)] = stack.sql(
            "SELECT verdict, dialpad_event_id FROM webhook_events WHERE verdict <> 'processed'"
        )
        assert (verdict, dialpad_id) == ("dead", str(POISON_ID))


def test_a_queue_row_without_its_event_does_not_hold_up_the_others(
    own_stack: Stack,
) -> None:
    app = own_stack.create_app("forgetful")
    own_stack.workerd.stop()
    post_calls(app)
    # As if retention had dropped the day of that event while it waited.
    lost = f"WHERE dialpad_event_id = '{POISON_ID}'"
    own_stack.database.cluster.psql(
        "UPDATE event_queue SET received_at = '2001-01-01' WHERE event_id ="
        f" (SELECT event_id FROM event_log {lost}); DELETE FROM event_log {lost}",
        db=own_stack.database.name,
    )
    own_stack.workerd.start()
    own_stack.wait_until_done()
    assert call_ids(app) == set(range(FIRST_ID, FIRST_ID + CALLS)) - {POISON_ID}
    own_stack.workerd.wait_for_log("event.not_in_log")


def fail_at_poison(stack: Stack, sqlstate: str, after_s: float = 0) -> None:
    """PostgreSQL cannot say which row of a statement it is that it fails at."""
    stack.sql(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$"
        f" BEGIN PERFORM pg_sleep({after_s});"
        f" RAISE EXCEPTION 'cannot' USING ERRCODE = '{sqlstate}'; END $$"
    )
    stack.sql(
        "CREATE TRIGGER fail BEFORE INSERT ON calls FOR EACH ROW"
        f" WHEN (NEW.call_id = {POISON_ID}) EXECUTE FUNCTION fail()"
    )


@pytest.mark.parametrize(
    ("sqlstate", "after_s"), [("XX000", 0), ("57014", 0), ("57014", 1.2)],
    ids=["an internal error", "a timeout", "one that comes when a mark is old"],
)
def test_trouble_with_one_event_holds_up_no_other_and_counts_no_attempt(
    own_stack: Stack, sqlstate: str, after_s: float
) -> None:
    app = own_stack.create_app("troubled")
    own_stack.workerd.stop()
    fail_at_poison(own_stack, sqlstate, after_s)
    post_calls(app)
    own_stack.workerd.start()
    others = set(range(FIRST_ID, FIRST_ID + CALLS)) - {POISON_ID}
    eventually(lambda: call_ids(app) == others, 15, "all calls but one")
    eventually(lambda: "cannot" in (own_stack.sql(LEFT)[0][1] or ""), 10, "the reason")

    # Tried again and again, and not counted but while it is being tried.
    eventually(lambda: own_stack.sql(LEFT)[0][0] == 0, 10, "no attempt counted")
    own_stack.sql("DROP TRIGGER fail ON calls")
    app.wait_for(f"/api/calls/{POISON_ID}")
    assert own_stack.sql(LEFT) == []


def test_a_stop_amid_such_an_attempt_counts_none(own_stack: Stack) -> None:
    app = own_stack.create_app("stopped")
    own_stack.workerd.stop()
    fail_at_poison(own_stack, "57014", after_s=1)
    assert app.hook.post(CALL | {"call_id": POISON_ID}).status == 200
    own_stack.workerd.start()
    eventually(lambda: own_stack.sql(LEFT)[0][0] == 1, 20, "an attempt, counted beforehand")
    assert own_stack.workerd.stop() == 0
    [(attempts, why)] = own_stack.sql(LEFT)
    assert (attempts, "cannot" in why) == (0, True)
