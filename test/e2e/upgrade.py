"""Two releases side by side: a database as the release before left it, and the main job on it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from cluster import Cluster
from cti import App, Stack
from kept import check_kept
from migrate import changes, migrate

from test.conftest import DAEMON_ROLES
from test.sim.catalogue import events_by_time, names_of, perform
from test.sim.delivery import Parcel
from test.sim.model import Play

TEMPLATE = "cti_release_before"
PLAYS = 19  # every scenario once


def template_before_the_last_change(cluster: Cluster) -> str:
    """A database to copy, migrated but for the last change."""
    if not cluster.has_database(TEMPLATE):
        cluster.create_database(TEMPLATE)
        migrate(cluster.url(db=TEMPLATE), to=changes()[-2])
        for role in DAEMON_ROLES:
            cluster.set_login(role, TEMPLATE)
    return TEMPLATE


@dataclass
class MainJob:
    """Events are sent, become records, and are read: as one app sees it."""

    stack: Stack
    app: App
    plays: list[Play] = field(default_factory=list)
    parcels: list[Parcel] = field(default_factory=list)

    @contextlib.contextmanager
    def while_events_come(self) -> Iterator[None]:
        """Events come while the body runs; afterwards each of them must have been kept."""
        now_ms = time.time_ns() // 1_000_000
        seed = f"{self.app.app_id}/{len(self.plays)}"
        plays = perform(names_of("all"), PLAYS, seed=seed, now_ms=now_ms)
        with ThreadPoolExecutor(1) as pool:
            delivery = pool.submit(self.app.hook.deliver, events_by_time(plays), rate=100)
            yield
            parcels = delivery.result()
        assert all(parcel.acknowledged for parcel in parcels)
        self.plays += plays
        self.parcels += parcels
        check_kept(self.stack, self.app, self.plays, self.parcels)

    def do(self) -> None:
        with self.while_events_come():
            pass
