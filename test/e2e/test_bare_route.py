"""POST /webhooks/dialpad: one URL and one secret, and the question whose event it is."""

from __future__ import annotations

import itertools

import pytest
from cti import Stack
from hook import payload
from stack_fixtures import StackMaker
from web import eventually

NIL = "00000000-0000-0000-0000-000000000000"
numbers = itertools.count(5963972419002368)


@pytest.fixture
def empty(stack: Stack) -> Stack:
    """No app is left of the test before."""
    stack.sql("UPDATE apps SET deleted_at = now() WHERE app_id <> %s", NIL)
    return stack


def new_call() -> dict:
    """The sample, as a call that no other test sends."""
    return payload("call_connected_seed") | {"call_id": next(numbers)}


def originals(stack: Stack, call: dict) -> list[tuple]:
    """What became of the call's events in the keeping of nobody."""
    return stack.sql(
        "SELECT verdict, processed, last_error FROM webhook_events"
        " WHERE app_id = %s AND dialpad_event_id = %s",
        NIL,
        str(call["call_id"]),
    )


def settled(stack: Stack, call: dict) -> tuple:
    """The verdict on the one event of the call, once there is one."""

    def look() -> tuple | None:
        rows = originals(stack, call)
        return rows[0] if len(rows) == 1 and rows[0][0] != "pending" else None

    return eventually(look, 20, "a verdict")


def test_the_only_app_gets_it_and_the_log_keeps_the_original(empty: Stack) -> None:
    app = empty.create_app("the only one")
    sent = new_call()
    assert empty.bare_hook.post(sent).json() == {"received": True}
    call = app.wait_for(f"/api/calls/{sent['call_id']}")
    assert call["duration"] == sent["talk_time"]

    [(event_id, *original)] = empty.sql(
        "SELECT event_id, hook, source, payload::text FROM event_log"
        " WHERE app_id = %s AND dialpad_event_id = %s",
        NIL,
        str(sent["call_id"]),
    )
    copies = empty.sql(
        "SELECT origin_event_id, hook, source, payload::text FROM event_log"
        " WHERE app_id = %s",
        app.app_id,
    )
    assert original[:2] == [None, "webhook"]
    assert copies == [(event_id, None, "assigned", original[2])]
    assert settled(empty, sent) == ("assigned", True, None)


@pytest.mark.parametrize("accepts_bare", [False, True])
def test_between_two_apps_it_stays_unclaimed_and_says_why(
    empty: Stack, accepts_bare: bool
) -> None:
    apps = [empty.create_app(name) for name in ("one", "another")]
    for app in apps:
        mark = "UPDATE apps SET accepts_bare = %s WHERE app_id = %s"
        empty.sql(mark, accepts_bare, app.app_id)
    nameless, named = new_call(), new_call() | {"organization_id": 6286560707051431}
    for call in (nameless, named):
        assert empty.bare_hook.post(call).status == 200

    for call, reason in (
        (nameless, "Unknown app: "),
        (named, "Unknown app: 6286560707051431"),
    ):
        verdict, processed, why = settled(empty, call)
        assert (verdict, processed) == ("unclaimed", False)
        assert why.startswith(reason)
        for app in apps:
            assert app.get(f"/api/calls/{call['call_id']}").status == 404


def test_of_two_apps_the_one_that_accepts_bare_events_gets_it(empty: Stack) -> None:
    chosen, other = (empty.create_app(name) for name in ("chosen", "other"))
    empty.sql("UPDATE apps SET accepts_bare = true WHERE app_id = %s", chosen.app_id)
    call = new_call()
    assert empty.bare_hook.post(call).status == 200
    chosen.wait_for(f"/api/calls/{call['call_id']}")
    assert other.get(f"/api/calls/{call['call_id']}").status == 404


def test_a_hooks_secret_is_no_good_there_nor_the_other_way_round(empty: Stack) -> None:
    app, bare = empty.create_app("the only one"), empty.bare_hook
    call = new_call()
    assert bare.post_body(app.hook.sign(call).encode()).status == 401
    assert app.hook.post_body(bare.sign(call).encode()).status == 401
    query = "SELECT 1 FROM event_log WHERE dialpad_event_id = %s"
    assert empty.sql(query, str(call["call_id"])) == []


def test_the_only_app_gets_nothing_when_that_is_switched_off(
    run_stack: StackMaker,
) -> None:
    with run_stack({"workerd": {"SINGLE_TENANT": "false"}}) as stack:
        app, call = stack.create_app("alone"), new_call()
        assert stack.bare_hook.post(call).status == 200
        verdict, _, why = settled(stack, call)
        assert verdict == "unclaimed" and why.startswith("Unknown app: ")
        assert app.get_json("/api/calls")["total"] == 0


def test_without_its_secret_it_asks_the_sender_to_come_again(
    run_stack: StackMaker,
) -> None:
    with run_stack({"ingestd": {"DIALPAD_WEBHOOK_SECRET": None}}) as stack:
        call = new_call()
        answer = stack.bare_hook.post(call)
        assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0
        assert originals(stack, call) == []
        assert stack.ingestd.log_contains("DIALPAD_WEBHOOK_SECRET")
        app = stack.create_app("by its own hook")
        assert app.hook.post(call).status == 200
        app.wait_for(f"/api/calls/{call['call_id']}")
