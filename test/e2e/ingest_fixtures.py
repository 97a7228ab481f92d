"""Fixtures for tests of ingestd alone, here and in test/long."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import unprivileged
from ingest import Ingest

from test.conftest import Database

IngestMaker = Callable[..., AbstractContextManager[Ingest]]


@pytest.fixture(scope="session")
def run_ingestd(cluster, template, database_names, tmp_path_factory) -> IngestMaker:
    """run_ingestd(env, …) as a context: an ingestd for each env, on a fresh database.

    `start=False` leaves it to the test to start them.
    """

    @contextlib.contextmanager
    def run(*envs: dict, start: bool = True) -> Iterator[Ingest]:
        database = Database(cluster, next(database_names))
        cluster.create_database(database.name, template)
        stack = Ingest(database, tmp_path_factory.mktemp(database.name), *envs)
        try:
            if start:
                stack.start()
            yield stack
        except BaseException:
            for daemon in stack.daemons:
                print(f"--- log of {daemon.name} ---\n{daemon.tail()}")
            raise
        finally:
            faults = stack.close()
            cluster.drop_database(database.name)
        assert not faults, "\n".join(faults)

    return run


@pytest.fixture
def spool_dir() -> Iterator[Path]:
    """A directory of ingestd's own, which the user that it runs as can reach."""
    with tempfile.TemporaryDirectory(prefix="cti-spool-", dir="/var/tmp") as name:
        unprivileged.give(Path(name))
        yield Path(name)
