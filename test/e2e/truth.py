"""Compares what the API shows with what the simulator says really happened."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from cti import App

from test.sim.model import CallTruth, TextTruth, Truth

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def instant(ms: int | None) -> str | None:
    """As the API writes instants; exact, unlike a float of seconds."""
    if ms is None:
        return None
    moment = EPOCH + timedelta(milliseconds=ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def expected_call(truth: CallTruth) -> dict:
    outside, inside = truth.external_number, truth.internal_number
    inbound = truth.direction == "inbound"
    return {
        "call_id": truth.call_id,
        "status": truth.status,
        "direction": truth.direction,
        "from": outside if inbound else inside,
        "to": inside if inbound else outside,
        "target": (truth.target_id, truth.target_type),
        "started_at": instant(truth.started_ms),
        "rang_at": instant(truth.rang_ms),
        "connected_at": instant(truth.connected_ms),
        "ended_at": instant(truth.ended_ms),
        "duration": truth.talk_ms,
        "entry_point_call_id": truth.entry_point_call_id,
        "operator_call_id": truth.operator_call_id,
        "master_call_id": truth.master_call_id,
        "is_transferred": truth.is_transferred,
        "was_recorded": truth.was_recorded,
        "recordings": [truth.recording_id] if truth.recording_id else [],
        "voicemail": truth.voicemail_recording_id,
        "transcription": truth.transcription,
        "recap": {
            key: truth.recap.get(f"recap_{key}")
            for key in ("summary", "outcome", "purposes", "action_items")
        }
        if truth.recap
        else None,
    }


def shown_call(call: dict, truth: CallTruth) -> dict:
    """The same selection of what the API shows."""
    shown = {key: call[key] for key in expected_call(truth)}
    shown["target"] = (call["target"]["id"], call["target"]["type"])
    shown["recordings"] = [
        recording["id"]
        for recording in call["recordings"]
        if recording["type"] == "callrecording"
    ]
    # The link to a voicemail is there before anybody has left one.
    shown["voicemail"] = call["voicemail"] and call["voicemail"]["recording_id"]
    return shown


def expected_text(truth: TextTruth) -> dict:
    return {
        "message_id": truth.message_id,
        "status": truth.status,
        "delivery_result": truth.delivery_result,
        "direction": truth.direction,
        "from": truth.from_number,
        "to": truth.to_numbers[0],
        "to_numbers": list(truth.to_numbers),
        "text": truth.text,
        "is_mms": truth.mms,
        "target": (truth.target_id, truth.target_type),
        "sent_at": instant(truth.sent_ms),
    }


def shown_text(message: dict, truth: TextTruth) -> dict:
    shown = {key: message[key] for key in expected_text(truth)}
    shown["target"] = (message["target"]["id"], message["target"]["type"])
    return shown


def check_truth(app: App, truth: Truth) -> None:
    if isinstance(truth, CallTruth):
        call = app.get_json(f"/api/calls/{truth.call_id}")
        assert shown_call(call, truth) == expected_call(truth)
    else:
        message = app.get_json(f"/api/messages/{truth.message_id}")
        assert shown_text(message, truth) == expected_text(truth)


def check_truths(app: App, truths: list[Truth]) -> None:
    """Every record of the app is one of the truths, and as it says."""
    for truth in truths:
        check_truth(app, truth)
    calls = [t for t in truths if isinstance(t, CallTruth)]
    texts = [t for t in truths if isinstance(t, TextTruth)]
    left = [t for t in calls if t.voicemail_recording_id is not None]
    assert ids(app, "calls", "call_id") == sorted(t.call_id for t in calls)
    assert ids(app, "messages", "message_id") == sorted(t.message_id for t in texts)
    assert ids(app, "voicemails", "call_id") == sorted(t.call_id for t in left)


def ids(app: App, plural: str, key: str) -> list[int]:
    return sorted(record[key] for record in everything(app, plural))


def everything(app: App, plural: str) -> list[dict]:
    """All of a list, page by page."""
    found: list[dict] = []
    path = f"/api/{plural}?limit=500"
    while True:
        page = app.get_json(path)
        found += page[plural]
        if not page["has_more"]:
            assert page["total"] == len(found)
            return found
        path = f"/api/{plural}?limit=500&cursor={page['next_cursor']}"
