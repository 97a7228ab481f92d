"""Minutes of load while ingestd and its database are hurt at random."""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hook import Hook
from ingest import Books, Ingest, new_claims, post
from ingest_fixtures import IngestMaker
from storm import Storm
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


class IngestStorm(Storm):
    def __init__(self, stack: Ingest, dice: random.Random):
        super().__init__(stack, dice, [
            self.kill_ingestd, self.stop_ingestd, self.cut_ingestd, self.crash_database,
            self.stop_database, self.lock_the_log,
        ])

    def kill_ingestd(self) -> None:
        self.stack.ingestd.kill()
        self.stack.start()

    def stop_ingestd(self) -> None:
        assert self.stack.ingestd.stop() == 0
        self.stack.start()

    def cut_ingestd(self) -> None:
        self.cut_connections("cti_ingest")

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
        storm = IngestStorm(stack, random.Random(SEED))
        with steady_load(stack.my_hook()) as books:
            for blow in storm.rage(SECONDS, pause_s=(0.2, 2.0)):
                print(blow, len(books.attempted), len(books.acknowledged))
        eventually(lambda: not list(spool_dir.glob("*.spool")), 60, "an empty spool")
        books.check(stack)
        assert books.seen() <= {200, 503, None}
        assert len(books.acknowledged) > len(books.attempted) / 10
        eventually(lambda: post(stack.my_hook(), new_claims(), books) == 200, 20, "200")
