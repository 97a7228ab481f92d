"""The primary dies under load; its synchronous standby takes over, and the daemons go on by themselves."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cluster import Cluster
from cti import Stack
from hook import Hook
from ingest import Books, new_claims, post
from migrate import migrate
from web import eventually

from test.conftest import DAEMON_ROLES, Database
from test.standby import Standby

NAME = "cti"
SENDERS = 8
PAUSE_S = 0.02  # of a sender between two events
BEFORE_S, DETECT_S, AFTER_S = 5.0, 2.0, 8.0
LONGEST_AWAY_S = 20.0


class Pair:
    """A primary whose commits wait for its standby."""

    def __init__(self, directory: Path):
        self.primary = Cluster(directory / "primary", fsync=True)
        self.primary.start(dies_with_us=True)
        self.primary.create_database(NAME)
        migrate(self.primary.url(db=NAME))
        for role in DAEMON_ROLES:
            self.primary.set_login(role, NAME)
        self.standby = Standby(directory / "standby", self.primary)
        self.standby.start(dies_with_us=True)
        self.primary.psql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.primary.psql("SELECT pg_reload_conf()")
        eventually(lambda: self.primary.psql("SELECT sync_state FROM pg_stat_replication") == "sync",
                   20, "a synchronous standby")

    def url(self, role: str) -> str:
        """Both hosts: the client library finds the one that takes writes."""
        login, place = self.primary.url(role, NAME).split("@")
        host, port = place.split("/")[0], self.standby.port
        return f"{login}@{host},127.0.0.1:{port}/{NAME}?target_session_attrs=read-write"

    def fail_over(self) -> None:
        """What a supervisor does: notices after a while, and promotes."""
        os.kill(self.primary.pid(), signal.SIGKILL)
        time.sleep(DETECT_S)
        self.standby.psql("SELECT pg_promote()")

    def remove(self) -> None:
        self.standby.remove()
        self.primary.remove()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    servers = Pair(tmp_path)
    yield servers
    servers.remove()


class TimedBooks(Books):
    """Also knows for how long nothing was acknowledged."""

    def __init__(self) -> None:
        super().__init__()
        self.moments: list[float] = []

    def add(self, claims: str, status: int | None) -> None:
        super().add(claims, status)
        if status == 200:
            self.moments.append(time.monotonic())

    def longest_pause(self) -> float:
        moments = sorted(self.moments)
        return max(b - a for a, b in zip(moments, moments[1:]))


@contextmanager
def steady_load(hook: Hook) -> Iterator[TimedBooks]:
    books, enough = TimedBooks(), threading.Event()

    def send() -> None:
        while not enough.wait(PAUSE_S):
            post(hook, new_claims(), books)

    senders = [threading.Thread(target=send) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    try:
        yield books
    finally:
        enough.set()
        for sender in senders:
            sender.join()


def test_no_acknowledged_event_is_lost_when_the_primary_dies(pair: Pair, tmp_path: Path, capsys):
    env = {name: {"DATABASE_URL": pair.url(role)}
           for name, role in zip(("ingestd", "workerd", "apid"), DAEMON_ROLES)}
    stack = Stack(Database(pair.primary, NAME), tmp_path, env)
    try:
        stack.start()
        app = stack.create_app("survivor")
        with steady_load(app.hook) as books:
            time.sleep(BEFORE_S)
            pair.fail_over()
            time.sleep(AFTER_S)
        stack.database = Database(pair.standby, NAME)
        stack.wait_until_done(60)
        kept = {claims for claims, in stack.sql(
            "SELECT payload::text FROM event_log WHERE app_id = %s", app.app_id)}
        assert books.acknowledged - kept == set()
        assert kept - books.attempted == set()
        assert books.seen() <= {200, 503}
        assert app.get_json("/api/calls?limit=1")["total"] > 0
        with capsys.disabled():
            print(f"\nfailover: {len(books.acknowledged)} acknowledged, none lost;"
                  f" no acknowledgement for {books.longest_pause():.1f} s, of which {DETECT_S} s"
                  " until the standby was promoted")
        assert books.longest_pause() < LONGEST_AWAY_S
    finally:
        faults = stack.close()
    assert not faults, "\n".join(faults)
