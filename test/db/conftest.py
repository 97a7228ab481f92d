"""A migrated database with the rows of two tenants, for the tests of the schema."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from cluster import Cluster
from psycopg import Connection
from schema import (
    ALICE, BOB, ROWS_OF_A_TENANT, add_old_event, database, make_day, sqitch,
)


@pytest.fixture(scope="session")
def migrated(cluster: Cluster) -> Iterator[str]:
    """A database deployed by an owner who is no superuser, with rows of two tenants."""
    with database(cluster, "t_migrations") as name:
        sqitch(cluster.url(db=name), "deploy")
        with psycopg.connect(cluster.url(db=name)) as conn:
            for app in (ALICE, BOB):
                for statement in ROWS_OF_A_TENANT.split(";\n")[:-1]:
                    conn.execute(statement, {"app": app})
            for parent in ("event_log", "event_outcomes"):
                make_day(conn, parent)
            for app in (ALICE, BOB):
                add_old_event(conn, app, "dead")
            conn.execute("SELECT retire_events(365, true)")
        yield name


@pytest.fixture
def owner(cluster: Cluster, migrated: str) -> Iterator[Connection]:
    """The owner's connection; what a test does on it is rolled back."""
    with psycopg.connect(cluster.url(db=migrated)) as conn:
        yield conn
        conn.rollback()
