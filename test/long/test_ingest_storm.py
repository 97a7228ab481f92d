"""Minutes of load while ingestd and its database are hurt at random."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from cluster import Cluster
from hook import Hook
from ingest import Books, Ingest, new_claims, post
from ingest_fixtures import IngestMaker
from web import eventually

SECONDS = int(os.environ.get("STORM_SECONDS", "90"))
SEED = int(os.environ.get("STORM_SEED", str(time.time_ns() % 1_000_000)))
SENDERS = 8
PAUSE_S = 0.02  # of a sender between two events


@contextlib.contextmanager
def steady_load(hook: Hook) -> Iterator[Books]:
    """Events, one try each, for as long as the body runs."""
    books, enough = Books(), threading.Event()

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


class Storm:
    """What can happen. Each returns when the thing that was hurt is up again."""

    def __init__(self, stack: Ingest, dice: random.Random):
        self.stack = stack
        self.dice = dice
        self.server: Cluster = stack.database.cluster
        self.server.wanted_port = self.server.port  # ingestd knows it under this one
        self.blows: list[Callable[[], None]] = [
            self.kill_ingestd, self.stop_ingestd, self.cut_connections,
            self.crash_database, self.stop_database, self.lock_the_log,
        ]

    def strike(self) -> str:
        blow = self.dice.choice(self.blows)
        blow()
        return blow.__name__

    def kill_ingestd(self) -> None:
        self.stack.ingestd.kill()
        self.stack.start()

    def stop_ingestd(self) -> None:
        assert self.stack.ingestd.stop() == 0
        self.stack.start()

    def cut_connections(self) -> None:
        with psycopg.connect(self.stack.database.superuser_url(), autocommit=True) as conn:
            for _ in range(20):
                conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                             " WHERE usename = 'cti_ingest'")
                time.sleep(0.05)

    def crash_database(self) -> None:
        os.kill(self.server.pid(), signal.SIGQUIT)
        eventually(lambda: self.server.pid() is None, 20, "the end of PostgreSQL")
        self._away()

    def stop_database(self) -> None:
        self.server.stop()
        self._away()

    def _away(self) -> None:
        time.sleep(self.dice.uniform(0.0, 3.0))
        self.server.start(dies_with_us=True)

    def lock_the_log(self) -> None:
        with self.stack.database.connect() as holder:
            holder.execute("LOCK TABLE event_log IN ACCESS EXCLUSIVE MODE")
            time.sleep(self.dice.uniform(0.0, 6.0))


@pytest.mark.parametrize("with_spool", [True, False], ids=["with a spool", "without a spool"])
def test_what_was_acknowledged_in_a_storm_is_there_afterwards(
    run_ingestd: IngestMaker, spool_dir: Path, with_spool: bool
) -> None:
    print(f"STORM_SEED={SEED}")
    env = {"INGEST_SPOOL_DIR": str(spool_dir)} if with_spool else {}
    with run_ingestd(env) as stack:
        storm = Storm(stack, random.Random(SEED))
        until = time.monotonic() + SECONDS
        with steady_load(stack.my_hook()) as books:
            while time.monotonic() < until:
                print(storm.strike(), len(books.attempted), len(books.acknowledged))
                time.sleep(storm.dice.uniform(0.2, 2.0))
        eventually(lambda: not list(spool_dir.glob("*.spool")), 60, "an empty spool")
        books.check(stack)
        assert books.seen() <= {200, 503, None}
        assert len(books.acknowledged) > len(books.attempted) / 10
        eventually(lambda: post(stack.my_hook(), new_claims(), books) == 200, 5, "200")
