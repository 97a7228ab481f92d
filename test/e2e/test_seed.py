"""What people were promised at the very start: SQL they type, JavaScript they paste."""

from __future__ import annotations

import json
import subprocess
import time

import pytest
import unprivileged
from cti import App, Stack
from hook import payload
from provisioned import KINDS, Company, connected, dialpad_with_companies, subscriptions_of

from test.conftest import ROOT
from test.sim.catalogue import events_by_time, perform

SNIPPETS = ROOT / "test" / "fixtures" / "seed_snippets.js"
CALL = payload("call_connected_seed")
RINGING = payload("call_ringing_inbound_2024")
ORGANISATION = 6286560707051431


@pytest.fixture
def busy_app(app: App) -> App:
    """A tenant with the sample, a call that is over, and one that rings."""
    over = payload("call_hangup_outbound_2023")
    for claims in (CALL, RINGING, over):
        assert app.hook.post(claims).status == 200
        app.wait_for(f"/api/calls/{claims['call_id']}")
    return app


# Events


STATES = {"calling": "ringing", "ringing": "ringing", "connected": "connected",
          "on_hold": "on_hold", "transfer_initiated": "connected", "hangup": "completed"}


def test_a_call_goes_through_all_the_states_that_were_named(stack: Stack, app: App) -> None:
    body = {"call_id": 1, "direction": "outbound", "date_started": CALL["date_started"]}
    for step, (state, status) in enumerate(STATES.items()):
        if state == "connected":
            body["date_connected"] = CALL["date_connected"]
        if state == "hangup":
            body["date_ended"] = CALL["date_ended"]
        at = CALL["date_started"] + step
        assert app.hook.post(body | {"state": state, "event_timestamp": at}).status == 200
        stack.wait_until_done()
        assert app.get_json("/api/calls/1")["status"] == status, state
    assert app.hook.post(body | {
        "state": "recap_summary", "recap_summary": "They agreed.", "was_recorded": True,
        "recording_url": ["https://dialpad.com/r/4713299887005696"], "mos_score": 4.41}).status == 200
    stack.wait_until_done()
    call = app.get_json("/api/calls/1")
    assert (call["status"], call["recap"]["summary"], call["was_recorded"], call["mos_score"]) == (
        "completed", "They agreed.", True, 4.41)
    assert call["recording_url"] == "https://dialpad.com/r/4713299887005696"


def test_texts_and_voicemails_of_the_kinds_that_were_named_become_records(app: App) -> None:
    kinds = ("sms.received", "sms.sent", "sms.delivered", "message.read")
    for number, state in enumerate(kinds, 1):
        assert app.hook.post({"id": number, "state": state, "text": f"{state}!"}).status == 200
    for number, state in enumerate(kinds, 1):
        assert app.wait_for(f"/api/messages/{number}")["text"] == f"{state}!"
    assert app.hook.post({
        "call_id": 9, "state": "voicemail.created", "voicemail_recording_id": 7,
        "voicemail_link": "https://dialpad.com/v/9"}).status == 200
    assert app.wait_for("/api/voicemails/9")["recording_url"] == "https://dialpad.com/v/9"


# Setting it up, and looking for trouble


@pytest.fixture
def company():
    with dialpad_with_companies(1) as (_, companies):
        yield next(companies)


def test_a_webhook_that_the_owner_makes_at_dialpad_brings_the_calls(run_stack, company: Company) -> None:
    """To the one URL, with the one secret; ours is switched off there, so that nothing else can."""
    with run_stack(dialpad=company.dialpad) as stack:
        app = connected(stack, company, "by hand")
        for kind in KINDS:
            [own] = subscriptions_of(company, app, kind)
            company.ask("PATCH", f"/subscriptions/{kind}/{own['id']}", {"enabled": False})
        hook = company.ask("POST", "/webhooks", {
            "hook_url": stack.bare_hook.url, "secret": stack.bare_secret})
        company.ask("POST", "/subscriptions/call", {
            "endpoint_id": int(hook["id"]), "enabled": True,
            "call_states": ["ringing", "connected", "voicemail", "missed", "hangup"]})
        company.ask("POST", "/subscriptions/sms", {
            "endpoint_id": int(hook["id"]), "direction": "all", "enabled": True, "status": True})
        call, text = company.place("inbound_answered,text_inbound")
        company.dialpad.wait_until_delivered()
        app.wait_for(f"/api/messages/{text['message_id']}")
        app.wait_for(f"/api/calls/{call['call_id']}")
        stack.wait_until_done()
        assert app.get_json(f"/api/calls/{call['call_id']}")["status"] == "completed"
        assert {source for (source,) in stack.sql(
            "SELECT source FROM event_log WHERE app_id = %s", app.app_id)} == {"assigned"}


def test_what_the_guide_says_to_do_when_no_webhooks_arrive(stack: Stack, app: App) -> None:
    """A body that is none shows that the URL is reached; the log tells what was received."""
    said = subprocess.run(
        ["curl", "-s", "-w", "%{http_code}", "-X", "POST", stack.bare_hook.url,
         "-H", "Content-Type: application/jwt", "-d", "test-jwt-payload"],
        env=unprivileged.base_env(), capture_output=True, text=True, timeout=60, check=True).stdout
    assert said == '{"error":"Invalid signature"}401'
    assert app.hook.post(CALL | {"call_id": 4711}).status == 200
    stack.ingestd.wait_for_log("id=4711")
    assert any("Webhook received" in line["msg"] and "id=4711" in line["msg"]
               for line in stack.ingestd.lines())


# SQL


def psql(stack: Stack, query: str) -> list[dict]:
    """The rows that psql prints for the owner, by name. No value here has a comma."""
    printed = stack.database.cluster.psql(
        f"\\pset format csv\n\\pset tuples_only off\n{query};",
        stack.database.name,
        "cti_owner",
    )
    lines = printed.splitlines()
    names = lines[0].split(",")
    return [dict(zip(names, line.split(","))) for line in lines[1:]]


def test_unprocessed_events_can_be_listed(stack: Stack, app: App) -> None:
    assert app.hook.post_body(app.hook.sign_bytes(b"[]").encode()).status == 200
    stack.wait_until_done()
    rows = psql(stack, "SELECT * FROM webhook_events WHERE processed = false")
    mine = [row for row in rows if row["app_id"] == app.app_id]
    assert [row["verdict"] for row in mine] == ["quarantined"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM calls\nWHERE app_id = '{app}'\n"
        "AND created_at > NOW() - INTERVAL '24 hours'\n"
        "ORDER BY started_at DESC\nLIMIT 50",
        "SELECT * FROM calls\nWHERE app_id = '{app}'\n"
        "  AND created_at > NOW() - INTERVAL '30 days'",
    ],
)
def test_the_calls_of_an_app_can_be_listed(
    stack: Stack, busy_app: App, query: str
) -> None:
    rows = psql(stack, query.format(app=busy_app.app_id))
    assert len(rows) == 3
    [row] = [row for row in rows if row["call_id"] == str(CALL["call_id"])]
    expected = {"direction": "outbound", "from": CALL["internal_number"],
                "to": CALL["external_number"], "duration": "5000", "mos_score": "4.41"}
    assert {key: row[key] for key in expected} == expected
    assert row["was_recorded"] == "t"
    assert row["started_at"].startswith("2026-02-04 22:11:49.824")
    assert row["ended_at"].startswith("2026-02-04 22:11:58.807")


def test_the_connection_of_an_organisation_can_be_found(stack: Stack, app: App) -> None:
    stack.sql(
        "INSERT INTO dialpad_connections (app_id, dialpad_org_id, environment)"
        " VALUES (%s, %s, 'sandbox')",
        app.app_id,
        ORGANISATION,
    )
    rows = psql(
        stack,
        f"SELECT * FROM dialpad_connections\nWHERE dialpad_org_id = {ORGANISATION}",
    )
    assert [row["app_id"] for row in rows] == [app.app_id]


# JavaScript


def run_snippet(app: App, expression: str) -> object:
    """The snippets as they are, and what their function comes to."""
    program = (
        SNIPPETS.read_text()
        + f"\n{expression}.then((found) => console.log(JSON.stringify(found)));"
    )
    done = subprocess.run(
        ["node", "--input-type=commonjs", "-"],
        input=program,
        env=unprivileged.base_env()
        | {"REACT_APP_CTI_SERVER": app.api_url, "REACT_APP_CTI_API_KEY": app.api_key},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_load_active_calls_finds_the_live_ones(busy_app: App) -> None:
    calls = run_snippet(busy_app, "loadActiveCalls()")
    assert {call["call_id"] for call in calls} == {CALL["call_id"], RINGING["call_id"]}


def test_get_call_history_finds_all(busy_app: App) -> None:
    page = run_snippet(busy_app, "getCallHistory()")
    assert page == busy_app.get_json("/api/calls")
    assert (page["total"], page["limit"], page["offset"]) == (3, 50, 0)
    started = [call["started_at"] for call in page["calls"]]
    assert started == sorted(started, reverse=True)


@pytest.mark.parametrize(
    "filters, found, total",
    [
        ('{direction: "inbound"}', 1, 1),
        ('{direction: "outbound"}', 2, 2),
        ("{limit: 2}", 2, 3),
        ("{limit: 2, offset: 2}", 1, 3),
        ("{direction: undefined, started_after: null, started_before: ''}", 3, 3),
    ],
)
def test_get_call_history_takes_its_filters(
    busy_app: App, filters: str, found: int, total: int
) -> None:
    page = run_snippet(busy_app, f"getCallHistory({filters})")
    assert (len(page["calls"]), page["total"]) == (found, total)


def test_get_call_history_pages_through_everything(app: App) -> None:
    now_ms = time.time_ns() // 1_000_000
    plays = perform(["ring_group"], 5, seed="seed", now_ms=now_ms)
    app.hook.deliver(events_by_time(plays))
    wanted = sorted(truth.call_id for play in plays for truth in play.truths)
    for call_id in wanted:
        app.wait_for(f"/api/calls/{call_id}")
    seen = []
    for offset in range(0, len(wanted), 7):
        page = run_snippet(app, f"getCallHistory({{limit: 7, offset: {offset}}})")
        seen += [call["call_id"] for call in page["calls"]]
    assert sorted(seen) == wanted
