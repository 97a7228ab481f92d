"""The three daemons as a fixture, for the end-to-end tests and the long ones."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from cti import Stack

from test.conftest import Database

StackMaker = Callable[..., AbstractContextManager[Stack]]


@pytest.fixture(scope="session")
def run_stack(cluster, template, database_names, tmp_path_factory) -> StackMaker:
    """run_stack(env) as a context: daemons that are ready, on a fresh database."""

    @contextlib.contextmanager
    def run(env: dict | None = None) -> Iterator[Stack]:
        database = Database(cluster, next(database_names))
        cluster.create_database(database.name, template)
        stack = Stack(database, tmp_path_factory.mktemp(database.name), env)
        try:
            stack.start()
            yield stack
        finally:
            faults = stack.close()
            cluster.drop_database(database.name)
        assert not faults, "\n".join(faults)

    return run
