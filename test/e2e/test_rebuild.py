"""workerd --rebuild: the log is the truth, and the tables can be made from it again."""

from __future__ import annotations

import re
import subprocess
import time
from datetime import UTC, datetime, timedelta

import pytest
import unprivileged
from cti import BIN, App, Stack
from kept import check_feed, check_kept
from truth import everything

from test.sim.catalogue import events_by_time, names_of, perform
from test.sim.model import CallTruth, Play

KINDS = ("calls", "messages", "voicemails")
COUNTS = re.compile(r"(\w+): ids=(\d+) same=(\d+) different=(\d+) missing=(\d+) merged=(\d+)")


class Report:
    """What a rebuild printed."""

    def __init__(self, text: str):
        self.text = text
        self.counts = {
            found[1]: dict(zip(("ids", "same", "different", "missing", "merged"),
                               map(int, found.groups()[1:]), strict=True))
            for found in COUNTS.finditer(text)
        }
        assert tuple(self.counts) == KINDS, text

    @property
    def is_clean(self) -> bool:
        return all(c["ids"] == c["same"] for c in self.counts.values())

    def found(self, plural: str) -> dict[str, int]:
        """The counts that are not 0, but for what is the same."""
        counts = self.counts[plural].items()
        return {name: n for name, n in counts if n and name not in ("ids", "same")}


def run(stack: Stack, *arguments: str, **more_env: str) -> subprocess.CompletedProcess:
    """As an operator runs it, with the environment of the daemon."""
    env = unprivileged.base_env() | {
        "DATABASE_URL": stack.database.url("cti_worker"),
        "WEBHOOK_MASTER_KEY": stack.master_key,
        "TOKEN_ENCRYPTION_KEY": "0123456789abcdef0123456789abcdef",
        **more_env,
    }
    return subprocess.run(
        [BIN / "workerd", "--rebuild", *arguments],
        env=env, capture_output=True, text=True, timeout=120, check=False,
    )


def rebuild(stack: Stack, app: App, *arguments: str, **more_env: str) -> Report:
    done = run(stack, "--app", app.app_id, *arguments, **more_env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Sanitizer" not in done.stderr, done.stderr
    return Report(done.stdout)


def performed(app: App, count: int = 38, names: str = "all") -> list[Play]:
    now_ms = time.time_ns() // 1_000_000
    return perform(names_of(names), count, seed=app.app_id, now_ms=now_ms)


def told(stack: Stack, app: App, plays: list[Play]) -> None:
    app.hook.deliver(events_by_time(plays), repeat=0.2, shuffled=True)
    stack.wait_until_done()


def truths_of(plays: list[Play]) -> list[CallTruth]:
    return [t for play in plays for t in play.truths if isinstance(t, CallTruth)]


def snapshot(stack: Stack, app: App) -> dict[str, list]:
    """Every column of every record."""
    return {
        table: stack.sql(f"SELECT * FROM {table} WHERE app_id = %s ORDER BY 1, 2", app.app_id)
        for table in KINDS
    }


def feed_of(stack: Stack, app: App) -> list[tuple]:
    return stack.sql(
        "SELECT type, data ->> 'id' FROM change_feed WHERE app_id = %s ORDER BY seq", app.app_id
    )


def damage(stack: Stack, app: App, statement: str, dialpad_id: int) -> None:
    rows = stack.sql(statement + " RETURNING 1", app.app_id, dialpad_id)
    assert len(rows) == 1, statement


def test_of_what_the_workers_folded_nothing_differs(stack: Stack, app: App) -> None:
    plays = performed(app, 76)
    told(stack, app, plays)
    before, feed = snapshot(stack, app), feed_of(stack, app)
    for arguments in (["--dry-run"], []):
        report = rebuild(stack, app, *arguments)
        assert report.is_clean, report.text
        assert [report.counts[table]["ids"] for table in KINDS] == [
            len(before[table]) for table in KINDS
        ]
    assert snapshot(stack, app) == before
    assert feed_of(stack, app) == feed


def test_damaged_rows_are_reported_then_repaired(stack: Stack, app: App) -> None:
    plays = performed(app)
    told(stack, app, plays)
    truths = truths_of(plays)
    left = next(t.call_id for t in truths if t.voicemail_recording_id)
    status, caller, lost, clocks = (
        t.call_id for t in [t for t in truths if t.call_id != left][:4]
    )
    message = everything(app, "messages")[0]["message_id"]
    before = snapshot(stack, app)
    where = " WHERE app_id = %s AND call_id = %s"
    damage(stack, app, "UPDATE calls SET status = 'parked'" + where, status)
    damage(stack, app, "UPDATE calls SET \"from\" = '+1', mos_score = 9" + where, caller)
    damage(stack, app, "DELETE FROM calls" + where, lost)
    damage(stack, app, "UPDATE calls SET clocks = ''" + where, clocks)
    damage(stack, app, "DELETE FROM voicemails" + where, left)
    damage(stack, app, "UPDATE messages SET text = 'x' WHERE app_id = %s AND message_id = %s", message)
    damaged, feed = snapshot(stack, app), len(feed_of(stack, app))

    report = rebuild(stack, app, "--dry-run")
    assert report.found("calls") == {"different": 3, "missing": 1}
    assert report.found("voicemails") == {"missing": 1}
    assert report.found("messages") == {"different": 1}
    for line in (f"different call {status}: status\n", f"different call {caller}: from, mos_score\n",
                 f"different call {clocks}: clocks\n", f"missing call {lost}\n",
                 f"missing voicemail {left}\n", f"different message {message}: text\n"):
        assert line in report.text
    assert snapshot(stack, app) == damaged, "a dry run writes nothing"

    assert rebuild(stack, app).found("calls") == {"different": 3, "missing": 1}
    assert snapshot(stack, app) == before
    # Of the clocks a client sees nothing.
    assert len(feed_of(stack, app)[feed:]) == 5
    check_feed(stack, app)
    assert rebuild(stack, app).is_clean
    assert len(feed_of(stack, app)) == feed + 5


def test_what_the_log_forgot_is_merged_and_kept(stack: Stack, app: App) -> None:
    plays = performed(app, 2, "recorded,voicemail")
    app.hook.deliver(events_by_time(plays), connections=1)
    stack.wait_until_done()
    call_id = truths_of(plays)[0].call_id
    before = snapshot(stack, app)
    forgotten = stack.sql(
        "DELETE FROM event_log WHERE app_id = %s AND dialpad_event_id = %s AND received_at <"
        " (SELECT max(received_at) FROM event_log WHERE dialpad_event_id = %s) RETURNING 1",
        app.app_id, str(call_id), str(call_id),
    )
    assert forgotten
    report = rebuild(stack, app)
    assert report.found("calls") == {"merged": 1}
    assert "no longer reaches" in report.text
    assert snapshot(stack, app) == before
    # What the last event says is still merged in.
    damage(stack, app, "UPDATE calls SET clocks = '', state = 'x' WHERE app_id = %s AND call_id = %s",
           call_id)
    report = rebuild(stack, app)
    assert report.counts["calls"]["merged"] == 1
    assert f"different call {call_id} (merged): " in report.text
    assert app.get_json(f"/api/calls/{call_id}")["started_at"] is not None


def test_the_archive_counts_as_log(stack: Stack, app: App) -> None:
    told(stack, app, performed(app, 5))
    stack.sql(
        "DO $$ DECLARE day text := to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD');"
        " BEGIN"
        " EXECUTE format('CREATE TABLE event_log_archive_all PARTITION OF event_log_archive"
        "   FOR VALUES FROM (MINVALUE) TO (MAXVALUE)');"
        " INSERT INTO event_log_archive SELECT * FROM event_log;"
        " DELETE FROM event_log; END $$"
    )
    try:
        report = rebuild(stack, app)
        assert report.is_clean and report.counts["calls"]["ids"] > 0, report.text
    finally:
        stack.sql("DROP TABLE event_log_archive_all")


def test_a_range_chooses_the_records_but_not_their_events(stack: Stack, app: App) -> None:
    early, late = 71, 72
    assert app.hook.post({"call_id": early, "state": "ringing", "event_timestamp": 5}).status == 200
    app.wait_for(f"/api/calls/{early}")
    assert app.hook.post({"call_id": late, "state": "ringing", "date_rang": 4,
                          "event_timestamp": 5}).status == 200
    app.wait_for(f"/api/calls/{late}")
    time.sleep(0.1)
    between = datetime.now(UTC)
    time.sleep(0.1)
    assert app.hook.post({"call_id": late, "state": "hangup", "event_timestamp": 6}).status == 200
    stack.wait_until_done()
    stack.sql("UPDATE calls SET status = 'parked', rang_at = NULL WHERE app_id = %s", app.app_id)

    since, before = between.isoformat(), (between - timedelta(hours=1)).isoformat()
    assert rebuild(stack, app, "--to", before).counts["calls"]["ids"] == 0
    report = rebuild(stack, app, "--from", since)
    assert report.counts["calls"] == {"ids": 1, "same": 0, "different": 1, "missing": 0, "merged": 0}
    shown = app.get_json(f"/api/calls/{late}")
    assert (shown["status"], shown["rang_at"]) == ("missed", "1970-01-01T00:00:00.004Z")
    assert app.get_json(f"/api/calls/{early}")["status"] == "parked"


def test_events_that_were_set_aside_stay_so(stack: Stack, app: App) -> None:
    assert app.hook.post({"call_id": 81, "state": "ringing", "event_timestamp": 5}).status == 200
    app.wait_for("/api/calls/81")
    # One that nobody wants and one that still waits.
    for verdict in ("retired_hook", None):
        [(event_id, received_at)] = stack.sql(
            "INSERT INTO event_log (app_id, event_id, arrived_at, dialpad_event_id, payload)"
            " VALUES (%s, gen_random_uuid(), now(), '81', '{\"call_id\":81,\"state\":\"hangup\"}')"
            " RETURNING event_id, received_at", app.app_id,
        )
        if verdict:
            stack.sql("INSERT INTO event_outcomes (app_id, received_at, event_id, verdict)"
                      " VALUES (%s, %s, %s, %s)", app.app_id, received_at, event_id, verdict)
        else:
            stack.sql("INSERT INTO event_queue (app_id, event_id, received_at, next_attempt_at)"
                      " VALUES (%s, %s, %s, now() + interval '1 hour')",
                      app.app_id, event_id, received_at)
    assert rebuild(stack, app).is_clean
    assert app.get_json("/api/calls/81")["status"] == "ringing"
    stack.sql("DELETE FROM event_queue")


def test_what_the_retention_deleted_does_not_come_back(stack: Stack, app: App) -> None:
    old, new = {"call_id": 91, "date_started": 1_600_000_000_000}, {"call_id": 92}
    for call in (old, new):
        claims = call | {"state": "hangup", "event_timestamp": time.time_ns() // 1_000_000}
        assert app.hook.post(claims).status == 200
        app.wait_for(f"/api/calls/{call['call_id']}")
    stack.sql("DELETE FROM calls WHERE app_id = %s", app.app_id)
    report = rebuild(stack, app, RECORDS_RETENTION_DAYS="30")
    assert report.counts["calls"]["ids"] == report.counts["calls"]["missing"] == 1
    assert app.get("/api/calls/91").status == 404 and app.get("/api/calls/92").status == 200
    assert rebuild(stack, app).found("calls") == {"missing": 1}


def test_more_records_than_fit_into_one_transaction(stack: Stack, app: App) -> None:
    stack.sql(
        "WITH log AS (INSERT INTO event_log (app_id, event_id, arrived_at, dialpad_event_id, payload)"
        "  SELECT %s, gen_random_uuid(), now(), n::text,"
        "    json_build_object('call_id', n, 'state', 'hangup') FROM generate_series(1, 1100) AS n"
        "  RETURNING app_id, event_id, received_at)"
        " INSERT INTO event_queue (app_id, event_id, received_at) SELECT * FROM log", app.app_id,
    )
    stack.wait_until_done()
    stack.sql("DELETE FROM calls WHERE app_id = %s", app.app_id)
    report = rebuild(stack, app)
    assert report.found("calls") == {"missing": 1100}
    assert report.text.count("\nmissing call ") == 20 and "and 1080 more" in report.text
    assert rebuild(stack, app).is_clean


def test_records_whose_events_are_large_are_rebuilt_few_at_a_time(stack: Stack, app: App) -> None:
    told(stack, app, performed(app, 20, names="inbound_answered"))
    for limit, at_once in (("16777216", 20), ("1024", 1)):
        stack.sql("UPDATE calls SET status = 'parked', clocks = '' WHERE app_id = %s", app.app_id)
        report = rebuild(stack, app, WORKER_BATCH_BYTES=limit)
        assert report.found("calls") == {"different": 20}
        transactions = stack.sql(
            "SELECT count(DISTINCT xmin::text) FROM calls WHERE app_id = %s", app.app_id
        )
        assert transactions == [(20 // at_once,)]


@pytest.mark.parametrize("damaged", [False, True])
def test_beside_live_workers_nothing_is_lost_or_doubled(
    stack: Stack, app: App, damaged: bool
) -> None:
    """Rebuild after rebuild, while events of the same calls arrive."""
    from test_survival import under_way

    plays = performed(app, 76)
    with under_way(app, plays, rate=60) as delivery:
        while not delivery.done():
            if damaged:
                stack.sql("UPDATE calls SET status = 'parked', clocks = '' WHERE app_id = %s"
                          " AND call_id %% 3 = 0", app.app_id)
            report = rebuild(stack, app)
            assert damaged or report.is_clean, report.text
        parcels = delivery.result()
    stack.wait_until_done()
    report = rebuild(stack, app)
    assert damaged or report.is_clean, report.text
    assert rebuild(stack, app).is_clean
    check_kept(stack, app, plays, parcels)
    marks = stack.sql("SELECT 1 FROM tenant_heads WHERE app_id = %s AND batch_mark IS NOT NULL",
                      app.app_id)
    assert marks == []
    assert not stack.workerd.log_contains("batch.died"), "a worker took the rebuild for a death"


def test_it_waits_its_turn(stack: Stack, app: App) -> None:
    told(stack, app, performed(app, 3))
    with stack.database.connect("cti_worker") as holder:
        holder.execute("SELECT 1 FROM tenant_heads WHERE app_id = %s FOR UPDATE", [app.app_id])
        started = time.monotonic()
        assert rebuild(stack, app, "--dry-run").is_clean
        waiting = subprocess.Popen(
            [BIN / "workerd", "--rebuild", "--app", app.app_id], stdout=subprocess.PIPE, text=True,
            env=unprivileged.base_env() | {"DATABASE_URL": stack.database.url("cti_worker")},
        )
        time.sleep(2.5)
        assert waiting.poll() is None, "it did not wait for the batch under way"
        holder.rollback()
    text, _ = waiting.communicate(timeout=30)
    assert waiting.returncode == 0 and Report(text).is_clean
    assert time.monotonic() - started > 2.5


def test_usage(stack: Stack, app: App) -> None:
    bad = run(stack, "--app", "5")
    assert bad.returncode == 64 and "no app's id" in bad.stderr and "--dry-run" in bad.stderr
    stranger = run(stack, "--app", "0b0e7a52-4c3f-4b8e-9d1a-2f6c5e4d3b2a")
    assert stranger.returncode == 1 and "there is no app" in stranger.stderr
