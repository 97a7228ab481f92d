"""GET /api/events: the change feed for those who poll."""

from __future__ import annotations

import statistics
import threading
import time

import pytest
from cti import App, Stack
from hook import payload
from ingest import metric
from live import Poller
from web import eventually

RINGING = payload("call_ringing_inbound_2024")
OVER = payload("call_hangup_outbound_2023")


@pytest.fixture
def poller(app: App) -> Poller:
    """One that has its place, before anything has happened."""
    reader = Poller(app)
    assert reader.ask() == {"events": [], "next_cursor": reader.cursor, "has_more": False}
    return reader


def change(app: App, **members: object) -> None:
    assert app.hook.post(RINGING | members).status == 200


def tell(stack: Stack, app: App, count: int) -> None:
    """That many calls, each a change."""
    for number in range(count):
        change(app, call_id=7000 + number)
    stack.wait_until_done()


def refused(app: App, query: str) -> str:
    answer = app.get(f"/api/events?{query}")
    assert answer.status == 400, answer.body
    return answer.json()["detail"]


def test_a_call_is_started_updated_and_ended(stack: Stack, app: App, poller: Poller) -> None:
    for state in ("ringing", "connected", "hangup"):
        change(app, state=state, event_timestamp=RINGING["event_timestamp"] + len(state))
        stack.wait_until_done()
    events = poller.drain()
    assert [event["type"] for event in events] == ["call.started", "call.updated", "call.ended"]
    shown = app.get_json(f"/api/calls/{RINGING['call_id']}")
    shown.pop("timeline")
    assert events[-1]["data"] == shown
    assert set(events[0]) == {"cursor", "type", "at", "data"}


def set_connection(stack: Stack, app: App, state: str) -> None:
    stack.sql("INSERT INTO dialpad_connections (app_id, environment, state, last_error)"
              " VALUES (%s, 'sandbox', %s, 'why') ON CONFLICT (app_id)"
              " DO UPDATE SET state = EXCLUDED.state", app.app_id, state)


def test_a_connection_that_changes_is_told_once(stack: Stack, app: App, poller: Poller) -> None:
    for state, reason in (("connected", None), ("needs_reconnect", "why"), ("connected", None)):
        set_connection(stack, app, state)
        answer = poller.ask(wait=30)
        assert [event["type"] for event in answer["events"]] == ["connection.updated"]
        [told] = [event["data"] for event in answer["events"]]
        shown = app.get_json("/api/connection")
        assert told == {name: shown[name] for name in told}
        assert (told["state"], told["reason"]) == (state, reason)
    change(app)
    stack.wait_until_done()
    assert [event["type"] for event in poller.drain()] == ["call.started"]


def test_a_call_first_seen_when_it_was_over_is_ended_alone(
    stack: Stack, app: App, poller: Poller
) -> None:
    assert app.hook.post(OVER).status == 200
    stack.wait_until_done()
    assert [event["type"] for event in poller.drain()] == ["call.ended"]


def test_what_changes_nothing_for_a_client_is_no_event(
    stack: Stack, app: App, poller: Poller
) -> None:
    for _ in range(3):
        change(app)
        stack.wait_until_done()
    change(app, event_timestamp=RINGING["event_timestamp"] - 1000)
    stack.wait_until_done()
    assert [event["type"] for event in poller.drain()] == ["call.started"]


def test_pages_follow_each_other_without_gap_or_repetition(
    stack: Stack, app: App, poller: Poller
) -> None:
    tell(stack, app, 7)
    sizes = []
    while True:
        page = poller.ask(limit=3)
        sizes.append(len(page["events"]))
        if not page["has_more"]:
            break
    assert sizes == [3, 3, 1]
    calls = [event["data"]["call_id"] for event in poller.seen]
    assert calls == list(range(7000, 7007))
    assert poller.ask()["events"] == []
    # Any event's cursor is a place to go on from.
    poller.cursor = poller.seen[4]["cursor"]
    assert [event["data"]["call_id"] for event in poller.ask()["events"]] == [7005, 7006]


def test_only_the_types_asked_for_are_given_and_the_cursor_goes_on(
    stack: Stack, app: App, poller: Poller
) -> None:
    tell(stack, app, 3)
    change(app, call_id=7001, state="hangup", event_timestamp=RINGING["event_timestamp"] + 9)
    stack.wait_until_done()
    page = poller.ask(types="call.ended,message.received")
    assert [event["type"] for event in page["events"]] == ["call.ended"]
    assert poller.ask()["events"] == []


def test_a_wanted_type_is_found_behind_many_others(
    stack: Stack, app: App, poller: Poller
) -> None:
    tell(stack, app, 12)
    change(app, call_id=7003, state="hangup", event_timestamp=RINGING["event_timestamp"] + 9)
    stack.wait_until_done()
    page = poller.ask(types="call.ended", limit=2)
    assert [event["type"] for event in page["events"]] == ["call.ended"]


def test_a_bad_question_is_told_what_is_wrong(app: App) -> None:
    assert "after" in refused(app, "after=nonsense")
    assert "call.exploded" in refused(app, "types=call.started,call.exploded")
    assert "wait" in refused(app, "wait=31")
    assert "limit" in refused(app, "limit=501")
    assert "cursor" in refused(app, "cursor=x")


def test_a_cursor_of_another_app_is_refused(stack: Stack, app: App, poller: Poller) -> None:
    other = stack.create_app("another")
    assert "after" in refused(other, f"after={poller.cursor}")


def test_a_forged_cursor_is_refused(app: App, poller: Poller) -> None:
    for place in (0, 5, 31):
        was = poller.cursor[place]
        forged = poller.cursor[:place] + ("A" if was != "A" else "B") + poller.cursor[place + 1 :]
        assert "after" in refused(app, f"after={forged}")


# Waiting


def subscribers(stack: Stack) -> int:
    return metric(stack.apid, "cti_live_subscribers")


def test_a_waiting_poll_is_answered_by_the_change(
    stack: Stack, app: App, poller: Poller
) -> None:
    took = []
    for call_id in range(1, 6):
        waiting = threading.Thread(target=lambda: poller.ask(wait=30), daemon=True)
        waiting.start()
        time.sleep(0.3)
        assert waiting.is_alive()
        begun = time.monotonic()
        change(app, call_id=call_id)
        waiting.join()
        took.append(time.monotonic() - begun)
    # Without a hint it would be two or three seconds. A busy machine may be late with some.
    assert statistics.median(took) < 1.5, took
    assert [event["type"] for event in poller.seen] == ["call.started"] * 5


def test_a_waiting_poll_is_not_woken_by_other_types(
    stack: Stack, app: App, poller: Poller
) -> None:
    pages = []
    waiting = threading.Thread(
        target=lambda: pages.append(poller.ask(wait=2, types="call.ended")), daemon=True
    )
    waiting.start()
    time.sleep(0.3)
    change(app)
    stack.wait_until_done()
    waiting.join()
    assert pages[0]["events"] == []
    # It has seen that change all the same.
    assert poller.ask()["events"] == []


def test_a_poll_that_waits_in_vain_is_answered_in_time(poller: Poller) -> None:
    before = poller.cursor
    begun = time.monotonic()
    page = poller.ask(wait=1)
    assert 0.9 < time.monotonic() - begun < 10
    assert page == {"events": [], "next_cursor": before, "has_more": False}


def test_waiting_polls_hold_neither_threads_nor_connections(
    stack: Stack, app: App, poller: Poller
) -> None:
    others = [Poller(app, poller.cursor) for _ in range(120)]
    threads = [
        threading.Thread(target=lambda other=other: other.ask(wait=25), daemon=True)
        for other in others
    ]
    for number, thread in enumerate(threads):
        thread.start()
        # As many at once would be answered 503.
        eventually(lambda: subscribers(stack) > number - 10, 20, f"{number} who wait")
    eventually(lambda: subscribers(stack) == len(threads), 20, "all of them")
    # More than apid has threads, and it serves on.
    assert app.get("/api/calls").status == 200
    change(app)
    for thread in threads:
        thread.join()
    assert all(len(other.seen) == 1 for other in others)


def test_a_poll_whose_client_left_gives_its_place_back(
    stack: Stack, app: App, poller: Poller
) -> None:
    with pytest.raises(TimeoutError):
        poller.ask(wait=30, timeout=0.5)
    eventually(lambda: subscribers(stack) == 0, 20, "no subscriber")


# Retention


def test_a_cursor_older_than_the_feed_is_told_to_read_the_lists(
    stack: Stack, app: App, poller: Poller
) -> None:
    tell(stack, app, 5)
    old, middle = poller.cursor, poller.ask(limit=3)["next_cursor"]
    stack.sql("DELETE FROM change_feed WHERE app_id = %s AND seq <= 3", app.app_id)
    poller.cursor = middle
    assert len(poller.ask()["events"]) == 2
    poller.cursor = old
    page = poller.ask()
    assert [event["type"] for event in page["events"]] == ["resync"]
    change(app, call_id=7100)
    stack.wait_until_done()
    assert [event["data"]["call_id"] for event in poller.ask()["events"]] == [7100]


def test_a_feed_that_is_gone_as_a_whole_is_noticed_too(
    stack: Stack, app: App, poller: Poller
) -> None:
    tell(stack, app, 2)
    stack.sql("DELETE FROM change_feed WHERE app_id = %s", app.app_id)
    assert [event["type"] for event in poller.ask(wait=20)["events"]] == ["resync"]
    assert poller.ask()["events"] == []
