"""Fixtures for tests of ingestd alone, here and in test/long."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import unprivileged
from ingest import Ingest
from running import Ground

IngestMaker = Callable[..., AbstractContextManager[Ingest]]


@pytest.fixture(scope="session")
def run_ingestd(ground: Ground) -> IngestMaker:
    """run_ingestd(env, …) as a context: an ingestd for each env, on a fresh database."""

    def run(*envs: dict, start: bool = True) -> AbstractContextManager[Ingest]:
        return ground.run(lambda database, directory: Ingest(database, directory, *envs), start)

    return run


@pytest.fixture
def spool_dir() -> Iterator[Path]:
    """A directory of ingestd's own, which the user that it runs as can reach."""
    with tempfile.TemporaryDirectory(prefix="cti-spool-", dir="/var/tmp") as name:
        unprivileged.give(Path(name))
        yield Path(name)
