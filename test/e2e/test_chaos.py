"""Two workers under load while they and the database are hurt: nothing lost, nothing doubled, and in
the end the rows of a run in peace.

`make chaos` runs it for ten minutes; CHAOS_SECONDS says otherwise. A failure prints the CHAOS_SEED that
strikes the same blows again.
"""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from crew import Crew, CrewMaker, Tenant
from feed import check_feed, check_same, last_told, rows
from kept import check_log
from proxy import Proxy
from storm import Storm

from test.sim.catalogue import events_by_time, names_of, perform
from test.sim.delivery import Parcel

SECONDS = float(os.environ.get("CHAOS_SECONDS", "3"))
SEED = int(os.environ.get("CHAOS_SEED", str(time.time_ns() % 1_000_000)))
TENANTS = 4
RATE = 30.0  # events a second for each tenant
DONE_SECONDS = 60


class Chaos(Storm):
    def __init__(self, crew: Crew, dice: random.Random, listening: Proxy):
        super().__init__(crew, dice, [
            self.kill_a_worker, self.kill_both_workers, self.stop_a_worker, self.cut_workers,
            self.crash_soon_back, self.deafen,
        ])
        self._workers = crew.workers
        self._listening = listening

    def kill_a_worker(self) -> None:
        worker = self.dice.choice(self._workers)
        worker.kill()
        worker.start()

    def kill_both_workers(self) -> None:
        for worker in self._workers:
            worker.kill()
        time.sleep(self.dice.uniform(0.0, 0.5))
        for worker in self._workers:
            worker.start()

    def stop_a_worker(self) -> None:
        worker = self.dice.choice(self._workers)
        worker.wait_ready()
        assert worker.stop() == 0
        worker.start()

    def cut_workers(self) -> None:
        self.cut_connections("cti_worker")

    def crash_soon_back(self) -> None:
        self.crash_database(longest_s=1.0)

    def deafen(self) -> None:
        """Notifications stop without the end of a connection; then the connections end, or not."""
        self._listening.fall_silent()
        time.sleep(self.dice.uniform(0.5, 2.0))
        if self.dice.random() < 0.5:
            self._listening.cut()
        self._listening.speak()


def send_until(tenant: Tenant, number: int, enough: threading.Event) -> list[Parcel]:
    """Plays of all scenarios, as Dialpad delivers them, some events twice."""
    parcels: list[Parcel] = []
    while not enough.is_set():
        plays = perform(
            names_of("all"), 19, seed=f"{SEED}/{number}/{len(parcels)}",
            now_ms=time.time_ns() // 1_000_000,
        )
        events = events_by_time(plays)[:60]
        parcels += tenant.hook.deliver(events, repeat=0.1, rate=RATE, time_scale=0.5)
    return parcels


@contextlib.contextmanager
def load(tenants: list[Tenant]) -> Iterator[dict[str, list[Parcel]]]:
    """While the body runs; the parcels are there when it has ended."""
    sent: dict[str, list[Parcel]] = {}
    enough = threading.Event()
    with ThreadPoolExecutor(len(tenants)) as pool:
        sending = {
            tenant.app_id: pool.submit(send_until, tenant, number, enough)
            for number, tenant in enumerate(tenants)
        }
        try:
            yield sent
        finally:
            enough.set()
        for app_id, future in sending.items():
            sent[app_id] = future.result()


def check_peace(crew: Crew, run_crew: CrewMaker) -> None:
    """The same events, in a fresh database, by one worker whom nobody hurts."""
    with run_crew({"WORKER_THREADS": "1"}, start=False) as clean:
        for app_id in {arrival.app_id for arrival in crew.logged()}:
            clean.add_tenant(app_id)
        clean.queue(crew.logged())
        clean.start()
        clean.wait_until_done(DONE_SECONDS + SECONDS)
        check_same(rows(crew), rows(clean))
        check_same(last_told(crew), last_told(clean))


def test_after_chaos_all_is_as_after_peace(run_crew: CrewMaker) -> None:
    print(f"CHAOS_SEED={SEED}")
    dice = random.Random(SEED)
    env = {"WORKER_BATCH": "20", "WORKER_POLL_MS": "1000"}
    with run_crew(env, env, ingest=True, start=False) as crew, \
            Proxy(crew.database.cluster.port) as listening:
        for worker in crew.workers:
            url = listening.before(crew.database.url("cti_worker"))
            worker.set_env({"DATABASE_LISTEN_URL": url})
        log_begins = crew.database.cluster.log.stat().st_size
        crew.start()
        tenants = [crew.add_tenant(str(uuid.uuid4())) for _ in range(TENANTS)]
        chaos = Chaos(crew, dice, listening)
        with load(tenants) as sent:
            for blow in chaos.rage(SECONDS, pause_s=(0.1, 1.0)):
                print(blow)
        crew.start()
        crew.wait_until_done(DONE_SECONDS)
        for tenant in tenants:
            check_log(crew, tenant, sent[tenant.app_id])
        check_feed(crew)
        server_log = crew.database.cluster.log.read_bytes()[log_begins:]
        assert b"deadlock detected" not in server_log
        check_peace(crew, run_crew)
