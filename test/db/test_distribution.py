"""The schema can be distributed by app_id: the rules of docs/scaling.md, read from the catalog."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest

from test.conftest import ROOT, Database

TENANT_TABLES = {"event_log", "event_queue", "event_outcomes", "calls", "messages", "voicemails",
                 "change_feed", "tenant_heads"}
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
    assert {name for name, in found} >= TENANT_TABLES - {"tenant_heads"}


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
