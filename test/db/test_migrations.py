"""The schema: it goes forward and back, and keeps tenants apart by itself."""

from __future__ import annotations

import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from cluster import Cluster

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
ROLES = ("cti_ingest", "cti_worker", "cti_api", "cti_admin", "cti_readonly")
PARTITIONED = ("event_log", "event_outcomes", "change_feed")
TENANT_TABLES = PARTITIONED + ("event_queue", "calls", "messages", "voicemails")
CONTROL_TABLES = (
    "admin_audit api_keys apps claim_rules dialpad_connections dialpad_webhooks "
    "idempotency_keys jobs live_tokens oauth_states schema_version tenant_heads used_tickets"
).split()
DENIED = psycopg.errors.InsufficientPrivilege

ALICE = uuid.UUID("aaaaaaaa-0000-4000-8000-000000000001")
BOB = uuid.UUID("bbbbbbbb-0000-4000-8000-000000000002")
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


def names(conn: psycopg.Connection, query: str, *params: object) -> list[str]:
    return [row[0] for row in conn.execute(query, params)]


def public_relations(conn: psycopg.Connection) -> list[str]:
    return names(
        conn,
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND NOT relispartition AND relkind IN ('r', 'p', 'v') ORDER BY relname",
    )


def partitions(conn: psycopg.Connection) -> list[str]:
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


@pytest.fixture(scope="module")
def migrated(cluster: Cluster) -> Iterator[str]:
    """A database deployed by an owner who is no superuser, with rows of two tenants."""
    with database(cluster, "t_migrations") as name:
        sqitch(cluster.url(db=name), "deploy")
        with psycopg.connect(cluster.url(db=name)) as conn:
            for app in (ALICE, BOB):
                for statement in ROWS_OF_A_TENANT.split(";\n")[:-1]:
                    conn.execute(statement, {"app": app})
        yield name


@pytest.fixture
def owner(cluster: Cluster, migrated: str) -> Iterator[psycopg.Connection]:
    """The owner's connection; what a test does on it is rolled back."""
    with psycopg.connect(cluster.url(db=migrated)) as conn:
        yield conn
        conn.rollback()


def login(cluster: Cluster, role: str, db: str) -> psycopg.Connection:
    return psycopg.connect(cluster.set_login(role, db), autocommit=True)


# Forward and back


@pytest.mark.parametrize("as_superuser", [False, True])
def test_deploys_verifies_reverts_and_deploys_again(
    cluster: Cluster, as_superuser: bool
) -> None:
    with database(cluster, "t_migrations_cycle") as name:
        url = cluster.superuser_url(name) if as_superuser else cluster.url(db=name)
        sqitch(url, "deploy")
        sqitch(url, "verify")
        with psycopg.connect(url) as conn:
            first = public_relations(conn)
        sqitch(url, "revert", "-y")
        with psycopg.connect(url) as conn:
            assert public_relations(conn) == []
            assert names(conn, "SELECT proname FROM pg_proc WHERE pronamespace = "
                         "'public'::regnamespace") == []
        sqitch(url, "deploy")
        sqitch(url, "verify")
        with psycopg.connect(url) as conn:
            assert public_relations(conn) == first


def test_a_revert_keeps_the_roles_that_another_database_uses(
    cluster: Cluster, migrated: str
) -> None:
    with database(cluster, "t_migrations_other") as other:
        sqitch(cluster.url(db=other), "deploy")
        sqitch(cluster.url(db=other), "revert", "-y")
    with login(cluster, "cti_api", migrated) as conn:
        assert conn.execute("SELECT count(*) FROM calls").fetchone() == (0,)
        assert conn.execute("SHOW statement_timeout").fetchone() == ("10s",)


def test_the_last_revert_drops_the_roles(tmp_path: Path) -> None:
    alone = Cluster(tmp_path / "cluster", fsync=False)
    alone.start(dies_with_us=True)
    try:
        with database(alone, "cti") as name:
            sqitch(alone.url(db=name), "deploy")
            sqitch(alone.url(db=name), "revert", "-y")
            left = alone.psql("SELECT rolname FROM pg_roles WHERE rolname LIKE 'cti\\_%'")
            assert left == "cti_owner"
    finally:
        alone.remove()


def test_the_daemons_log_in_with_their_timeouts_and_durable_commits(
    cluster: Cluster, migrated: str
) -> None:
    for role, timeout in (("cti_ingest", "5s"), ("cti_worker", "30s"), ("cti_api", "10s")):
        with login(cluster, role, migrated) as conn:
            assert conn.execute("SHOW statement_timeout").fetchone() == (timeout,)
            assert conn.execute("SHOW synchronous_commit").fetchone() == ("on",)
            assert conn.execute("SELECT version FROM schema_version").fetchone() == (1,)


# Rules that every table keeps


def test_every_table_is_a_tenant_table_or_a_control_table(owner: psycopg.Connection) -> None:
    known = {*TENANT_TABLES, *CONTROL_TABLES, "webhook_events"}
    assert set(public_relations(owner)) == known


def test_every_tenant_table_forces_row_level_security(owner: psycopg.Connection) -> None:
    forced = names(
        owner,
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND NOT relispartition AND relrowsecurity AND relforcerowsecurity",
    )
    assert set(forced) == set(TENANT_TABLES)


def test_every_key_of_a_tenant_table_begins_with_the_tenant(owner: psycopg.Connection) -> None:
    keys = owner.execute(
        "SELECT i.indrelid::regclass::text, a.attname FROM pg_index i"
        " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
        " WHERE i.indisunique AND i.indrelid = ANY (%s::regclass[])",
        [list(TENANT_TABLES)],
    ).fetchall()
    assert {table for table, _ in keys} == set(TENANT_TABLES)
    assert {column for _, column in keys} == {"app_id"}


def test_tenant_tables_have_no_triggers_and_no_foreign_keys(owner: psycopg.Connection) -> None:
    found = owner.execute(
        "SELECT conname::text FROM pg_constraint WHERE contype = 'f'"
        " AND (conrelid = ANY (%(t)s::regclass[]) OR confrelid = ANY (%(t)s::regclass[]))"
        " UNION ALL SELECT tgname::text FROM pg_trigger WHERE tgrelid = ANY (%(t)s::regclass[])",
        {"t": list(TENANT_TABLES)},
    ).fetchall()
    assert found == []


# Isolation


def visible(conn: psycopg.Connection) -> dict[str, list[uuid.UUID]]:
    """Whose rows this connection sees, by table."""
    relations = (*TENANT_TABLES, "webhook_events")
    return {r: names(conn, f"SELECT app_id FROM {r} ORDER BY app_id") for r in relations}


def test_apid_sees_nothing_without_a_tenant_and_its_own_rows_with_one(
    cluster: Cluster, migrated: str
) -> None:
    with login(cluster, "cti_api", migrated) as conn:
        assert all(apps == [] for apps in visible(conn).values())
        with conn.transaction():
            conn.execute(f"SET LOCAL cti.app_id = '{ALICE}'")
            assert all(apps == [ALICE] for apps in visible(conn).values())
        # The setting is an empty string now, not unset.
        assert conn.execute("SHOW cti.app_id").fetchone() == ("",)
        assert all(apps == [] for apps in visible(conn).values())


def test_apid_cannot_write_to_a_tenant_table(cluster: Cluster, migrated: str) -> None:
    with login(cluster, "cti_api", migrated) as conn:
        for table in TENANT_TABLES:
            with pytest.raises(DENIED):
                conn.execute(f"DELETE FROM {table}")


@pytest.mark.parametrize("role", ["cti_worker", "cti_admin", "cti_readonly"])
def test_the_owner_may_become_a_role_that_sees_all_tenants(owner: psycopg.Connection, role: str) -> None:
    owner.execute(f"SET LOCAL ROLE {role}")
    assert all(apps == [ALICE, BOB] for apps in visible(owner).values())


def test_apid_enters_the_admin_role_for_one_transaction(cluster: Cluster, migrated: str) -> None:
    with login(cluster, "cti_api", migrated) as conn:
        with pytest.raises(DENIED):
            conn.execute("UPDATE apps SET name = name")
        with conn.transaction():
            conn.execute("SET LOCAL ROLE cti_admin")
            conn.execute("UPDATE apps SET name = name")
        assert conn.execute("SELECT current_user").fetchone() == ("cti_api",)


def test_the_policy_of_apid_can_be_an_index_condition(cluster: Cluster, migrated: str) -> None:
    with login(cluster, "cti_api", migrated) as conn, conn.transaction():
        conn.execute("SET LOCAL enable_seqscan = off")
        plan = "\n".join(names(conn, "EXPLAIN SELECT * FROM calls ORDER BY sort_at, id"))
    assert "Index Scan using calls_sort_idx" in plan
    assert re.search(r"Index Cond: \(app_id = .*current_setting", plan)


def test_ingestd_adds_events_and_reads_none(cluster: Cluster, migrated: str) -> None:
    with login(cluster, "cti_ingest", migrated) as conn:
        with conn.transaction(force_rollback=True):
            # The form ingestd uses: log and queue in one statement.
            conn.execute(
                "WITH log AS (INSERT INTO event_log (app_id, event_id, arrived_at, payload)"
                " SELECT a, e, now(), '{}' FROM unnest(%(apps)s, %(ids)s) AS t (a, e))"
                " INSERT INTO event_queue (app_id, event_id)"
                " SELECT a, e FROM unnest(%(apps)s, %(ids)s) AS t (a, e)",
                {"apps": [ALICE, BOB], "ids": [uuid.uuid4(), uuid.uuid4()]},
            )
        for relation in (*TENANT_TABLES, "webhook_events", "apps", "dialpad_connections"):
            with pytest.raises(DENIED):
                conn.execute(f"SELECT 1 FROM {relation}")


@pytest.mark.parametrize("role", ["cti_ingest", "cti_api", "cti_readonly"])
def test_tokens_cannot_be_read(owner: psycopg.Connection, role: str) -> None:
    owner.execute(f"SET LOCAL ROLE {role}")
    with pytest.raises(DENIED):
        owner.execute("SELECT access_token FROM dialpad_connections")


def test_apid_stores_tokens_that_it_cannot_read(cluster: Cluster, migrated: str) -> None:
    with login(cluster, "cti_api", migrated) as conn:
        with conn.transaction(force_rollback=True):
            for _ in range(2):
                conn.execute(
                    "INSERT INTO dialpad_connections (app_id, environment, access_token)"
                    " VALUES (%(app)s, 'sandbox', %(token)s)"
                    " ON CONFLICT (app_id) DO UPDATE SET access_token = %(token)s",
                    {"app": uuid.UUID(int=0), "token": b"sealed"},
                )


# Partitions


def drop_last_days(owner: psycopg.Connection, days: int) -> int:
    doomed = [p for parent in PARTITIONED
              for p in sorted(q for q in partitions(owner) if q.startswith(parent))[-days:]]
    owner.execute(f"DROP TABLE {', '.join(doomed)}")
    return len(doomed)


def test_thirty_days_ahead_are_there_and_asking_again_makes_none(owner: psycopg.Connection) -> None:
    assert len(partitions(owner)) == 3 * 32  # yesterday, today and thirty more
    assert owner.execute("SELECT ensure_partitions()").fetchone() == (0,)
    assert owner.execute("SELECT ensure_partitions(31)").fetchone() == (3,)


def test_callers_at_the_same_time_make_each_partition_once(
    cluster: Cluster, migrated: str
) -> None:
    with psycopg.connect(cluster.url(db=migrated)) as conn:
        missing = drop_last_days(conn, 5)

    url = cluster.set_login("cti_ingest", migrated)

    def ensure(_: int) -> int:
        with psycopg.connect(url) as conn:
            return conn.execute("SELECT ensure_partitions()").fetchone()[0]

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(ensure, range(4))) == missing == 15


def test_making_partitions_does_not_wait_for_a_writer(
    cluster: Cluster, migrated: str, owner: psycopg.Connection
) -> None:
    owner.execute("INSERT INTO change_feed (app_id, seq, type, data)"
                  " VALUES (%s, 2, 'call.ended', '{}')", [ALICE])
    with login(cluster, "cti_worker", migrated) as conn:
        with conn.transaction(force_rollback=True):
            conn.execute("SET LOCAL lock_timeout = '1s'")
            assert conn.execute("SELECT ensure_partitions(32)").fetchone() == (6,)


@pytest.mark.parametrize("days", [-1, 367, None])
def test_an_absurd_number_of_days_is_refused(owner: psycopg.Connection, days: int | None) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        owner.execute("SELECT ensure_partitions(%s::int)", [days])


@pytest.mark.parametrize("role", ["cti_api", "cti_admin", "cti_readonly"])
def test_only_ingestd_and_workerd_may_make_partitions(owner: psycopg.Connection, role: str) -> None:
    owner.execute(f"SET LOCAL ROLE {role}")
    with pytest.raises(DENIED):
        owner.execute("SELECT ensure_partitions()")


def test_no_role_reads_a_partition_directly(owner: psycopg.Connection) -> None:
    readable = owner.execute(
        "SELECT role, part FROM unnest(%s::text[]) AS role, unnest(%s::text[]) AS part"
        " WHERE has_table_privilege(role, part, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')",
        [list(ROLES), partitions(owner)],
    ).fetchall()
    assert readable == []


def test_a_partition_granted_by_mistake_shows_no_row(owner: psycopg.Connection) -> None:
    part = owner.execute("SELECT tableoid::regclass::text FROM event_log LIMIT 1").fetchone()[0]
    owner.execute(f"GRANT SELECT ON {part} TO cti_api")
    owner.execute("SET LOCAL ROLE cti_api")
    assert owner.execute(f"SELECT count(*) FROM {part}").fetchone() == (0,)


# What people read

OUTCOMES = ("dead", "unclaimed", "assigned", "retired_hook", "unknown_app", "quarantined")


def test_webhook_events_tells_what_became_of_each_event(owner: psycopg.Connection) -> None:
    app = uuid.uuid4()

    def add(kind: str) -> uuid.UUID:
        event = uuid.uuid4()
        owner.execute("INSERT INTO event_log (app_id, event_id, arrived_at, event_type, payload)"
                      " VALUES (%s, %s, now(), %s, '{}')", [app, event, kind])
        return event

    add("processed")
    for attempts, kind in ((0, "pending"), (2, "retrying")):
        owner.execute("INSERT INTO event_queue (app_id, event_id, attempts, last_error)"
                      " VALUES (%s, %s, %s, 'why')", [app, add(kind), attempts])
    for verdict in OUTCOMES:
        owner.execute("INSERT INTO event_outcomes (app_id, received_at, event_id, verdict)"
                      " VALUES (%s, now(), %s, %s)", [app, add(verdict), verdict])

    rows = owner.execute("SELECT event_type, verdict, processed, archived, attempts, last_error"
                         " FROM webhook_events WHERE app_id = %s", [app]).fetchall()
    assert {kind for kind, *_ in rows} == {"processed", "pending", "retrying", *OUTCOMES}
    for kind, verdict, processed, archived, attempts, last_error in rows:
        assert verdict == kind and not archived
        assert processed == (kind in ("processed", "assigned"))
        assert (attempts, last_error) == {
            "pending": (0, "why"), "retrying": (2, "why")}.get(kind, (0, None))


def test_queries_that_operators_know_run_as_the_owner(owner: psycopg.Connection) -> None:
    for query in (
        "SELECT * FROM webhook_events WHERE processed = false",
        f"SELECT * FROM calls WHERE app_id = '{ALICE}' AND created_at > NOW() - INTERVAL"
        " '24 hours' ORDER BY started_at DESC LIMIT 50",
    ):
        assert owner.execute(query).fetchall() != []
    owner.execute("SELECT * FROM dialpad_connections WHERE dialpad_org_id = 123")
