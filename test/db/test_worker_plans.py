"""How PostgreSQL carries out a batch of workerd among a million events: by index, whatever it believes.

The plans are those of a real workerd's statements, from the server's log.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ports
import psycopg
import pytest
import unprivileged
from cluster import Cluster

from test.conftest import ROOT, Database
from test.many_records import app_id, fill
from test.plans import Plan, PlanLog

WORKERD = ROOT / "build" / os.environ.get("CTI_BUILD", "asan") / "bin" / "workerd"
APPS, CALLS, LOGGED, QUEUED = 20, 40_000, 1_000_000, 100_000
BATCH = 100
ENOUGH = 15 * BATCH
SECONDS = 60

LOG_INDEXES = """\
SELECT replace(indexdef, ' ON ONLY ', ' ON '), indexname FROM pg_indexes
WHERE tablename = 'event_log' AND indexname NOT LIKE '%_pkey'"""
# Events of the calls that are there, half an hour long, the last ones still to be done.
EVENTS = """\
INSERT INTO event_log (app_id, received_at, event_id, arrived_at, event_type, dialpad_event_id,
	payload)
SELECT ('00000000-0000-4000-8000-' || lpad((1 + call % {apps})::text, 12, '0'))::uuid, at,
	('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, at, 'recording',
	(6000000000000000 + call)::text,
	CASE WHEN n > {logged} - {queued} THEN format('{{"call_id":%s,"state":"recording",'
		'"event_timestamp":1700000000000,"mos_score":%s}}', 6000000000000000 + call, n)
	ELSE '{{}}' END::json
FROM (SELECT n, 1 + n % {calls} AS call,
		now() - interval '30 minutes' * ({logged} - n) / {logged} AS at
	FROM generate_series(1, {logged}) AS n) AS drawn;
INSERT INTO event_queue (app_id, event_id, received_at)
SELECT app_id, event_id, received_at FROM event_log WHERE payload::text <> '{{}}'"""
# What VACUUM would have found while the tables were empty; it does not look again.
EMPTY_MOMENT = """\
UPDATE pg_class SET reltuples = 0, relpages = 0 WHERE relname ~ '^(event_|calls|change_|tenant_)'
	AND relkind IN ('r', 'i', 'p');
DELETE FROM pg_statistic WHERE starelid IN (SELECT oid FROM pg_class
	WHERE relname ~ '^(event_|calls|change_|tenant_)')"""

# The beginning of each statement of a batch, and what it searches by which index: the columns of
# the condition. A partition's index is named after the partition.
CLAIM, SPAN, TAKE = "WITH hurry", "SELECT min(received_at)", "SELECT event_id, received_at"
LOAD, SAVE = "SELECT t.* FROM unnest($2) AS u (dialpad_id)", "INSERT INTO calls AS t"
FEED, REMOVE = "INSERT INTO change_feed", "DELETE FROM event_queue"
SEARCHES = {
    CLAIM: [("event_queue_pkey", "app_id")],
    SPAN: [("event_queue_pkey", "app_id")],
    TAKE: [("event_queue_pkey", "app_id"), ("event_log", "event_id")],
    LOAD: [("calls_pkey", "call_id")],
    SAVE: [],
    FEED: [],
    REMOVE: [("event_queue_pkey", "event_id")],
}
LARGE = ("event_log", "event_queue", "calls", "change_feed")


@pytest.fixture(scope="module")
def stocked(
    cluster: Cluster, template: str, database_names: Iterator[str]
) -> Iterator[Database]:
    """Its tables are analysed, and nobody looks at them again."""
    database = Database(cluster, next(database_names))
    cluster.create_database(database.name, template)
    with psycopg.connect(database.superuser_url(), autocommit=True) as conn:
        add_apps(conn)
        fill(lambda sql: rows(conn, sql), CALLS, APPS)
        add_events(conn)
        for table in ("calls", "event_queue", "change_feed"):
            for name in [table, *partitions(conn, table)]:
                if name != "change_feed":
                    conn.execute(f"ALTER TABLE {name} SET (autovacuum_enabled = off)")
        conn.execute("ANALYZE")
    yield database
    cluster.drop_database(database.name)


def rows(conn: psycopg.Connection, sql: str) -> list[tuple]:
    cursor = conn.execute(sql)
    while cursor.nextset():
        pass
    return cursor.fetchall() if cursor.description is not None else []


def add_apps(conn: psycopg.Connection) -> None:
    for number in range(1, APPS + 1):
        conn.execute("INSERT INTO apps (app_id, name) VALUES (%s, 'one of many')",
                     [app_id(number)])
        conn.execute("INSERT INTO tenant_heads (app_id) VALUES (%s)", [app_id(number)])


def add_events(conn: psycopg.Connection) -> None:
    """The indexes are made after the rows, which takes a fraction of the time."""
    indexes = rows(conn, LOG_INDEXES)
    for _, name in indexes:
        conn.execute(f"DROP INDEX {name}")
    conn.execute(EVENTS.format(apps=APPS, calls=CALLS, logged=LOGGED, queued=QUEUED))
    for definition, _ in indexes:
        conn.execute(definition)


def partitions(conn: psycopg.Connection, table: str) -> list[str]:
    return [name for (name,) in rows(
        conn, f"SELECT inhrelid::regclass::text FROM pg_inherits"
              f" WHERE inhparent = '{table}'::regclass")]


@contextmanager
def a_worker(database: Database, directory: Path) -> Iterator[None]:
    env = {
        "DATABASE_URL": database.url("cti_worker"),
        "LISTEN_ADDRESS": "127.0.0.1",
        "WORKERD_PORT": str(ports.any_free()),
        "OPS_PORT": str(ports.any_free()),
        "WORKER_BATCH": str(BATCH),
    }
    with open(directory / "workerd.log", "ab") as log:
        process = unprivileged.spawn([str(WORKERD)], env=unprivileged.base_env() | env, stdout=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def plans_of_some_batches(database: Database, directory: Path) -> list[Plan]:
    log = PlanLog(database, "cti_worker")
    with psycopg.connect(database.superuser_url(), autocommit=True) as conn:
        before = rows(conn, "SELECT count(*) FROM event_queue")[0][0]
        with a_worker(database, directory):
            deadline = time.monotonic() + SECONDS
            while rows(conn, "SELECT count(*) FROM event_queue")[0][0] > before - ENOUGH:
                assert time.monotonic() < deadline, (directory / "workerd.log").read_text()
                time.sleep(0.05)
    return log.new()


@pytest.mark.parametrize("statistics", ["true ones", "those of an empty moment"])
def test_a_batch_reads_no_large_table_to_its_end(
    stocked: Database, tmp_path: Path, statistics: str
) -> None:
    if statistics != "true ones":
        stocked.cluster.psql(EMPTY_MOMENT, db=stocked.name)
    plans = plans_of_some_batches(stocked, tmp_path)
    for beginning, searches in SEARCHES.items():
        found = [plan for plan in plans if plan.sql.startswith(beginning)]
        assert len(found) > 5, beginning
        for plan in found:
            check(plan, searches)


def check(plan: Plan, searches: list[tuple[str, str]]) -> None:
    read_to_their_end = [t for t in plan.relations if t.startswith(LARGE) and plan.reads_all_of(t)]
    for index, column in searches:
        conditions = [c for name, c in plan.probes.items() if name.startswith(index)]
        assert conditions and all(column in c for c in conditions), f"{index}\n{plan}"
    assert not read_to_their_end, f"{plan.sql}\n{plan}"
