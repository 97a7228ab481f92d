"""ingestd alone with its database, a load of distinct events, and the books of it."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from cti import Daemon, Stack
from hook import Hook, derived_secret
from web import PATIENCE_S, connection_to, eventually, request

from test.conftest import Database
from test.sim import jws

ALL_SECONDS = 60  # for the log to have everything, replays included
numbers = itertools.count(6_000_000_000_000_000)


class Ingest(Stack):
    """One or more ingestd on one database, and none of the other daemons."""

    def __init__(
        self,
        database: Database,
        directory: Path,
        *envs: Mapping[str, str | None],
    ):
        super().__init__(database, directory, {"ingestd": envs[0] if envs else {}})
        self.instances = [self.ingestd, *self._several("ingestd", envs[1:], directory)]
        self.daemons = tuple(self.instances)
        self.app_id = str(uuid.uuid4())

    def my_hook(self, instance: Daemon | None = None, master_key: str | None = None) -> Hook:
        """The hook of this stack's one app."""
        return self.my_hook_at((instance or self.ingestd).url, master_key)

    def my_hook_at(self, base_url: str, master_key: str | None = None) -> Hook:
        return Hook(
            f"{base_url}/webhooks/dialpad/{self.app_id}/1",
            derived_secret(master_key or self.master_key, self.app_id, 1),
        )

    def bare_hook_with(self, secret: str) -> Hook:
        return Hook(self.bare_hook.url, secret)

    def log(self) -> list[str]:
        """The claims of all events, in the order in which the database took them."""
        rows = self.sql(
            "SELECT payload::text FROM event_log WHERE app_id = %s"
            " ORDER BY received_at, event_id",
            self.app_id,
        )
        return [text for (text,) in rows]

    def ready_body(self) -> dict:
        return self.ingestd.ready().json()

    # The database's bad days

    def shut_database(self) -> None:
        """It takes no connections and has none."""
        name, server = self.database.name, self.database.cluster
        server.psql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        server.psql(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )

    def open_database(self) -> None:
        name = self.database.name
        self.database.cluster.psql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    @contextlib.contextmanager
    def database_down(self) -> Iterator[None]:
        self.shut_database()
        try:
            yield
        finally:
            self.open_database()


def metric(daemon: Daemon, name: str) -> int:
    """A value of /metrics; `name` is the line up to the value."""
    value = metric_if_any(daemon, name)
    assert value is not None, f"{name} is not among the metrics"
    return value


def metric_if_any(daemon: Daemon, name: str) -> int | None:
    answer = request("GET", f"{daemon.ops_url}/metrics")
    assert answer.status == 200, answer.body
    for line in answer.body.decode().splitlines():
        if line.startswith(name + " "):
            return int(line.rsplit(" ", 1)[1])
    return None


def wait_for_metric(daemon: Daemon, name: str, value: int) -> None:
    """For what is counted after it has been done."""
    eventually(lambda: (metric_if_any(daemon, name) or 0) >= value, PATIENCE_S, f"{name} {value}")
    assert metric(daemon, name) == value


def new_claims() -> dict:
    """Of a call that no other test knows."""
    return {"call_id": next(numbers), "state": "ringing", "event_timestamp": 1700000000000}


class Books:
    """What was sent, and the status that each got; None: no answer."""

    def __init__(self) -> None:
        self.statuses: dict[str, int | None] = {}

    def add(self, claims: str, status: int | None) -> None:
        self.statuses[claims] = status

    @property
    def attempted(self) -> set[str]:
        return set(self.statuses)

    @property
    def acknowledged(self) -> set[str]:
        # Of a copy: a load may be adding to them.
        return {claims for claims, status in list(self.statuses.items()) if status == 200}

    def seen(self) -> set[int | None]:
        return set(self.statuses.values())

    def check(self, stack: Ingest) -> None:
        """Everything acknowledged is in the log, and nothing that nobody sent."""
        deadline = time.monotonic() + ALL_SECONDS
        while True:
            log = set(stack.log())
            missing = self.acknowledged - log
            if not missing or time.monotonic() > deadline:
                break
            time.sleep(0.1)
        assert not missing, f"{len(missing)} acknowledged events are not in the log"
        assert log <= self.attempted, f"{len(log - self.attempted)} events were invented"


def post(
    hook: Hook, claims: dict, books: Books, connection: HTTPConnection | None = None
) -> int | None:
    """One try, on a connection of its own or on this one."""
    try:
        status = (hook.post_on(connection, claims) if connection else hook.post(claims)).status
    except (OSError, HTTPException):
        status = None
        if connection:
            connection.close()
    books.add(jws.claim_bytes(claims).decode(), status)
    return status


@contextlib.contextmanager
def load(
    hook: Hook, count: int, rate: float, senders: int = 16, reuse: bool = False
) -> Iterator[Books]:
    """`count` events, one try each, while the body runs: it begins after the first answer, and at its
    end all are answered.

    With `reuse` a sender stays on its connection for as long as it is let.
    Daemons must be started by the main thread, so the senders have threads of their own.
    """
    books, turn, begun = Books(), itertools.count(), time.monotonic()
    taking = threading.Lock()

    def send() -> None:
        connection = connection_to(hook.url) if reuse else None
        while True:
            with taking:
                place = next(turn)
            if place >= count:
                break
            time.sleep(max(0.0, begun + place / rate - time.monotonic()))
            post(hook, new_claims(), books, connection)
        if connection:
            connection.close()

    with ThreadPoolExecutor(senders) as pool:
        sending = [pool.submit(send) for _ in range(senders)]
        eventually(lambda: books.statuses, PATIENCE_S, "the first answer")
        yield books
        for future in sending:
            future.result()
    assert len(books.statuses) == count
