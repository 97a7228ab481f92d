"""An event that kills its worker each time: found, counted, dead; its tenant and the others go on."""

from __future__ import annotations

import os
import subprocess
import time
import uuid

import pytest
from crew import Arrival, Crew, CrewMaker

from test.conftest import ROOT
from test.sim import jws

ATTEMPTS = 2
CALLS = 8
DEADLY = 5
SECONDS = 60
MARK = b'"cti_test_crash":true'
OBJECT = "workerd/batch/batch_tenant.o"
QUEUED = "SELECT 1 FROM event_queue"
VERDICTS = (
    "SELECT app_id::text, dialpad_event_id, verdict, attempts, last_error FROM webhook_events"
    " WHERE verdict <> 'processed'"
)


def ringing(app_id: str, call_id: int, **claims: object) -> Arrival:
    body = {"call_id": call_id, "state": "ringing", "event_timestamp": 1_700_000_000_000, **claims}
    return Arrival(app_id, call_id, jws.claim_bytes(body).decode())


def supervise(crew: Crew) -> int:
    """Starts the worker again whenever it has died, until nothing is queued; how often it died.

    The pauses of the event are cut short, as they double.
    """
    [worker] = crew.workers
    deaths = 0
    deadline = time.monotonic() + SECONDS
    while crew.sql(QUEUED):
        assert time.monotonic() < deadline, worker.tail()
        if not worker.is_running:
            deaths += 1
            crew.sql("UPDATE event_queue SET next_attempt_at = now()")
            worker.start()
        time.sleep(0.05)
    return deaths


def test_an_event_that_kills_its_worker_is_dead_in_the_end_and_harms_no_other(
    run_crew: CrewMaker,
) -> None:
    env = {"WORKER_MAX_ATTEMPTS": str(ATTEMPTS), "WORKER_POLL_MS": "300"}
    with run_crew(env, start=False) as crew:
        poisoned, healthy = (crew.add_tenant(str(uuid.uuid4())).app_id for _ in range(2))
        crew.queue(
            ringing(app_id, call_id, **({"cti_test_crash": True} if deadly else {}))
            for app_id in (poisoned, healthy)
            for call_id in range(1, CALLS + 1)
            for deadly in [app_id == poisoned and call_id == DEADLY]
        )
        crew.workers[0].start()
        deaths = supervise(crew)
        crew.start()
        assert crew.sql(VERDICTS) == [
            (poisoned, str(DEADLY), "dead", ATTEMPTS, "the worker did not survive this event")
        ]
        calls = crew.sql("SELECT app_id::text, call_id FROM calls")
        assert set(calls) == {
            (app_id, call_id)
            for app_id in (poisoned, healthy) for call_id in range(1, CALLS + 1)
        } - {(poisoned, DEADLY)}
        # Each attempt, and at most one batch before each that did not know of it.
        assert ATTEMPTS <= deaths <= 2 * ATTEMPTS + 1
        crew.workers[0].wait_for_log("event.dead")


@pytest.mark.parametrize(("build", "has_it"), [("release", False), ("asan", True)])
def test_only_builds_for_tests_can_be_killed_by_an_event(build: str, has_it: bool) -> None:
    made = subprocess.run(
        ["make", f"BUILD={build}", f"build/{build}/{OBJECT}"], cwd=ROOT, capture_output=True,
        text=True, env=os.environ | {"MAKEFLAGS": "", "MAKELEVEL": ""}, check=False,
    )
    assert made.returncode == 0, made.stderr
    assert (MARK in (ROOT / "build" / build / OBJECT).read_bytes()) is has_it
