"""Logins that come to nothing: each says why, and leaves everything as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from cti import Stack
from login import PAGE, Browser, query_of, with_query
from web import Answer

from test.sim.client import Simulator


@pytest.fixture
def app_id(linked: Stack, request: pytest.FixtureRequest) -> str:
    return linked.admin("POST", "/apps", {"name": request.node.name})["app_id"]


@pytest.fixture(autouse=True)
def no_faults_left(dialpad: Simulator) -> Iterator[None]:
    yield
    dialpad.clear_faults()


def connection(stack: Stack, app_id: str) -> dict:
    return stack.admin("GET", f"/apps/{app_id}/connection")


def assert_untouched(stack: Stack, app_id: str) -> None:
    assert connection(stack, app_id)["state"] == "never_connected"
    assert stack.sql("SELECT 1 FROM jobs WHERE app_id = %s", app_id) == []


def company_of(dialpad: Simulator, place: int) -> dict:
    return dialpad.state()["companies"][place]


def invite(stack: Stack, app_id: str) -> None:
    stack.admin("POST", f"/apps/{app_id}/connect-link")


# What the person says


def test_who_denies_access_is_told_that_nothing_happened(linked: Stack, dialpad, app_id):
    for accept in ("application/json", PAGE):
        answer = Browser(accept).connect(linked, dialpad, app_id, user="deny")
        assert answer.status == 400 and b"Access was denied at Dialpad" in answer.body
    assert_untouched(linked, app_id)
    assert linked.sql("SELECT 1 FROM oauth_states WHERE app_id = %s", app_id) == []


def test_an_error_without_a_state_is_told_too(linked: Stack):
    answer = Browser().get(f"{linked.apid.url}/auth/dialpad/callback?error=access_denied")
    assert answer.status == 400 and b"Access was denied" in answer.body


def test_only_a_word_of_dialpads_error_is_repeated(linked: Stack):
    url = f"{linked.apid.url}/auth/dialpad/callback"
    shown = Browser(PAGE).get(f"{url}?error=odd_thing&error_description=Call+555").body.decode()
    assert "odd_thing" in shown and "555" not in shown
    assert "script" not in Browser(PAGE).get(f"{url}?error=<script>").body.decode()
    assert Browser().get(f"{url}?error=server_error").status == 502


# The state


@pytest.mark.parametrize("change", [
    {"state": None}, {"state": ""}, {"state": "x" * 43}, {"state": "x" * 9000}])
def test_a_state_that_nobody_gave_out_is_refused(linked: Stack, dialpad, app_id, change: dict):
    browser = Browser()
    callback = dialpad.login(browser.begin(linked, app_id))
    answer = browser.get(with_query(callback, **change))
    assert answer.status == 400 and "state" in answer.json()["detail"]
    assert_untouched(linked, app_id)


def test_a_state_is_good_for_one_callback(linked: Stack, dialpad: Simulator, app_id):
    browser = Browser()
    callback = dialpad.login(browser.begin(linked, app_id))
    cookies = dict(browser.cookies)
    assert browser.get(callback).status == 200
    browser.cookies = cookies
    dialpad.forget_requests()
    assert browser.get(callback).status == 400
    # workerd may be busy with the webhook meanwhile.
    assert [r for r in dialpad.requests() if "/webhooks" not in r["path"]
            and "/subscriptions" not in r["path"]] == []


def test_a_login_belongs_to_the_browser_that_began_it(linked: Stack, dialpad: Simulator, app_id):
    browser = Browser()
    callback = dialpad.login(browser.begin(linked, app_id))
    [(name, value)] = browser.cookies.items()
    for cookies in ({}, {name: "x" * 43}, {name: ""}, {"cti_login_0": value}):
        thief = Browser()
        thief.cookies = cookies
        answer = thief.get(callback)
        assert answer.status == 400 and "another browser" in answer.json()["detail"]
    assert_untouched(linked, app_id)
    assert browser.get(callback).status == 200  # the thief has not used it up


def test_a_login_has_ten_minutes(linked: Stack, dialpad: Simulator, app_id):
    browser = Browser()
    callback = dialpad.login(browser.begin(linked, app_id))
    linked.sql("UPDATE oauth_states SET expires_at = now() WHERE app_id = %s", app_id)
    assert browser.get(callback).status == 400
    assert_untouched(linked, app_id)


def test_a_login_of_the_other_environment_begins_anew(linked: Stack, dialpad, app_id):
    browser = Browser()
    callback = dialpad.login(browser.begin(linked, app_id))
    linked.sql("UPDATE oauth_states SET environment = 'production' WHERE app_id = %s", app_id)
    answer = browser.get(callback)
    assert answer.status == 400 and "production" in answer.json()["detail"]


def test_without_a_code_there_is_nothing_to_exchange(linked: Stack, dialpad, app_id):
    browser = Browser()
    callback = dialpad.login(browser.begin(linked, app_id))
    answer = browser.get(with_query(callback, code=None))
    assert answer.status == 400 and "code" in answer.json()["detail"]


# What Dialpad does


@pytest.mark.parametrize(("path", "fault", "said"), [
    ("/oauth2/token", {"status": 500}, "trouble"),
    ("/oauth2/token", {"status": 429}, "trouble"),
    ("/oauth2/token", {"kind": "drop"}, "trouble"),
    ("/oauth2/token", {"kind": "lost"}, "trouble"),
    ("/oauth2/token", {"status": 200, "body": '{"items": ['}, "could not be used"),
    ("/oauth2/token", {"status": 200, "body": "{}"}, "could not be used"),
    ("/oauth2/token", {"status": 302, "body": ""}, "could not be used"),
    ("/oauth2/token", {"status": 400, "body": '{"error": "invalid_grant"}'}, "did not accept"),
    ("/oauth2/token", {"status": 401, "body": '{"error": "invalid_client"}'}, "client id"),
    ("/api/v2/users/me", {"status": 503}, "trouble"),
    ("/api/v2/users/me", {"status": 200, "body": "[]"}, "could not be used"),
    ("/api/v2/users/me", {"status": 401}, "trouble"),
    ("/api/v2/company", {"status": 500}, "trouble"),
    ("/api/v2/company", {"status": 200, "body": '{"id": "1"}'}, "could not be used"),
])
def test_trouble_at_dialpad_is_a_502_in_words(linked: Stack, dialpad: Simulator, app_id,
                                              path: str, fault: dict, said: str):
    for accept in ("application/json", PAGE):
        dialpad.fault(path, **fault)
        answer = Browser(accept).connect(linked, dialpad, app_id)
        assert answer.status == 502 and said in answer.body.decode(), answer.body
    assert_untouched(linked, app_id)


def test_a_slow_dialpad_is_not_waited_for_longer_than_eight_seconds(linked: Stack, dialpad, app_id):
    dialpad.fault("/oauth2/token", "slow", seconds=9)
    assert Browser().connect(linked, dialpad, app_id).status == 502


def test_too_many_requests_are_waited_out(linked: Stack, dialpad: Simulator, app_id):
    dialpad.fault("/api/v2/users/me", status=429, times=2)
    dialpad.fault("/api/v2/company", status=429, headers={"Retry-After": "1"})
    assert Browser().connect(linked, dialpad, app_id).status == 200


def test_offices_that_cannot_be_had_are_no_obstacle(linked: Stack, dialpad: Simulator, app_id):
    assert Browser().connect(linked, dialpad, app_id).status == 200
    offices = "SELECT office_ids FROM dialpad_connections WHERE app_id = %s"
    known = linked.sql(offices, app_id)
    invite(linked, app_id)
    dialpad.fault("/api/v2/offices", status=500)
    assert Browser().connect(linked, dialpad, app_id).status == 200
    assert linked.sql(offices, app_id) == known != [([],)]


def test_a_scope_that_is_not_approved_is_named(run_stack, dialpad: Simulator):
    with run_stack({"apid": {"DIALPAD_SCOPES": "calls:list screen_pop"}}, dialpad=dialpad) as stack:
        dialpad.register_client(**stack.dialpad_client, scopes=["calls:list"])
        app_id = stack.admin("POST", "/apps", {"name": "a"})["app_id"]
        answer = Browser().connect(stack, dialpad, app_id)
        assert answer.status == 400 and "screen_pop" in answer.json()["detail"]
        assert "DIALPAD_SCOPES" in answer.json()["detail"]


# What is connected, but not as well as it might be


def warnings(answer: Answer) -> str:
    assert answer.status == 200, answer.body
    return " ".join(answer.json()["warnings"])


def test_a_missing_refresh_token_is_said_plainly(linked: Stack, dialpad: Simulator, app_id):
    token = token_of(linked, dialpad)
    dialpad.fault("/oauth2/token", status=200, body=json.dumps(
        {"access_token": token, "expires_in": 3600}))
    said = warnings(Browser().connect(linked, dialpad, app_id))
    assert "no refresh token" in said and "offline_access" in said
    shown = connection(linked, app_id)
    assert shown["state"] == "connected" and shown["has_refresh_token"] is False
    assert "no refresh token" in shown["last_error"]


def token_of(stack: Stack, dialpad: Simulator) -> str:
    """A good access token of the first company's admin, from another connection."""
    other = stack.admin("POST", "/apps", {"name": "other"})["app_id"]
    assert Browser().connect(stack, dialpad, other).status == 200
    return dialpad.state()["access_tokens"][-1]["value"]


def test_a_scope_that_was_not_granted_is_said_plainly(linked: Stack, dialpad: Simulator, app_id):
    token = token_of(linked, dialpad)
    dialpad.fault("/oauth2/token", status=200, body=json.dumps(
        {"access_token": token, "scope": "calls:list offline_access"}))
    said = warnings(Browser().connect(linked, dialpad, app_id))
    assert "recordings_export message_content_export" in said
    assert connection(linked, app_id)["scopes"] == ["calls:list", "offline_access"]


def test_a_token_without_an_end_needs_no_refresh_token(linked: Stack, dialpad, app_id):
    token = token_of(linked, dialpad)
    dialpad.fault("/oauth2/token", status=200, body=json.dumps({"access_token": token}))
    assert warnings(Browser().connect(linked, dialpad, app_id)) == ""
    assert connection(linked, app_id)["token_expires_at"] is None


# Whose account it is


def test_another_company_cannot_take_an_app_over(linked: Stack, dialpad: Simulator, app_id):
    assert Browser().connect(linked, dialpad, app_id).status == 200
    # What clients were told of it is workerd's, and may come meanwhile.
    stored = "SELECT to_jsonb(c) - 'told_state' FROM dialpad_connections AS c WHERE app_id = %s"
    before = linked.sql(stored, app_id)
    invite(linked, app_id)
    stranger = company_of(dialpad, 1)["users"][0]["email"]
    for accept in ("application/json", PAGE):
        answer = Browser(accept).connect(linked, dialpad, app_id, user=stranger)
        assert answer.status == 409 and b"another company" in answer.body
        assert company_of(dialpad, 0)["name"].encode() not in answer.body
    assert linked.sql(stored, app_id) == before


def test_also_not_after_a_disconnect_unless_the_company_is_forgotten(linked: Stack, dialpad, app_id):
    assert Browser().connect(linked, dialpad, app_id).status == 200
    stranger = company_of(dialpad, 1)["users"][0]["email"]
    linked.admin("POST", f"/apps/{app_id}/disconnect", {})
    invite(linked, app_id)
    assert Browser().connect(linked, dialpad, app_id, user=stranger).status == 409
    linked.admin("POST", f"/apps/{app_id}/disconnect", {"forget_company": True})
    assert Browser().connect(linked, dialpad, app_id, user=stranger).status == 200
    assert connection(linked, app_id)["dialpad_org_id"] == int(company_of(dialpad, 1)["company_id"])


def test_a_member_never_replaces_an_admin(linked: Stack, dialpad: Simulator, app_id):
    assert Browser().connect(linked, dialpad, app_id).status == 200
    admin = connection(linked, app_id)["connected_by"]
    invite(linked, app_id)
    for state in ("connected", "needs_reconnect"):
        linked.sql("UPDATE dialpad_connections SET state = %s WHERE app_id = %s", state, app_id)
        answer = Browser().connect(linked, dialpad, app_id, user="member")
        assert answer.status == 403 and "admin" in answer.json()["detail"]
        assert connection(linked, app_id)["connected_by"] == admin


def test_a_member_may_come_first_and_an_admin_later(linked: Stack, dialpad: Simulator, app_id):
    said = warnings(Browser().connect(linked, dialpad, app_id, user="member"))
    assert "no admin" in said
    shown = connection(linked, app_id)
    assert shown["connected_by_admin"] is False and shown["company"] is None
    assert shown["dialpad_org_id"] == int(company_of(dialpad, 0)["company_id"])
    invite(linked, app_id)
    assert warnings(Browser().connect(linked, dialpad, app_id)) == ""
    shown = connection(linked, app_id)
    assert shown["connected_by_admin"] is True
    assert shown["company"] == company_of(dialpad, 0)["name"]


def test_the_verifier_proves_that_the_code_is_ours(linked: Stack, dialpad: Simulator, app_id):
    """A code that somebody else asked for does not fit to our verifier."""
    ours, theirs = Browser(), Browser()
    callback = dialpad.login(ours.begin(linked, app_id))
    stolen = query_of(dialpad.login(theirs.begin(linked, app_id)))["code"]
    assert ours.get(with_query(callback, code=stolen)).status == 502
    assert_untouched(linked, app_id)
