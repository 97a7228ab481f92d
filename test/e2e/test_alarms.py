"""Somebody is told, once and signed, when something needs a person."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cti import Stack
from outage import added_events, wait_for_repairs
from provisioned import Company, connected, dialpad_with_companies, hooks_of, run_job
from web import eventually

SECRET = "whsec_" + base64.b64encode(b"a key of thirty-two bytes exactly").decode()


class Receiver(HTTPServer):
    """What ALERT_WEBHOOK_URL leads to. Answers 500 as often as `refusals` says."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[tuple[dict, bytes]] = []
        self.refusals = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/alerts"

    def told(self, kind: str) -> list[dict]:
        return [body for body in (json.loads(raw) for _, raw in self.got) if body["type"] == kind]


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        refused = self.server.refusals > 0
        self.server.refusals -= refused
        self.send_response(500 if refused else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.shutdown()


@pytest.fixture(scope="module")
def many():
    with dialpad_with_companies(5) as found:
        yield found


@pytest.fixture(scope="module")
def told(run_stack, many, receiver: Receiver) -> Iterator[Stack]:
    env = {"workerd": {"ALERT_WEBHOOK_URL": receiver.url, "ALERT_WEBHOOK_SECRET": SECRET}}
    with run_stack(env, dialpad=many[0]) as stack:
        yield stack
        assert not any(daemon.log_contains(SECRET) for daemon in stack.daemons)


@pytest.fixture
def company(many) -> Company:
    return next(many[1])


def assert_signed(headers: dict, body: bytes) -> None:
    """As the specification of Standard Webhooks says, without any code of the daemons."""
    known = {name.lower(): value for name, value in headers.items()}
    signed = f"{known['webhook-id']}.{known['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    mac = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert known["webhook-signature"] == f"v1,{mac}"


def test_a_connection_that_ended_is_told_of_once(told: Stack, receiver: Receiver, company: Company):
    app = connected(told, company, "ended")
    receiver.refusals = 1
    company.dialpad.control("POST", "/tokens", {"kind": "refresh", "how": "revoke",
                                                "company_id": company.id})
    told.sql("UPDATE dialpad_connections SET token_expires_at = now() WHERE app_id = %s", app.app_id)
    run_job(told, "tokens")
    run_job(told, "alarms")
    eventually(lambda: len(receiver.told("connection.needs_reconnect")) == 2, 30,
               "the alert, and again after a refusal")
    run_job(told, "alarms")
    first, second = receiver.told("connection.needs_reconnect")
    assert first == second
    assert first["data"]["app_id"] == app.app_id and first["data"]["app"] == "ended"
    assert "refresh" in first["data"]["reason"] or "invalid_grant" in first["data"]["reason"]
    for headers, body in receiver.got:
        assert_signed(headers, body)
    assert told.admin("GET", f"/apps/{app.app_id}/setup")["alarms"] == ["needs_reconnect"]


def test_wrong_signatures_in_a_row_are_told_of_until_a_genuine_event_comes(
    told: Stack, receiver: Receiver
):
    app = told.create_app("forged")
    for _ in range(5):
        assert app.hook.post_body(b"a.b.c").status == 401
    eventually(lambda: told.sql("SELECT 1 FROM hook_failures WHERE failures = 5 AND app_id = %s",
                                app.app_id), 10, "five failures")
    run_job(told, "alarms")
    [alert] = eventually(lambda: receiver.told("webhook.bad_signatures"), 10, "the alert")
    assert (alert["data"]["app_id"], alert["data"]["hook"], alert["data"]["failures"]) == (
        app.app_id, 1, 5)
    assert app.hook.post({"call_id": 1, "state": "hangup", "event_timestamp": 1}).status == 200
    run_job(told, "alarms")
    assert told.admin("GET", f"/apps/{app.app_id}/setup")["alarms"] == []


def test_a_secret_that_somebody_changed_is_put_right_and_what_was_refused_comes_back(
    told: Stack, company: Company
):
    app = connected(told, company, "changed")
    company.ask("PATCH", f"/webhooks/{hooks_of(company, app)[0]['id']}", {"secret": "of-somebody"})
    refused = company.place("missed,inbound_answered")
    company.dialpad.wait_until_delivered()
    eventually(lambda: told.sql("SELECT 1 FROM hook_failures WHERE failures >= 5 AND app_id = %s",
                                app.app_id), 10, "five failures")
    told.sql("UPDATE jobs SET run_at = now() + interval '1 hour',"
             " finished_at = now() - interval '6 minutes' WHERE kind = 'provision'")
    told.sql("UPDATE hook_failures SET last_at = now()")
    run_job(told, "watch")
    eventually(lambda: hooks_of(company, app)[0]["signature"]["secret"] == app.hook.secret, 10,
               "our secret again")
    [heard] = company.place("missed")
    company.dialpad.wait_until_delivered()
    app.wait_for(f"/api/calls/{heard['call_id']}")
    run_job(told, "alarms")
    [repair] = wait_for_repairs(told, app)
    assert repair["reason"] == "wrong signatures"
    assert added_events(told, app) == sorted(one["call_id"] for one in refused)


def test_hooks_that_nobody_made_are_not_remembered(told: Stack):
    app = told.create_app("unmade")
    told.sql("SELECT ingest_pulse(NULL, ARRAY[%s]::uuid[], '{9}', '{5}')", app.app_id)
    assert told.sql("SELECT 1 FROM hook_failures WHERE app_id = %s", app.app_id) == []


def test_a_hook_silent_against_its_habit_is_told_of_and_repaired(
    told: Stack, receiver: Receiver, company: Company
):
    app = connected(told, company, "silent")
    for weeks in (1, 2):
        day = told.sql("SELECT (now() - %s * interval '7 days' - interval '1 hour')::date"
                       "  AT TIME ZONE 'UTC'", weeks)[0][0].date()
        for one in (day, ):
            told.sql(f"CREATE TABLE IF NOT EXISTS event_log_{one:%Y%m%d} PARTITION OF event_log"
                     f" FOR VALUES FROM ('{one} 00:00+00') TO ('{one} 00:00+00'::timestamptz"
                     "  + interval '1 day')")
        told.sql("INSERT INTO event_log (app_id, event_id, received_at, arrived_at, payload)"
                 " SELECT %s, gen_random_uuid(), now() - %s * interval '7 days'"
                 "   - interval '1 hour', now(), '{}' FROM generate_series(1, 10)",
                 app.app_id, weeks)
    run_job(told, "alarms")
    [alert] = eventually(lambda: receiver.told("webhook.silent"), 10, "the alert")
    assert alert["data"]["app_id"] == app.app_id
    assert told.sql("SELECT params->>'reason' FROM jobs WHERE kind = 'repair' AND app_id = %s",
                    app.app_id) == [("silent hook",)]
    run_job(told, "alarms")
    assert len(receiver.told("webhook.silent")) == 1
    assert app.hook.post({"call_id": 2, "state": "hangup", "event_timestamp": 1}).status == 200
    told.wait_until_done()
    run_job(told, "alarms")
    assert told.admin("GET", f"/apps/{app.app_id}/setup")["alarms"] == []
