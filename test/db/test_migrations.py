"""The schema goes forward and back, and its tables keep the rules they were given."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import psycopg
import pytest
from cluster import OWNER, Cluster
from migrate import changes
from psycopg import Connection
from schema import (
    CONTROL_TABLES,
    MIGRATIONS,
    TENANT_TABLES,
    database,
    login,
    names,
    public_relations,
    sqitch,
)
from shape import shape

from test import pages

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


def test_each_change_goes_back_to_what_was_before_it_and_forward_again(cluster: Cluster) -> None:
    with database(cluster, "t_migrations_each") as name:

        def run(kind: str, change: str) -> None:
            cluster.psql((MIGRATIONS / kind / f"{change}.sql").read_text(), name, OWNER)

        with psycopg.connect(cluster.url(db=name), autocommit=True) as conn:
            for change in changes():
                before = shape(conn)
                run("deploy", change)
                run("verify", change)
                after = shape(conn)
                run("revert", change)
                assert shape(conn) == before, change
                run("deploy", change)
                run("verify", change)
                assert shape(conn) == after, change


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


def test_the_commands_of_the_readme_deploy_verify_and_tell(cluster: Cluster) -> None:
    [commands] = [b.code for b in pages.to_run("migrations/README.md", "sh")]
    with database(cluster, "t_migrations_readme") as name:
        role, password, place = re.fullmatch(r"postgresql://(.+?):(.+?)@(.+)", cluster.url(db=name)).groups()
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands.replace("owner@host/name", f"{role}@{place}")],
            cwd=MIGRATIONS.parent, env=os.environ | {"PGPASSWORD": password},
            capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Nothing to deploy (up-to-date)" in done.stdout


SETTINGS_OF_ROLES = """\
SELECT rolname, unnest(setconfig) FROM pg_db_role_setting JOIN pg_roles AS r ON r.oid = setrole
	JOIN pg_database AS d ON d.oid = setdatabase WHERE datname = current_database() ORDER BY 1, 2"""


def test_the_changes_that_a_dump_lacks_are_those_that_operations_names(
    cluster: Cluster, migrated: str
) -> None:
    [block] = [b.code for b in pages.blocks("docs/operations.md") if "pg_restore" in b.code]
    named = re.search(r"for change in (.*); do", block)
    assert named
    with database(cluster, "t_migrations_restored") as restored:
        for change in named[1].split():
            cluster.psql((MIGRATIONS / "deploy" / f"{change}.sql").read_text(), restored, OWNER)
        assert cluster.psql(SETTINGS_OF_ROLES, restored) == cluster.psql(SETTINGS_OF_ROLES, migrated)


# Rules that every table keeps


def test_every_table_is_a_tenant_table_or_a_control_table(owner: Connection) -> None:
    known = {*TENANT_TABLES, *CONTROL_TABLES, "webhook_events"}
    assert set(public_relations(owner)) == known


def test_every_tenant_table_forces_row_level_security(owner: Connection) -> None:
    forced = names(
        owner,
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND NOT relispartition AND relrowsecurity AND relforcerowsecurity",
    )
    assert set(forced) == set(TENANT_TABLES)


def test_every_key_of_a_tenant_table_begins_with_the_tenant(owner: Connection) -> None:
    keys = owner.execute(
        "SELECT i.indrelid::regclass::text, a.attname FROM pg_index i"
        " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
        " WHERE i.indisunique AND i.indrelid = ANY (%s::regclass[])",
        [list(TENANT_TABLES)],
    ).fetchall()
    assert {table for table, _ in keys} == set(TENANT_TABLES)
    assert {column for _, column in keys} == {"app_id"}


def test_tenant_tables_have_no_triggers_and_no_foreign_keys(owner: Connection) -> None:
    found = owner.execute(
        "SELECT conname::text FROM pg_constraint WHERE contype = 'f'"
        " AND (conrelid = ANY (%(t)s::regclass[]) OR confrelid = ANY (%(t)s::regclass[]))"
        " UNION ALL SELECT tgname::text FROM pg_trigger"
        " WHERE tgrelid = ANY (%(t)s::regclass[])",
        {"t": list(TENANT_TABLES)},
    ).fetchall()
    assert found == []
