"""Any order, any repetition, any batches, two workers: the same rows, and a feed that never goes back."""

from __future__ import annotations

import os
import random
import time
import uuid

from crew import Arrival, Crew, CrewMaker
from feed import check_feed, check_same, last_told, rows
from ingest import metric
from stories import Story, interleaved, stories

SEED = int(os.environ.get("CTI_ORDER_SEED", str(time.time_ns() % 1_000_000)))
ORDERS = 24  # all of four events; each is a tenant's
PLAYS = 24
DONE = 'cti_worker_batches_total{result="done"}'
ONE = ({"WORKER_THREADS": "1"},)
TWO = ({"WORKER_THREADS": "1", "WORKER_BATCH": "5"}, {"WORKER_THREADS": "1", "WORKER_BATCH": "60"})


def in_order(app_ids: list[str], told: list[Story]) -> list[Arrival]:
    return [
        Arrival(app_id, story.dialpad_id, event)
        for app_id in app_ids for story in told for event in story.events
    ]


def out_of_order(app_ids: list[str], told: list[Story], dice: random.Random) -> list[Arrival]:
    tenants = []
    for number, app_id in enumerate(app_ids):
        orders = [
            [Arrival(app_id, story.dialpad_id, event) for event in story.in_some_order(number)]
            for story in told
        ]
        tenants.append(interleaved(orders, dice))
    return interleaved(tenants, dice)


def work_off(crew: Crew, app_ids: list[str], arrivals: list[Arrival]) -> None:
    """The workers find everything there when they start, and wait for the table until all are up."""
    for app_id in app_ids:
        crew.add_tenant(app_id)
    crew.queue(arrivals)
    with crew.database.connect() as holder:
        holder.execute("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE")
        crew.start()
    crew.wait_until_done(120)
    check_feed(crew)


def test_two_workers_make_of_any_order_the_rows_that_one_makes_in_order(
    run_crew: CrewMaker,
) -> None:
    print(f"CTI_ORDER_SEED={SEED}")
    told = stories(PLAYS, SEED)
    dice = random.Random(SEED)
    app_ids = [str(uuid.UUID(int=dice.getrandbits(128), version=4)) for _ in range(ORDERS)]
    with run_crew(*ONE, start=False) as crew:
        work_off(crew, app_ids, in_order(app_ids, told))
        wanted_rows, wanted_feed = rows(crew), last_told(crew)
    assert len(wanted_rows) >= ORDERS * PLAYS
    with run_crew(*TWO, start=False) as crew:
        work_off(crew, app_ids, out_of_order(app_ids, told, dice))
        check_same(rows(crew), wanted_rows)
        check_same(last_told(crew), wanted_feed)
        assert all(metric(worker, DONE) > 1 for worker in crew.workers), "both had a hand in it"
