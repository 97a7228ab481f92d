"""Daemons for the end-to-end tests. CTI_BUILD says which build of them (default asan)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

# The helpers' asserts should show their values, too.
pytest.register_assert_rewrite("admin", "cti", "feed", "ingest", "kept", "list_plans", "login",
                               "outage", "running", "truth", "web")

from crew import run_crew  # noqa: E402, F401 (after the line above)
from cti import App, Stack  # noqa: E402
from ingest_fixtures import run_ingestd, spool_dir  # noqa: E402, F401
from running import ground  # noqa: E402, F401
from stack_fixtures import StackMaker, run_stack  # noqa: E402, F401

from test.sim.client import Simulator, simulator  # noqa: E402


@pytest.fixture(scope="module")
def stack(run_stack: StackMaker) -> Iterator[Stack]:
    """One for all tests of a file, which keep apart by having an app each."""
    with run_stack() as running:
        yield running


@pytest.fixture
def own_stack(run_stack: StackMaker) -> Iterator[Stack]:
    """For a test that does things to the daemons, or needs to have the only app."""
    with run_stack() as running:
        yield running


@pytest.fixture(scope="module")
def dialpad() -> Iterator[Simulator]:
    """A fake Dialpad for all tests of a file."""
    with simulator(companies=3) as running:
        running.set(company_per_second=0)  # tests connect one company over and over
        yield running


@pytest.fixture(scope="module")
def linked(run_stack: StackMaker, dialpad: Simulator) -> Iterator[Stack]:
    """As `stack`, with the fake Dialpad to connect to."""
    with run_stack(dialpad=dialpad) as running:
        yield running


@pytest.fixture
def app(stack: Stack, request: pytest.FixtureRequest) -> App:
    return stack.create_app(request.node.name)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    """A failed test shows the end of its daemons' logs."""
    outcome = yield
    report = outcome.get_result()
    if report.passed:
        return
    for value in getattr(item, "funcargs", {}).values():
        if isinstance(value, Stack):
            for daemon in value.daemons:
                report.sections.append((f"log of {daemon.name}", daemon.tail()))
