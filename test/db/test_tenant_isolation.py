"""The database keeps tenants apart, and secrets from those who need none, by itself."""

from __future__ import annotations

import re
import uuid

import psycopg
import pytest
from cluster import Cluster
from psycopg import Connection
from schema import ALICE, BOB, TENANT_TABLES, login, names

DENIED = psycopg.errors.InsufficientPrivilege


def visible(conn: Connection) -> dict[str, list[uuid.UUID]]:
    """Whose rows this connection sees, by table."""
    relations = (*TENANT_TABLES, "webhook_events")
    return {
        r: names(conn, f"SELECT DISTINCT app_id FROM {r} ORDER BY app_id") for r in relations
    }


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
def test_the_owner_may_become_a_role_that_sees_all_tenants(
    owner: Connection, role: str
) -> None:
    owner.execute(f"SET LOCAL ROLE {role}")
    assert all(apps == [ALICE, BOB] for apps in visible(owner).values())


def test_apid_enters_the_admin_role_for_one_transaction(
    cluster: Cluster, migrated: str
) -> None:
    with login(cluster, "cti_api", migrated) as conn:
        with pytest.raises(DENIED):
            conn.execute("UPDATE apps SET name = name")
        with conn.transaction():
            conn.execute("SET LOCAL ROLE cti_admin")
            conn.execute("UPDATE apps SET name = name")
        assert conn.execute("SELECT current_user").fetchone() == ("cti_api",)


def test_the_policy_of_apid_can_be_an_index_condition(
    cluster: Cluster, migrated: str
) -> None:
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
def test_tokens_cannot_be_read(owner: Connection, role: str) -> None:
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
