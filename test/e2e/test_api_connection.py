"""GET /api/connection: what an app is told of its connection to Dialpad."""

from __future__ import annotations

import json

from cti import App, Stack
from rows import Rows, ago, text

SCOPES = ["calls:list", "recordings_export", "message_content_export", "offline_access"]


def connect(stack: Stack, app: App, **columns) -> None:
    row = {"app_id": app.app_id, "environment": "production", "state": "connected",
           "dialpad_org_id": 4_503_599_627_370_497, "company_name": "Acme", "scopes": SCOPES,
           "connected_at": ago(days=2), "connected_by": "ada@example.com",
           "access_token": b"sealed", **columns}
    stack.sql(f"INSERT INTO dialpad_connections ({', '.join(row)})"
              f" VALUES ({', '.join(['%s'] * len(row))})", *row.values())


def test_an_app_that_never_connected_is_told_so_with_all_members(app: App):
    assert app.get_json("/api/connection") == {
        "connected": False, "state": "never_connected", "reason": None, "environment": "sandbox",
        "dialpad_org_id": None, "company": None, "connected_at": None, "connected_by": None,
        "scopes": [], "missing_scopes": [],
        "webhook": {"state": "pending", "hook_url": None}, "subscriptions": [],
        "last_event_at": None,
    }


def test_a_connection_shows_its_company_its_hook_and_its_last_event(stack: Stack, app: App):
    since = ago(days=2)
    connect(stack, app, connected_at=since)
    subscriptions = json.dumps([{"kind": "call", "state": "active", "id": 7},
                                {"kind": "sms", "state": "missing"}])
    stack.sql("UPDATE dialpad_webhooks SET state = 'retired', retired_at = now()"
              " WHERE app_id = %s", app.app_id)
    stack.sql("INSERT INTO dialpad_webhooks (app_id, hook, webhook_id, hook_url, key_fingerprint,"
              " subscriptions) VALUES (%s, 2, 5, 'https://in.example.com/2', 'f', %s)",
              app.app_id, subscriptions)
    Rows(stack, app).event(1, "ringing", ago())
    told = app.get_json("/api/connection")
    last = stack.sql("SELECT max(received_at) FROM event_log WHERE app_id = %s", app.app_id)[0][0]
    assert told.pop("last_event_at") == text(last)
    assert told == {
        "connected": True, "state": "connected", "reason": None, "environment": "production",
        "dialpad_org_id": 4_503_599_627_370_497, "company": "Acme", "connected_at": text(since),
        "connected_by": "ada@example.com", "scopes": SCOPES, "missing_scopes": [],
        "webhook": {"state": "active", "hook_url": "https://in.example.com/2"},
        "subscriptions": [{"kind": "call", "state": "active"}, {"kind": "sms", "state": "missing"}],
    }


def test_what_is_wrong_is_said(stack: Stack, app: App):
    connect(stack, app, state="needs_reconnect", last_error="Dialpad revoked the token",
            scopes=["calls:list", "recordings_export"])
    stack.sql("UPDATE dialpad_webhooks SET last_error = 'Dialpad answered 403' WHERE app_id = %s",
              app.app_id)
    told = app.get_json("/api/connection")
    assert (told["connected"], told["state"]) == (False, "needs_reconnect")
    assert told["reason"] == "Dialpad revoked the token"
    assert told["missing_scopes"] == ["message_content_export", "offline_access"]
    assert told["webhook"] == {"state": "failing", "hook_url": None}
    assert told["subscriptions"] == []


def test_an_event_older_than_the_log_is_remembered_by_its_record(stack: Stack, app: App):
    long_ago = ago(days=300)
    Rows(stack, app).message(updated_at=long_ago)
    assert app.get_json("/api/connection")["last_event_at"] == text(long_ago)


def test_another_apps_connection_is_not_shown(stack: Stack, app: App):
    connect(stack, app)
    Rows(stack, app).event(1, "ringing", ago())
    told = stack.create_app("stranger").get_json("/api/connection")
    assert told["state"] == "never_connected" and told["last_event_at"] is None


def test_it_takes_no_parameters(app: App):
    assert app.get("/api/connection?verbose=1").status == 400
