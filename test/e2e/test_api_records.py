"""Single records, and the wall between tenants."""

from __future__ import annotations

import pytest
from cti import App, Stack
from rows import Rows, ago, text


@pytest.fixture
def rows(stack: Stack, app: App) -> Rows:
    return Rows(stack, app)


KINDS = ("calls", "messages", "voicemails")


def add(rows: Rows, kind: str, dialpad_id: int) -> str:
    match kind:
        case "calls":
            return rows.call(call_id=dialpad_id)
        case "messages":
            return rows.message(message_id=dialpad_id)
        case _:
            return rows.voicemail(call_id=dialpad_id)


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_is_found_by_either_id(app: App, rows: Rows, kind: str):
    ours = add(rows, kind, 6286560707051431)
    by_ours = app.get_json(f"/api/{kind}/{ours}")
    assert by_ours == app.get_json(f"/api/{kind}/6286560707051431")
    assert by_ours == app.get_json(f"/api/{kind}/{ours.upper()}")
    assert by_ours["id"] == ours


@pytest.mark.parametrize("kind", KINDS)
def test_another_tenants_record_is_not_there(stack: Stack, app: App, rows: Rows, kind: str):
    ours = add(rows, kind, 6286560707051431)
    stranger = stack.create_app("stranger")
    for record in (ours, "6286560707051431"):
        answer = stranger.get(f"/api/{kind}/{record}")
        assert answer.status == 404, answer.body
        assert answer.json()["status"] == 404
    assert stranger.get_json(f"/api/{kind}")[kind] == []
    assert len(app.get_json(f"/api/{kind}")[kind]) == 1


@pytest.mark.parametrize("record", ["x", "-1", "1.0", "99999999999999999999", "%27", "1%002"])
def test_what_cannot_be_an_id_names_nothing(app: App, record: str):
    assert app.get(f"/api/calls/{record}").status in (400, 404)


def test_a_record_takes_no_parameters(app: App, rows: Rows):
    answer = app.get(f"/api/calls/{rows.call()}?expand=all")
    assert answer.status == 400 and "expand" in answer.json()["detail"]


def test_a_call_has_its_events_in_order_with_their_verdicts(stack: Stack, app: App, rows: Rows):
    call_id = 5137304475768569
    rows.call(call_id=call_id)
    first, second = ago(minutes=2), ago(minutes=1)
    done = rows.event(call_id, "hangup", second)
    pending = rows.event(call_id, "connected", first)
    dead = rows.event(call_id, "recording", None)
    rows.event(call_id + 1, "connected", first)
    stack.sql("INSERT INTO event_queue (app_id, received_at, event_id, next_attempt_at)"
              " SELECT app_id, received_at, event_id, now() + interval '1 hour' FROM event_log"
              " WHERE event_id = %s", pending)
    stack.sql("INSERT INTO event_outcomes (app_id, received_at, event_id, verdict)"
              " SELECT app_id, received_at, event_id, 'dead' FROM event_log WHERE event_id = %s",
              dead)
    call = app.get_json(f"/api/calls/{call_id}")
    assert [(e["event_id"], e["event_type"], e["event_at"], e["verdict"])
            for e in call["timeline"]] == [
        (pending, "connected", text(first), "pending"),
        (done, "hangup", text(second), "processed"),
        (dead, "recording", None, "dead"),
    ]
    assert call["timeline"] == app.get_json(f"/api/calls/{call['id']}")["timeline"]
    assert all(e["received_at"].endswith("Z") for e in call["timeline"])
