"""What was missed while nobody could store it comes back from Dialpad's list of calls, once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from cti import App, Stack
from login import Browser, query_of
from outage import CALLS, added_events, check, database_down, repairs, wait_for_repairs
from provisioned import Company, connected, dialpad_with_companies, run_job
from web import eventually, request

from test.sim.client import Simulator


@pytest.fixture(scope="module")
def many() -> Iterator[tuple[Simulator, Iterator[Company]]]:
    with dialpad_with_companies(11) as found:
        yield found


@pytest.fixture(scope="module")
def dialpad(many) -> Simulator:
    return many[0]


@pytest.fixture
def company(many) -> Company:
    return next(many[1])


@contextmanager
def ingestd_away(stack: Stack) -> Iterator[None]:
    """So shortly that it is no silence, which would be repaired unasked: however long the test takes."""
    stack.ingestd.stop()
    yield
    stack.sql("UPDATE ingest_pulse SET last_at = now()")
    stack.start()


def repair(stack: Stack, app: App, **since: float) -> dict:
    now = datetime.now(UTC)
    answer = stack.admin("POST", f"/apps/{app.app_id}/repair", {
        "from": (now - timedelta(**since)).isoformat(), "to": now.isoformat()})
    assert "texts" in answer["note"]
    return wait_for_repairs(stack, app)[0]


def test_after_an_outage_every_concluded_call_is_there_once(
    run_stack, dialpad: Simulator, company: Company
):
    with run_stack(dialpad=dialpad) as stack:
        app = connected(stack, company, "outage")
        before = company.place("inbound_answered,missed")
        begun = company.place("ongoing", speed=1000)
        dialpad.wait_until_delivered()
        stack.wait_until_done()

        stack.ingestd.stop()
        with database_down(stack.database):
            missed = company.place(CALLS)
            dialpad.wait_until_delivered()
        # As long as in life, and not only as long as a test has time.
        eventually(lambda: shift_pulse(stack), 20, "the database again")
        stack.start()
        eventually(lambda: stack.sql("SELECT 1 FROM ingest_gaps"), 30, "a gap")
        run_job(stack, "watch")
        found = wait_for_repairs(stack, app)

        assert [one["reason"] for one in found] == ["outage: silence"]
        assert found[0]["result"]["calls_added"] == len(missed)
        assert "lost" in found[0]["result"]["texts"]
        for truth in missed:
            check(app, truth, "repaired")
        for truth in before:
            check(app, truth, None)
        assert app.get_json(f"/api/calls/{begun[0]['call_id']}")["status"] == "connected"
        assert added_events(stack, app) == sorted(one["call_id"] for one in missed)
        dialpad.assert_description_kept()
        assert_no_secrets(stack, dialpad)


def shift_pulse(stack: Stack) -> bool:
    try:
        stack.sql("UPDATE ingest_pulse SET last_at = last_at - interval '1 minute'")
    except psycopg.OperationalError:
        return False
    return True


def assert_no_secrets(stack: Stack, dialpad: Simulator) -> None:
    """Neither in a log nor in the database: tokens, and secrets of hooks."""
    state = dialpad.state()
    known = [one["value"] for kind in ("access_tokens", "refresh_tokens") for one in state[kind]]
    known += [hook["signature"]["secret"] for company in state["companies"]
              for hook in company["webhooks"] if "signature" in hook]
    known += [stack.master_key, stack.admin_secret]
    dump = "\n".join(
        str(row) for (table,) in stack.sql(
            "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'")
        for row in stack.sql(f"SELECT * FROM {table}"))
    for secret in known:
        assert secret not in dump
        for daemon in stack.daemons:
            assert not daemon.log_contains(secret), daemon.name
    assert "outage" in dump  # it is a dump of something


def test_what_was_not_missed_is_not_repaired(linked: Stack, dialpad: Simulator, company: Company):
    app = connected(linked, company, "complete")
    truths = company.place(CALLS)
    dialpad.wait_until_delivered()
    linked.wait_until_done()
    assert repair(linked, app, minutes=90)["result"]["calls_added"] == 0
    assert added_events(linked, app) == []
    for truth in truths:
        check(app, truth, None)


def test_a_repair_asked_for_twice_adds_each_call_once_and_events_still_win(
    linked: Stack, dialpad: Simulator, company: Company
):
    app = connected(linked, company, "twice")
    with ingestd_away(linked):
        truths = company.place("missed,voicemail,inbound_answered")
        dialpad.wait_until_delivered()
    first = repair(linked, app, minutes=90)
    second = repair(linked, app, minutes=91)
    own = {one["call_id"] for one in truths}
    assert second["result"]["calls_added"] == 0
    assert first["result"]["calls_added"] == len(own)
    assert added_events(linked, app) == sorted(own)
    for truth in truths:
        check(app, truth, "repaired")
    # The end that Dialpad itself sends, however late.
    truth = truths[0]
    claims = {"call_id": truth["call_id"], "state": "missed",
              "event_timestamp": truth["ended_ms"] + 1}
    assert app.hook.post(claims).status == 200
    eventually(lambda: app.get_json(f"/api/calls/{truth['call_id']}")["ended_reason"] is None, 20,
               "Dialpad's end")


def test_a_repair_walks_page_by_page_and_survives_limits(linked: Stack, dialpad: Simulator, company: Company):
    app = connected(linked, company, "long")
    with ingestd_away(linked):
        truths = [one for i in range(15) for one in company.place(CALLS, seed=f"long {i}")]
        dialpad.wait_until_delivered(120)
    dialpad.forget_requests()
    dialpad.fault("/api/v2/call", times=2, status=429, headers={"Retry-After": "1"})
    done = repair(linked, app, days=45)
    assert done["result"]["calls_added"] == len(truths)
    pages = dialpad.requests("GET", "/api/v2/call")
    # Two refused, one for the days before, and the rest fifty by fifty.
    assert len(pages) >= 2 + 1 + len(truths) // 50
    dialpad.assert_description_kept()


@pytest.mark.parametrize("status", [400, 404])
def test_a_cursor_that_has_ended_begins_its_part_anew(
    linked: Stack, dialpad: Simulator, company: Company, status: int
):
    app = connected(linked, company, "cursor")
    with ingestd_away(linked):
        truths = company.place("missed,inbound_answered")
        dialpad.wait_until_delivered()
    dialpad.fault("/api/v2/call", status=status)
    dialpad.forget_requests()
    linked.sql("INSERT INTO jobs (kind, app_id, job_key, params) VALUES ('repair', %s, 'old',"
               " json_build_object('from', %s, 'to', %s, 'reason', 'test', 'cursor', 'ended'))",
               app.app_id, truths[0]["started_ms"] - 3_600_000, truths[0]["ended_ms"] + 3_600_000)
    linked.sql("NOTIFY cti_jobs")
    assert wait_for_repairs(linked, app)[0]["result"]["calls_added"] == len(truths)
    assert [one["status"] for one in dialpad.requests("GET", "/api/v2/call")] == [status, 200]


def test_what_is_no_call_in_the_list_keeps_no_other_from_coming_back(
    linked: Stack, dialpad: Simulator, company: Company
):
    app = connected(linked, company, "odd")
    with ingestd_away(linked):
        truths = company.place("missed,inbound_answered")
        dialpad.wait_until_delivered()
    page = company.ask("GET", "/call")
    page["items"].insert(1, {"state": "hangup"})
    dialpad.fault("/api/v2/call", times=99, status=200, body=json.dumps(page))
    done = repair(linked, app, minutes=90)
    dialpad.clear_faults()
    assert done["result"]["calls_added"] == len(truths)
    assert added_events(linked, app) == sorted(one["call_id"] for one in truths)


def test_what_was_missed_without_a_token_is_repaired_after_the_next_login(
    linked: Stack, dialpad: Simulator, company: Company
):
    app = connected(linked, company, "without")
    linked.sql("UPDATE dialpad_connections SET state = 'needs_reconnect' WHERE app_id = %s",
               app.app_id)
    with ingestd_away(linked):
        truths = company.place("missed,inbound_answered")
        dialpad.wait_until_delivered()
    linked.sql("INSERT INTO ingest_gaps (reason, began_at, ended_at)"
               " VALUES ('silence', now() - interval '10 minutes', now())")
    run_job(linked, "watch")
    eventually(lambda: [one["last_error"] for one in repairs(linked, app) if one["last_error"]], 30,
               "a repair that cannot be")
    assert added_events(linked, app) == []
    link = query_of(linked.admin("POST", f"/apps/{app.app_id}/connect-link", {})["url"])["link"]
    assert Browser().connect(linked, dialpad, app.app_id, company.admin, link=link).status == 200
    wait_for_repairs(linked, app)
    assert added_events(linked, app) == sorted(one["call_id"] for one in truths)


def test_a_voicemail_whose_hangup_was_missed_gets_its_end(
    linked: Stack, dialpad: Simulator, company: Company
):
    app = connected(linked, company, "voicemail")
    with ingestd_away(linked):
        [truth] = company.place("voicemail")
        dialpad.wait_until_delivered()
    assert app.hook.post({"call_id": truth["call_id"], "state": "voicemail", "date_ended": None,
                          "recording_url": ["https://dialpad.com/r/1"],  # only the end is missing
                          "event_timestamp": truth["ended_ms"] - 1}).status == 200
    linked.wait_until_done()
    assert app.get_json(f"/api/calls/{truth['call_id']}")["ended_at"] is None
    assert repair(linked, app, minutes=90)["result"]["calls_added"] == 1
    check(app, truth, None)
    assert repair(linked, app, minutes=91)["result"]["calls_added"] == 0


def test_a_silent_time_of_refusals_is_a_gap(linked: Stack, dialpad: Simulator, company: Company):
    connected(linked, company, "refused")
    linked.sql("SELECT ingest_pulse(4000, '{}', '{}', '{}')")
    linked.sql("SELECT ingest_pulse(1000, '{}', '{}', '{}')")
    assert linked.sql("SELECT count(*) FROM ingest_gaps WHERE reason = 'refused'"
                      " AND handled_at IS NULL") == [(1,)]


@pytest.mark.parametrize("body, field", [
    ({}, "from"), ({"from": "yesterday", "to": "2026-01-01T00:00:00Z"}, "from"),
    ({"from": "2026-01-01T00:00:00Z"}, "to"),
    ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "to"),
    ({"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z", "kind": "all"}, "kind"),
])
def test_a_bad_range_is_named(linked: Stack, body: dict, field: str):
    app = linked.create_app("bad range")
    answer = ask(linked, app, body)
    assert answer.status == 400 and field in answer.json()["detail"]


def test_without_a_connection_there_is_nothing_to_ask(linked: Stack):
    app = linked.create_app("alone")
    body = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
    assert ask(linked, app, body).status == 409


def ask(stack: Stack, app: App, body: dict):
    return request("POST", f"{stack.apid.url}/internal/apps/{app.app_id}/repair",
                   json.dumps(body).encode(),
                   {"Authorization": f"Bearer {stack.admin_secret}",
                    "Content-Type": "application/json"})
