"""POST /webhooks/dialpad: one URL and one secret, and the question whose event it is."""

from __future__ import annotations

from conftest import StackMaker
from cti import Stack
from hook import payload
from web import eventually

NIL = "00000000-0000-0000-0000-000000000000"
CALL = payload("call_connected_seed")
UNCLAIMED = f"SELECT verdict, processed, last_error FROM webhook_events WHERE app_id = '{NIL}'"


def test_the_only_app_gets_it_and_the_log_keeps_the_original(own_stack: Stack) -> None:
    app = own_stack.create_app("the only one")
    assert own_stack.bare_hook.post(CALL).json() == {"received": True}
    call = app.wait_for(f"/api/calls/{CALL['call_id']}")
    assert call["duration"] == CALL["talk_time"]

    [original] = own_stack.sql(
        "SELECT event_id, hook, source, payload::text FROM event_log WHERE app_id = %s", NIL
    )
    [copy] = own_stack.sql(
        "SELECT origin_event_id, hook, source, payload::text FROM event_log"
        " WHERE app_id = %s", app.app_id
    )
    event_id, hook, source, text = original
    assert (hook, source) == (None, "webhook")
    assert copy == (event_id, None, "assigned", text)
    assert own_stack.sql(UNCLAIMED) == [("assigned", True, None)]


def test_between_two_apps_it_stays_unclaimed_and_says_why(own_stack: Stack) -> None:
    apps = [own_stack.create_app(name) for name in ("one", "another")]
    for claims in (CALL, CALL | {"organization_id": 5137304475768569}):
        assert own_stack.bare_hook.post(claims).status == 200
    eventually(lambda: len(own_stack.sql(UNCLAIMED)) == 2, 5, "both in the log")
    own_stack.wait_until_done()

    rows = own_stack.sql(UNCLAIMED + " ORDER BY received_at")
    assert [row[:2] for row in rows] == [("unclaimed", False)] * 2
    assert rows[0][2].startswith("Unknown app: ")
    assert rows[1][2].startswith("Unknown app: 5137304475768569")
    for app in apps:
        assert app.get(f"/api/calls/{CALL['call_id']}").status == 404


def test_the_only_app_gets_nothing_when_that_is_switched_off(run_stack: StackMaker) -> None:
    with run_stack({"workerd": {"SINGLE_TENANT": "false"}}) as stack:
        app = stack.create_app("alone")
        assert stack.bare_hook.post(CALL).status == 200
        eventually(lambda: stack.sql(UNCLAIMED), 5, "the event in the log")
        stack.wait_until_done()
        [(verdict, _, reason)] = stack.sql(UNCLAIMED)
        assert verdict == "unclaimed" and reason.startswith("Unknown app:")
        assert app.get_json("/api/calls")["total"] == 0


def test_without_its_secret_it_asks_the_sender_to_come_again(run_stack: StackMaker) -> None:
    with run_stack({"ingestd": {"DIALPAD_WEBHOOK_SECRET": None}}) as stack:
        answer = stack.bare_hook.post(CALL)
        assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0
        assert stack.sql("SELECT 1 FROM event_log") == []
        assert stack.ingestd.log_contains("DIALPAD_WEBHOOK_SECRET")
        app = stack.create_app("by its own hook")
        assert app.hook.post(CALL).status == 200
        app.wait_for(f"/api/calls/{CALL['call_id']}")


def test_a_hooks_secret_is_no_good_there_nor_the_other_way_round(own_stack: Stack) -> None:
    app = own_stack.create_app("the only one")
    bare = own_stack.bare_hook
    assert bare.post_body(app.hook.sign(CALL).encode()).status == 401
    assert app.hook.post_body(bare.sign(CALL).encode()).status == 401
    assert own_stack.sql("SELECT 1 FROM event_log") == []
