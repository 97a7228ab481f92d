"""Events again, because an admin asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from admin import admin, audit
from cti import App, Stack
from rows import text
from tasks import finished
from web import eventually

POISON = 666


@pytest.fixture(scope="module")
def stack(run_stack) -> Iterator[Stack]:
    """Where an event that fails once is dead at once."""
    with run_stack({"workerd": {"WORKER_MAX_ATTEMPTS": "1"}}) as running:
        yield running


@pytest.fixture
def poisoned(stack: Stack) -> Iterator[None]:
    """As long as the test wants: a call that the table of calls refuses."""
    stack.sql(f"ALTER TABLE calls ADD CONSTRAINT poison CHECK (call_id <> {POISON}) NOT VALID")
    yield
    stack.sql("ALTER TABLE calls DROP CONSTRAINT IF EXISTS poison")


def ringing(call_id: int, **claims) -> dict:
    return {"call_id": call_id, "state": "ringing", "event_timestamp": 1_700_000_000_000, **claims}


def post(stack: Stack, app: App, *claims: dict) -> None:
    for one in claims:
        assert app.hook.post(one).status == 200
    stack.wait_until_done()


def replay(stack: Stack, app: App, **wish) -> dict:
    """What came of it."""
    path = f"/apps/{app.app_id}/events/replay"
    answer = admin(stack, "POST", path, wish)
    assert answer.status == 202, answer.body
    assert answer.json()["state"] == "queued"
    return finished(stack, path, "replays", answer.json()["id"])


def ids(stack: Stack, app: App, query: str = "") -> list[str]:
    found = stack.admin("GET", f"/apps/{app.app_id}/events?{query}")["events"]
    return [event["event_id"] for event in found]


def log_of(stack: Stack, app: App) -> list[tuple]:
    return stack.sql("SELECT *, payload::text FROM event_log WHERE app_id = %s ORDER BY event_id",
                     app.app_id)


def in_a_minute() -> str:
    return text(datetime.now(UTC) + timedelta(minutes=1))


LONG_AGO = "2020-01-01T00:00:00Z"


def test_a_dead_event_becomes_a_record_after_the_fix(stack: Stack, app: App, poisoned) -> None:
    post(stack, app, ringing(1), ringing(POISON))
    [dead] = ids(stack, app, "verdict=dead")
    before = log_of(stack, app)
    stack.sql("ALTER TABLE calls DROP CONSTRAINT poison")
    task = replay(stack, app, ids=[dead])
    assert (task["state"], task["result"]["requeued"]) == ("done", 1)
    app.wait_for(f"/api/calls/{POISON}")
    stack.wait_until_done()
    assert ids(stack, app, "verdict=dead") == []
    assert log_of(stack, app) == before, "the log is immutable"
    assert audit(stack, app.app_id)[0] == ("admin", "events.replayed", task["id"])


def test_one_that_dies_again_is_dead_again_and_the_replay_ends(
    stack: Stack, app: App, poisoned
) -> None:
    post(stack, app, *[ringing(POISON, n=n) for n in range(5)])
    judged = "SELECT event_id, at FROM event_outcomes WHERE app_id = %s ORDER BY 1"
    before = stack.sql(judged, app.app_id)
    assert replay(stack, app, **{"from": LONG_AGO})["result"]["requeued"] == 5
    stack.wait_until_done()
    after = stack.sql(judged, app.app_id)
    assert [e for e, _ in after] == [e for e, _ in before]
    assert all(new > old for (_, new), (_, old) in zip(after, before, strict=True))


def test_one_that_waits_for_its_next_attempt_is_due_at_once(stack: Stack, app: App) -> None:
    stack.workerd.stop()
    assert app.hook.post(ringing(1)).status == 200
    stack.sql("UPDATE event_queue SET attempts = 1, next_attempt_at = now() + interval '1 hour'")
    stack.start()
    assert app.hook.post(ringing(2)).status == 200
    app.wait_for("/api/calls/2")  # the queue has been looked through
    assert app.get("/api/calls/1").status == 404
    assert replay(stack, app, ids=ids(stack, app, "dialpad_id=1"))["result"]["hastened"] == 1
    app.wait_for("/api/calls/1")
    stack.wait_until_done()


def damage(stack: Stack, app: App) -> None:
    stack.sql("UPDATE calls SET status = 'parked', clocks = '' WHERE app_id = %s", app.app_id)
    stack.sql("UPDATE messages SET text = 'damaged' WHERE app_id = %s", app.app_id)


def damaged(stack: Stack, app: App) -> set[str]:
    rows = stack.sql("SELECT call_id::text FROM calls WHERE app_id = %s AND status = 'parked'"
                     " UNION ALL SELECT message_id::text FROM messages WHERE app_id = %s"
                     " AND text = 'damaged'", app.app_id, app.app_id)
    return {one for (one,) in rows}


TEXT = {"id": 9, "from_number": "+1", "to_number": "+2", "text": "hello"}


def test_records_of_the_chosen_events_are_made_again(stack: Stack, app: App) -> None:
    post(stack, app, ringing(1), ringing(2), ringing(1, state="hangup"), TEXT)
    [first] = ids(stack, app, "dialpad_id=2")
    before = app.get_json("/api/calls/1")
    hangup, _ = ids(stack, app, "dialpad_id=1")

    damage(stack, app)
    assert replay(stack, app, ids=[hangup], dry_run=True)["result"] == {
        "dry_run": True, "requeued": 0, "hastened": 0,
        "calls": {"ids": 1, "same": 0, "different": 1, "missing": 0, "merged": 0},
        "messages": dict.fromkeys(("ids", "same", "different", "missing", "merged"), 0),
        "voicemails": dict.fromkeys(("ids", "same", "different", "missing", "merged"), 0),
    }
    assert damaged(stack, app) == {"1", "2", "9"}, "a dry run writes nothing"

    assert replay(stack, app, ids=[hangup])["result"]["calls"]["different"] == 1
    assert damaged(stack, app) == {"2", "9"}
    assert app.get_json("/api/calls/1") == before, "made of all its events, not of the chosen alone"

    damage(stack, app)
    replay(stack, app, **{"from": LONG_AGO, "to": in_a_minute(), "kind": "message"})
    assert damaged(stack, app) == {"1", "2"}
    replay(stack, app, **{"from": LONG_AGO, "kind": "call"})
    assert damaged(stack, app) == set()
    damage(stack, app)
    replay(stack, app, **{"from": LONG_AGO, "to": "2020-01-02T00:00:00Z"})
    assert damaged(stack, app) == {"1", "2", "9"}
    replay(stack, app, ids=[first])
    assert damaged(stack, app) == {"1", "9"}


def test_a_dry_run_counts_dead_and_waiting_events_and_leaves_them(
    stack: Stack, app: App, poisoned
) -> None:
    post(stack, app, ringing(POISON))
    judged = "SELECT event_id, at FROM event_outcomes WHERE app_id = %s"
    dead = stack.sql(judged, app.app_id)
    result = replay(stack, app, **{"from": LONG_AGO, "dry_run": True})["result"]
    assert (result["requeued"], result["dry_run"]) == (1, True)
    stack.wait_until_done()
    assert stack.sql(judged, app.app_id) == dead, "not judged anew"


def test_a_deleted_call_comes_back_and_clients_are_told(stack: Stack, app: App) -> None:
    post(stack, app, ringing(1))
    stack.sql("DELETE FROM calls WHERE app_id = %s", app.app_id)
    feed = "SELECT count(*) FROM change_feed WHERE app_id = %s"
    [(told,)] = stack.sql(feed, app.app_id)
    assert replay(stack, app, ids=ids(stack, app))["result"]["calls"]["missing"] == 1
    assert app.get("/api/calls/1").status == 200
    assert stack.sql(feed, app.app_id) == [(told + 1,)]


def test_a_replay_of_thousands_goes_on_where_a_killed_worker_left_it(own_stack: Stack) -> None:
    app = own_stack.create_app("large")
    own_stack.sql(
        "WITH log AS (INSERT INTO event_log (app_id, event_id, arrived_at, event_type,"
        "    dialpad_event_id, payload) SELECT %s, gen_random_uuid(), now(), 'hangup', n::text,"
        "    json_build_object('call_id', n, 'state', 'hangup') FROM generate_series(1, 3000) AS n"
        "  RETURNING app_id, event_id, received_at)"
        " INSERT INTO event_outcomes (app_id, event_id, received_at, verdict, at)"
        " SELECT app_id, event_id, received_at, 'dead', now() FROM log", app.app_id)
    path = f"/apps/{app.app_id}/events/replay"
    task = own_stack.admin("POST", path, {"from": LONG_AGO})
    eventually(lambda: own_stack.sql("SELECT 1 FROM calls LIMIT 1"), 20, "the first calls")
    own_stack.workerd.kill()
    own_stack.workerd.start()
    done = finished(own_stack, path, "replays", task["id"], 40)
    assert done["state"] == "done"
    own_stack.wait_until_done(30)
    assert own_stack.sql("SELECT count(*) FROM calls") == [(3000,)]
    assert own_stack.sql("SELECT 1 FROM event_outcomes") == []


def test_of_a_deleted_app_nothing_is_replayed(own_stack: Stack) -> None:
    app = own_stack.create_app("deleted")
    post(own_stack, app, ringing(1))
    own_stack.workerd.stop()
    admin(own_stack, "POST", f"/apps/{app.app_id}/events/replay", {"from": LONG_AGO})
    assert admin(own_stack, "DELETE", f"/apps/{app.app_id}?confirm=deleted").status == 200
    own_stack.sql("DELETE FROM calls")
    own_stack.workerd.start()
    eventually(lambda: own_stack.workerd.log_contains("the app was deleted"), 30, "a refusal")
    assert own_stack.sql("SELECT 1 FROM calls") == []


@pytest.mark.parametrize(("wish", "named"), [
    ({}, "from"), ({"ids": []}, "ids"), ({"ids": ["x"]}, "ids"), ({"ids": "x"}, "ids"),
    ({"ids": ["11111111-1111-1111-1111-111111111111"]}, "ids"),
    ({"ids": ["11111111-1111-1111-1111-111111111111"] * 2}, "twice"),
    ({"ids": ["11111111-1111-1111-1111-111111111111"], "kind": "call"}, "ids"),
    ({"from": "yesterday"}, "from"), ({"from": 5}, "from"),
    ({"from": "2999-01-01T00:00:00Z"}, "before"),
    ({"from": LONG_AGO, "to": LONG_AGO}, "before"), ({"from": LONG_AGO, "kind": "hangup"}, "kind"),
    ({"from": LONG_AGO, "dry_run": "yes"}, "dry_run"), ({"from": LONG_AGO, "all": True}, "all"),
])
def test_a_wish_that_is_not_clear_is_refused(stack: Stack, app: App, wish: dict, named: str):
    answer = admin(stack, "POST", f"/apps/{app.app_id}/events/replay", wish)
    assert answer.status == 400 and named in answer.json()["detail"]
    assert stack.admin("GET", f"/apps/{app.app_id}/events/replay") == {"replays": []}


def test_another_apps_events_cannot_be_replayed(stack: Stack, app: App) -> None:
    other = stack.create_app("other")
    post(stack, app, ringing(1))
    answer = admin(stack, "POST", f"/apps/{other.app_id}/events/replay", {"ids": ids(stack, app)})
    assert answer.status == 400 and "0 of these 1" in answer.json()["detail"]
