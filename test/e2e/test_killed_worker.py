"""A worker that is killed amid a batch: the batch is done again, and only a second death is taken for
the fault of its events."""

from __future__ import annotations

import uuid

from crew import Arrival, Crew, CrewMaker
from ingest import wait_for_metric
from web import eventually

from test.sim import jws

CALLS = 8
WAITING = """\
SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
  AND query LIKE 'SELECT t.* FROM unnest%%'"""  # a batch's, and no job's
SUSPECTS = "SELECT count(*) FROM event_queue WHERE last_error LIKE '%%survive the batch%%'"
MARKED = "SELECT 1 FROM tenant_heads WHERE batch_mark IS NOT NULL"
BATCHES = 'cti_worker_batches_total{result="%s"}'
ENV = {"WORKER_MAX_ATTEMPTS": "2", "WORKER_POLL_MS": "300", "WORKER_THREADS": "1"}


def queue_calls(crew: Crew) -> None:
    app_id = crew.add_tenant(str(uuid.uuid4())).app_id
    bodies = ({"call_id": n, "state": "ringing", "event_timestamp": 1_700_000_000_000}
              for n in range(1, CALLS + 1))
    crew.queue(Arrival(app_id, body["call_id"], jws.claim_bytes(body).decode()) for body in bodies)


def queue_text(crew: Crew) -> None:
    """Of another tenant, and none of the table of calls."""
    app_id = crew.add_tenant(str(uuid.uuid4())).app_id
    body = {"id": 1, "from_number": "+1", "to_number": "+2", "text": "hello"}
    crew.queue([Arrival(app_id, body["id"], jws.claim_bytes(body).decode())])


def kill_amid_a_batch(crew: Crew) -> None:
    """Once the batch waits for a table that somebody else has locked."""
    [worker] = crew.workers
    with crew.database.connect() as holder:
        holder.execute("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE")
        worker.start()
        eventually(lambda: crew.sql(WAITING), 20, "the worker waits for the table")
        worker.kill()
        holder.rollback()


def finish(crew: Crew) -> None:
    crew.start()
    crew.wait_until_done()
    assert crew.sql("SELECT count(*) FROM calls") == [(CALLS,)]
    assert crew.sql("SELECT count(*) FROM event_outcomes") == [(0,)]
    eventually(lambda: not crew.sql(MARKED), 20, "no mark")


def test_after_one_death_the_batch_is_tried_as_it_was(run_crew: CrewMaker) -> None:
    with run_crew(ENV, start=False) as crew:
        queue_calls(crew)
        kill_amid_a_batch(crew)
        assert crew.sql(SUSPECTS) == [(0,)], "nobody knows of the death yet"
        finish(crew)
        [worker] = crew.workers
        wait_for_metric(worker, BATCHES % "died", 1)
        wait_for_metric(worker, BATCHES % "done", 1)  # all events in one batch
        assert not worker.log_contains("event.set_aside")


def test_after_two_deaths_its_events_are_taken_one_by_one(run_crew: CrewMaker) -> None:
    with run_crew(ENV, start=False) as crew:
        queue_calls(crew)
        kill_amid_a_batch(crew)
        kill_amid_a_batch(crew)
        assert crew.sql(SUSPECTS) == [(CALLS,)]
        finish(crew)
        [worker] = crew.workers
        wait_for_metric(worker, BATCHES % "alone", CALLS)


def test_the_events_of_a_killed_worker_are_soon_done_by_another(run_crew: CrewMaker) -> None:
    with run_crew(ENV, ENV, start=False) as crew:
        victim, heir = crew.workers
        queue_calls(crew)
        with crew.database.connect() as holder:
            holder.execute("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE")
            victim.start()
            eventually(lambda: crew.sql(WAITING), 20, "the worker waits for the table")
            queue_text(crew)
            heir.start()
            heir.wait_ready()
            # It has looked for work, and the batch under way was not taken away.
            wait_for_metric(heir, BATCHES % "done", 1)
            assert crew.sql("SELECT count(*) FROM messages") == [(1,)]
            victim.kill()
            holder.rollback()
        crew.wait_until_done()
        wait_for_metric(heir, BATCHES % "died", 1)
        crew.start()
