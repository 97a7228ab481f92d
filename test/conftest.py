"""A PostgreSQL server for the tests, and fresh databases with the project's schema."""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[1]
# Which build is tested.
BUILD = os.environ.get("CTI_BUILD", "asan")
sys.path.insert(0, str(ROOT / "deploy" / "local"))

from cluster import OWNER, Cluster  # noqa: E402 (found by the line above)
from migrate import migrate  # noqa: E402

DAEMON_ROLES = ("cti_ingest", "cti_worker", "cti_api")
TEMPLATE = "cti_template"


@dataclass(frozen=True)
class Database:
    """One database. Roles: cti_owner, cti_ingest, cti_worker, cti_api, postgres."""

    cluster: Cluster
    name: str

    def url(self, role: str = OWNER) -> str:
        return self.cluster.url(role, self.name)

    def superuser_url(self) -> str:
        return self.cluster.superuser_url(self.name)

    def connect(self, role: str = OWNER, **options) -> psycopg.Connection:
        """The caller closes it, best by `with`."""
        return psycopg.connect(self.url(role), **options)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A server of this session's own, without fsync, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="cti-test-") as directory:
        server = Cluster(Path(directory) / "postgres", fsync=False)
        try:
            server.start(dies_with_us=True)
            yield server
        finally:
            server.remove()


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> str:
    """The migrated database that the others are copied from; nobody connects to it."""
    cluster.create_database(TEMPLATE)
    migrate(cluster.url(db=TEMPLATE))
    for role in DAEMON_ROLES:
        cluster.set_login(role, TEMPLATE)
    return TEMPLATE


@pytest.fixture(scope="session")
def database_names() -> Iterator[str]:
    return (f"test_{n}" for n in itertools.count(1))


@pytest.fixture
def empty_db(cluster: Cluster, database_names: Iterator[str]) -> Iterator[Database]:
    """A database without a schema, for tests of the migrations themselves."""
    database = Database(cluster, next(database_names))
    cluster.create_database(database.name)
    yield database
    cluster.drop_database(database.name)


@pytest.fixture
def fresh_db(
    cluster: Cluster, template: str, database_names: Iterator[str]
) -> Iterator[Database]:
    """A database with the schema and nothing in it, for this test alone."""
    database = Database(cluster, next(database_names))
    cluster.create_database(database.name, template)
    yield database
    cluster.drop_database(database.name)


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last line of all: what came out. Errors in fixtures count as failed."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.option.collectonly:
        return
    failed = len(reporter.stats.get("failed", [])) + len(reporter.stats.get("error", []))
    print(f"{len(reporter.stats.get('passed', []))} passed, {failed} failed")
