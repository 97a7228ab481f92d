"""The three daemons as a fixture, for the end-to-end tests and the long ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from cti import Stack
from running import Ground

from test.conftest import Database
from test.sim.client import Simulator

StackMaker = Callable[..., AbstractContextManager[Stack]]
Env = Mapping[str, Mapping[str, str | None]]


@pytest.fixture(scope="session")
def run_stack(ground: Ground) -> StackMaker:
    """run_stack(env, dialpad) as a context: daemons that are ready, on a fresh database.

    `env` may be a function of the database.
    """

    def run(env: Env | Callable[[Database], Env] | None = None,
            dialpad: Simulator | None = None) -> AbstractContextManager[Stack]:
        def make(database: Database, directory: Path) -> Stack:
            stack = Stack(database, directory, env(database) if callable(env) else env)
            if dialpad is not None:
                stack.use_dialpad(dialpad)
            return stack

        return ground.run(make)

    return run
