"""Everything that goes on while a deployment is hurt: events, reads of the lists, readers of the feed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException

from cti import App, Stack
from feed import LEVELS
from live import Poller
from soak import Reader, check_readers

from test.sim.catalogue import events_by_time, names_of, perform
from test.sim.delivery import Parcel
from test.sim.model import Play

PLAYS_AT_ONCE = 8
READERS_OF_EACH = 3  # one polls, two have a WebSocket
PAGES = 5  # of a walk, at most
PAUSE_S = 0.1  # of a visitor of the lists between two requests


def digest(change: dict) -> str:
    return hashlib.blake2b(json.dumps(change, sort_keys=True).encode(), digest_size=16).hexdigest()


class Follower(Reader):
    """A reader that remembers little of each change."""

    def _take(self, events: list[dict]) -> None:
        super()._take([event | {"data": digest(event["data"])} for event in events])


@dataclass
class Sender:
    """Plays of all scenarios, as Dialpad delivers them, some events twice."""

    app: App
    seed: str
    rate: float  # events a second
    plays: list[Play] = field(default_factory=list)
    parcels: list[Parcel] = field(default_factory=list)

    def run(self, enough: threading.Event) -> None:
        dice = random.Random(self.seed)
        while not enough.is_set():
            plays = perform(
                dice.sample(names_of("all"), PLAYS_AT_ONCE), PLAYS_AT_ONCE,
                seed=f"{self.seed}/{len(self.plays)}", now_ms=time.time_ns() // 1_000_000,
            )
            self.plays += plays
            self.parcels += self.app.hook.deliver(
                events_by_time(plays), repeat=0.1, rate=self.rate, time_scale=0.05)


@dataclass
class Visitor:
    """Walks the lists. A record that was there stays there, and its status never goes back."""

    app: App
    seed: str
    statuses: Counter[int | None] = field(default_factory=Counter)
    levels: dict[str, int] = field(default_factory=dict)  # by path of the record

    def run(self, enough: threading.Event) -> None:
        dice = random.Random(self.seed)
        while not enough.is_set():
            for plural in ("calls", "messages"):
                self._walk(plural, dice.choice((5, 50)))
            if self.levels:
                self._look_again(dice.choice(list(self.levels)))

    def _walk(self, plural: str, limit: int) -> None:
        first = path = f"/api/{plural}?limit={limit}"
        for _ in range(PAGES):
            page = self._get(path)
            if page is None:
                return
            for record in page[plural]:
                self._note(f"/api/{plural}/{record['id']}", record["status"])
            if not page["has_more"]:
                return
            path = f"{first}&cursor={page['next_cursor']}"

    def _look_again(self, path: str) -> None:
        record = self._get(path)
        if record is not None:
            self._note(path, record["status"])

    def _get(self, path: str) -> dict | None:
        """None: the answer did not come, or was no 200; the statuses are looked at in the end."""
        time.sleep(PAUSE_S)
        try:
            answer = self.app.get(path)
            self.statuses[answer.status] += 1
            return answer.json() if answer.status == 200 else None
        except (OSError, HTTPException):
            self.statuses[None] += 1
            return None

    def _note(self, path: str, status: str) -> None:
        before, now = self.levels.get(path, 0), LEVELS[status]
        assert now >= before, f"{path} has gone back to {status}"
        self.levels[path] = now


class Traffic:
    """Of several tenants. While `flows()`; afterwards the books can be looked at."""

    def __init__(self, apps: list[App], seed: int, rate: float):
        self._ended = threading.Event()
        self.senders = [Sender(app, f"{seed}/{app_no}", rate) for app_no, app in enumerate(apps)]
        self.visitors = [Visitor(app, f"{seed}/{app_no}") for app_no, app in enumerate(apps)]
        self.readers = [
            Follower(app, Poller(app).ask()["next_cursor"], number, self._ended)
            for number, app in enumerate(app for app in apps for _ in range(READERS_OF_EACH))
        ]

    @contextlib.contextmanager
    def flows(self) -> Iterator[None]:
        """Events and visits while the body runs; the readers go on until `check_readers`."""
        enough = threading.Event()
        for reader in self.readers:
            reader.start()
        with ThreadPoolExecutor(len(self.senders + self.visitors)) as pool:
            going = [pool.submit(one.run, enough) for one in self.senders + self.visitors]
            try:
                yield
            finally:
                enough.set()
            for future in going:
                future.result()

    def check_readers(self, stack: Stack) -> None:
        written = {
            sender.app.app_id: [
                digest(data) for (data,) in stack.sql(
                    "SELECT data FROM change_feed WHERE app_id = %s ORDER BY seq",
                    sender.app.app_id)
            ]
            for sender in self.senders
        }
        try:
            check_readers(self.readers, written)
        finally:
            self._ended.set()

    def acknowledged(self) -> int:
        return sum(parcel.acknowledged for one in self.senders for parcel in one.parcels)

    def statuses(self) -> Counter[int | None]:
        return sum((visitor.statuses for visitor in self.visitors), Counter())
