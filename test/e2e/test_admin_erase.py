"""One person's records and events go, wherever they are, and nobody else's."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest
from admin import admin
from cti import App, Stack
from live import Poller
from tasks import finished
from test_claims import NIL
from web import eventually

HER, HIM, OURS = "+13345521280", "+13345521281", "+13342459504"
TABLES = ("event_log", "event_log_archive", "event_queue", "event_outcomes",
          "event_outcomes_archive", "calls", "messages", "voicemails", "change_feed")


@pytest.fixture(scope="module")
def stack(run_stack) -> Iterator[Stack]:
    with run_stack() as running:
        for table in ("event_log_archive", "event_outcomes_archive"):
            running.sql(f"CREATE TABLE {table}_20200229 PARTITION OF {table}"
                        " FOR VALUES FROM ('2020-02-29') TO ('2020-03-01')")
        yield running


def call(call_id: int, number: str, **claims) -> dict:
    return {"call_id": call_id, "state": "ringing", "direction": "inbound",
            "external_number": number, "internal_number": OURS,
            "event_timestamp": 1_700_000_000_000, **claims}


def sms(message_id: int, number: str, **claims) -> dict:
    return {"id": message_id, "direction": "inbound", "from_number": number, "to_number": [OURS],
            "text": "hello", **claims}


def post(stack: Stack, app: App, *claims: dict) -> None:
    for one in claims:
        assert app.hook.post(one).status == 200
    stack.wait_until_done()


def erase(stack: Stack, app: App, number: str = HER) -> dict:
    """The task, once it is done."""
    answer = admin(stack, "POST", f"/apps/{app.app_id}/erase", {"number": number})
    assert answer.status == 202, answer.body
    return finished(stack, f"/apps/{app.app_id}/erase", "erasures", answer.json()["id"])


def rows_of(stack: Stack, app_id: str) -> dict[str, int]:
    return {t: stack.sql(f"SELECT count(*) FROM {t} WHERE app_id = %s", app_id)[0][0] for t in TABLES}


def where(stack: Stack, number: str) -> list[str]:
    """Every table of the database, a row of which mentions the number."""
    tables = [t for (t,) in stack.sql(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND NOT relispartition")]
    return [t for t in tables
            if stack.sql(f"SELECT 1 FROM {t} AS t WHERE to_jsonb(t)::text LIKE %s LIMIT 1",
                         f"%{number[1:]}%")
            or t.startswith("event_log") and stack.sql(
                f"SELECT 1 FROM {t} WHERE position(convert_to(%s, 'UTF8') in payload_raw) > 0",
                number)]


def test_everything_of_one_person_goes_and_nothing_of_another(stack: Stack, app: App) -> None:
    stranger = stack.create_app("stranger")
    theirs = [call(1, HIM), sms(11, HIM), call(1, HIM, state="hangup"),
              sms(12, HIM, text=f"her number is {HER}, call her"),
              call(2, HIM, state="voicemail_uploaded", voicemail_recording_id=7)]
    post(stack, app, *theirs)
    before = rows_of(stack, app.app_id)
    post(stack, app, call(3, HER), call(3, HER, state="connected"), sms(13, HER),
         call(4, HER, state="voicemail_uploaded", voicemail_recording_id=8),
         call(5, HIM, contact={"id": "1", "phone": HER}),
         sms(14, HIM, direction="outbound", from_number=OURS, to_number=[HIM, HER]),
         {"contact": {"id": "9", "phones": [HER]}})
    post(stack, stranger, call(3, HER))
    task = erase(stack, app)
    assert task["state"] == "done", task
    assert task["result"] == {"calls": 3, "messages": 2, "voicemails": 1, "events": 7,
                              "changes": task["result"]["changes"]}
    assert task["result"]["changes"] >= 6, "one for each record at least"
    assert rows_of(stack, app.app_id) == before
    assert app.get("/api/calls/3").status == 404 and app.get("/api/calls/1").status == 200
    assert "her number" in app.get_json("/api/messages/12")["text"]
    assert stranger.get("/api/calls/3").status == 200, "another app's is another's"


def test_the_number_stands_nowhere_afterwards(run_stack) -> None:
    with run_stack() as stack:
        app = stack.create_app("a")
        post(stack, app, call(3, HER), sms(13, HER), call(6, HIM))
        raw = b'["' + HER.encode() + b'", \xff]'
        assert app.hook.post_body(app.hook.sign_bytes(raw).encode()).status == 200
        escaped = b'{"call_id":8,"state":"ringing","external_number":"\\u002B' + HER[1:].encode() + b'"}'
        assert app.hook.post_body(app.hook.sign_bytes(escaped).encode()).status == 200
        stack.wait_until_done()
        assert "event_log" in where(stack, HER)
        task = erase(stack, app)
        assert task["result"]["events"] == 4
        assert where(stack, HER) == []
        for daemon in stack.daemons:
            assert not daemon.log_contains(HER[1:])
        line = stack.admin("GET", f"/apps/{app.app_id}/audit")["audit"][0]
        assert (line["actor"], line["action"], line["target"]) == ("admin", "person.erased", task["id"])
        # What the two sides tell beforehand; of the call 8 nobody knows its direction.
        assert line["detail"] == {"calls": 1, "messages": 1, "voicemails": 0, "events": 2,
                                  "is_capped": False}
        # The same number again is the same task, of another app another.
        assert erase(stack, app)["id"] == task["id"]
        other = stack.create_app("b")
        assert erase(stack, other)["id"] != task["id"]
        assert stack.sql("SELECT call_id FROM calls") == [(6,)]


def test_what_would_go_is_told_beforehand(stack: Stack, app: App) -> None:
    post(stack, app, call(1, HER), call(1, HER, state="hangup"), sms(1, HER), call(2, HIM))
    before = rows_of(stack, app.app_id)
    answer = admin(stack, "POST", f"/apps/{app.app_id}/erase", {"number": HER, "dry_run": True})
    assert answer.status == 200
    assert answer.json() == {"dry_run": True, "will_remove": {
        "calls": 1, "messages": 1, "voicemails": 0, "events": 3, "is_capped": False}}
    assert stack.admin("GET", f"/apps/{app.app_id}/erase") == {"erasures": []}
    assert rows_of(stack, app.app_id) == before


def test_the_archive_the_queue_and_verdicts_are_cleared_too(stack: Stack, app: App) -> None:
    """And a record that the log no longer knows."""
    post(stack, app, call(1, HER), call(2, HER), call(9, HIM))
    stack.sql("DELETE FROM event_log WHERE app_id = %s AND dialpad_event_id = '2'", app.app_id)
    stack.sql("DELETE FROM change_feed WHERE app_id = %s", app.app_id)
    for call_id, number, table in ((3, HER, "archive"), (4, HER, "dead"), (5, HER, "queue"),
                                   (6, HIM, "archive"), (7, HIM, "dead"), (8, HIM, "queue")):
        event, suffix = str(uuid.uuid4()), "_archive" if table == "archive" else ""
        at = "'2020-02-29 12:00+00'" if suffix else "now()"
        stack.sql(f"INSERT INTO event_log{suffix} (app_id, event_id, received_at, arrived_at,"
                  f" event_type, dialpad_event_id, payload) VALUES (%s, %s, {at}, now(), 'ringing',"
                  " %s, json_build_object('external_number', %s::text))",
                  app.app_id, event, str(call_id), number)
        if table != "queue":
            stack.sql(f"INSERT INTO event_outcomes{suffix} (app_id, event_id, received_at, verdict)"
                      f" SELECT app_id, event_id, received_at, 'dead' FROM event_log{suffix}"
                      " WHERE app_id = %s AND event_id = %s", app.app_id, event)
        else:
            stack.sql("INSERT INTO event_queue (app_id, event_id, received_at, next_attempt_at)"
                      " SELECT app_id, event_id, received_at, 'infinity' FROM event_log"
                      " WHERE app_id = %s AND event_id = %s", app.app_id, event)
    assert erase(stack, app)["result"] == {
        "calls": 2, "messages": 0, "voicemails": 0, "events": 4, "changes": 0}
    assert rows_of(stack, app.app_id) == {
        "event_log": 3, "event_log_archive": 1, "event_queue": 1, "event_outcomes": 1,
        "event_outcomes_archive": 1, "calls": 1, "messages": 0, "voicemails": 0, "change_feed": 0}
    stack.sql("DELETE FROM event_queue WHERE app_id = %s", app.app_id)


def test_the_original_of_an_event_of_the_bare_route_goes_too(run_stack) -> None:
    with run_stack() as stack:
        app = stack.create_app("the only one")
        for claims in (call(1, HER), call(2, HIM)):
            assert stack.bare_hook.post(claims).status == 200
        app.wait_for("/api/calls/1")
        app.wait_for("/api/calls/2")
        assert erase(stack, app)["result"]["events"] == 1
        assert where(stack, HER) == []
        for owner in (NIL, app.app_id):
            assert rows_of(stack, owner)["event_log"] == 1
        assert rows_of(stack, NIL)["event_outcomes"] == 1


def test_a_large_log_is_looked_through_in_pages_beside_a_live_worker(run_stack) -> None:
    """More than two pages of others' calls; hers are spread among them, and workers go on."""
    with run_stack() as stack:
        app = stack.create_app("large")
        stack.sql(
            "INSERT INTO event_log (app_id, event_id, arrived_at, event_type, dialpad_event_id,"
            "   payload) SELECT %s, gen_random_uuid(), now(), 'ringing', n::text,"
            "   json_build_object('external_number', CASE WHEN n %% 1000 = 0 THEN %s ELSE %s END)"
            " FROM generate_series(1, 12000) AS n", app.app_id, HER, HIM)
        path = f"/apps/{app.app_id}/erase"
        task = stack.admin("POST", path, {"number": HER})
        for n in range(20_000, 20_030):
            assert app.hook.post(call(n, HIM)).status == 200
        stack.workerd.kill()
        stack.workerd.start()
        done = finished(stack, path, "erasures", task["id"], 40)
        assert done["state"] == "done"
        stack.wait_until_done()
        assert stack.sql("SELECT count(*) FROM event_log") == [(12_000 - 12 + 30,)]
        assert stack.sql("SELECT count(*) FROM calls") == [(30,)]
        assert where(stack, HER) == []


def test_it_waits_for_the_tenants_lock(stack: Stack, app: App) -> None:
    post(stack, app, call(1, HER))
    path = f"/apps/{app.app_id}/erase"
    with stack.database.connect() as worker:
        worker.execute("SELECT FROM tenant_heads WHERE app_id = %s FOR UPDATE", [app.app_id])
        task = stack.admin("POST", path, {"number": HER})

        def state() -> str:
            return stack.admin("GET", path)["erasures"][0]["state"]

        eventually(lambda: state() == "running", 20, "workerd at it")
        time.sleep(1)
        assert state() == "running"
        assert app.get("/api/calls/1").status == 200
    assert finished(stack, path, "erasures", task["id"])["result"]["calls"] == 1


@pytest.mark.parametrize("number", [None, "", "13345521280", "+", "+1 334", "+12345678901234567",
                                    "+1334%", 13345521280, "hello"])
def test_what_is_no_whole_number_is_refused(stack: Stack, app: App, number: object) -> None:
    answer = admin(stack, "POST", f"/apps/{app.app_id}/erase", {"number": number})
    assert answer.status == 400 and "number" in answer.json()["detail"]


def test_of_an_unknown_app_nothing_is_erased(stack: Stack) -> None:
    for app_id in (NIL, "11111111-1111-1111-1111-111111111111"):
        assert admin(stack, "POST", f"/apps/{app_id}/erase", {"number": HER}).status == 404
        assert admin(stack, "GET", f"/apps/{app_id}/erase").status == 404


def test_a_client_that_is_behind_reads_its_lists_anew(stack: Stack, app: App) -> None:
    """Rows of the feed are gone, and their numbers are not given again."""
    behind, ahead = Poller(app), Poller(app)
    behind.ask()
    ahead.ask()
    post(stack, app, call(1, HIM), call(2, HER), call(3, HIM))
    assert len(ahead.drain()) == 3
    assert erase(stack, app)["result"]["changes"] == 1
    post(stack, app, call(4, HIM))
    assert [e["data"]["call_id"] for e in ahead.drain()] == [4]
    first = behind.ask()["events"]
    assert [e["data"].get("call_id") for e in first if e["type"] != "resync"] == [1]
    assert "resync" in [e["type"] for e in first + behind.ask()["events"]]
    assert behind.drain() == []
