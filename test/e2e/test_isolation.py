"""One tenant never sees another's records, whichever way it asks."""

from __future__ import annotations

import time

import pytest
from cti import App, Stack
from web import eventually

from test.conftest import Database
from test.sim.catalogue import events_by_time, perform

LISTS = ("calls", "messages", "voicemails")
TENANT_RELATIONS = ("event_log", "event_queue", "event_outcomes", "calls", "messages",
                    "voicemails", "change_feed", "webhook_events")
SCENARIOS = ["voicemail", "text_delivered", "ongoing"]
ALL_TRIED = """\
SELECT 1 WHERE NOT EXISTS
	(SELECT 1 FROM webhook_events WHERE app_id = %s AND verdict = 'pending')"""


@pytest.fixture
def full_app(stack: Stack) -> App:
    """A tenant with something in each list and each table."""
    app = stack.create_app("full")
    plays = perform(SCENARIOS, 3, seed=app.app_id, now_ms=time.time_ns() // 1_000_000)
    app.hook.deliver(events_by_time(plays))
    for claims in (b"[]", b'{"call_id":"x"}'):  # one for the outcomes, one for the queue
        assert app.hook.post_body(app.hook.sign_bytes(claims).encode()).status == 200
    eventually(lambda: stack.sql(ALL_TRIED, app.app_id), 10, "a verdict on each event")
    return app


def test_another_apps_key_sees_none_of_it(stack: Stack, full_app: App) -> None:
    other = stack.create_app("other")
    for name in LISTS:
        [record, *_] = full_app.get_json(f"/api/{name}")[name]
        dialpad_id = record["message_id" if name == "messages" else "call_id"]
        assert other.get_json(f"/api/{name}")[name] == []
        assert other.get_json(f"/api/{name}")["total"] == 0
        for one in (record["id"], dialpad_id):
            assert full_app.get(f"/api/{name}/{one}").status == 200
            assert other.get(f"/api/{name}/{one}").status == 404
    assert full_app.get_json("/api/calls/active")["total"] == 1
    assert other.get_json("/api/calls/active") == {"calls": [], "total": 0}


def test_the_same_dialpad_id_in_two_apps_is_two_records(
    stack: Stack, full_app: App
) -> None:
    other = stack.create_app("other")
    call = full_app.get_json("/api/calls/active")["calls"][0]
    twin = {"call_id": call["call_id"], "state": "missed", "direction": "inbound"}
    assert other.hook.post(twin).status == 200
    theirs = other.wait_for(f"/api/calls/{call['call_id']}")
    assert theirs["id"] != call["id"] and theirs["status"] == "missed"
    assert len(theirs["timeline"]) == 1
    assert full_app.get_json(f"/api/calls/{call['call_id']}")["status"] == "connected"
    assert other.get(f"/api/calls/{call['id']}").status == 404


def test_a_cursor_of_another_app_is_refused(stack: Stack, full_app: App) -> None:
    assert full_app.hook.post({"call_id": 99, "state": "ringing"}).status == 200
    full_app.wait_for("/api/calls/99")
    other = stack.create_app("other")
    cursor = full_app.get_json("/api/calls?limit=1")["next_cursor"]
    assert full_app.get(f"/api/calls?cursor={cursor}").status == 200
    assert other.get(f"/api/calls?cursor={cursor}").status == 400


@pytest.mark.parametrize("key", ["", "nonsense", "cti_test_000000000000_" + "A" * 43])
def test_without_a_valid_key_nothing_is_shown(
    stack: Stack, full_app: App, key: str
) -> None:
    stranger = App(full_app.app_id, key, full_app.hook, full_app.api_url)
    for name in LISTS:
        assert stranger.get(f"/api/{name}").status == 401


def counts(conn) -> dict[str, int]:
    return {
        name: conn.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
        for name in TENANT_RELATIONS
    }


def test_the_apis_role_sees_nothing_without_a_tenant(
    stack: Stack, full_app: App
) -> None:
    database: Database = stack.database
    nothing = dict.fromkeys(TENANT_RELATIONS, 0)
    with database.connect("cti_api", autocommit=True) as conn:
        assert counts(conn) == nothing
        with conn.transaction():
            conn.execute(f"SET LOCAL cti.app_id = '{full_app.app_id}'")
            assert all(counts(conn).values()), "else this test would prove nothing"
        # The setting is now an empty string, no longer null.
        assert conn.execute("SHOW cti.app_id").fetchone() == ("",)
        assert counts(conn) == nothing
