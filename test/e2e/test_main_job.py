"""From a signed webhook to what a client reads."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from uuid import UUID

import pytest
from cti import App, Stack
from expected import CALLS, MESSAGES
from hook import payload
from stack_fixtures import StackMaker
from truth import check_truths

from test.sim.catalogue import SCENARIOS, events_by_time, names_of, perform
from test.sim.report import summarise

LONG_IDS = (5137304475768569, 6286560707051431)


@pytest.fixture(scope="module")
def stack(run_stack: StackMaker) -> Iterator[Stack]:
    """Whose worker would poll too late: what is shown was hinted at."""
    with run_stack({"workerd": {"WORKER_POLL_MS": "60000"}}) as running:
        yield running


def split_off_run(record: dict) -> tuple[dict, dict]:
    """The record without what depends on the run, and that."""
    of_run = ("id", "created_at", "updated_at")
    rest = {key: value for key, value in record.items() if key not in of_run}
    return rest, {key: record[key] for key in of_run}


def check_of_run(of_run: dict) -> None:
    assert UUID(of_run["id"]).version == 5
    assert of_run["created_at"] == of_run["updated_at"]
    age = datetime.now(timezone.utc) - datetime.fromisoformat(of_run["created_at"])
    assert timedelta(0) <= age < timedelta(minutes=1)


def test_an_admin_is_shown_the_hook_that_the_documentation_derives(
    stack: Stack, app: App
) -> None:
    shown = stack.admin("GET", f"/apps/{app.app_id}/webhook")
    assert shown["hook_url"] == app.hook.url
    assert shown["secret"] == app.hook.secret


@pytest.mark.parametrize("name", CALLS)
def test_a_call_appears_at_once_with_every_field(app: App, name: str) -> None:
    claims = payload(name)
    answer = app.hook.post(claims)
    assert (answer.status, answer.json()) == (200, {"received": True})
    by_dialpad_id = app.wait_for(f"/api/calls/{claims['call_id']}")

    call = copy.deepcopy(by_dialpad_id)
    timeline = call.pop("timeline")
    fields, of_run = split_off_run(call)
    assert fields == CALLS[name]
    check_of_run(of_run)
    assert [(e["event_type"], e["verdict"]) for e in timeline] == [
        (claims["state"], "processed")
    ]
    assert app.get_json(f"/api/calls/{call['id']}") == by_dialpad_id
    listed = app.get_json("/api/calls")
    assert (listed["calls"], listed["total"], listed["has_more"]) == ([call], 1, False)
    live = [call] if call["status"] in ("ringing", "connected") else []
    assert app.get_json("/api/calls/active") == {"calls": live, "total": len(live)}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_text_appears_at_once_with_every_field(app: App, name: str) -> None:
    claims = payload(name)
    assert app.hook.post(claims).status == 200
    message = app.wait_for(f"/api/messages/{claims['id']}")

    fields, of_run = split_off_run(message)
    assert fields == MESSAGES[name]
    check_of_run(of_run)
    assert app.get_json(f"/api/messages/{message['id']}") == message
    listed = app.get_json("/api/messages")
    assert (listed["messages"], listed["total"]) == ([message], 1)


def test_a_voicemail_is_listed_with_its_call_once_it_is_uploaded(app: App) -> None:
    call = payload("invented_voicemail_uploaded")
    assert app.hook.post(payload("invented_voicemail")).status == 200
    app.wait_for(f"/api/calls/{call['call_id']}")
    assert app.get_json("/api/voicemails")["voicemails"] == []

    assert app.hook.post(call).status == 200
    voicemail = app.wait_for(f"/api/voicemails/{call['call_id']}")
    details = call["recording_details"][0]
    assert voicemail["recording_id"] == call["voicemail_recording_id"]
    assert voicemail["recording_url"] == call["voicemail_link"]
    assert voicemail["duration"] == details["duration"]
    assert voicemail["from"] == call["external_number"]
    assert app.get_json(f"/api/voicemails/{voicemail['id']}") == voicemail
    assert app.get_json("/api/voicemails")["voicemails"] == [voicemail]


@pytest.mark.parametrize("number", LONG_IDS)
def test_sixteen_digits_come_back_digit_for_digit(app: App, number: int) -> None:
    call = payload("call_ringing_inbound_2024") | {
        "call_id": number, "master_call_id": number, "entry_point_call_id": number,
        "operator_call_id": number}
    call["target"]["id"] = number
    text = payload("sms_inbound_2024") | {"id": number}
    text["target"]["id"] = number
    assert app.hook.post(call).status == app.hook.post(text).status == 200
    app.wait_for(f"/api/calls/{number}")
    app.wait_for(f"/api/messages/{number}")

    digits = str(number).encode()
    keys = (b"call_id", b"master_call_id", b"entry_point_call_id", b"operator_call_id")
    for path in (f"/api/calls/{number}", "/api/calls", "/api/calls/active"):
        raw = app.get(path).body
        assert b'"target":{"id":' + digits + b"," in raw
        for key in keys:
            assert b'"' + key + b'":' + digits + b"," in raw
    for path in (f"/api/messages/{number}", "/api/messages"):
        raw = app.get(path).body
        assert b'"message_id":' + digits + b"," in raw
        assert b'"target":{"id":' + digits + b"," in raw


@pytest.mark.parametrize(
    "delivery",
    [
        {"connections": 1},
        {"shuffled": True},
        {"repeat": 0.5},
        {"repeat": 0.5, "shuffled": True},
    ],
    ids=["in order", "shuffled", "with duplicates", "shuffled with duplicates"],
)
def test_every_scenario_ends_in_its_truth_whatever_the_delivery(
    stack: Stack, app: App, delivery: dict
) -> None:
    now_ms = time.time_ns() // 1_000_000
    plays = perform(names_of("all"), 2 * len(SCENARIOS), seed=app.app_id, now_ms=now_ms)
    parcels = app.hook.deliver(events_by_time(plays), **delivery)
    assert summarise(parcels).lost == 0
    stack.wait_until_done()

    truths = [truth for play in plays for truth in play.truths]
    check_truths(app, truths)
    live = app.get_json("/api/calls/active")["calls"]
    running = {t.call_id for t in truths if t.status == "connected"}
    assert {call["call_id"] for call in live} == running
