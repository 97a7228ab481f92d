"""Daemons for the end-to-end tests. CTI_BUILD says which build of them (default asan)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

# The helpers' asserts should show their values, too.
pytest.register_assert_rewrite("cti", "ingest", "kept", "login", "truth", "web")

from cti import App, Stack  # noqa: E402 (after the line above)
from ingest_fixtures import run_ingestd, spool_dir  # noqa: E402, F401

from test.conftest import Database  # noqa: E402
from test.sim.client import Simulator, simulator  # noqa: E402

StackMaker = Callable[..., AbstractContextManager[Stack]]


@pytest.fixture(scope="session")
def run_stack(cluster, template, database_names, tmp_path_factory) -> StackMaker:
    """run_stack(env, dialpad) as a context: daemons that are ready, on a fresh database."""

    @contextlib.contextmanager
    def run(env: dict | None = None, dialpad: Simulator | None = None) -> Iterator[Stack]:
        database = Database(cluster, next(database_names))
        cluster.create_database(database.name, template)
        stack = Stack(database, tmp_path_factory.mktemp(database.name), env)
        if dialpad is not None:
            stack.use_dialpad(dialpad)
        try:
            stack.start()
            yield stack
        finally:
            faults = stack.close()
            cluster.drop_database(database.name)
        assert not faults, "\n".join(faults)

    return run


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
