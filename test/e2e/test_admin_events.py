"""The delivery log as admins see it: every event, what became of it, and its payload."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from admin import admin
from cti import App, Stack
from rows import text

NIL = "00000000-0000-0000-0000-000000000000"
OLD_NOON = datetime(2020, 2, 29, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def stack(run_stack) -> Iterator[Stack]:
    """With a day in the archive, and an event that fails once dead at once."""
    with run_stack({"workerd": {"WORKER_MAX_ATTEMPTS": "1"}}) as running:
        for table in ("event_log_archive", "event_outcomes_archive"):
            running.sql(f"CREATE TABLE {table}_20200229 PARTITION OF {table}"
                        " FOR VALUES FROM ('2020-02-29') TO ('2020-03-01')")
        yield running


def events(stack: Stack, app: App, query: str = "") -> list[dict]:
    return stack.admin("GET", f"/apps/{app.app_id}/events?{query}")["events"]


def ringing(call_id: int, **claims) -> dict:
    return {"call_id": call_id, "state": "ringing", "event_timestamp": 1_700_000_000_000, **claims}


def post(stack: Stack, app: App, *claims: dict) -> None:
    """One after the other, so that their order is known; done with when this returns."""
    for one in claims:
        assert app.hook.post(one).status == 200
    stack.wait_until_done()


def add_archived(stack: Stack, app: App, verdict: str | None = None) -> str:
    event = str(uuid.uuid4())
    stack.sql("INSERT INTO event_log_archive (app_id, event_id, received_at, arrived_at, event_type,"
              " dialpad_event_id, payload) VALUES (%s, %s, %s, %s, 'hangup', '5', '{\"a\":1}')",
              app.app_id, event, OLD_NOON, OLD_NOON)
    if verdict is not None:
        stack.sql("INSERT INTO event_outcomes_archive (app_id, event_id, received_at, verdict,"
                  " attempts, last_error) VALUES (%s, %s, %s, %s, 3, 'broken')",
                  app.app_id, event, OLD_NOON, verdict)
    return event


def test_an_event_is_shown_with_what_became_of_it(stack: Stack, app: App) -> None:
    post(stack, app, ringing(7))
    [event] = events(stack, app)
    assert uuid.UUID(event.pop("event_id")).version == 7
    assert event.pop("arrived_at") <= event.pop("received_at")
    assert event == {
        "event_at": "2023-11-14T22:13:20.000Z", "kind": "call", "event_type": "ringing",
        "dialpad_id": 7, "hook": 1, "source": "webhook", "origin_event_id": None,
        "verdict": "processed", "attempts": 0, "next_attempt_at": None, "error": None,
        "archived": False,
    }


def test_the_payload_is_shown_byte_for_byte(stack: Stack, app: App) -> None:
    claims = b'{"call_id":9007199254740993, "state":"ringing",\t"x":1.10,"x":1e2,"u":"\\u00e9\xc3\xa9"}'
    assert app.hook.post_body(app.hook.sign_bytes(claims).encode()).status == 200
    stack.wait_until_done()
    [event] = events(stack, app)
    answer = admin(stack, "GET", f"/apps/{app.app_id}/events/{event['event_id']}")
    assert b'"payload":' + claims + b"," in answer.body
    assert answer.json()["payload_base64"] is None
    assert {k: v for k, v in answer.json().items() if k in event} == event


def test_claims_that_are_no_json_are_shown_as_base64(stack: Stack, app: App) -> None:
    claims = bytes(range(256))
    assert app.hook.post_body(app.hook.sign_bytes(claims).encode()).status == 200
    stack.wait_until_done()
    [event] = events(stack, app)
    assert (event["verdict"], event["kind"], event["dialpad_id"]) == ("quarantined", "other", None)
    shown = stack.admin("GET", f"/apps/{app.app_id}/events/{event['event_id']}")
    assert shown["payload"] is None and base64.b64decode(shown["payload_base64"]) == claims
    assert "JSON" in shown["error"]


def test_each_filter_finds_its_events(stack: Stack, app: App) -> None:
    stack.sql("ALTER TABLE calls ADD CONSTRAINT poison CHECK (call_id <> 666)")
    try:
        post(stack, app, ringing(1), ringing(666), ringing(1, state="hangup"),
             {"id": 2, "from_number": "+1", "to_number": "+2", "text": "x"},
             {"contact": {"id": "x"}})
    finally:
        stack.sql("ALTER TABLE calls DROP CONSTRAINT poison")
    stack.workerd.stop()
    assert app.hook.post(ringing(3)).status == 200
    assert app.hook.post(ringing(4)).status == 200
    stack.sql("UPDATE event_queue SET attempts = 2, last_error = 'again',"
              " next_attempt_at = now() + interval '1 hour' WHERE event_id IN"
              " (SELECT event_id FROM event_log WHERE app_id = %s AND dialpad_event_id = '4')",
              app.app_id)
    old, broken = add_archived(stack, app), add_archived(stack, app, "dead")
    try:
        def found(query: str) -> list[tuple]:
            return [(e["kind"], e["dialpad_id"]) for e in events(stack, app, query)]

        archived = [("call", 5)] * 2
        new = [("call", 4), ("call", 3), ("other", None), ("message", 2), ("call", 1),
               ("call", 666), ("call", 1)]
        assert found("") == found("verdict=all&kind=all") == new + archived
        assert found("verdict=dead") == [("call", 666), ("call", 5)]
        assert found("verdict=pending") == [("call", 3)]
        assert found("verdict=retrying") == [("call", 4)]
        assert found("verdict=processed") == [
            ("other", None), ("message", 2), ("call", 1), ("call", 1), ("call", 5)]
        assert found("verdict=quarantined") == []
        assert found("kind=message") == [("message", 2)] and found("kind=other") == [("other", None)]
        assert found("kind=call&verdict=processed") == [("call", 1)] * 2 + [("call", 5)]
        assert found("verdict=dead&kind=message") == found("verdict=pending&dialpad_id=4") == []
        assert found("dialpad_id=1") == [("call", 1)] * 2
        assert found("dialpad_id=666&verdict=dead") == [("call", 666)]
        assert found("to=2020-03-01T00:00:00Z") == archived
        assert found("from=2020-03-01T00:00:00Z") == new
        assert found(f"from={text(OLD_NOON)}&to={text(OLD_NOON)}") == []

        [retrying] = events(stack, app, "verdict=retrying")
        assert (retrying["attempts"], retrying["error"]) == (2, "again")
        assert retrying["next_attempt_at"] > retrying["received_at"]
        shown = {e["event_id"]: e for e in events(stack, app, "to=2020-03-01T00:00:00Z")}
        assert shown[old]["archived"] and shown[old]["verdict"] == "processed"
        assert (shown[broken]["verdict"], shown[broken]["attempts"], shown[broken]["error"]) == (
            "dead", 3, "broken")
        one = stack.admin("GET", f"/apps/{app.app_id}/events/{broken}")
        assert one["payload"] == {"a": 1} and one["archived"] and one["verdict"] == "dead"
    finally:
        stack.sql("DELETE FROM event_queue WHERE app_id = %s", app.app_id)
        stack.start()


@pytest.mark.parametrize("query", ["", "verdict=processed", "verdict=dead"])
def test_pages_show_each_event_once_also_while_others_come(
    stack: Stack, app: App, query: str
) -> None:
    """Many of one instant, as a group of ingestd's is; instants a microsecond apart; an archive."""
    for step in range(4):
        stack.sql("INSERT INTO event_log (app_id, event_id, received_at, arrived_at, payload)"
                  " SELECT %s, gen_random_uuid(), date_trunc('milliseconds', now())"
                  "   + %s * interval '1 microsecond', now(), '{}' FROM generate_series(1, 5)",
                  app.app_id, step)
    add_archived(stack, app)
    add_archived(stack, app)
    if query == "verdict=dead":
        stack.sql("INSERT INTO event_outcomes (app_id, event_id, received_at, verdict)"
                  " SELECT app_id, event_id, received_at, 'dead' FROM event_log WHERE app_id = %s",
                  app.app_id)
        stack.sql("INSERT INTO event_outcomes_archive (app_id, event_id, received_at, verdict)"
                  " SELECT app_id, event_id, received_at, 'dead' FROM event_log_archive"
                  " WHERE app_id = %s", app.app_id)
    whole = [e["event_id"] for e in events(stack, app, query)]
    assert len(whole) == len(set(whole)) == 22
    seen, cursor = [], ""
    while True:
        page = stack.admin("GET", f"/apps/{app.app_id}/events?limit=3&cursor={cursor}&{query}")
        seen += [e["event_id"] for e in page["events"]]
        stack.sql("INSERT INTO event_log (app_id, event_id, arrived_at, payload)"
                  " VALUES (%s, gen_random_uuid(), now(), '{}')", app.app_id)
        assert page["has_more"] == (page["next_cursor"] is not None)
        if not page["has_more"]:
            break
        cursor = page["next_cursor"]
    assert seen == whole


def test_another_apps_events_and_cursors_are_unknown(stack: Stack, app: App) -> None:
    other = stack.create_app("other")
    post(stack, app, ringing(1), ringing(2))
    page = stack.admin("GET", f"/apps/{app.app_id}/events?limit=1")
    assert events(stack, other) == []
    event = page["events"][0]["event_id"]
    assert admin(stack, "GET", f"/apps/{other.app_id}/events/{event}").status == 404
    refused = admin(stack, "GET", f"/apps/{other.app_id}/events?cursor={page['next_cursor']}")
    assert refused.status == 400 and "cursor" in refused.json()["detail"]


@pytest.mark.parametrize(("query", "named"), [
    ("verdict=fine", "verdict"), ("kind=hangup", "kind"), ("dialpad_id=x", "dialpad_id"),
    ("from=yesterday", "from"), ("to=1.5", "to"), ("limit=501", "limit"), ("cursor=x", "cursor"),
    ("offset=5", "offset"), ("total=true", "total"),
])
def test_a_wrong_parameter_is_refused_by_name(stack: Stack, app: App, query: str, named: str):
    answer = admin(stack, "GET", f"/apps/{app.app_id}/events?{query}")
    assert answer.status == 400 and named in answer.json()["detail"]


@pytest.mark.parametrize("path", ["", "/replay", "/11111111-1111-1111-1111-111111111111"])
def test_of_an_unknown_app_there_is_nothing(stack: Stack, path: str) -> None:
    deleted = stack.create_app("deleted").app_id
    assert admin(stack, "DELETE", f"/apps/{deleted}?confirm=deleted").status == 200
    for app_id in ("11111111-1111-1111-1111-111111111111", NIL, deleted, "x"):
        assert admin(stack, "GET", f"/apps/{app_id}/events{path}").status == 404


def test_an_event_received_at_one_instant_is_in_a_range_of_that_millisecond(
    stack: Stack, app: App
) -> None:
    post(stack, app, ringing(1))
    at = datetime.fromisoformat(events(stack, app)[0]["received_at"])
    after = text(at + timedelta(milliseconds=1))
    assert len(events(stack, app, f"from={text(at)}&to={after}")) == 1
    assert events(stack, app, f"from={after}") == []
