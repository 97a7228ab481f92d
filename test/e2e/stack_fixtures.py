"""The three daemons as a fixture, for the end-to-end tests and the long ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

import pytest
from cti import Stack
from running import Ground

from test.conftest import Database

StackMaker = Callable[..., AbstractContextManager[Stack]]
Env = Mapping[str, Mapping[str, str | None]]


@pytest.fixture(scope="session")
def run_stack(ground: Ground) -> StackMaker:
    """run_stack(env) as a context: daemons that are ready, on a fresh database.

    `env` may be a function of the database.
    """

    def run(env: Env | Callable[[Database], Env] | None = None) -> AbstractContextManager[Stack]:
        return ground.run(
            lambda database, directory: Stack(
                database, directory, env(database) if callable(env) else env
            )
        )

    return run
