"""A whole deployment under load while all of its parts are hurt: nothing lost, nothing doubled, nobody who
reads it missed anything, and in the end the rows of a run in peace.

`make chaos` runs it for ten minutes; CHAOS_SECONDS says otherwise. A failure prints the CHAOS_SEED that
strikes the same blows again.
"""

from __future__ import annotations

import os
import random
import re
import time
from pathlib import Path

from balancer import Balancer
from crew import CrewMaker
from cti import Daemon
from feed import check_feed, check_same, last_told, rows
from fleet import Fleet, running_fleet
from kept import check_kept
from running import Ground
from storm import Storm
from traffic import Traffic
from web import eventually

from test.conftest import BUILD

SECONDS = float(os.environ.get("CHAOS_SECONDS", "60"))
SEED = int(os.environ.get("CHAOS_SEED", str(time.time_ns() % 1_000_000)))
TENANTS = 4
RATE = 20.0  # events a second for each tenant
PAUSE_S = (0.1, 1.0)  # between two blows
DONE_SECONDS = 60
# What the daemons that live longest may grow by, and weigh at all; AddressSanitizer has a share of its own.
GROWTH_MIB, HEAVIEST_MIB = (4, 40) if BUILD == "release" else (16, 200)


class Chaos(Storm):
    def __init__(self, fleet: Fleet, dice: random.Random):
        super().__init__(fleet, dice, [
            self.kill_one, self.kill_a_pair, self.stop_one, self.cut_a_role, self.crash_soon_back,
            self.stop_soon_back, self.deafen,
        ])
        self.stack: Fleet = fleet
        self.elders: list[Daemon] = []

    def spare_one_of_each(self) -> None:
        """From now on they are hurt in every way but killed, so that they may show what they weigh."""
        self.elders = [pair[-1] for pair in self.stack.pairs]

    def _mortals(self, pair: list[Daemon]) -> list[Daemon]:
        return [daemon for daemon in pair if daemon not in self.elders]

    def kill_one(self) -> None:
        daemon = self.dice.choice(self._mortals(self.stack.daemons))
        daemon.kill()
        daemon.start()

    def kill_a_pair(self) -> None:
        pair = self._mortals(self.dice.choice(self.stack.pairs))
        for daemon in pair:
            daemon.kill()
        time.sleep(self.dice.uniform(0.0, 0.5))
        for daemon in pair:
            daemon.start()

    def stop_one(self) -> None:
        daemon = self.dice.choice(self._mortals(self.stack.daemons))
        daemon.wait_ready()
        assert daemon.stop() == 0
        daemon.start()

    def cut_a_role(self) -> None:
        self.cut_connections(self.dice.choice(("cti_ingest", "cti_worker", "cti_api")))

    def crash_soon_back(self) -> None:
        self.crash_database(longest_s=1.0)

    def stop_soon_back(self) -> None:
        self.stop_database(longest_s=1.0)

    def deafen(self) -> None:
        """Notifications stop without the end of a connection; then the connections end, or not."""
        self.stack.listening.fall_silent()
        time.sleep(self.dice.uniform(0.5, 2.0))
        if self.dice.random() < 0.5:
            self.stack.listening.cut()
        self.stack.listening.speak()


def resident_mib(daemon: Daemon) -> int:
    status = Path(f"/proc/{daemon.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) // 1024


def rage(chaos: Chaos) -> list[list[int]]:
    """Returns what the elders weighed after each blow of their long lives."""
    for blow in chaos.rage(SECONDS / 3, PAUSE_S):
        print(blow)
    chaos.stack.start()
    chaos.spare_one_of_each()
    weights = []
    for blow in chaos.rage(SECONDS * 2 / 3, PAUSE_S):
        weights.append([resident_mib(daemon) for daemon in chaos.elders])
        print(blow, weights[-1])
    return weights


def check_flat(weights: list[list[int]]) -> None:
    """The second half of a life adds nothing to the first."""
    half = len(weights) // 2
    for life in zip(*weights):
        assert max(life[half:]) <= max(life[:half]) + GROWTH_MIB, life
        assert max(life) <= HEAVIEST_MIB, life


def check_peace(fleet: Fleet, run_crew: CrewMaker) -> None:
    """The same events, in a fresh database, by one worker whom nobody hurts."""
    with run_crew({"WORKER_THREADS": "1"}, start=False) as clean:
        logged = fleet.logged()
        for app_id in {arrival.app_id for arrival in logged}:
            clean.add_tenant(app_id)
        clean.queue(logged)
        clean.start()
        clean.wait_until_done(DONE_SECONDS + SECONDS)
        check_same(rows(fleet), rows(clean))
        check_same(last_told(fleet), last_told(clean))


def test_after_chaos_all_is_as_after_peace(
    ground: Ground, run_crew: CrewMaker, spool_dir: Path
) -> None:
    print(f"CHAOS_SEED={SEED}")
    with running_fleet(ground, spool_dir) as fleet, \
            Balancer(fleet.ingestds) as hooks, Balancer(fleet.apids) as api:
        server_log = fleet.database.cluster.log
        log_begins = server_log.stat().st_size
        traffic = Traffic(fleet.tenants(TENANTS, hooks, api), SEED, RATE)
        with traffic.flows():
            weights = rage(Chaos(fleet, random.Random(SEED)))
        fleet.start()
        eventually(lambda: not fleet.spooled(), DONE_SECONDS, "empty spools")
        fleet.wait_until_done(DONE_SECONDS)
        traffic.check_readers(fleet)
        print(f"acknowledged: {traffic.acknowledged()} events, visits: {dict(traffic.statuses())}")
        assert traffic.statuses().keys() <= {200, 503, None}
        for sender in traffic.senders:
            check_kept(fleet, sender.app, sender.plays, sender.parcels)
        check_feed(fleet)
        assert b"deadlock detected" not in server_log.read_bytes()[log_begins:]
        check_peace(fleet, run_crew)
        check_flat(weights)
