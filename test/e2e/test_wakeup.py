"""Notifications make it fast; the poll makes it certain."""

from __future__ import annotations

import ports
from cti import Stack
from hook import payload
from stack_fixtures import StackMaker
from web import eventually

CALL = payload("call_ringing_inbound_2024")
HINTS_ALONE = {"workerd": {"WORKER_POLL_MS": "60000"}}  # a poll would come too late
LISTENERS = ("SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN cti_%%'"
             " AND usename = 'cti_worker' AND datname = current_database()")


def is_listening(stack: Stack) -> bool:
    return stack.workerd.ready().json()["listening"]


def test_without_notifications_an_event_is_found_by_the_poll(
    run_stack: StackMaker,
) -> None:
    nowhere = f"postgresql://cti_worker@127.0.0.1:{ports.any_free()}/none"
    with run_stack({"workerd": {"DATABASE_LISTEN_URL": nowhere}}) as stack:
        assert not is_listening(stack)
        app = stack.create_app("deaf")
        # Twice, so that the first look after the start cannot be what finds it.
        for call_id in (CALL["call_id"], CALL["call_id"] + 1):
            assert app.hook.post(CALL | {"call_id": call_id}).status == 200
            app.wait_for(f"/api/calls/{call_id}")


def test_a_lost_listener_comes_back_and_what_came_meanwhile_is_found(
    run_stack: StackMaker,
) -> None:
    with run_stack(HINTS_ALONE) as stack:
        app = stack.create_app("cut off")
        eventually(lambda: is_listening(stack), 20, "workerd listens")
        [(pid,)] = stack.sql(LISTENERS)
        stack.database.cluster.psql(f"SELECT pg_terminate_backend({pid})")
        assert app.hook.post(CALL).status == 200
        app.wait_for(f"/api/calls/{CALL['call_id']}")

        old = [(pid,)]
        eventually(lambda: stack.sql(LISTENERS) not in ([], old), 20, "a new listener")
        eventually(lambda: is_listening(stack), 20, "workerd listens again")
        assert app.hook.post(CALL | {"call_id": 4711}).status == 200
        app.wait_for("/api/calls/4711")
