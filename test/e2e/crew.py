"""Several workerd on one database, with an ingestd or with events put straight into the log."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from cti import Stack
from hook import Hook
from running import Ground

from test.conftest import Database

CrewMaker = Callable[..., AbstractContextManager["Crew"]]


@dataclass(frozen=True)
class Tenant:
    """An app without a key: apid has no part in these tests."""

    app_id: str
    hook: Hook


@dataclass(frozen=True)
class Arrival:
    """One row of the log to be."""

    app_id: str
    dialpad_id: int
    claims: str


class Crew(Stack):
    """`envs`: one for each workerd."""

    def __init__(
        self, database: Database, directory: Path, *envs: Mapping[str, str | None], ingest: bool
    ):
        super().__init__(database, directory)
        self.workers = self._several("workerd", envs, directory)
        self.daemons = ((self.ingestd,) if ingest else ()) + tuple(self.workers)
        self._places = itertools.count(1)

    def add_tenant(self, app_id: str) -> Tenant:
        self.sql("INSERT INTO apps (app_id, name) VALUES (%s, %s)", app_id, f"tenant {app_id[:8]}")
        self.sql("INSERT INTO tenant_heads (app_id) VALUES (%s)", app_id)
        return Tenant(app_id, self.hook(app_id))

    def queue(self, arrivals: Iterable[Arrival]) -> None:
        """All at once, as if they had come in this order. COPY is for superusers here."""
        placed = [(f"00000000-0000-7000-8000-{next(self._places):012x}", a) for a in arrivals]
        with psycopg.connect(self.database.superuser_url()) as conn, conn.cursor() as cursor:
            with cursor.copy(
                "COPY event_log (app_id, event_id, arrived_at, dialpad_event_id, payload) FROM STDIN"
            ) as copy:
                for event_id, a in placed:
                    copy.write_row((a.app_id, event_id, "now", str(a.dialpad_id), a.claims))
            with cursor.copy("COPY event_queue (app_id, event_id) FROM STDIN") as copy:
                for event_id, a in placed:
                    copy.write_row((a.app_id, event_id))

    def logged(self) -> list[Arrival]:
        """What came, in the order in which it came."""
        rows = self.sql(
            "SELECT app_id::text, dialpad_event_id, payload::text FROM event_log"
            " ORDER BY received_at, event_id"
        )
        return [Arrival(app_id, int(dialpad_id), claims) for app_id, dialpad_id, claims in rows]


@pytest.fixture(scope="session")
def run_crew(ground: Ground) -> CrewMaker:
    """run_crew(env, …) as a context: a workerd for each env, on a fresh database."""

    def run(*envs: dict, ingest: bool = False, start: bool = True) -> AbstractContextManager[Crew]:
        return ground.run(
            lambda database, directory: Crew(database, directory, *envs, ingest=ingest), start
        )

    return run
