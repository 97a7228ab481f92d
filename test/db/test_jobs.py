"""The jobs of workerd, each run once by its binary; and who runs them when several do."""

from __future__ import annotations

import os
import re
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import ports
import psycopg
import pytest
import unprivileged
from schema import ALICE, BOB, add_old_event, make_day, names

from test.conftest import ROOT, Database

WORKERD = ROOT / "build" / os.environ.get("CTI_BUILD", "asan") / "bin" / "workerd"
NOBODY = uuid.UUID("cccccccc-0000-4000-8000-000000000003")
DAY = date(2021, 3, 28)
RunJob = Callable[..., str]


@pytest.fixture
def owner(fresh_db: Database) -> Iterator[psycopg.Connection]:
    """Commits each statement, because the jobs must see it."""
    with fresh_db.connect(autocommit=True) as conn:
        for app, name in ((ALICE, "alice"), (BOB, "bob")):
            conn.execute("INSERT INTO apps (app_id, name) VALUES (%s, %s)", [app, name])
            conn.execute("INSERT INTO tenant_heads (app_id) VALUES (%s)", [app])
        yield conn


@pytest.fixture
def run_job(fresh_db: Database) -> RunJob:
    """run_job("sweeper", CALL_STUCK_HOURS="1"); returns its log."""

    def run(name: str, exit_code: int = 0, **env: str) -> str:
        done = subprocess.run(
            [WORKERD, "--run-job", name],
            env={"DATABASE_URL": fresh_db.url("cti_worker"), **env},
            capture_output=True, text=True, timeout=60,
        )
        assert done.returncode == exit_code, done.stderr
        return done.stderr

    return run


def rows(conn: psycopg.Connection, query: str, *params: object) -> list[tuple]:
    return conn.execute(query, params).fetchall()


def event(
    conn: psycopg.Connection, app: uuid.UUID, age: str, **queue: object
) -> uuid.UUID:
    """A queued event of that age ('5 minutes')."""
    event_id = uuid.uuid4()
    conn.execute(
        "WITH l AS (INSERT INTO event_log (app_id, event_id, arrived_at, received_at, payload)"
        "  VALUES (%(app)s, %(id)s, now(), now() - %(age)s::interval, '{}') RETURNING *)"
        " INSERT INTO event_queue (app_id, event_id, received_at, attempts)"
        " SELECT app_id, event_id, received_at, %(attempts)s FROM l",
        {"app": app, "id": event_id, "age": age, "attempts": queue.get("attempts", 0)},
    )
    return event_id


# Asked for


def test_an_unknown_job_is_bad_usage_and_a_failed_one_is_logged(
    owner: psycopg.Connection, run_job: RunJob
) -> None:
    assert "partitions gauges" in run_job("dishes", exit_code=64)
    owner.execute("ALTER FUNCTION ensure_partitions RENAME TO gone")
    assert '"job.failed"' in run_job("partitions", exit_code=1)


def test_a_job_that_runs_elsewhere_is_not_run_beside_it(
    owner: psycopg.Connection, run_job: RunJob
) -> None:
    owner.execute("SELECT pg_advisory_lock(hashtextextended('cti.job.cleanup', 0))")
    assert "another process is running it" in run_job("cleanup", exit_code=1)
    run_job("heads")


# Partitions and retention


def test_partitions_are_made_ahead(owner: psycopg.Connection, run_job: RunJob) -> None:
    run_job("partitions")  # midnight may have passed since the migration
    tomorrow = f"{datetime.now(UTC).date() + timedelta(days=1):%Y%m%d}"
    ahead = "SELECT to_regclass('event_log_' || %s) IS NOT NULL"
    owner.execute(f"DROP TABLE event_log_{tomorrow}")
    assert '"partitions=1"' in run_job("partitions")
    assert rows(owner, ahead, tomorrow) == [(True,)]


@pytest.fixture
def old_events(owner: psycopg.Connection) -> dict[str, uuid.UUID]:
    for parent in ("event_log", "event_outcomes"):
        for days in (0, 1):
            make_day(owner, parent, DAY + timedelta(days=days))
    return {
        "alice": add_old_event(owner, ALICE, "dead", DAY),
        "bob": add_old_event(owner, BOB, day=DAY + timedelta(days=1)),
    }


SHOWN = "SELECT id, verdict, archived FROM webhook_events ORDER BY received_at"


def test_old_events_are_archived_and_seen_by_their_tenant_alone(
    fresh_db: Database, owner: psycopg.Connection, run_job: RunJob,
    old_events: dict[str, uuid.UUID],
) -> None:
    new = event(owner, ALICE, "0")
    log = run_job("retention")
    assert re.findall(r'"day=([0-9-]+)"', log) == ["2021-03-28", "2021-03-29"]
    assert rows(owner, SHOWN) == [
        (old_events["alice"], "dead", True),
        (old_events["bob"], "processed", True),
        (new, "pending", False),
    ]
    with fresh_db.connect("cti_api") as api:
        assert rows(api, SHOWN) == []
        api.execute(f"SET LOCAL cti.app_id = '{BOB}'")
        assert rows(api, SHOWN) == [(old_events["bob"], "processed", True)]
    assert '"day=' not in run_job("retention")


def test_old_events_can_be_dropped_instead(
    owner: psycopg.Connection, run_job: RunJob, old_events: dict[str, uuid.UUID]
) -> None:
    new = event(owner, ALICE, "0")
    run_job("retention", EVENT_ARCHIVE="drop")
    assert rows(owner, SHOWN) == [(new, "pending", False)]


def test_events_stay_as_long_as_they_should(
    owner: psycopg.Connection, run_job: RunJob, old_events: dict[str, uuid.UUID]
) -> None:
    run_job("retention", EVENT_RETENTION_DAYS="36500")
    assert [archived for *_, archived in rows(owner, SHOWN)] == [False, False]


def test_old_days_of_the_feed_go_even_when_the_log_is_stuck(
    owner: psycopg.Connection, run_job: RunJob, old_events: dict[str, uuid.UUID]
) -> None:
    today = datetime.now(UTC).date()
    for days in (9, 8, 7, 6):
        make_day(owner, "change_feed", today - timedelta(days=days))
    owner.execute("INSERT INTO event_queue (app_id, event_id, received_at)"
                  " SELECT app_id, event_id, received_at FROM event_log")
    assert "still in the queue" in run_job("retention", exit_code=1)
    left = names(owner, "SELECT inhrelid::regclass::text FROM pg_inherits"
                 " WHERE inhparent = 'change_feed'::regclass ORDER BY 1")
    assert left[0] == f"change_feed_{today - timedelta(days=7):%Y%m%d}"


def add_record(conn: psycopg.Connection, table: str, app: uuid.UUID, age_days: int) -> None:
    key = "message_id" if table == "messages" else "call_id"
    more = {"voicemails": ("", ""), "messages": (", first_event_at, clocks", ", now(), ''")}
    columns, values = more.get(
        table, (", status, first_event_at, clocks", ", 'completed', now(), ''")
    )
    conn.execute(
        f"INSERT INTO {table} (app_id, {key}, id, sort_at, created_at, updated_at{columns})"
        f" SELECT %s, %s * 10000 + n, gen_random_uuid(), now() - %s * interval '1 day', now(),"
        f" now(){values} FROM generate_series(1, 1500) AS n",
        [app, age_days, age_days],
    )


def test_old_records_of_every_tenant_are_deleted_when_asked_for(
    owner: psycopg.Connection, run_job: RunJob
) -> None:
    tables = ("calls", "messages", "voicemails")
    for table in tables:
        for app in (ALICE, BOB):
            for age in (29, 31):
                add_record(owner, table, app, age)
    run_job("records")
    assert rows(owner, "SELECT count(*) FROM calls") == [(6000,)]
    run_job("records", RECORDS_RETENTION_DAYS="30")
    for table in tables:
        assert rows(owner, f"SELECT app_id, count(*), max(now() - sort_at) < '30 days'"
                    f" FROM {table} GROUP BY app_id ORDER BY app_id") == [
            (ALICE, 1500, True), (BOB, 1500, True)]


def test_records_of_a_tenant_that_is_being_served_are_left_alone(
    fresh_db: Database, owner: psycopg.Connection, run_job: RunJob
) -> None:
    for app in (ALICE, BOB):
        add_record(owner, "calls", app, 31)
    with fresh_db.connect() as worker:
        worker.execute("SELECT 1 FROM tenant_heads WHERE app_id = %s FOR UPDATE", [ALICE])
        run_job("records", RECORDS_RETENTION_DAYS="30")
    assert rows(owner, "SELECT DISTINCT app_id FROM calls") == [(ALICE,)]


# The sweeper


def add_call(conn: psycopg.Connection, app: uuid.UUID, call_id: int, status: str,
             heard_hours_ago: int) -> None:
    conn.execute(
        "INSERT INTO calls (app_id, call_id, id, status, sort_at, first_event_at, clocks,"
        " created_at, updated_at) VALUES (%s, %s, gen_random_uuid(), %s,"
        " now() - interval '3 days', now(), '', now(), now() - %s * interval '1 hour')",
        [app, call_id, status, heard_hours_ago],
    )


SWEPT = """\
SELECT app_id, dialpad_event_id, event_type, payload, queue.event_id IS NOT NULL
FROM event_log LEFT JOIN event_queue AS queue USING (app_id, received_at, event_id)
WHERE source = 'sweeper' ORDER BY dialpad_event_id"""


def test_a_call_that_was_not_heard_of_for_hours_gets_a_last_event_once(
    owner: psycopg.Connection, run_job: RunJob
) -> None:
    add_call(owner, ALICE, 1, "ringing", 13)
    add_call(owner, BOB, 2, "parked", 13)
    add_call(owner, ALICE, 3, "connected", 11)  # began long ago, but was heard of since
    add_call(owner, ALICE, 4, "completed", 13)
    run_job("sweeper")
    run_job("sweeper")
    found = rows(owner, SWEPT)
    assert [(app, call, kind, queued) for app, call, kind, _, queued in found] == [
        (ALICE, "1", "no_final_event", True), (BOB, "2", "no_final_event", True)]
    payload = found[0][3]
    now_ms = time.time() * 1000
    assert now_ms - 60_000 < payload.pop("event_timestamp") <= now_ms
    assert payload == {"call_id": 1, "state": "no_final_event", "date_ended": None}


def test_a_tenant_whose_events_wait_is_not_swept(
    owner: psycopg.Connection, run_job: RunJob
) -> None:
    add_call(owner, ALICE, 1, "ringing", 2)
    event(owner, ALICE, "2 minutes")
    run_job("sweeper", CALL_STUCK_HOURS="1")
    assert rows(owner, SWEPT) == []
    owner.execute("UPDATE event_queue SET attempts = 1")
    run_job("sweeper", CALL_STUCK_HOURS="1")
    assert len(rows(owner, SWEPT)) == 1


# Cleanup


EXPIRING = {
    "oauth_states": "INSERT INTO oauth_states (state_hash, app_id, cookie_hash, code_verifier,"
    " environment, expires_at) SELECT %(key)s::bytea, %(app)s, '', '', 'sandbox', %(at)s",
    "used_tickets": "INSERT INTO used_tickets (ticket_id, expires_at) SELECT %(key)s, %(at)s",
    "idempotency_keys": "INSERT INTO idempotency_keys (caller, idempotency_key, request_hash,"
    " expires_at) SELECT 'admin', %(key)s, '', %(at)s",
    "live_tokens": "INSERT INTO live_tokens (token_id, app_id, origins, expires_at)"
    " SELECT %(key)s, %(app)s, '{}', %(at)s",
}


@pytest.mark.parametrize("table", EXPIRING)
def test_what_has_expired_for_an_hour_is_deleted(
    owner: psycopg.Connection, run_job: RunJob, table: str
) -> None:
    [(now,)] = rows(owner, "SELECT now()")
    with owner.cursor() as cursor:
        cursor.executemany(EXPIRING[table], [
            {"key": f"{minutes}", "app": ALICE, "at": now - timedelta(minutes=minutes)}
            for minutes in (-10, 50, *range(70, 1200))
        ])
    run_job("cleanup")
    left = rows(owner, f"SELECT expires_at FROM {table} ORDER BY expires_at")
    assert left == [(now - timedelta(minutes=m),) for m in (50, -10)]


# Heads, and events of nobody


def test_an_app_without_a_head_gets_one(owner: psycopg.Connection, run_job: RunJob) -> None:
    owner.execute("DELETE FROM tenant_heads WHERE app_id IN (%s, %s)", [ALICE, BOB])
    owner.execute("UPDATE apps SET deleted_at = now() WHERE app_id = %s", [BOB])
    event(owner, ALICE, "10 minutes")
    run_job("heads")
    assert rows(owner, "SELECT app_id FROM tenant_heads WHERE app_id IN (%s, %s)",
                ALICE, BOB) == [(ALICE,)]
    assert rows(owner, "SELECT verdict FROM webhook_events") == [("pending",)]


VERDICTS = "SELECT verdict, count(*), min(last_error) FROM webhook_events GROUP BY verdict"


def test_events_of_no_app_are_set_aside_and_come_back_when_there_is_one(
    owner: psycopg.Connection, run_job: RunJob
) -> None:
    for n in range(3):
        event(owner, NOBODY, f"{10 + n} minutes", attempts=n)
    young = event(owner, NOBODY, "1 minute")
    run_job("heads")
    why = f"Unknown app: no app has the id {NOBODY}"
    assert sorted(rows(owner, VERDICTS)) == [("pending", 1, None), ("unknown_app", 3, why)]
    assert rows(owner, "SELECT event_id FROM event_queue") == [(young,)]

    owner.execute("INSERT INTO apps (app_id, name) VALUES (%s, 'late')", [NOBODY])
    run_job("heads")
    assert rows(owner, VERDICTS) == [("pending", 4, None)]
    assert rows(owner, "SELECT 1 FROM event_outcomes") == []
    assert rows(owner, "SELECT 1 FROM jobs") == []


# Several processes


class Running:
    """A workerd that serves until the test ends."""

    def __init__(self, url: str, log: Path):
        self.log = log
        self._ops = ports.any_free()
        with open(log, "wb") as stderr:
            self._process = subprocess.Popen(
                [WORKERD], stderr=stderr,
                env=unprivileged.base_env() | {
                    "DATABASE_URL": url, "LISTEN_ADDRESS": "127.0.0.1",
                    "WORKERD_PORT": str(ports.any_free()), "OPS_PORT": str(self._ops),
                },
            )

    def metric(self, name: str) -> int | None:
        """None until it answers, and while there is no such series yet."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._ops}/metrics") as answer:
                text = answer.read().decode()
        except OSError:
            return None
        found = re.search(rf"^{re.escape(name)} (\d+)$", text, re.M)
        return int(found[1]) if found else None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> tuple[int, float]:
        """Exit code, and how long it took."""
        began = time.monotonic()
        self._process.terminate()
        return self._process.wait(30), time.monotonic() - began


@pytest.fixture
def start(fresh_db: Database, tmp_path: Path) -> Iterator[Callable[[], Running]]:
    running: list[Running] = []

    def start_one() -> Running:
        log = tmp_path / f"workerd{len(running)}.log"
        running.append(Running(fresh_db.url("cti_worker"), log))
        return running[-1]

    yield start_one
    for daemon in running:
        daemon.kill()


def wait(condition: Callable[[], bool], seconds: float = 60) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.1)


LEADER = "cti_jobs_leader"
PARTITIONS_RUN = 'cti_job_runs_total{job="partitions",result="ok"}'
SUCCESS = 'cti_job_last_success_timestamp_seconds{job="records"}'
PENDING = 'cti_queue_events{state="pending"}'


def test_one_process_leads_and_another_takes_over(
    owner: psycopg.Connection, start: Callable[[], Running]
) -> None:
    first = start()
    wait(lambda: first.metric(LEADER) == 1)
    second = start()
    wait(lambda: second.metric(LEADER) is not None)
    wait(lambda: (first.metric(SUCCESS) or 0) > 0)
    time.sleep(6)  # longer than the second one's pause between two tries
    assert (second.metric(LEADER), second.metric(PARTITIONS_RUN)) == (0, 0)
    assert first.metric(PARTITIONS_RUN) == 1
    first.kill()
    wait(lambda: second.metric(LEADER) == 1)
    wait(lambda: (second.metric(SUCCESS) or 0) > 0)
    code, seconds = second.stop()
    assert code == 0 and seconds < 10  # as long as it would give batches under way


def test_the_leader_that_loses_its_connection_leads_again(
    fresh_db: Database, owner: psycopg.Connection, start: Callable[[], Running]
) -> None:
    only = start()
    wait(lambda: only.metric(SUCCESS) not in (None, 0))
    fresh_db.cluster.psql(
        "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d"
        f" ON d.oid = l.database WHERE locktype = 'advisory' AND datname = '{fresh_db.name}'"
    )
    wait(lambda: (only.metric(PARTITIONS_RUN) or 0) >= 2)
    assert only.metric(LEADER) == 1


def test_the_leader_tells_of_the_queue_and_of_jobs_that_fail_and_recover(
    owner: psycopg.Connection, start: Callable[[], Running]
) -> None:
    event(owner, NOBODY, "90 seconds")  # no worker takes it
    event(owner, NOBODY, "4 minutes", attempts=2)
    owner.execute("ALTER TABLE event_queue RENAME TO away")
    only = start()
    failed, ok = (f'cti_job_runs_total{{job="gauges",result="{how}"}}' for how in ("failed", "ok"))
    wait(lambda: (only.metric(failed) or 0) >= 2)
    owner.execute("ALTER TABLE away RENAME TO event_queue")
    wait(lambda: (only.metric(ok) or 0) >= 1)
    assert only.metric(PENDING) == 1
    assert only.metric('cti_queue_events{state="retrying"}') == 1
    assert 90 <= only.metric("cti_queue_oldest_age_seconds") < 240
    log = only.log.read_text()
    assert "gauges works again" in log
    assert log.count("gauges: ") == 1


def test_the_leader_tells_of_an_old_transaction_and_of_missing_days(
    fresh_db: Database, owner: psycopg.Connection, start: Callable[[], Running]
) -> None:
    owner.execute("DROP TABLE change_feed_" + str(
        owner.execute("SELECT to_char(now() + interval '9 days', 'YYYYMMDD')").fetchone()[0]))
    with fresh_db.connect() as sleeper:
        sleeper.execute("SELECT 1")
        time.sleep(1.1)
        only = start()
        wait(lambda: (only.metric("cti_oldest_transaction_seconds") or 0) >= 1)
    # The job of the partitions mends what is missing, and runs before the one of the gauges.
    assert only.metric("cti_partitions_ahead") == 31
