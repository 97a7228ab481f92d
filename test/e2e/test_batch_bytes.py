"""A batch is limited in bytes as well: large events do not fill the memory of a worker."""

from __future__ import annotations

import random
import uuid

import pytest
from crew import Arrival, Crew, CrewMaker
from ingest import wait_for_metric

from test.sim import jws

DONE = 'cti_worker_batches_total{result="done"}'
LIMIT = 250_000
ENV = {"WORKER_BATCH_BYTES": str(LIMIT), "WORKER_THREADS": "1"}


def noise(characters: int) -> str:
    """What PostgreSQL cannot compress."""
    return "".join(random.Random(characters).choices("0123456789abcdef", k=characters))


def text_event(app_id: str, message_id: int, text: str) -> Arrival:
    claims = {"id": message_id, "direction": "inbound", "from_number": "+1", "to_number": ["+2"],
              "text": text, "event_timestamp": 1_700_000_000_000 + message_id}
    return Arrival(app_id, message_id, jws.claim_bytes(claims).decode())


def check_batches(crew: Crew, texts: list[str], batches: int) -> None:
    """It takes so many to make a record of each."""
    app_id = crew.add_tenant(str(uuid.uuid4())).app_id
    crew.queue(text_event(app_id, n, text) for n, text in enumerate(texts, 1))
    crew.start()
    crew.wait_until_done()
    assert crew.sql("SELECT message_id, text FROM messages ORDER BY 1") == list(enumerate(texts, 1))
    wait_for_metric(crew.workers[0], DONE, batches)


@pytest.mark.parametrize(
    ("characters", "events", "batches"),
    [
        (1_500, 60, 1),
        (20_000, 60, 5),  # of 13: the twelve before the last take less than the limit
        (600_000, 4, 4),  # each over the limit, and yet each is done
    ],
)
def test_a_batch_ends_where_its_bytes_do(
    run_crew: CrewMaker, characters: int, events: int, batches: int
) -> None:
    with run_crew(ENV, start=False) as crew:
        check_batches(crew, [noise(characters)] * events, batches)


def test_what_shrinks_well_counts_more_than_it_takes_on_disk(run_crew: CrewMaker) -> None:
    """2 MB that are stored as some 23 kB count as eight times that."""
    with run_crew(ENV, start=False) as crew:
        check_batches(crew, ["a" * 2_000_000] * 6, 3)
