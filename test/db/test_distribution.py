"""The schema can be distributed by app_id: the rules of docs/scaling.md, read from the catalog."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest
import schema

from test.conftest import ROOT, Database

# No row-level security on the heads, but they lie with their tenant.
TENANT_TABLES = {*schema.TENANT_TABLES, "tenant_heads"}
# Asks about all tenants on purpose, and can: an aggregate works on every node at once.
OVERALL = {"workerd/jobs/job_gauges.c"}


@pytest.fixture(scope="module")
def catalog(cluster, template, database_names) -> Iterator[psycopg.Connection]:
    database = Database(cluster, next(database_names))
    cluster.create_database(database.name, template)
    with database.connect() as conn:
        yield conn
    cluster.drop_database(database.name)


def test_the_tables_of_a_tenant_are_these(catalog: psycopg.Connection):
    found = catalog.execute(
        "SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace"
        " AND c.relkind IN ('r', 'p') AND c.relrowsecurity AND NOT c.relispartition").fetchall()
    assert {name for name, in found} == TENANT_TABLES - {"tenant_heads"}
    page = (ROOT / "docs/scaling.md").read_text()
    assert set(re.findall(r"`(\w+)`", page.split("\nTenant tables (")[1].split(") are")[0])) == TENANT_TABLES


def test_every_key_and_unique_index_of_a_tenant_begins_with_app_id(catalog: psycopg.Connection):
    found = catalog.execute(
        "SELECT t.relname, i.relname, (SELECT attname FROM pg_attribute"
        "   WHERE attrelid = t.oid AND attnum = x.indkey[0])"
        " FROM pg_index AS x JOIN pg_class AS t ON t.oid = x.indrelid"
        " JOIN pg_class AS i ON i.oid = x.indexrelid"
        " WHERE x.indisunique AND t.relname = ANY (%s)", [sorted(TENANT_TABLES)]).fetchall()
    assert {table for table, _, _ in found} == TENANT_TABLES
    assert [(table, index) for table, index, first in found if first != "app_id"] == []


def test_no_tenant_table_has_foreign_keys_or_triggers(catalog: psycopg.Connection):
    keys = catalog.execute(
        "SELECT conrelid::regclass, conname FROM pg_constraint WHERE contype = 'f'"
        " AND (conrelid::regclass::text = ANY (%s) OR confrelid::regclass::text = ANY (%s))",
        [sorted(TENANT_TABLES)] * 2).fetchall()
    triggers = catalog.execute(
        "SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE NOT tgisinternal"
        " AND tgrelid::regclass::text = ANY (%s)", [sorted(TENANT_TABLES)]).fetchall()
    assert (keys, triggers) == ([], [])


def statements() -> list[tuple[str, str]]:
    """The SQL of workerd and apid that stands whole in the code: adjacent literals joined."""
    found = []
    for path in sorted([*ROOT.glob("workerd/**/*.c"), *ROOT.glob("apid/**/*.c")]):
        text = re.sub(r'"\s*\n\s*"', "", path.read_text())
        for sql in re.findall(r'\.sql\s*=\s*"((?:[^"\\]|\\.)*)"\s*,', text):
            found.append((f"{path.relative_to(ROOT)}", sql))
    return found


@pytest.mark.parametrize(("where", "sql"), [
    pytest.param(where, sql, id=f"{where}:{number}") for number, (where, sql) in enumerate(statements())
    if where not in OVERALL and re.search(
        rf"\b(?:FROM|INTO|UPDATE|JOIN)\s+({'|'.join(TENANT_TABLES - {'tenant_heads'})})\b", sql)])
def test_a_statement_on_a_tenants_table_names_app_id(where: str, sql: str):
    assert "app_id" in sql, f"{where}: {sql}"


# Citus is no part of Debian: this stands in for its function, and notes what it is asked.
IN_ITS_PLACE = """\
CREATE TABLE asked (name text, by text, beside text);
CREATE FUNCTION create_distributed_table(name regclass, by text, colocate_with text) RETURNS void
	LANGUAGE sql AS 'INSERT INTO public.asked VALUES ($1::text, $2, $3)'"""


def test_the_script_distributes_every_table_of_a_tenant_by_app_id_and_side_by_side(fresh_db: Database):
    with fresh_db.connect(autocommit=True) as conn:
        conn.execute(IN_ITS_PLACE)
        conn.execute((ROOT / "migrations/distribute.sql").read_text())
        asked = {name: (by, beside) for name, by, beside in conn.execute("TABLE asked")}
    assert set(asked) == TENANT_TABLES
    assert asked.pop("event_log") == ("app_id", "none")
    assert set(asked.values()) == {("app_id", "event_log")}
