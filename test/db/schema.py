"""What the tests of the schema share: its tables, sqitch, and databases made by it."""

from __future__ import annotations

import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import psycopg
from cluster import Cluster
from psycopg import Connection

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
ROLES = ("cti_ingest", "cti_worker", "cti_api", "cti_admin", "cti_readonly")
PARTITIONED = ("event_log", "event_outcomes", "change_feed")
ARCHIVES = ("event_log_archive", "event_outcomes_archive")
TENANT_TABLES = PARTITIONED + ARCHIVES + ("event_queue", "calls", "messages", "voicemails")
CONTROL_TABLES = (
    "admin_audit api_keys apps claim_rules dialpad_connections dialpad_webhooks "
    "hook_failures idempotency_keys ingest_gaps ingest_pulse jobs live_tokens oauth_states schema_version tenant_heads "
    "used_tickets"
).split()

ALICE = uuid.UUID("aaaaaaaa-0000-4000-8000-000000000001")
BOB = uuid.UUID("bbbbbbbb-0000-4000-8000-000000000002")
# One row in every tenant table.
ROWS_OF_A_TENANT = """
INSERT INTO event_log (app_id, event_id, arrived_at, payload)
    VALUES (%(app)s, gen_random_uuid(), now(), '{"state": "hangup"}');
INSERT INTO event_queue (app_id, event_id) SELECT app_id, event_id FROM event_log
    WHERE app_id = %(app)s;
INSERT INTO event_outcomes (app_id, received_at, event_id, verdict)
    SELECT app_id, received_at, event_id, 'dead' FROM event_log WHERE app_id = %(app)s;
INSERT INTO calls (app_id, call_id, id, status, sort_at, first_event_at, clocks,
        created_at, updated_at)
    VALUES (%(app)s, 1, gen_random_uuid(), 'connected', now(), now(), '', now(), now());
INSERT INTO messages (app_id, message_id, id, sort_at, first_event_at, clocks,
        created_at, updated_at)
    VALUES (%(app)s, 1, gen_random_uuid(), now(), now(), '', now(), now());
INSERT INTO voicemails (app_id, call_id, id, sort_at, created_at, updated_at)
    VALUES (%(app)s, 1, gen_random_uuid(), now(), now(), now());
INSERT INTO change_feed (app_id, seq, type, data)
    VALUES (%(app)s, 1, 'call.started', '{}');
"""

OLD_DAY = date(2020, 2, 29)


def make_day(conn: Connection, parent: str, day: date = OLD_DAY) -> None:
    """A partition as ensure_partitions would have made it on that day."""
    key = "created_at" if parent == "change_feed" else "received_at"
    part, ends = f"{parent}_{day:%Y%m%d}", day + timedelta(days=1)
    conn.execute(
        f"CREATE TABLE {part} (LIKE {parent} INCLUDING ALL, CONSTRAINT one_day"
        f" CHECK ({key} >= '{day} 00:00+00' AND {key} < '{ends} 00:00+00'))"
    )
    conn.execute(f"ALTER TABLE {part} ENABLE ROW LEVEL SECURITY")
    conn.execute(
        f"ALTER TABLE {parent} ATTACH PARTITION {part}"
        f" FOR VALUES FROM ('{day} 00:00+00') TO ('{ends} 00:00+00')"
    )


def add_old_event(
    conn: Connection, app: uuid.UUID, verdict: str | None = None, day: date = OLD_DAY
) -> uuid.UUID:
    """An event of that day, at noon; make_day comes first."""
    event = uuid.uuid4()
    noon = f"{day} 12:00+00"
    conn.execute(
        "INSERT INTO event_log (app_id, received_at, event_id, arrived_at, payload)"
        " VALUES (%s, %s, %s, %s, '{}')",
        [app, noon, event, noon],
    )
    if verdict is not None:
        conn.execute(
            "INSERT INTO event_outcomes (app_id, received_at, event_id, verdict)"
            " VALUES (%s, %s, %s, %s)",
            [app, noon, event, verdict],
        )
    return event


def sqitch(url: str, *command: str) -> str:
    """Runs sqitch from the root of the repository, as the README says."""
    role, password, place = re.fullmatch(r"postgresql://(.+?):(.+?)@(.+)", url).groups()
    done = subprocess.run(
        ["sqitch", "--chdir", "migrations", *command, f"db:pg://{role}@{place}"],
        cwd=MIGRATIONS.parent,
        env=os.environ | {"PGPASSWORD": password},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def names(conn: Connection, query: str, *params: object) -> list[str]:
    return [row[0] for row in conn.execute(query, params)]


def public_relations(conn: Connection) -> list[str]:
    return names(
        conn,
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND NOT relispartition AND relkind IN ('r', 'p', 'v') ORDER BY relname",
    )


def partitions(conn: Connection) -> list[str]:
    return names(
        conn,
        "SELECT inhrelid::regclass::text FROM pg_inherits"
        " WHERE inhparent = ANY (%s::regclass[])",
        list(PARTITIONED),
    )


@contextmanager
def database(cluster: Cluster, name: str) -> Iterator[str]:
    cluster.create_database(name)
    try:
        yield name
    finally:
        cluster.drop_database(name)


def login(cluster: Cluster, role: str, db: str) -> Connection:
    return psycopg.connect(cluster.set_login(role, db), autocommit=True)
