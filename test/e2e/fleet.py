"""A whole deployment: two of each daemon, a balancer before each pair, LISTEN by a line that can fall silent."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import unprivileged
from balancer import Balancer
from crew import Crew
from cti import App, Daemon
from proxy import Proxy
from running import Ground

from test.conftest import Database

# AddressSanitizer keeps freed memory back for a while: little of it, so that growth would show.
LIGHT = {"ASAN_OPTIONS": "quarantine_size_mb=4:thread_local_quarantine_size_kb=64"}
WORKER = LIGHT | {"WORKER_BATCH": "20", "WORKER_POLL_MS": "1000"}


class Fleet(Crew):
    def __init__(self, database: Database, directory: Path, spools: Path, listening: Proxy):
        super().__init__(database, directory, WORKER, WORKER, ingest=True)
        self.ingestds = self._several("ingestd", [LIGHT, LIGHT], directory)
        self.apids = self._several("apid", [LIGHT, LIGHT], directory)
        self.ingestd, self.apid = self.ingestds[0], self.apids[0]
        self.pairs: list[list[Daemon]] = [self.ingestds, self.workers, self.apids]
        self.daemons = [daemon for pair in self.pairs for daemon in pair]
        self.listening = listening
        for daemon, role in zip(self.workers + self.apids, ["cti_worker"] * 2 + ["cti_api"] * 2):
            daemon.set_env({"DATABASE_LISTEN_URL": listening.before(database.url(role))})
        self._spools = [spools / str(number) for number in (1, 2)]
        for ingestd, spool in zip(self.ingestds, self._spools):
            spool.mkdir()
            unprivileged.give(spool)
            ingestd.set_env({"INGEST_SPOOL_DIR": str(spool)})

    def spooled(self) -> list[Path]:
        return [file for spool in self._spools for file in spool.iterdir() if file.name != "lock"]

    def tenants(self, count: int, hooks: Balancer, api: Balancer) -> list[App]:
        """They know the balancers only."""
        apps = [self.create_app(f"tenant {number}") for number in range(count)]
        return [
            dataclasses.replace(
                app, api_url=api.url,
                hook=dataclasses.replace(
                    app.hook, url=app.hook.url.replace(self.ingestd.url, hooks.url)),
            )
            for app in apps
        ]


@contextlib.contextmanager
def running_fleet(ground: Ground, spools: Path) -> Iterator[Fleet]:
    with Proxy(ground.cluster.port) as listening, ground.run(
        lambda database, directory: Fleet(database, directory, spools, listening)
    ) as fleet:
        yield fleet
