"""A call whose end never came does not ring for ever, and its real end still counts."""

from __future__ import annotations

import pytest
from cti import App, Stack
from hook import payload
from provisioned import run_job
from web import eventually

RINGING = payload("call_ringing_inbound_2024")
HANGUP = RINGING | {
    "state": "hangup",
    "event_timestamp": RINGING["event_timestamp"] + 60_000,
    "date_ended": RINGING["event_timestamp"] + 59_000,
}


def call(app: App) -> dict:
    return app.get_json(f"/api/calls/{RINGING['call_id']}")


def wait_for_status(app: App, status: str) -> dict:
    eventually(lambda: call(app)["status"] == status, 20, status)
    return call(app)


@pytest.fixture
def swept(stack: Stack, app: App) -> App:
    """An app whose one call rang thirteen hours ago, and was swept."""
    assert app.hook.post(RINGING).status == 200
    app.wait_for(f"/api/calls/{RINGING['call_id']}")
    stack.sql(
        "UPDATE calls SET updated_at = updated_at - interval '13 hours' WHERE app_id = %s",
        app.app_id,
    )
    run_job(stack, "sweeper")
    return app


def test_a_call_whose_end_never_came_ends_as_abandoned(stack: Stack, swept: App) -> None:
    ended = wait_for_status(swept, "abandoned")
    assert ended["state"] == ended["ended_reason"] == "no_final_event"
    assert ended["ended_at"] is None
    told = stack.sql(
        "SELECT type, data FROM change_feed WHERE app_id = %s ORDER BY seq", swept.app_id
    )
    assert [kind for kind, _ in told] == ["call.started", "call.ended"]
    assert told[-1][1]["ended_reason"] == "no_final_event"


def test_the_real_end_counts_however_late_it_comes(swept: App) -> None:
    wait_for_status(swept, "abandoned")
    assert swept.hook.post(HANGUP).status == 200
    ended = wait_for_status(swept, "missed")
    assert (ended["state"], ended["ended_reason"]) == ("hangup", None)
    assert ended["ended_at"] is not None


def test_a_webhook_cannot_end_a_call_in_the_sweepers_name(stack: Stack, app: App) -> None:
    forged = RINGING | {
        "state": "no_final_event", "event_timestamp": RINGING["event_timestamp"] + 60_000
    }
    for claims in (RINGING, forged):
        assert app.hook.post(claims).status == 200
    stack.wait_until_done()
    assert (call(app)["status"], call(app)["state"]) == ("ringing", "ringing")
    assert call(app)["ended_reason"] is None
