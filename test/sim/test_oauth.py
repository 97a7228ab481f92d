"""Tests of the fake Dialpad's OAuth: whatever a client does wrong is refused."""

import base64
import re
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from test.sim.app_client import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, AppClient
from test.sim.world.oauth import proves


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def test_a_login_comes_back_with_code_and_state_at_the_redirect_uri(app, sim):
    callback = sim.login(app.authorize_url())
    assert callback.startswith("http://127.0.0.1:1/callback?")
    query = query_of(callback)
    assert set(query) == {"from", "code", "state"}
    assert (query["from"], query["state"]) == ("dialpad", "the state")


def test_whoever_says_no_is_sent_back_with_access_denied(app, sim):
    query = query_of(sim.login(app.authorize_url(), "deny"))
    assert query["error"] == "access_denied" and query["state"] == "the state"
    assert "code" not in query


@pytest.mark.parametrize("change", [{"client_id": "another"}, {"redirect_uri": None},
                                    {"redirect_uri": REDIRECT_URI + "&x=1"}])
def test_an_unknown_client_or_redirect_uri_is_never_redirected(app, change):
    reply = app.call("GET", app.authorize_url(**change).removeprefix(app.sim.url),
                     headers={"X-Sim-Login": "admin"})
    assert reply.status == 400 and reply.headers["Location"] is None


@pytest.mark.parametrize("change, error", [
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"scope": "calls:list webhook"}, "invalid_scope"),
    ({"code_challenge_method": "MD5"}, "invalid_request")])
def test_other_faults_of_the_request_go_back_to_the_client(app, sim, change, error):
    assert query_of(sim.login(app.authorize_url(**change)))["error"] == error


def test_a_client_gets_only_scopes_that_it_was_granted(app, sim):
    sim.register_client(CLIENT_ID, CLIENT_SECRET, [REDIRECT_URI], scopes=["calls:list"])
    assert query_of(sim.login(app.authorize_url()))["error"] == "invalid_scope"
    assert "code" in query_of(sim.login(app.authorize_url(scope="calls:list")))


class Page:
    """The login page as a browser has it."""

    def __init__(self, app: AppClient, url: str):
        self._app = app
        self.html = app.call("GET", url.removeprefix(app.sim.url)).text
        fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', self.html)
        self._fields = {name: unescape(value) for name, value in fields}

    def press(self, decision: str, user: str) -> dict[str, str]:
        form = urlencode(self._fields | {"user": user, "decision": decision})
        reply = self._app.call(
            "POST", "/oauth2/authorize", data=form.encode("ascii"),
            headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert reply.status == 302
        return query_of(reply.headers["Location"])


def test_the_login_page_lets_one_choose_who_one_is_and_what_one_says(app, sim):
    page = Page(app, app.authorize_url(state='<"quoted">'))
    emails = [user["email"] for one in sim.state()["companies"] for user in one["users"]]
    assert len(emails) == 8 and all(email in page.html for email in emails)
    assert '<"quoted">' not in page.html
    assert page.press("deny", emails[1])["error"] == "access_denied"
    result = page.press("allow", emails[5])
    assert result["state"] == '<"quoted">'
    app.tokens = app.redeem(result["code"]).json
    me = app.ok("GET", "/users/me")
    assert (me["emails"], me["is_admin"]) == ([emails[5]], False)


# --- codes --------------------------------------------------------------------------------


def test_a_code_gives_tokens(app):
    answer = app.redeem(app.code())
    assert answer.status == 200 and answer.headers["Cache-Control"] == "no-store"
    assert set(answer.json) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert answer.json["expires_in"] == 3600


@pytest.mark.parametrize("change, status, error", [
    ({"code_verifier": "x" * 43}, 400, "invalid_grant"),
    ({"code_verifier": None}, 400, "invalid_grant"),
    ({"redirect_uri": "http://127.0.0.1:1/callback"}, 400, "invalid_grant"),
    ({"redirect_uri": None}, 400, "invalid_grant"),
    ({"code": "guessed"}, 400, "invalid_grant"),
    ({"client_secret": "guessed"}, 401, "invalid_client"),
    ({"client_secret": None}, 401, "invalid_client"),
    ({"client_id": "another"}, 401, "invalid_client"),
    ({"code_verifier": 1}, 400, "invalid_request"),
    ({"grant_type": "password"}, 400, "unsupported_grant_type")])
def test_a_code_is_good_only_for_who_asked_and_as_they_asked(app, change, status, error):
    reply = app.redeem(**{"code": app.code()} | change)
    assert (reply.status, reply.json["error"]) == (status, error)


def test_a_code_of_another_client_is_unknown(app, sim):
    sim.register_client("other", "its secret", [REDIRECT_URI])
    reply = app.redeem(app.code(client_id="other"))
    assert reply.json["error"] == "invalid_grant"


def test_a_code_is_good_once_and_its_tokens_die_when_it_comes_again(app):
    code = app.code()
    app.tokens = app.redeem(code).json
    assert app.ok("GET", "/users/me")
    assert app.redeem(code).json["error"] == "invalid_grant"
    assert app.call("GET", "/api/v2/users/me").status == 401
    assert app.refresh(app.tokens["refresh_token"]).status == 400


def test_a_code_expires(app, sim):
    sim.set(code_seconds=0)
    assert app.redeem(app.code()).json == {"error": "invalid_grant",
                                           "error_description": "expired"}


def test_the_example_of_rfc_7636_is_proved():
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert proves(verifier, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "S256")
    assert not proves(verifier, verifier, "S256")
    assert proves(verifier, verifier, "plain")


@pytest.mark.parametrize("secret, status", [(CLIENT_SECRET, 200), ("guessed", 401)])
def test_forms_and_basic_authentication_work_too(app, secret, status):
    form = urlencode({"grant_type": "authorization_code", "code": app.code(),
                      "redirect_uri": REDIRECT_URI, "code_verifier": app.verifier})
    basic = base64.b64encode(f"{CLIENT_ID}:{secret}".encode()).decode()
    reply = app.call("POST", "/oauth2/token", data=form.encode(), headers={
        "Authorization": f"Basic {basic}",
        "Content-Type": "application/x-www-form-urlencoded"})
    assert reply.status == status


# --- tokens -------------------------------------------------------------------------------


def test_a_refresh_gives_a_new_pair_and_ends_the_old_refresh_token(app):
    second = app.refresh(app.tokens["refresh_token"]).json
    assert not {*second.values()} & {app.tokens["access_token"],
                                     app.tokens["refresh_token"]}
    app.tokens = second
    assert app.ok("GET", "/users/me")
    third = app.refresh(second["refresh_token"])
    assert third.status == 200


def test_a_refresh_token_that_comes_twice_ends_the_whole_grant(app):
    first = app.tokens
    second = app.refresh(first["refresh_token"]).json
    again = app.refresh(first["refresh_token"])
    assert (again.status, again.json["error"]) == (400, "invalid_grant")
    for token in (first["access_token"], second["access_token"]):
        assert app.call("GET", "/api/v2/users/me", token=token).status == 401
    assert app.refresh(second["refresh_token"]).json["error"] == "invalid_grant"


def test_without_rotation_a_refresh_token_stays_and_is_not_sent_again(app, sim):
    sim.set(rotate_refresh=False)
    for _ in range(2):
        reply = app.refresh(app.tokens["refresh_token"])
        assert reply.status == 200 and "refresh_token" not in reply.json


def test_an_access_token_expires(app, sim):
    sim.expire_access_tokens()
    assert app.call("GET", "/api/v2/users/me").status == 401
    app.tokens = app.refresh(app.tokens["refresh_token"]).json
    assert app.call("GET", "/api/v2/users/me").status == 200
    sim.set(token_seconds=0)
    app.tokens = app.refresh(app.tokens["refresh_token"]).json
    assert app.call("GET", "/api/v2/users/me").status == 401


def test_without_offline_access_a_token_is_static(sim):
    tokens = AppClient(sim).connect(scope="calls:list").tokens
    assert set(tokens) == {"access_token", "token_type"}


@pytest.mark.parametrize("form, shown", [("number", 3600), ("string", "3600"),
                                         ("absent", None)])
def test_the_lifetime_is_told_in_three_ways(sim, form, shown):
    sim.set(expires_in=form)
    assert AppClient(sim).connect().tokens.get("expires_in") == shown


def test_tokens_of_one_company_can_be_revoked_apart(app, sim):
    other = AppClient(sim).connect(sim.state()["companies"][1]["users"][0]["email"])
    mine = app.ok("GET", "/company")["id"]
    assert other.ok("GET", "/company")["id"] != mine
    sim.revoke_access_tokens(mine)
    sim.revoke_refresh_tokens(mine)
    assert app.call("GET", "/api/v2/company").status == 401
    assert app.refresh(app.tokens["refresh_token"]).json["error"] == "invalid_grant"
    assert other.call("GET", "/api/v2/company").status == 200
    assert other.refresh(other.tokens["refresh_token"]).status == 200


def test_deauthorize_ends_all_tokens_of_this_user_for_this_app_and_no_others(app, sim):
    again, member = AppClient(sim).connect(), AppClient(sim).connect("member")
    reply = app.call("POST", "/oauth2/deauthorize")
    assert (reply.status, reply.text) == (204, "")
    assert again.call("GET", "/api/v2/users/me").status == 401
    assert again.refresh(again.tokens["refresh_token"]).status == 400
    assert member.call("GET", "/api/v2/users/me").status == 200
    assert app.call("POST", "/oauth2/deauthorize").status == 401


def test_admins_things_are_not_for_members_nor_for_tokens_without_the_scope(sim):
    member = AppClient(sim).connect("member")
    assert member.call("GET", "/api/v2/company").status == 403
    assert member.call("GET", "/api/v2/call").status == 403
    narrow = AppClient(sim).connect(scope="offline_access")
    assert narrow.call("GET", "/api/v2/company").status == 200
    assert narrow.call("GET", "/api/v2/call").status == 403
    sim.change_scopes(["calls:list"])
    assert narrow.call("GET", "/api/v2/call").status == 200


def test_the_state_shows_tokens_as_issued(app, sim):
    state = sim.state()
    assert [one["value"] for one in state["access_tokens"]] == [app.tokens["access_token"]]
    (refresh,) = state["refresh_tokens"]
    assert refresh["value"] == app.tokens["refresh_token"] and not refresh["used"]
    app.refresh(app.tokens["refresh_token"])
    first, second = sim.state()["refresh_tokens"]
    assert first["used"] and not second["used"]
