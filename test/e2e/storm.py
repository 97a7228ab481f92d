"""What can happen to daemons and their database, struck at random."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator

import psycopg
from cluster import Cluster
from cti import Stack
from web import eventually

CUTS = 20
CUT_EVERY_S = 0.05


class Storm:
    """Each blow returns when what was hurt is up again, or will come up by itself."""

    def __init__(self, stack: Stack, dice: random.Random, blows: list[Callable[[], None]]):
        self.stack = stack
        self.dice = dice
        self.server: Cluster = stack.database.cluster
        self.server.wanted_port = self.server.port  # the daemons know it under this one
        self._blows = blows

    def rage(self, seconds: float, pause_s: tuple[float, float]) -> Iterator[str]:
        """Every blow once, then any of them until the time is up; yields their names."""
        until = time.monotonic() + seconds
        first = self.dice.sample(self._blows, len(self._blows))
        while first or time.monotonic() < until:
            blow = first.pop() if first else self.dice.choice(self._blows)
            blow()
            yield blow.__name__
            time.sleep(self.dice.uniform(*pause_s))

    def cut_connections(self, role: str) -> None:
        with psycopg.connect(self.stack.database.superuser_url(), autocommit=True) as conn:
            for _ in range(CUTS):
                conn.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE usename = %s AND datname = current_database()", (role,),
                )
                time.sleep(CUT_EVERY_S)

    def crash_database(self, longest_s: float = 3.0) -> None:
        """PostgreSQL's "immediate shutdown": no checkpoint, no goodbye."""
        os.kill(self.server.pid(), signal.SIGQUIT)
        eventually(lambda: self.server.pid() is None, 20, "the end of PostgreSQL")
        self._away(longest_s)

    def stop_database(self, longest_s: float = 3.0) -> None:
        self.server.stop()
        self._away(longest_s)

    def _away(self, longest_s: float) -> None:
        time.sleep(self.dice.uniform(0.0, longest_s))
        self.server.start(dies_with_us=True)
