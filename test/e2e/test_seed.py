"""What people were promised at the very start: SQL they type, JavaScript they paste."""

from __future__ import annotations

import json
import subprocess
import time

import pytest
import unprivileged
from cti import App, Stack
from hook import payload

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
        timeout=20,
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
        app.wait_for(f"/api/calls/{call_id}", 5)
    seen = []
    for offset in range(0, len(wanted), 7):
        page = run_snippet(app, f"getCallHistory({{limit: 7, offset: {offset}}})")
        seen += [call["call_id"] for call in page["calls"]]
    assert sorted(seen) == wanted
