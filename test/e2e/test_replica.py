"""Reads of tenants from a real streaming standby, and from the primary while it is away."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator

import pytest
from cti import App, Stack
from rows import Rows
from web import eventually, request

from test.conftest import Database
from test.standby import Standby

RECOVERY_SECONDS = 20
SLOWEST_ANSWER_SECONDS = 8


class Replicated:
    """A stack whose apid reads from a standby, and an app of it."""

    def __init__(self, stack: Stack, standby: Standby):
        self.stack, self.standby = stack, standby
        self.app: App = stack.create_app("replicated")
        self.rows = Rows(stack, self.app)

    def calls(self) -> set[str]:
        page = self.app.get_json("/api/calls")
        return {call["id"] for call in page["calls"]}

    def fallbacks(self) -> int:
        told = request("GET", f"{self.stack.apid.ops_url}/metrics").body.decode()
        return int(re.search(r"^cti_api_read_fallbacks_total (\d+)$", told, re.M)[1])

    def logged(self, event: str) -> int:
        return sum(line.get("event") == event for line in self.stack.apid.lines())

    def hold(self, on: bool) -> None:
        """Whether the standby takes no changes, so that it can be told from the primary."""
        verb = "pause" if on else "resume"
        self.standby.psql(f"SELECT pg_wal_replay_{verb}()")
        if on:
            eventually(lambda: self.standby.psql("SELECT pg_get_wal_replay_pause_state()") == "paused",
                       10, "a standby on hold")

    def reads_from_standby(self) -> bool:
        """A call that only the primary has is not seen."""
        self.hold(True)
        try:
            return self.rows.call() not in self.calls()
        finally:
            self.hold(False)

    def wait_for(self, call: str) -> None:
        eventually(lambda: call in self.calls(), RECOVERY_SECONDS, "the new call")


@pytest.fixture
def replicated(cluster, template, database_names, tmp_path_factory) -> Iterator[Replicated]:
    database = Database(cluster, next(database_names))
    cluster.create_database(database.name, template)
    standby = Standby(tmp_path_factory.mktemp("standby"), cluster)
    standby.start(dies_with_us=True)
    env = {"apid": {"DATABASE_READ_URL": standby.url("cti_api", database.name)}}
    stack = Stack(database, tmp_path_factory.mktemp(database.name), env)
    try:
        stack.start()
        yield Replicated(stack, standby)
    finally:
        faults = stack.close()
        standby.remove()
        cluster.drop_database(database.name)
    assert not faults, "\n".join(faults)


def test_reads_go_to_the_standby_and_follow_the_primary(replicated: Replicated):
    first = replicated.rows.call()
    replicated.wait_for(first)
    replicated.hold(True)
    second = replicated.rows.call()
    assert replicated.calls() == {first}
    assert replicated.app.get(f"/api/calls/{second}").status == 404
    replicated.hold(False)
    replicated.wait_for(second)
    assert replicated.fallbacks() == 0 and replicated.logged("api.replica_lost") == 0


def test_the_primary_answers_while_the_standby_is_stopped_and_no_longer(replicated: Replicated):
    replicated.wait_for(replicated.rows.call())
    replicated.standby.stop()
    for _ in range(20):
        assert replicated.rows.call() in replicated.calls()
    assert replicated.fallbacks() == 20
    assert replicated.logged("api.replica_lost") == 1
    assert replicated.stack.apid.ready().status == 200
    replicated.standby.start(dies_with_us=True)
    eventually(replicated.reads_from_standby, RECOVERY_SECONDS, "reads from the standby again")
    assert replicated.logged("api.replica_back") == 1


def test_a_standby_that_refuses_is_passed_over(replicated: Replicated):
    replicated.wait_for(replicated.rows.call())
    hba = replicated.standby.socket_dir / "data" / "pg_hba.conf"
    allowed = hba.read_text()
    hba.write_text("host all cti_api 127.0.0.1/32 reject\n" + allowed)
    os.kill(replicated.standby.pid(), signal.SIGHUP)
    replicated.standby.psql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'cti_api'")
    for _ in range(5):
        assert replicated.rows.call() in replicated.calls()
    hba.write_text(allowed)
    os.kill(replicated.standby.pid(), signal.SIGHUP)
    eventually(replicated.reads_from_standby, RECOVERY_SECONDS, "reads from the standby again")


def test_a_standby_that_hangs_delays_the_first_reads_only(replicated: Replicated):
    replicated.wait_for(replicated.rows.call())
    replicated.standby.pause()
    try:
        for _ in range(5):
            answer = request("GET", f"{replicated.app.api_url}/api/calls", timeout=SLOWEST_ANSWER_SECONDS,
                             headers={"x-app-api-key": replicated.app.api_key})
            assert answer.status == 200
    finally:
        replicated.standby.resume()
    eventually(replicated.reads_from_standby, RECOVERY_SECONDS, "reads from the standby again")


def test_an_apid_starts_while_the_standby_is_away(replicated: Replicated):
    replicated.stack.apid.stop()
    replicated.standby.stop()
    replicated.stack.start()
    assert replicated.rows.call() in replicated.calls()
