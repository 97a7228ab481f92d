"""Tests of the courier: Dialpad's schedule of tries, order, duplicates, and the books."""

import socket

import pytest

from test.sim import jws
from test.sim.catalogue import SCENARIOS, events_by_time, perform
from test.sim.delivery import Courier, pack
from test.sim.flaky_server import HANG_UP, STAY_SILENT, FlakyServer
from test.sim.model import Event
from test.sim.policy import Tries
from test.sim.report import full_report, summarise

KEY = b"a secret of the tests, 32 bytes."
NOW_MS = 1_770_243_109_824

CALL = Event("call", 0, {"call_id": 1, "state": "hangup", "event_timestamp": 1})
SMS = Event("sms", 0, {"id": 2, "message_status": "pending", "event_timestamp": 1})


def sign(claims: dict) -> str:
    return jws.mint(jws.claim_bytes(claims), KEY)


def waits(kind: str, *answers: int | None) -> list[float | None]:
    tries = Tries(kind)
    return [tries.wait_after(answer) for answer in answers]


def test_calls_are_tried_again_after_2_4_and_8_seconds():
    assert waits("call", 500, 503, 502, 500) == [2, 4, 8, None]


def test_texts_are_tried_again_ten_times_over_hours():
    assert waits("sms", *[503] * 11) == [
        30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, None]


def test_without_an_answer_there_are_two_quick_tries():
    assert waits("call", None, None, None) == [0, 0, None]


@pytest.mark.parametrize("status", [200, 204, 301, 400, 401, 404, 429])
def test_nothing_else_is_tried_again(status):
    assert waits("sms", status) == [None]


def deliver(server: FlakyServer, events: list[Event], **options) -> list:
    parcels = pack(events, sign)
    Courier(server.url, time_scale=0.01, **options).deliver(parcels)
    return parcels


@pytest.mark.parametrize("event, script, answers", [
    (CALL, (503, 500, 502), [503, 500, 502, 200]),
    (CALL, (500,) * 9, [500, 500, 500, 500]),
    (CALL, (429,), [429]),
    (CALL, (HANG_UP, HANG_UP), [None, None, 200]),
    (CALL, (HANG_UP,) * 9, [None, None, None]),
    (CALL, (HANG_UP, 500), [None, 500, 200]),
    (SMS, (503,), [503, 200]),
])
def test_the_courier_keeps_dialpads_schedule(event, script, answers):
    with FlakyServer(*script) as server:
        (parcel,) = deliver(server, [event])
    assert [attempt.status for attempt in parcel.attempts] == answers
    assert parcel.acknowledged == (answers[-1] == 200)
    assert set(server.bodies) == {sign(event.claims)}


def test_waits_between_tries_are_scaled():
    with FlakyServer(500, 500) as server:
        (parcel,) = deliver(server, [CALL])
    first, second, third = (attempt.at_s for attempt in parcel.attempts)
    assert 0.02 <= second - first < 2 and 0.04 <= third - second < 4


def test_a_late_answer_counts_as_none():
    with FlakyServer(STAY_SILENT) as server:
        (parcel,) = deliver(server, [CALL], answer_timeout_s=1.0)
    assert [attempt.status for attempt in parcel.attempts] == [None, 200]
    assert "Timeout" in parcel.attempts[0].error


def test_a_refused_connection_loses_the_event_after_three_tries():
    with socket.socket() as unheard:  # bound, never listening
        unheard.bind(("127.0.0.1", 0))
        parcels = pack([CALL], sign)
        Courier(f"http://127.0.0.1:{unheard.getsockname()[1]}/").deliver(parcels)
    assert len(parcels[0].attempts) == 3
    assert summarise(parcels).lost == 1


def many_events() -> list[Event]:
    return events_by_time(perform(list(SCENARIOS), 19, "1", NOW_MS))


def test_one_connection_delivers_in_order_and_is_kept():
    events = many_events()
    with FlakyServer() as server:
        deliver(server, events)
    assert server.bodies == [sign(event.claims) for event in events]
    assert len(server.connections) == 1


def test_new_connections_are_made_if_asked():
    with FlakyServer() as server:
        deliver(server, [CALL, SMS], keep_alive=False)
    assert len(server.connections) == 2


def test_several_connections_share_the_work():
    events = many_events()
    with FlakyServer(500) as server:
        parcels = deliver(server, events, connections=4)
    summary = summarise(parcels)
    assert (summary.acknowledged, summary.retried, summary.lost) == (
        len(events), len(events), 0)
    assert summary.sent == len(server.bodies) == 2 * len(events)


def test_the_rate_is_kept():
    with FlakyServer() as server:
        parcels = deliver(server, [CALL] * 5, rate=20)
    assert parcels[-1].attempts[0].at_s >= 0.2


def test_duplicates_are_byte_for_byte_and_count_as_one_event():
    events = many_events()
    parcels = pack(events, sign, repeat=1.0, seed="1")
    copies = [parcel.body for parcel in parcels if parcel.copy]
    assert sorted(copies) == sorted(parcel.body for parcel in parcels if not parcel.copy)
    assert len(full_report([], parcels, "1")["events"]) == len(events)


def test_shuffling_is_complete_and_repeatable():
    events = many_events()
    once, twice = (pack(events, sign, shuffled=True, seed="7") for _ in range(2))
    assert [p.body for p in once] == [p.body for p in twice]
    assert [p.event for p in once] != events
    assert sorted(p.body for p in once) == sorted(p.body for p in pack(events, sign))
