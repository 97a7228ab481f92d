"""Partitions are made ahead of time, and nobody gets at rows through them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from cluster import Cluster
from psycopg import Connection
from schema import ALICE, PARTITIONED, ROLES, login, names, partitions

DENIED = psycopg.errors.InsufficientPrivilege


def catch_up_with_midnight(owner: Connection) -> None:
    """The tests may have begun on the day before."""
    assert owner.execute("SELECT ensure_partitions()").fetchone() in [(0,), (3,)]


def drop_last_days(owner: Connection, days: int) -> int:
    """Drops the partitions of the last days that have any; returns how many it dropped."""
    found = sorted(partitions(owner))
    doomed = []
    for parent in PARTITIONED:
        doomed += [part for part in found if part.startswith(parent)][-days:]
    owner.execute(f"DROP TABLE {', '.join(doomed)}")
    return len(doomed)


def test_thirty_days_ahead_are_there_and_asking_again_makes_none(owner: Connection) -> None:
    catch_up_with_midnight(owner)
    days = names(owner, "SELECT to_char((now() AT TIME ZONE 'UTC')::date + n, 'YYYYMMDD')"
                 " FROM generate_series(-1, 30) AS n")
    assert {f"{parent}_{day}" for parent in PARTITIONED for day in days} <= set(partitions(owner))
    assert owner.execute("SELECT ensure_partitions()").fetchone() == (0,)
    assert owner.execute("SELECT ensure_partitions(31)").fetchone() == (3,)


def test_callers_at_the_same_time_make_each_partition_once(
    cluster: Cluster, migrated: str
) -> None:
    with psycopg.connect(cluster.url(db=migrated)) as conn:
        catch_up_with_midnight(conn)
        missing = drop_last_days(conn, 5)

    url = cluster.set_login("cti_ingest", migrated)

    def ensure(_: int) -> int:
        with psycopg.connect(url) as conn:
            return conn.execute("SELECT ensure_partitions()").fetchone()[0]

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(ensure, range(4))) == missing == 15


def test_making_partitions_does_not_wait_for_a_writer(
    cluster: Cluster, migrated: str, owner: Connection
) -> None:
    owner.execute("INSERT INTO change_feed (app_id, seq, type, data)"
                  " VALUES (%s, 2, 'call.ended', '{}')", [ALICE])
    with login(cluster, "cti_worker", migrated) as conn:
        with conn.transaction(force_rollback=True):
            conn.execute("SET LOCAL lock_timeout = '1s'")
            catch_up_with_midnight(conn)
            assert conn.execute("SELECT ensure_partitions(32)").fetchone() == (6,)


@pytest.mark.parametrize("days", [-1, 367, None])
def test_an_absurd_number_of_days_is_refused(owner: Connection, days: int | None) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        owner.execute("SELECT ensure_partitions(%s::int)", [days])


@pytest.mark.parametrize("role", ["cti_api", "cti_admin", "cti_readonly"])
def test_only_ingestd_and_workerd_may_make_partitions(owner: Connection, role: str) -> None:
    owner.execute(f"SET LOCAL ROLE {role}")
    with pytest.raises(DENIED):
        owner.execute("SELECT ensure_partitions()")


def test_no_role_reads_a_partition_directly(owner: Connection) -> None:
    readable = owner.execute(
        "SELECT role, part FROM unnest(%s::text[]) AS role, unnest(%s::text[]) AS part"
        " WHERE has_table_privilege(role, part,"
        " 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')",
        [list(ROLES), partitions(owner)],
    ).fetchall()
    assert readable == []


def test_a_partition_granted_by_mistake_shows_no_row(owner: Connection) -> None:
    part = names(owner, "SELECT tableoid::regclass::text FROM event_log")[0]
    owner.execute(f"GRANT SELECT ON {part} TO cti_api")
    owner.execute("SET LOCAL ROLE cti_api")
    assert owner.execute(f"SELECT count(*) FROM {part}").fetchone() == (0,)
