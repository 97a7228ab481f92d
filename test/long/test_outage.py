"""An outage as long as in life: no ingestd, no database, and the calls go on."""

from __future__ import annotations

import os
import time

import pytest
from outage import CALLS, added_events, check, database_down, wait_for_repairs
from provisioned import connected, dialpad_with_companies
from web import eventually

from test.sim.client import Simulator

SECONDS = float(os.environ.get("OUTAGE_SECONDS", "600"))
EVERY_SECONDS = 15
STORY_SECONDS = 78  # the longest of CALLS, with what follows its end
ENDS = {"hangup", "missed", "voicemail", "voicemail_uploaded"}


def now_ms() -> int:
    return int(time.time() * 1000)


def ends_told(dialpad: Simulator) -> set[int]:
    """The calls of which an event that ends them was acknowledged."""
    return {one["id"] for one in dialpad.deliveries()
            if one["acknowledged"] and one["state"] in ENDS}


@pytest.mark.timeout(SECONDS + 600)
def test_every_call_of_a_long_outage_is_there_once(run_stack) -> None:
    with dialpad_with_companies(1, time_scale=1) as (dialpad, companies), \
            run_stack(dialpad=dialpad) as stack:
        company = next(companies)
        app = connected(stack, company, "outage")
        truths = company.place(CALLS) + company.place(CALLS, speed=1)
        time.sleep(30)  # those are in the middle now

        stack.ingestd.stop()
        down_ms = now_ms()
        with database_down(stack.database):
            while now_ms() < down_ms + SECONDS * 1000:
                truths += company.place(CALLS, speed=1)
                time.sleep(EVERY_SECONDS)
            assert stack.workerd.is_running and stack.apid.is_running
        up_ms = now_ms()
        stack.start()
        dialpad.wait_until_delivered(STORY_SECONDS + 60)
        eventually(lambda: stack.sql("SELECT 1 FROM ingest_gaps WHERE handled_at IS NOT NULL"), 60,
                   "a gap that workerd has seen")
        [repair] = wait_for_repairs(stack, app, 120)

        assert repair["reason"] == "outage: silence"
        told = ends_told(dialpad)
        for truth in truths:
            check(app, truth, None if truth["call_id"] in told else "repaired")
        lost = {one["call_id"] for one in truths} - told
        listed = app.get_json("/api/calls?limit=1&total=true")["total"]
        assert listed == len(truths) == len({one["call_id"] for one in truths})
        added = added_events(stack, app)
        assert len(added) == len(set(added)) == repair["result"]["calls_added"]
        assert lost and lost <= set(added)
        dialpad.assert_description_kept()
        print(f"down for {(up_ms - down_ms) // 1000} s: {len(truths)} calls, {len(added)} added,"
              f" {len(lost)} of them ended by that alone")
