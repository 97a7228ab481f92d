"""Tests of the scenarios, the fixtures and the signing: is it a fair stand-in?"""

import base64
import hashlib
import hmac
import json
import random
import re
from pathlib import Path

import pytest

from test.sim import jws
from test.sim.catalogue import DEMO, SCENARIOS, events_by_time, names_of, perform
from test.sim.model import CallTruth

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "dialpad"
START_MS = 1_770_243_109_824
KEY = b"a secret of the tests, 32 bytes."


def fixture(name: str) -> dict:
    return json.loads((FIXTURES / f"{name}.json").read_text())


def play(name: str, seed: str = "1"):
    return SCENARIOS[name].play(random.Random(seed), START_MS)


def bodies_of(name: str, state: str) -> list[dict]:
    return [event.claims for event in play(name).events if event.state == state]


every_scenario = pytest.mark.parametrize("name", SCENARIOS)

# --- the events ---------------------------------------------------------------------------

CAPTURED_KEYS = set(fixture("call_ringing_inbound_2024"))
HANGUP_KEYS = {"public_call_review_share_link", "company_call_review_share_link"}
LATER_KEYS = {"recording_url", "recap_summary", "recap_outcome", "recap_purposes",
              "recap_action_items"}
BEFORE_THE_END = {"calling", "queued", "ringing", "connected", "hold", "missed", "voicemail"}


@every_scenario
def test_the_same_dice_give_the_same_events(name):
    assert play(name) == play(name)
    assert play(name) != play(name, "2")


@every_scenario
@pytest.mark.parametrize("seed", range(5))
def test_every_event_of_a_leg_is_built_later_than_the_one_before(name, seed):
    last = {}
    for event in play(name, str(seed)).events:
        built = event.claims["event_timestamp"]
        assert built == START_MS + event.offset_ms
        assert built > last.get(event.dialpad_id, 0)
        last[event.dialpad_id] = built


@every_scenario
def test_call_bodies_have_the_captured_keys(name):
    for event in play(name).events:
        if event.kind == "call":
            extra = set(event.claims) - CAPTURED_KEYS
            assert CAPTURED_KEYS <= set(event.claims)
            if event.claims["date_ended"] is None:
                assert not extra
            else:
                assert HANGUP_KEYS <= extra <= HANGUP_KEYS | LATER_KEYS


@every_scenario
def test_text_bodies_have_the_captured_keys(name):
    captured = set(fixture("sms_inbound_2024"))
    for event in play(name).events:
        if event.kind == "sms":
            group = event.claims["target"]["type"] != "user"
            assert set(event.claims) == (captured if group else captured - {"admins"})


def kinds(value) -> object:
    """A value's shape: its JSON type, with the shapes inside."""
    if isinstance(value, dict):
        return {key: kinds(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [kinds(inner) for inner in value[:1]]
    return type(value).__name__


def with_plain_contact(name: str, state: str) -> dict:
    """The first such body over several seeds whose contact has a numeric id."""
    for seed in range(50):
        for event in play(name, str(seed)).events:
            if event.state == state and isinstance(event.claims["contact"]["id"], int):
                return event.claims
    raise AssertionError("no numeric contact in 50 plays")


def test_a_ringing_body_has_the_captured_types():
    assert kinds(with_plain_contact("missed", "ringing")) == kinds(
        fixture("call_ringing_inbound_2024"))


def test_an_outbound_hangup_has_the_types_of_the_reconstructed_one():
    ours = kinds(with_plain_contact("outbound_answered", "hangup"))
    theirs = kinds(fixture("call_hangup_outbound_2023"))
    assert ours["target"].pop("office_id") == "int"  # sent since 2024
    assert {key: ours[key] for key in theirs} == theirs


def test_a_group_text_has_the_captured_types():
    assert kinds(with_plain_contact("text_group", "pending")) == kinds(
        fixture("sms_inbound_2024"))


@every_scenario
def test_ids_survive_readers_that_keep_numbers_as_doubles(name):
    for event in play(name).events:
        for text in re.findall(r"[:\[](\d{16,})", jws.claim_bytes(event.claims).decode()):
            assert int(text) < 2**53


@every_scenario
def test_what_a_leg_once_knew_it_still_knows(name):
    known = {}
    for event in play(name).events:
        before = known.setdefault(event.dialpad_id, {})
        for key, value in before.items():
            if key.startswith("date_") and value is not None:
                assert event.claims[key] == value
        known[event.dialpad_id] = event.claims


def test_tampering_with_one_event_leaves_the_others_alone():
    first, second = play("inbound_answered").events[:2]
    first.claims["target"]["name"] = "changed"
    assert second.claims["target"]["name"] != "changed"


@every_scenario
def test_nothing_is_live_after_the_end(name):
    ended = set()
    for event in play(name).events:
        if event.kind == "call":
            assert not (event.dialpad_id in ended and event.state in BEFORE_THE_END)
            if event.state == "hangup":
                assert event.dialpad_id not in ended
                ended.add(event.dialpad_id)


@every_scenario
@pytest.mark.parametrize("seed", range(5))
def test_truths_agree_with_the_last_snapshot(name, seed):
    story = play(name, str(seed))
    last = {event.dialpad_id: event.claims for event in story.events}
    assert len(last) == len(story.truths)
    for truth in story.truths:
        if isinstance(truth, CallTruth):
            body = last[truth.call_id]
            assert truth.ended_ms == body["date_ended"]
            assert (truth.status in ("completed", "connected")) == (
                body["date_connected"] is not None)
            assert (truth.status == "connected") == (truth.ended_ms is None)
        else:
            assert truth.status == last[truth.message_id]["message_status"]


STATES = {
    "inbound_answered": "ringing connected hangup",
    "outbound_answered": "calling connected hangup",
    "missed": "ringing missed hangup",
    "gave_up_at_once": "ringing hangup",
    "abandoned_in_queue": "queued hangup",
    "voicemail": "ringing voicemail hangup voicemail_uploaded transcription",
    "voicemail_empty": "ringing voicemail hangup",
    "recorded": "ringing connected hangup recording",
    "recap": "ringing connected hangup recap_summary recap_outcome recap_purposes "
             "recap_action_items",
    "hold_and_retrieve": "ringing connected hold connected hangup",
    "ongoing": "ringing connected",
    "text_inbound": "pending",
    "text_delivered": "pending success",
    "text_failed": "pending failed",
}


@pytest.mark.parametrize("name", STATES)
def test_states_come_in_the_order_of_the_story(name):
    assert [event.state for event in play(name).events] == STATES[name].split()


@pytest.mark.parametrize("name, members, group", [("ring_group", 3, "department"),
                                                  ("queue_answered", 2, "call_center")])
def test_the_legs_of_a_ring_group_are_linked(name, members, group):
    story = play(name)
    entry, *operators = story.truths
    winner = next(leg for leg in operators if leg.status == "completed")
    assert (entry.target_type, entry.entry_point_call_id) == (group, None)
    assert entry.operator_call_id == winner.call_id
    assert len(operators) == members
    assert len({leg.call_id for leg in operators} | {entry.call_id}) == members + 1
    assert {leg.entry_point_call_id for leg in operators} == {entry.call_id}
    assert {leg.external_number for leg in operators} == {entry.external_number}
    assert sorted(leg.status for leg in operators) == (
        ["completed"] + ["missed"] * (members - 1))


def test_operator_legs_carry_the_entry_points_target():
    legs = [event.claims for event in play("ring_group").events
            if event.claims["entry_point_call_id"]]
    assert {body["entry_point_target"]["type"] for body in legs} == {"department"}


def test_a_transferred_call_has_a_second_leg_under_the_first():
    first, second = play("transferred").truths
    assert first.is_transferred and second.is_transferred
    assert (first.master_call_id, second.master_call_id) == (None, first.call_id)
    assert first.target_id != second.target_id


def test_a_late_ringing_body_already_knows_the_end():
    (body,) = bodies_of("gave_up_at_once", "ringing")
    assert body["date_ended"] > body["date_started"] and body["duration"] == 0.0


def test_hold_time_is_not_talk_time():
    (body,) = bodies_of("hold_and_retrieve", "hangup")
    connected_ms = body["date_ended"] - body["date_connected"]
    assert body["talk_time"] + body["hold_time"] == connected_ms
    assert body["hold_time"] > 0 and body["duration"] == pytest.approx(connected_ms, abs=1)


def test_only_an_uploaded_voicemail_has_a_recording_id():
    assert bodies_of("voicemail_empty", "hangup")[0]["voicemail_recording_id"] is None
    (body,) = bodies_of("voicemail", "voicemail_uploaded")
    assert body["recording_details"][0]["id"] == str(body["voicemail_recording_id"])


def test_a_recap_key_comes_on_its_own_state_only():
    for event in play("recap").events:
        assert {key for key in event.claims if key.startswith("recap_")} == (
            {event.state} if event.state.startswith("recap_") else set())


INVENTED = {
    "voicemail": ("voicemail", "voicemail"),
    "voicemail_uploaded": ("voicemail", "voicemail_uploaded"),
    "transcription": ("voicemail", "transcription"),
    "recording": ("recorded", "recording"),
    "recap_summary": ("recap", "recap_summary"),
    "recap_outcome": ("recap", "recap_outcome"),
    "recap_purposes": ("recap", "recap_purposes"),
    "recap_action_items": ("recap", "recap_action_items"),
    "queued": ("abandoned_in_queue", "queued"),
    "hold": ("hold_and_retrieve", "hold"),
    "sms_status_success": ("text_delivered", "success"),
    "sms_status_failed": ("text_failed", "failed"),
    "sms_mms": ("text_picture", "pending"),
}


def test_every_invented_fixture_is_one_the_simulator_can_make():
    assert {path.stem.removeprefix("invented_")
            for path in FIXTURES.glob("invented_*.json")} == set(INVENTED)


@pytest.mark.parametrize("name", INVENTED)
def test_invented_fixtures_have_the_shape_of_the_simulators_events(name):
    scenario, state = INVENTED[name]
    stored = kinds(fixture(f"invented_{name}"))
    made = kinds(bodies_of(scenario, state)[0])
    for shape in (stored, made):
        del shape["contact"]["id"]  # a number or a string
    assert stored == made


def test_a_demo_ends_now_and_began_minutes_ago():
    plays = perform(names_of("demo"), len(DEMO), "1", START_MS)
    stamps = [event.claims["event_timestamp"] for event in events_by_time(plays)]
    assert stamps == sorted(stamps) and stamps[-1] == START_MS
    assert START_MS - 10 * 60 * 1000 < stamps[0] < START_MS - 4 * 60 * 1000
    assert plays[-1].truths[0].status == "connected"


# --- signing ------------------------------------------------------------------------------

# RFC 7515, appendix A.1: header, claims and key as printed there, line ends included.
RFC_HEADER = b'{"typ":"JWT",\r\n "alg":"HS256"}'
RFC_CLAIMS = b'{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}'
RFC_KEY = ("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3"
           "Yj0iPS4hcgUuTwjAzZr1Z9CAow")
RFC_TOKEN = ("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
             ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9p"
             "c19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")


def test_the_example_of_rfc_7515_comes_out_byte_for_byte():
    key = base64.urlsafe_b64decode(RFC_KEY + "==")
    assert jws.mint(RFC_CLAIMS, key, header=RFC_HEADER) == RFC_TOKEN


def test_one_bit_is_enough_to_spoil_a_signature():
    good, bad = jws.mint(b"{}", KEY), jws.mint(b"{}", KEY, spoil_signature=True)
    assert good.rsplit(".", 1)[0] == bad.rsplit(".", 1)[0] and good != bad


def test_other_algorithms_are_named_and_used():
    head, claims, signature = jws.mint(b"no json", KEY, alg="HS512").split(".")
    assert base64.urlsafe_b64decode(head + "==") == b'{"alg":"HS512","typ":"JWT"}'
    wanted = hmac.new(KEY, f"{head}.{claims}".encode(), hashlib.sha512).digest()
    assert base64.urlsafe_b64decode(signature + "==") == wanted
    assert jws.mint(b"{}", KEY, alg="none").endswith(".")
