"""Tests of webhooks and subscriptions: what they are, what they allow, what they deliver."""

import base64
import json

import pytest

from test.sim import jws
from test.sim.app_client import AppClient
from test.sim.flaky_server import FlakyServer

URL = "http://127.0.0.1:1/hook"


def claims_of(server: FlakyServer, secret: str = "a secret") -> list[dict]:
    """The bodies' claims; their signatures are checked."""
    found = []
    for body in server.bodies:
        coded = body.split(".")[1]
        claims = base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4))
        assert jws.mint(claims, secret.encode()) == body
        found.append(json.loads(claims))
    return found


# --- the objects --------------------------------------------------------------------------


def test_a_webhook_is_made_listed_changed_and_deleted(app):
    made = app.ok("POST", "/webhooks", {"hook_url": URL, "secret": "one"})
    assert isinstance(made["id"], str)
    assert made["signature"] == {"algo": "HS256", "type": "jwt", "secret": "one"}
    assert app.ok("GET", "/webhooks") == {"items": [made]}
    changed = app.ok("PATCH", f"/webhooks/{made['id']}", {"secret": "two"})
    assert changed == made | {"signature": made["signature"] | {"secret": "two"}}
    assert app.ok("GET", f"/webhooks/{made['id']}") == changed
    assert app.ok("DELETE", f"/webhooks/{made['id']}") == changed
    for method in ("GET", "DELETE"):
        assert app.call(method, f"/api/v2/webhooks/{made['id']}").status == 404
    assert app.call("PATCH", f"/api/v2/webhooks/{made['id']}", {}).status == 404


def test_without_a_secret_there_is_no_signature(app):
    assert set(app.ok("POST", "/webhooks", {"hook_url": URL})) == {"id", "hook_url"}


@pytest.mark.parametrize("given", [{}, {"hook_url": None}, {"hook_url": 1},
                                   {"hook_url": "no url"},
                                   {"hook_url": URL, "secret": "two\nlines"}])
def test_a_webhook_needs_a_url_and_a_secret_of_one_line(app, given):
    assert app.call("POST", "/api/v2/webhooks", given).status == 400


def test_lists_come_in_pages(app, sim):
    sim.set(list_page=2, company_per_second=0)
    ids = [app.ok("POST", "/webhooks", {"hook_url": URL})["id"] for _ in range(5)]
    seen, cursor, pages = [], "", 0
    while cursor is not None:
        page = app.ok("GET", f"/webhooks?cursor={cursor}" if cursor else "/webhooks")
        seen += [webhook["id"] for webhook in page["items"]]
        cursor, pages = page.get("cursor"), pages + 1
    assert (seen, pages) == (ids, 3)
    assert app.call("GET", "/api/v2/webhooks?cursor=-").status == 400


def test_companies_do_not_see_each_others_webhooks(app, sim):
    other = AppClient(sim).connect(sim.state()["companies"][1]["users"][0]["email"])
    mine = app.hook(URL)
    assert other.ok("GET", "/webhooks") == {"items": []}
    assert other.ok("GET", "/subscriptions/call") == {"items": []}
    assert other.call("DELETE", f"/api/v2/webhooks/{mine}").status == 404
    reply = other.call("POST", "/api/v2/subscriptions/call", {"endpoint_id": mine})
    assert reply.status == 404


@pytest.mark.parametrize("kind, extra, defaults", [
    ("call", {"call_states": ["hangup"]}, {"enabled": True, "group_calls_only": False}),
    ("sms", {"direction": "inbound"}, {"enabled": True, "include_internal": False,
                                       "status": False})])
def test_a_subscription_is_made_listed_changed_and_deleted(app, kind, extra, defaults):
    webhook = app.ok("POST", "/webhooks", {"hook_url": URL, "secret": "one"})
    path = f"/subscriptions/{kind}"
    made = app.ok("POST", path, {"endpoint_id": int(webhook["id"])} | extra)
    assert made == {"id": made["id"], "webhook": webhook} | extra | defaults
    assert app.ok("GET", path) == {"items": [made]}
    one = f"{path}/{made['id']}"
    assert app.ok("PATCH", one, {"enabled": False}) == made | {"enabled": False}
    assert app.ok("GET", one)["enabled"] is False
    assert app.ok("DELETE", one)["id"] == made["id"]
    assert app.call("GET", f"/api/v2{one}").status == 404
    assert app.ok("GET", path) == {"items": []}


def test_a_subscription_can_go_to_another_webhook_by_its_old_name_too(app):
    app.hook(URL)
    second = app.ok("POST", "/webhooks", {"hook_url": URL + "2"})
    (one,) = app.ok("GET", "/subscriptions/call")["items"]
    for name in ("endpoint_id", "webhook_id"):
        changed = app.ok("PATCH", f"/subscriptions/call/{one['id']}",
                         {name: int(second["id"])})
        assert changed["webhook"] == second


@pytest.mark.parametrize("kind, given, status", [
    ("call", {"endpoint_id": None}, 400),
    ("call", {"endpoint_id": 1}, 404),
    ("call", {"call_states": ["sms.received"]}, 400),
    ("call", {"target_type": "office"}, 400),
    ("call", {"target_type": "office", "target_id": 1}, 404),
    ("call", {"target_type": "call_center", "target_id": 1}, 400),
    ("sms", {}, 400),
    ("sms", {"direction": "both"}, 400)])
def test_a_subscription_that_makes_no_sense_is_refused(app, kind, given, status):
    webhook = int(app.ok("POST", "/webhooks", {"hook_url": URL})["id"])
    body = {name: value for name, value in ({"endpoint_id": webhook} | given).items()
            if value is not None}
    assert app.call("POST", f"/api/v2/subscriptions/{kind}", body).status == status


def test_the_caps_are_dialpads(app, sim):
    sim.set(company_per_second=0)
    office = app.ok("GET", "/offices")["items"][0]["id"]
    webhook = int(app.ok("POST", "/webhooks", {"hook_url": URL})["id"])
    for_company = {"endpoint_id": webhook}
    for_office = for_company | {"target_type": "office", "target_id": int(office)}
    for _ in range(10):
        app.ok("POST", "/subscriptions/call", for_company)
    assert app.call("POST", "/api/v2/subscriptions/call", for_company).status == 400
    for _ in range(90):
        app.ok("POST", "/subscriptions/call", for_office)
    assert app.call("POST", "/api/v2/subscriptions/call", for_office).status == 400
    app.ok("POST", "/subscriptions/sms", for_company | {"direction": "all"})


def test_lists_can_be_narrowed_to_a_target(app):
    app.hook(URL)
    office = app.ok("GET", "/offices")["items"][0]["id"]
    target = {"target_type": "office", "target_id": int(office)}
    webhook = int(app.ok("GET", "/webhooks")["items"][0]["id"])
    made = app.ok("POST", "/subscriptions/call", {"endpoint_id": webhook} | target)
    path = f"/subscriptions/call?target_type=office&target_id={office}"
    assert app.ok("GET", path) == {"items": [made]}
    assert (made["target_type"], made["target_id"]) == ("office", office)


# --- what they deliver --------------------------------------------------------------------


def test_only_the_states_subscribed_are_delivered_signed(app, sim):
    with FlakyServer() as server:
        app.hook(server.url, call={"call_states": ["hangup", "recording"]})
        (truth,) = sim.place("recorded")
        told = sim.wait_until_delivered()
    assert sorted(claims["state"] for claims in claims_of(server)) == ["hangup", "recording"]
    assert {claims["call_id"] for claims in claims_of(server)} == {truth["call_id"]}
    assert all(one["acknowledged"] for one in told) and len(told) == 2


@pytest.mark.parametrize("states", [{}, {"call_states": ["all"]}])
def test_all_states_come_if_asked_or_if_none_is_named(app, sim, states):
    with FlakyServer() as server:
        app.hook(server.url, call=states)
        sim.place("missed")
        sim.wait_until_delivered()
    assert {one["state"] for one in claims_of(server)} == {"ringing", "missed", "hangup"}


def test_without_a_secret_the_body_is_the_bare_object(app, sim):
    with FlakyServer() as server:
        app.hook(server.url, secret=None)
        sim.send_text("hello")
        sim.wait_until_delivered()
    assert [json.loads(body)["text"] for body in server.bodies] == ["hello"]


@pytest.mark.parametrize("options, statuses", [
    ({}, ["pending", "success"]), ({"status": False}, ["pending"]),
    ({"direction": "inbound"}, []), ({"direction": "outbound"}, ["pending", "success"]),
    ({"enabled": False}, [])])
def test_texts_come_by_direction_and_updates_only_if_asked(app, sim, options, statuses):
    with FlakyServer() as server:
        app.hook(server.url, sms=options)
        sim.place("text_delivered")
        sim.wait_until_delivered()
    assert sorted(one["message_status"] for one in claims_of(server)) == statuses


def test_a_subscription_for_a_target_gets_its_legs_and_those_that_came_through_it(app, sim):
    with FlakyServer() as server:
        webhook = int(app.ok("POST", "/webhooks",
                             {"hook_url": server.url, "secret": "a secret"})["id"])
        truths = sim.place("ring_group,missed,missed")
        group = truths[0]["target_id"]
        app.ok("POST", "/subscriptions/call",
               {"endpoint_id": webhook, "target_type": "department", "target_id": group})
        legs = {truth["call_id"] for truth in sim.place("ring_group")}
        sim.place("missed")
        sim.wait_until_delivered()
    assert {claims["call_id"] for claims in claims_of(server)} == legs and len(legs) == 4


def test_two_webhooks_get_a_copy_each_with_their_own_secret(app, sim):
    with FlakyServer() as old, FlakyServer() as new:
        app.hook(old.url, "old")
        app.hook(new.url, "new")
        sim.place("missed")
        sim.wait_until_delivered()
    assert sorted(map(str, claims_of(old, "old"))) == sorted(map(str, claims_of(new, "new")))
    assert len(old.bodies) == 3


def test_a_deleted_webhook_gets_nothing_and_leaves_its_subscriptions_behind(app, sim):
    with FlakyServer() as server:
        webhook = app.hook(server.url)
        app.ok("DELETE", f"/webhooks/{webhook}")
        sim.place("missed,text_inbound")
        assert sim.wait_until_delivered() == [] and server.bodies == []
    (left,) = app.ok("GET", "/subscriptions/call")["items"]
    assert "webhook" not in left


def test_events_of_other_companies_are_not_delivered(app, sim):
    other = sim.state()["companies"][1]["company_id"]
    with FlakyServer() as server:
        app.hook(server.url)
        sim.place("missed", company_id=other)
        assert sim.wait_until_delivered() == []


def test_refused_events_are_tried_again_and_a_4xx_is_the_end(app, sim):
    with FlakyServer(503, 500) as server:
        app.hook(server.url, call={"call_states": ["hangup"]})
        sim.place("missed")
        (told,) = sim.wait_until_delivered()
    assert [one["status"] for one in told["attempts"]] == [503, 500, 200]
    with FlakyServer(429) as server:
        app.hook(server.url, call={"call_states": ["missed"]})
        sim.place("missed")
        lost = [one for one in sim.wait_until_delivered() if one["state"] == "missed"]
    assert [[a["status"] for a in one["attempts"]] for one in lost] == [[429]]
    assert not lost[0]["acknowledged"] and lost[0]["settled"]


# --- what scopes let through --------------------------------------------------------------


def test_recordings_come_only_if_the_token_that_subscribed_had_the_scope(sim):
    with FlakyServer() as server:
        app = AppClient(sim).connect(scope="calls:list")
        app.hook(server.url, call={"call_states": ["recording"]})
        sim.change_scopes(["recordings_export"])  # comes too late for this subscription
        sim.place("recorded")
        sim.wait_until_delivered()
        (claims,) = claims_of(server)
        assert "recording_url" not in claims and claims["recording_details"] == []
        app.hook(server.url, call={"call_states": ["recording"]})
        sim.place("recorded")
        sim.wait_until_delivered()
    assert sum("recording_url" in claims for claims in claims_of(server)) == 1


@pytest.mark.parametrize("scope, targeted, has_words", [
    ("message_content_export:all", False, True), ("message_content_export", False, False),
    ("message_content_export", True, True), ("calls:list", True, False)])
def test_words_come_by_scope_and_for_the_whole_company_by_a_wider_one(
        sim, scope, targeted, has_words):
    app = AppClient(sim).connect(scope=scope)
    target = {"target_type": "user", "target_id": int(app.ok("GET", "/users/me")["id"])}
    with FlakyServer() as server:
        app.hook(server.url, sms=target if targeted else {})
        while not server.bodies:  # texts go to whichever agent the dice choose
            sim.send_text("hello")
            sim.wait_until_delivered()
    claims = claims_of(server)[0]
    assert ("text" in claims, "text_content" in claims) == (has_words, has_words)
