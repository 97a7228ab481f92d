"""Tests of GET /api/v2/call and GET /api/v2/call/{id}."""

import time

import pytest

from test.sim.app_client import AppClient

DAY_MS = 24 * 3600 * 1000


def walk(app: AppClient, query: str = "") -> list[dict]:
    found, cursor = [], ""
    while cursor is not None:
        page = app.ok("GET", f"/call?limit=50{query}&cursor={cursor}" if cursor
                      else f"/call?limit=50{query}")
        assert len(page["items"]) <= 50
        found += page["items"]
        cursor = page.get("cursor")
    return found


def ended(truths: list[dict]) -> list[dict]:
    return [truth for truth in truths if truth.get("ended_ms")]


def test_the_list_holds_every_concluded_leg_once_and_the_latest_first(app, sim):
    truths = [truth for _ in range(6) for truth in sim.place("all")]
    calls = walk(app)
    assert len(calls) == len(ended(truths)) > 100
    assert {int(call["call_id"]) for call in calls} == {t["call_id"] for t in ended(truths)}
    starts = [int(call["date_started"]) for call in calls]
    assert starts == sorted(starts, reverse=True)


def test_a_page_has_25_calls_unless_asked_and_never_more_than_50(app, sim):
    for _ in range(4):
        sim.place("all")
    assert [len(app.ok("GET", f"/call{query}")["items"])
            for query in ("", "?limit=7", "?limit=50", "?limit=500")] == [25, 7, 50, 50]


def test_integers_are_strings_nulls_are_left_out_and_the_state_is_hangup(app, sim):
    (truth,) = sim.place("recorded")
    (call,) = walk(app)
    assert call["call_id"] == str(truth["call_id"])
    assert call["date_started"] == str(truth["started_ms"])
    assert call["date_ended"] == str(truth["ended_ms"])
    assert call["state"] == "hangup" and isinstance(call["duration"], float)
    assert isinstance(call["contact"]["id"], str) and "office_id" not in call["target"]
    assert call["recording_details"][0]["id"] == truth["recording_id"]
    assert call["recording_url"] == [call["recording_details"][0]["url"]]
    assert None not in call.values() and "date_queued" not in call
    assert abs(int(call["event_timestamp"]) - time.time() * 1000) < 60_000


def test_what_comes_after_the_end_is_there_too(app, sim):
    (truth,) = sim.place("voicemail")
    (call,) = walk(app)
    assert call["transcription_text"] == truth["transcription"]
    assert call["recording_details"][0]["recording_type"] == "voicemail"
    assert "date_connected" not in call and call["voicemail_share_link"]


def test_running_calls_are_not_in_the_list_but_can_be_asked_for(app, sim):
    (truth,) = sim.place("ongoing")
    assert walk(app) == []
    assert app.ok("GET", f"/call/{truth['call_id']}")["state"] == "connected"


def test_the_list_can_be_narrowed_in_time_and_to_a_target(app, sim):
    truths = ended(sim.place("missed,recorded,voicemail,ring_group"))
    starts = sorted(truth["started_ms"] for truth in truths)
    found = walk(app, f"&started_after={starts[1]}&started_before={starts[-1]}")
    assert ({int(call["date_started"]) for call in found}
            == {start for start in starts if starts[1] < start < starts[-1]})
    group = truths[3]
    (entry,) = walk(app, f"&target_type=department&target_id={group['target_id']}")
    assert entry["call_id"] == str(group["call_id"])


@pytest.mark.parametrize("query, status", [
    ("started_after=yesterday", 400), ("cursor=guessed", 400), ("limit=many", 400),
    ("target_type=call_center", 400), (f"started_after={DAY_MS}", 400),
    (f"started_after=0&started_before={30 * DAY_MS}", 400),
    (f"started_after=0&started_before={29 * DAY_MS}", 200)])
def test_what_cannot_be_read_or_spans_30_days_is_refused(app, query, status):
    assert app.call("GET", f"/api/v2/call?{query}").status == status


def test_companies_have_calls_of_their_own(app, sim):
    second = sim.state()["companies"][1]
    other = AppClient(sim).connect(second["users"][0]["email"])
    (mine,) = sim.place("missed")
    (theirs,) = sim.place("missed", company_id=second["company_id"])
    assert [call["call_id"] for call in walk(other)] == [str(theirs["call_id"])]
    assert other.call("GET", f"/api/v2/call/{mine['call_id']}").status == 404
    assert mine["internal_number"] != theirs["internal_number"]


def test_without_the_scope_there_are_no_recordings(sim):
    app = AppClient(sim).connect(scope="calls:list")
    sim.place("recorded")
    (call,) = walk(app)
    assert not {"recording_url", "recording_details"} & set(call)


def test_a_call_played_at_a_speed_is_concluded_only_when_it_is_over(app, sim):
    (truth,) = sim.place("missed", speed=15)
    assert walk(app) == []
    sim.wait_until_delivered()
    (call,) = walk(app)
    assert int(call["date_ended"]) == truth["ended_ms"] <= time.time() * 1000


def test_no_event_is_told_before_it_is_built(app, sim):
    sim.place("inbound_answered", speed=100)
    sim.wait_until_delivered()
    (truth,) = sim.truths()
    assert time.time() * 1000 >= truth["ended_ms"]
