"""Tests of the checks against Dialpad's API description.

The walk at the end goes through every operation, so that each answer's shape is checked.
"""

import pytest

from test.sim.app_client import AppClient
from test.sim.spec.operations import Spec
from test.sim.spec.schema import Schemas
from test.sim.web import api
from test.sim.web.routes import ROUTES

URL = "http://127.0.0.1:1/hook"
SPEC = Spec()


def grave_and_harmless(name: str, query: str = "", body: bytes = b"",
                       kind: str = "application/json") -> tuple[list[str], list[str]]:
    method, path = name.split(" ")
    flaws = SPEC.request_flaws(SPEC.find(method, path), query, kind, body)
    return ([f"{flaw.where} {flaw.what}" for flaw in flaws if flaw.grave],
            [f"{flaw.where} {flaw.what}" for flaw in flaws if not flaw.grave])


WEBHOOKS, CALLS, SUBSCRIBE = ("POST /api/v2/webhooks", "GET /api/v2/call",
                              "POST /api/v2/subscriptions/call")


@pytest.mark.parametrize("name, body", [
    (WEBHOOKS, b'{"hook_url": "https://x", "secret": "y"}'),
    (WEBHOOKS, b'{"hook_url": "https://x", "secret": null}'),
    (SUBSCRIBE, b'{"endpoint_id": 9007199254740993, "call_states": ["hangup"]}'),
    (SUBSCRIBE, b'{"endpoint_id": "9007199254740993", "enabled": false}'),
    ("POST /oauth2/token", b'{"grant_type": "authorization_code", "code": "x", '
                           b'"client_id": "x", "client_secret": "x", "code_verifier": "x", '
                           b'"redirect_uri": "x"}'),
    ("POST /oauth2/token", b'{"grant_type": "refresh_token", "refresh_token": "x"}')])
def test_right_bodies_have_no_flaws(name, body):
    assert grave_and_harmless(name, body=body) == ([], [])


@pytest.mark.parametrize("name, body, flaw", [
    (WEBHOOKS, b'{}', "body.hook_url is missing"),
    (WEBHOOKS, b'{"hook_url": 1}', "body.hook_url is no string"),
    (WEBHOOKS, b'[]', "body is no object"),
    (WEBHOOKS, b'{', "body cannot be read"),
    (WEBHOOKS, b'', "body cannot be read"),
    (SUBSCRIBE, b'{"endpoint_id": "one"}', "body.endpoint_id is no integer"),
    (SUBSCRIBE, b'{"endpoint_id": 1.5}', "body.endpoint_id is no integer"),
    (SUBSCRIBE, b'{"endpoint_id": true}', "body.endpoint_id is no integer"),
    (SUBSCRIBE, b'{"call_states": "all"}', "body.call_states is no array"),
    (SUBSCRIBE, b'{"call_states": ["all", "on_hold"]}',
     "body.call_states[1] is none of the words allowed"),
    ("POST /oauth2/token", b'{"grant_type": "refresh_token"}',
     "body.refresh_token is missing")])
def test_wrong_bodies_are_found_without_quoting_them(name, body, flaw):
    grave, _ = grave_and_harmless(name, body=body)
    assert grave == [flaw]


@pytest.mark.parametrize("name, query, flaw", [
    (CALLS, "started_after=now", "query.started_after is no integer"),
    (CALLS, "target_type=call_center", "query.target_type is none of the words allowed"),
    (CALLS, "cursor=1&cursor=2", "query.cursor is given twice"),
    ("GET /api/v2/offices", "active_only=1", "query.active_only is no boolean"),
    ("GET /oauth2/authorize", "client_id=1", "query.redirect_uri is missing"),
    ("GET /api/v2/webhooks/one", "", "path.id is no integer")])
def test_wrong_parameters_are_found(name, query, flaw):
    assert grave_and_harmless(name, query)[0] == [flaw]


@pytest.mark.parametrize("name, query, body, kind, flaw", [
    (CALLS, "number=1", b"", "", "query.number is not in the description"),
    (WEBHOOKS, "", b'{"hook_url": "x", "name": "y"}', "application/json",
     "body.name is not in the description"),
    (SUBSCRIBE, "", b'{"webhook_id": 1}', "application/json",
     "body.webhook_id is not in the description"),
    (CALLS, "", b"{}", "application/json", "body should be empty"),
    (WEBHOOKS, "", b'{"hook_url": "x"}', "text/plain",
     "Content-Type is not application/json"),
    ("POST /oauth2/token", "", b"grant_type=refresh_token&refresh_token=x",
     "application/x-www-form-urlencoded", "body is a form, not JSON")])
def test_what_dialpad_passes_over_is_found_all_the_same(name, query, body, kind, flaw):
    assert grave_and_harmless(name, query, body, kind) == ([], [flaw])


def test_lists_take_a_limit():
    assert grave_and_harmless(CALLS, "limit=50&cursor=x") == ([], [])


@pytest.mark.parametrize("status, body, flaws", [
    (200, b'{"id": "1", "hook_url": "x"}', []), (400, b"whatever", []),
    (201, b"{}", ["status 201 is not in the description"]),
    (200, b'{"id": "x"}', ["body.id is no integer"]),
    (200, b'{"url": "x"}', ["body.url is not in the description"])])
def test_answers_are_checked_too(status, body, flaws):
    found = SPEC.answer_flaws(SPEC.find("POST", "/api/v2/webhooks"), status, body)
    assert [f"{flaw.where} {flaw.what}" for flaw in found] == flaws


def test_a_keyword_that_the_checker_does_not_know_is_not_passed_over():
    with pytest.raises(ValueError, match="minLength"):
        Schemas({"one": {"type": "object", "properties": {
            "two": {"type": "string", "minLength": 1}}}})


# --- the simulator itself -----------------------------------------------------------------


def test_every_operation_of_the_description_is_served():
    assert set(SPEC.operations()) <= {f"{method} {path}" for method, path in ROUTES}


def walk(app: AppClient) -> None:
    """Every operation, with answers that are as full as they get."""
    webhook = app.hook(URL)
    app.sim.place("all")
    app.sim.place("all")
    for path in ("/users/me", "/company", "/offices", "/webhooks", "/subscriptions/call",
                 "/subscriptions/sms", "/call?limit=50"):
        app.ok("GET", path)
    app.ok("GET", f"/call/{app.ok('GET', '/call')['items'][0]['call_id']}")
    for kind, change in (("call", {"call_states": ["all"]}), ("sms", {"status": False})):
        one = app.ok("GET", f"/subscriptions/{kind}")["items"][0]["id"]
        app.ok("PATCH", f"/subscriptions/{kind}/{one}", change)
        app.ok("GET", f"/subscriptions/{kind}/{one}")
        app.ok("DELETE", f"/subscriptions/{kind}/{one}")
    app.ok("PATCH", f"/webhooks/{webhook}", {"secret": "another"})
    app.ok("GET", f"/webhooks/{webhook}")
    app.ok("DELETE", f"/webhooks/{webhook}")
    assert app.call("POST", "/oauth2/deauthorize").status == 204


def test_a_walk_through_all_operations_keeps_to_the_description(app, sim):
    sim.set(company_per_second=0)
    app.call("GET", app.authorize_url().removeprefix(sim.url))
    walk(app)
    sim.assert_description_kept()
    served = {operation.name for operation in (
        SPEC.find(one["method"], one["path"]) for one in sim.requests())}
    assert served == set(SPEC.operations())


def test_a_request_that_breaks_the_description_is_shown(app, sim):
    reply = app.call("POST", "/api/v2/webhooks", {"hook_url": URL, "name": "a secret"})
    assert reply.status == 200
    assert sim.violations() == [{
        "side": "request", "operation": "POST /api/v2/webhooks", "where": "body.name",
        "what": "is not in the description"}]
    with pytest.raises(AssertionError, match="body.name is not in the description"):
        sim.assert_description_kept()
    sim.forget_violations()
    sim.assert_description_kept()


def test_an_answer_that_breaks_the_description_is_shown(app, sim, monkeypatch):
    monkeypatch.setattr(api, "company_json", lambda cast: {"id": "one", "state": "active"})
    app.ok("GET", "/company")
    assert sim.violations() == [{"side": "answer", "operation": "GET /api/v2/company",
                                 "where": "body.id", "what": "is no integer"}]


def test_requests_that_fail_for_another_reason_are_checked_as_well(app, sim):
    sim.fault("/api/v2/webhooks", "answer")
    assert app.call("POST", "/api/v2/webhooks", {}).status == 500
    assert app.call("POST", "/api/v2/webhooks", {}, token="guessed").status == 401
    assert [one["where"] for one in sim.violations()] == ["body.hook_url"] * 2


def test_an_operation_that_is_not_described_is_shown(app, sim):
    assert app.call("PUT", "/api/v2/call/1/labels", {}).status == 404
    (violation,) = sim.violations()
    assert violation["operation"] == "PUT /api/v2/call/1/labels"
