"""Connecting Dialpad: what a login asks for, what it leaves behind, and who may begin one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import unprivileged
from balancer import Balancer
from cti import Stack
from login import PAGE, Browser, at, connect_url, query_of
from web import Answer, request

from test.conftest import ROOT
from test.sim import jws
from test.sim.client import Simulator

SCOPES = "calls:list recordings_export message_content_export offline_access"
SNIPPETS = ROOT / "test" / "fixtures" / "seed_connect.js"


@pytest.fixture
def app_id(linked: Stack, request: pytest.FixtureRequest) -> str:
    return linked.admin("POST", "/apps", {"name": request.node.name})["app_id"]


def connection(stack: Stack, app_id: str) -> dict:
    return stack.admin("GET", f"/apps/{app_id}/connection")


def age(stack: Stack, app_id: str, hours: int) -> None:
    stack.sql("UPDATE apps SET created_at = now() - make_interval(hours => %s)"
              " WHERE app_id = %s", hours, app_id)


# What a login asks Dialpad for


def test_connect_sends_the_browser_to_dialpad_with_pkce_and_a_state(linked: Stack, dialpad, app_id):
    answer = request("GET", connect_url(linked, app_id))
    assert answer.status == 302 and answer.headers["Cache-Control"] == "no-store"
    url, asked = answer.headers["Location"], query_of(answer.headers["Location"])
    assert url.startswith(f"{dialpad.url}/oauth2/authorize?")
    assert len(asked.pop("state")) == 43 and len(asked.pop("code_challenge")) == 43
    assert asked == {
        "client_id": linked.dialpad_client["client_id"], "response_type": "code", "scope": SCOPES,
        "redirect_uri": f"{linked.apid.url}/auth/dialpad/callback",
        "code_challenge_method": "S256"}


def test_no_secret_of_a_login_is_stored_in_clear(linked: Stack, app_id):
    browser = Browser()
    state = query_of(browser.begin(linked, app_id))["state"]
    [cookie] = browser.cookies.values()
    [(row, state_hash, cookie_hash, seconds)] = linked.sql(
        "SELECT to_json(s)::text, state_hash, cookie_hash,"
        " extract(epoch FROM expires_at - created_at)::int FROM oauth_states AS s"
        " WHERE app_id = %s", app_id)
    assert state not in row and cookie not in row
    assert bytes(state_hash) == hashlib.sha256(state.encode()).digest()
    assert bytes(cookie_hash) == hashlib.sha256(cookie.encode()).digest()
    assert seconds == 600


def test_the_cookie_is_for_this_browser_alone(linked: Stack, app_id):
    cookie = request("GET", connect_url(linked, app_id)).headers["Set-Cookie"]
    assert cookie.startswith("cti_login_")
    assert cookie.split("; ")[1:] == ["Path=/", "Max-Age=600", "HttpOnly", "SameSite=Lax"]


def test_in_production_the_cookie_goes_over_https_alone(run_stack):
    with run_stack({"apid": {
            "DIALPAD_ENV": "production", "DIALPAD_PROD_CLIENT_ID": "x", "PUBLIC_INGEST_URL": None,
            "DIALPAD_PROD_CLIENT_SECRET": "production-secret",
            "DIALPAD_PROD_REDIRECT_URI": "https://cti.example/auth/dialpad/callback"}}) as stack:
        app_id = stack.admin("POST", "/apps", {"name": "a"})["app_id"]
        answer = request("GET", connect_url(stack, app_id))
        assert answer.headers["Location"].startswith("https://dialpad.com/oauth2/authorize?")
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-cti_login_") and "; Secure" in cookie
        assert "Domain" not in cookie and "; Path=/;" in cookie
        link = stack.admin("POST", f"/apps/{app_id}/connect-link")
        assert link["url"].startswith("https://cti.example/auth/dialpad/connect?")


# What it leaves behind


def test_connecting_stores_whose_account_it_is(linked: Stack, dialpad: Simulator, app_id):
    dialpad.forget_requests()
    company = dialpad.company()
    answer = Browser().connect(linked, dialpad, app_id)
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {
        "message": "Dialpad connected", "app_id": app_id, "environment": "sandbox",
        "company": company["name"], "warnings": []}
    shown = connection(linked, app_id)
    assert shown["state"] == "connected" and shown["environment"] == "sandbox"
    assert shown["dialpad_org_id"] == int(company["company_id"])
    assert shown["company"] == company["name"] and shown["connected_by_admin"] is True
    assert shown["connected_by"] == company["users"][0]["email"]
    assert shown["scopes"] == SCOPES.split() and shown["last_error"] is None
    assert shown["has_refresh_token"] is True and shown["token_expires_at"] > shown["connected_at"]
    # workerd goes on with the webhook.
    assert [one["path"] for one in dialpad.requests()][:5] == [
        "/oauth2/authorize", "/oauth2/token", "/api/v2/users/me", "/api/v2/company",
        "/api/v2/offices"]
    [(offices,)] = linked.sql("SELECT office_ids FROM dialpad_connections WHERE app_id = %s", app_id)
    assert len(offices) == 1
    dialpad.assert_description_kept()


def test_connecting_queues_the_provisioning_and_is_audited(linked: Stack, dialpad, app_id):
    assert Browser().connect(linked, dialpad, app_id).status == 200
    # workerd may have begun with it.
    assert linked.sql("SELECT job_key FROM jobs WHERE kind = 'provision' AND app_id = %s",
                      app_id) == [("",)]
    [(actor, target, detail)] = linked.sql(
        "SELECT actor, target, detail FROM admin_audit"
        " WHERE app_id = %s AND action = 'connection.connected'", app_id)
    assert actor == "dialpad login" and target == dialpad.company()["name"]
    assert detail["by"] == dialpad.company()["users"][0]["email"] and detail["by_admin"] is True


def test_tokens_are_nowhere_to_be_read(linked: Stack, dialpad: Simulator, app_id):
    assert Browser().connect(linked, dialpad, app_id).status == 200
    state = dialpad.state()
    tokens = [one["value"] for kind in ("access", "refresh") for one in state[f"{kind}_tokens"]]
    assert len(tokens) >= 2
    dump = subprocess.run(
        ["pg_dump", "--enable-row-security", linked.database.superuser_url()],
        check=True, capture_output=True, text=True).stdout
    assert app_id in dump
    for token in tokens:
        shapes = {token, token.encode().hex(), base64.b64encode(token.encode()).decode()}
        assert not any(shape in dump for shape in shapes)
        assert not any(daemon.log_contains(token) for daemon in linked.daemons)
    assert not linked.apid.log_contains("code=") and not linked.apid.log_contains("state=")


def test_a_person_gets_a_page_that_names_app_and_company(linked: Stack, dialpad: Simulator):
    app_id = linked.admin("POST", "/apps", {"name": "<b>Acme & Co</b>"})["app_id"]
    answer = Browser(PAGE).connect(linked, dialpad, app_id)
    text = answer.body.decode()
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "&lt;b&gt;Acme &amp; Co&lt;/b&gt; is now connected" in text and "<b>" not in text
    assert dialpad.company()["name"] in text and dialpad.company()["users"][0]["email"] in text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_logins_in_two_tabs_do_not_disturb_each_other(linked: Stack, dialpad: Simulator, app_id):
    browser = Browser()
    tabs = [browser.begin(linked, app_id) for _ in range(2)]
    for url in tabs:
        assert browser.get(dialpad.login(url)).status == 200
    assert browser.cookies == {}


def test_connecting_again_renews_the_connection(linked: Stack, dialpad: Simulator, app_id):
    assert Browser().connect(linked, dialpad, app_id).status == 200
    linked.sql("UPDATE dialpad_connections SET state = 'needs_reconnect', last_error = 'x',"
               " refresh_failures = 3, last_refresh_at = now() WHERE app_id = %s", app_id)
    linked.sql("UPDATE jobs SET run_at = NULL, attempts = 5 WHERE app_id = %s", app_id)
    linked.admin("POST", f"/apps/{app_id}/connect-link")
    assert Browser().connect(linked, dialpad, app_id).status == 200
    shown = connection(linked, app_id)
    assert (shown["state"], shown["last_error"], shown["refresh_failures"]) == ("connected", None, 0)
    attempts = linked.sql("SELECT attempts FROM jobs WHERE app_id = %s AND kind = 'provision'",
                          app_id)
    assert attempts in ([(0,)], [(1,)]), "counted anew; workerd may be at work already"


# Several replicas


def test_the_callback_may_come_to_another_replica(linked: Stack, dialpad, app_id, tmp_path: Path):
    other = linked.apid.twin(tmp_path)
    other.start()
    try:
        other.wait_ready()
        browser = Browser()
        callback = dialpad.login(browser.begin(linked, app_id))
        assert browser.get(at(callback, other.url)).status == 200
        assert browser.get(callback).status == 400  # used, wherever it was
        assert connection(linked, app_id)["state"] == "connected"
    finally:
        assert other.stop() == 0


# The way back


@pytest.mark.parametrize(("allowed", "return_to", "is_allowed"), [
    ("https://a.example/done", "https://a.example/done", True),
    ("https://a.example/done", "https://a.example/done?x=1", True),
    ("https://a.example/done?x=1", "https://a.example/done?x=1", True),
    ("https://a.example/done?x=1", "https://a.example/done?x=1&y=2", False),
    ("https://a.example/done", "https://a.example/done/", False),
    ("https://a.example/done", "https://a.example/done.evil", False),
    ("https://a.example/done", "https://a.example/done#x", False),
    ("https://a.example/done", "https://a.example@evil.example/done", False),
    ("https://a.example/done", "https://evil.example/?https://a.example/done", False),
    ("https://a.example/done", "https://a.example/done?x=\r\nSet-Cookie: y", False),
    ("https://a.example/done", "//a.example/done", False),
    ("https://a.example/done", "https://a.example/done?x=é", False),
])
def test_the_browser_returns_only_where_the_app_allows(
        linked: Stack, dialpad: Simulator, allowed: str, return_to: str, is_allowed: bool):
    app_id = linked.admin("POST", "/apps", {
        "name": "a", "allowed_return_urls": [allowed]})["app_id"]
    if is_allowed:
        answer = Browser().connect(linked, dialpad, app_id, return_to=return_to)
        assert (answer.status, answer.headers["Location"]) == (302, return_to)
        assert connection(linked, app_id)["state"] == "connected"
    else:
        answer = request("GET", connect_url(linked, app_id, return_to=return_to))
        assert answer.status == 400 and "return_to" in answer.json()["detail"]


def test_a_return_address_that_is_no_text_is_refused_by_name(linked: Stack, app_id):
    for odd in ("%ff", "%c3%28", "%7f", "%09"):
        url = f"{connect_url(linked, app_id)}&return_to=https://a.example/{odd}"
        answer = request("GET", url)
        assert answer.status == 400 and "return_to" in answer.json()["detail"], answer.body


# Who may begin a login


@pytest.mark.parametrize(("app_id", "status", "named"), [
    (None, 400, "app_id"), ("", 400, "app_id"), ("x", 400, "app_id"),
    ("11111111-1111-1111-1111-111111111111", 404, "app_id"),
    ("00000000-0000-0000-0000-000000000000", 404, "app_id"),
])
def test_a_login_needs_an_app(linked: Stack, app_id: str | None, status: int, named: str):
    answer = request("GET", connect_url(linked, app_id))
    assert answer.status == status and named in answer.json()["detail"]
    page = Browser(PAGE).get(connect_url(linked, app_id))
    assert page.status == status and page.body.startswith(b"<!doctype html>")
    assert named in page.body.decode()


def test_an_unknown_parameter_is_refused_by_name(linked: Stack, app_id):
    answer = request("GET", connect_url(linked, app_id, retrun_to="x"))
    assert answer.status == 400 and "retrun_to" in answer.json()["detail"]


def test_a_disabled_or_deleted_app_cannot_be_connected(linked: Stack, dialpad, app_id):
    browser = Browser()
    callback = dialpad.login(browser.begin(linked, app_id))
    linked.admin("PATCH", f"/apps/{app_id}", {"is_active": False})
    assert request("GET", connect_url(linked, app_id)).status == 403
    assert browser.get(callback).status == 403  # disabled while the person was at Dialpad
    linked.sql("UPDATE apps SET deleted_at = now() WHERE app_id = %s", app_id)
    assert request("GET", connect_url(linked, app_id)).status == 404
    assert linked.sql("SELECT 1 FROM dialpad_connections WHERE app_id = %s", app_id) == []


def test_after_a_week_a_link_is_needed(linked: Stack, dialpad: Simulator, app_id):
    age(linked, app_id, 169)
    refused = request("GET", connect_url(linked, app_id))
    assert refused.status == 403 and "link" in refused.json()["detail"]
    link = linked.admin("POST", f"/apps/{app_id}/connect-link")["url"]
    linked.sql("UPDATE apps SET invited_at = NULL WHERE app_id = %s", app_id)
    browser = Browser()
    assert browser.get(dialpad.login(browser.get(link).headers["Location"])).status == 200


def test_an_invitation_opens_the_window_anew(linked: Stack, app_id):
    age(linked, app_id, 169)
    linked.admin("POST", f"/apps/{app_id}/connect-link")
    assert request("GET", connect_url(linked, app_id)).status == 302
    linked.sql("UPDATE apps SET invited_at = now() - interval '169 hours' WHERE app_id = %s", app_id)
    assert request("GET", connect_url(linked, app_id)).status == 403
    assert linked.sql("SELECT actor FROM admin_audit WHERE app_id = %s"
                      " AND action = 'connection.invited'", app_id) == [("admin",)]


def test_a_connected_app_needs_a_link(linked: Stack, dialpad: Simulator, app_id):
    assert Browser().connect(linked, dialpad, app_id).status == 200
    assert request("GET", connect_url(linked, app_id)).status == 403


def test_a_link_is_for_one_app_has_an_end_and_cannot_be_forged(linked: Stack, app_id):
    other = linked.admin("POST", "/apps", {"name": "other"})["app_id"]
    made = linked.admin("POST", f"/apps/{app_id}/connect-link", {"expires_in_hours": 1})
    link = query_of(made["url"])["link"]
    assert request("GET", connect_url(linked, app_id, link=link)).status == 302

    def refusal(app: str, text: str) -> str:
        answer = request("GET", connect_url(linked, app, link=text))
        assert answer.status == 403
        return answer.json()["detail"]

    assert "another app" in refusal(other, link)
    head, claims, signature = link.split(".")
    forged = json.loads(base64.urlsafe_b64decode(claims + "=="))
    forged["sub"] = other
    body = base64.urlsafe_b64encode(json.dumps(forged).encode()).decode().rstrip("=")
    assert "not one of this server's" in refusal(other, f"{head}.{body}.{signature}")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    assert "not one of this server's" in refusal(app_id, f"{none}.{claims}.")
    assert "not one of this server's" in refusal(app_id, "x")


def test_links_can_be_required_for_every_app(run_stack, dialpad: Simulator, tmp_path):
    with run_stack({"apid": {"CONNECT_REQUIRES_LINK": "true"}}, dialpad=dialpad) as stack:
        app_id = stack.admin("POST", "/apps", {"name": "a"})["app_id"]
        assert request("GET", connect_url(stack, app_id)).status == 403
        link = stack.admin("POST", f"/apps/{app_id}/connect-link")["url"]
        assert request("GET", connect_url(stack, app_id)).status == 403  # invited or not
        assert request("GET", link).status == 302


def test_an_expired_link_says_so(linked: Stack, app_id):
    """Signed as apid signs: by a key derived from the pepper."""
    key = hmac.digest(linked.pepper.encode(), b"cti-connect-link", "sha256")
    claims = {"aud": "cti-connect-link", "sub": app_id, "exp": 1}
    link = jws.mint(json.dumps(claims).encode(), key)
    answer = request("GET", connect_url(linked, app_id, link=link))
    assert answer.status == 403 and "expired" in answer.json()["detail"]


def test_without_a_client_the_page_says_what_to_set(run_stack):
    with run_stack() as stack:
        app_id = stack.admin("POST", "/apps", {"name": "a"})["app_id"]
        for url in (connect_url(stack, app_id), f"{stack.apid.url}/auth/dialpad/callback?code=x"):
            answer = request("GET", url)
            assert answer.status == 503
            assert "DIALPAD_SANDBOX_CLIENT_ID" in answer.json()["error"]
            assert "DIALPAD_SANDBOX_CLIENT_ID" in Browser(PAGE).get(url).body.decode()


def test_many_logins_at_once_for_one_app(linked: Stack, dialpad: Simulator, app_id):
    def one(_: int) -> Answer:
        return Browser().connect(linked, dialpad, app_id)

    linked.admin("POST", f"/apps/{app_id}/connect-link")
    with ThreadPoolExecutor(8) as pool:
        assert {answer.status for answer in pool.map(one, range(8))} == {200}
    assert linked.sql("SELECT count(*) FROM jobs WHERE app_id = %s", app_id) == [(1,)]
    assert connection(linked, app_id)["state"] == "connected"


# The client's own snippet


def test_the_snippet_of_a_client_app_leads_to_dialpad(linked: Stack, dialpad: Simulator, app_id):
    printed = subprocess.run(
        ["node", "-e", SNIPPETS.read_text() + "\nhandleConnect();\n"
         "console.log(window.location.href);"],
        env=unprivileged.base_env() | {
            "REACT_APP_CTI_SERVER": linked.apid.url, "REACT_APP_CTI_APP_ID": app_id},
        check=True, capture_output=True, text=True).stdout.strip()
    browser = Browser()
    answer = browser.get(printed)
    assert answer.status == 302
    done = browser.get(dialpad.login(answer.headers["Location"])).json()
    assert (done["message"], done["app_id"], done["environment"]) == (
        "Dialpad connected", app_id, "sandbox")


def test_two_replicas_behind_a_balancer(run_stack, dialpad: Simulator, tmp_path: Path):
    """Its address is the redirect URI; requests go to the replicas in turn."""
    with run_stack() as stack, Balancer([stack.apid]) as balancer:
        stack.use_dialpad(dialpad, f"{balancer.url}/auth/dialpad/callback")
        assert stack.apid.stop() == 0
        stack.apid.start()
        other = stack.apid.twin(tmp_path)
        other.start()
        try:
            balancer.instances.append(other)
            balancer.wait_until_both_serve()
            app_id = stack.admin("POST", "/apps", {"name": "a"})["app_id"]
            browser = Browser()
            url = at(connect_url(stack, app_id), balancer.url)
            callback = dialpad.login(browser.get(url).headers["Location"])
            assert callback.startswith(balancer.url)
            assert browser.get(callback).status == 200
            assert set(balancer.served) == {stack.apid.port, other.port}
        finally:
            assert other.stop() == 0
