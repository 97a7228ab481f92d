"""The data of a deleted app: every table, the archive, the feed, and the originals of its copies."""

from __future__ import annotations

import uuid

import psycopg
from schema import ALICE, BOB, OLD_DAY, ROWS_OF_A_TENANT, TENANT_TABLES, add_old_event, make_day
from test_jobs import RunJob, owner, rows, run_job  # noqa: F401 (two of them are fixtures)

NIL = uuid.UUID(int=0)
# Its name and what its keys hash to, so that neither is used again; what admins did; and what
# expires by itself.
STAYS = {"apps", "api_keys", "admin_audit", "oauth_states", "live_tokens"}
CONTROL_ROWS = """
INSERT INTO dialpad_webhooks (app_id, hook, key_fingerprint) VALUES (%(app)s, 1, 'x');
INSERT INTO dialpad_connections (app_id, environment) VALUES (%(app)s, 'sandbox');
INSERT INTO claim_rules (kind, dialpad_id, app_id) SELECT 'office', hashtext(%(app)s::text), %(app)s;
INSERT INTO jobs (kind, app_id, job_key, params) VALUES ('erase', %(app)s, 'x', '{}');
"""


def fill(conn: psycopg.Connection, app: uuid.UUID) -> None:
    for statement in (ROWS_OF_A_TENANT + CONTROL_ROWS).split(";\n"):
        if statement.strip():
            conn.execute(statement, {"app": app})
    add_old_event(conn, app, "dead", OLD_DAY)


def with_app_id(conn: psycopg.Connection) -> set[str]:
    return {name for (name,) in rows(
        conn, "SELECT relname::text FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid"
        " WHERE attname = 'app_id' AND relkind IN ('r', 'p') AND NOT relispartition"
        " AND relnamespace = 'public'::regnamespace")}


def counts(conn: psycopg.Connection, app: uuid.UUID) -> dict[str, int]:
    found = {t: rows(conn, f"SELECT count(*) FROM {t} WHERE app_id = %s", app)[0][0]
             for t in with_app_id(conn)}
    return {table: count for table, count in found.items() if count}


def make_archive(conn: psycopg.Connection) -> None:
    for parent in ("event_log_archive", "event_outcomes_archive"):
        conn.execute(f"CREATE TABLE {parent}_{OLD_DAY:%Y%m%d} PARTITION OF {parent}"
                     f" FOR VALUES FROM ('{OLD_DAY} 00:00+00') TO ('{OLD_DAY} 23:59+00')")


def to_archive(conn: psycopg.Connection) -> None:
    for parent in ("event_log", "event_outcomes"):
        conn.execute(f"INSERT INTO {parent}_archive SELECT * FROM {parent}"
                     " WHERE received_at < '2021-01-01'")
        conn.execute(f"DELETE FROM {parent} WHERE received_at < '2021-01-01'")


def delete_app(conn: psycopg.Connection, app: uuid.UUID) -> None:
    """What apid does at once."""
    conn.execute("UPDATE apps SET deleted_at = now() WHERE app_id = %s", [app])
    conn.execute("DELETE FROM claim_rules WHERE app_id = %s", [app])


def make_old_days(conn: psycopg.Connection) -> None:
    make_archive(conn)
    for parent in ("event_log", "event_outcomes"):
        make_day(conn, parent)


def test_nothing_of_a_deleted_app_is_left_in_any_table(
    owner: psycopg.Connection, run_job: RunJob  # noqa: F811
) -> None:
    make_old_days(owner)
    for app in (ALICE, BOB):
        fill(owner, app)
    to_archive(owner)
    before = counts(owner, BOB)
    assert set(TENANT_TABLES) <= set(before), "else this test would prove nothing"
    assert counts(owner, ALICE) == before
    delete_app(owner, ALICE)
    assert "and that was all" in run_job("deleted")
    assert set(counts(owner, ALICE)) <= STAYS
    assert counts(owner, BOB) == before
    run_job("deleted")
    assert counts(owner, BOB) == before


def give(conn: psycopg.Connection, app: uuid.UUID, old: bool) -> None:
    """An event of the bare route, an old one in the archive, and the app's copy of it."""
    origin = add_old_event(conn, NIL, "assigned", OLD_DAY) if old else uuid.uuid4()
    if not old:
        conn.execute("WITH log AS (INSERT INTO event_log (app_id, event_id, arrived_at, payload)"
                     "  VALUES (%s, %s, now(), '{}') RETURNING *)"
                     " INSERT INTO event_outcomes (app_id, event_id, received_at, verdict)"
                     " SELECT app_id, event_id, received_at, 'assigned' FROM log", [NIL, origin])
    conn.execute("INSERT INTO event_log (app_id, event_id, arrived_at, payload, source,"
                 " origin_event_id) VALUES (%s, gen_random_uuid(), now(), '{}', 'assigned', %s)",
                 [app, origin])


def test_originals_of_the_bare_route_go_with_the_copies(
    owner: psycopg.Connection, run_job: RunJob  # noqa: F811
) -> None:
    make_old_days(owner)
    for app in (ALICE, BOB):
        for old in (True, False):
            give(owner, app, old)
    to_archive(owner)
    event_tables = ("event_log", "event_log_archive", "event_outcomes", "event_outcomes_archive")
    assert {t: counts(owner, NIL)[t] for t in event_tables} == dict.fromkeys(event_tables, 2)
    delete_app(owner, ALICE)
    run_job("deleted")
    assert {t: counts(owner, NIL)[t] for t in event_tables} == dict.fromkeys(event_tables, 1)
    assert counts(owner, BOB)["event_log"] == 2
