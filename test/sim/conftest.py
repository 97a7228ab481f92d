"""A simulator for one test, and an app that is connected to it."""

from collections.abc import Iterator

import pytest

from test.sim.app_client import AppClient
from test.sim.client import Simulator, simulator


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with simulator() as running:
        yield running


@pytest.fixture
def app(sim: Simulator) -> AppClient:
    return AppClient(sim).connect()
