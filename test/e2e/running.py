"""Daemons that run on a fresh database while a `with` lasts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from cluster import Cluster
from cti import Stack

from test.conftest import Database

S = TypeVar("S", bound=Stack)


@dataclass(frozen=True)
class Ground:
    """What stacks stand on: a server, the database to copy, names for the copies, directories."""

    cluster: Cluster
    template: str
    names: Iterator[str]
    directories: pytest.TempPathFactory

    @contextlib.contextmanager
    def run(self, make: Callable[[Database, Path], S], start: bool = True) -> Iterator[S]:
        """`start=False` leaves it to the test to start the daemons."""
        database = Database(self.cluster, next(self.names))
        self.cluster.create_database(database.name, self.template)
        stack = make(database, self.directories.mktemp(database.name))
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
            self.cluster.drop_database(database.name)
        assert not faults, "\n".join(faults)


@pytest.fixture(scope="session")
def ground(cluster, template, database_names, tmp_path_factory) -> Ground:
    return Ground(cluster, template, database_names, tmp_path_factory)
