"""GET /ws: by what a socket is let in."""

from __future__ import annotations

import base64
import hmac
import json
import time
import uuid
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from cti import App, Stack
from hook import payload
from live import Closed, Refused, Socket, open_socket, subscribed, ws_url
from web import Answer, eventually, request

from test.sim import jws

RINGING = payload("call_ringing_inbound_2024")
ORIGIN = "https://app.example.com"


def is_let_in(opened: Socket, app: App) -> bool:
    assert opened.message()["type"] == "ready"
    assert app.hook.post(RINGING).status == 200
    return opened.message()["data"]["call_id"] == RINGING["call_id"]


def refusal(url: str, headers: dict[str, str] | None = None) -> int:
    with pytest.raises(Refused) as refused:
        Socket(url, headers)
    return refused.value.status


def code_for_a_browser(url: str, origin: str = ORIGIN) -> int | None:
    with Socket(url, {"Origin": origin}) as opened:
        return opened.close_code()


def take_ticket(app: App) -> dict:
    answer = request("POST", f"{app.api_url}/api/ws-ticket", headers={"x-app-api-key": app.api_key})
    assert answer.status == 200, answer.body
    return answer.json()


def live_token(stack: Stack, app: App, **body: object) -> dict:
    return stack.admin("POST", f"/apps/{app.app_id}/live-token", {"origins": [ORIGIN]} | body)


def set_origins(stack: Stack, app: App, *origins: str) -> None:
    stack.sql("UPDATE apps SET allowed_origins = %s WHERE app_id = %s", list(origins), app.app_id)


# Keys


def test_a_key_in_a_header_lets_one_in(app: App) -> None:
    with open_socket(app) as opened:
        assert is_let_in(opened, app)
    with Socket(ws_url(app), {"Authorization": f"Bearer {app.api_key}"}) as opened:
        assert opened.message()["type"] == "ready"


def test_a_wrong_key_is_refused(app: App) -> None:
    wrong = app.api_key[:-1] + ("A" if app.api_key[-1] != "A" else "B")
    assert refusal(ws_url(app), {"x-app-api-key": wrong}) == 401
    assert refusal(ws_url(app), {"x-app-api-key": "nonsense"}) == 401
    assert code_for_a_browser(ws_url(app, "/ws?ticket=nonsense")) == 4401


def test_an_unknown_parameter_is_refused(app: App) -> None:
    assert refusal(ws_url(app, "/ws?after=x"), {"x-app-api-key": app.api_key}) == 400


def test_a_bare_connection_shows_its_key_in_the_first_message(app: App) -> None:
    with Socket(ws_url(app)) as opened:
        assert opened.is_silent(0.3)
        opened.subscribe(api_key=app.api_key)
        assert is_let_in(opened, app)


def test_a_bare_connection_may_resume_and_choose_types(stack: Stack, app: App) -> None:
    with subscribed(app) as opened:
        assert app.hook.post(RINGING | {"call_id": 1}).status == 200
        cursor = opened.message()["cursor"]
    for call_id in (2, 3):
        assert app.hook.post(RINGING | {"call_id": call_id}).status == 200
    stack.wait_until_done()
    with Socket(ws_url(app)) as opened:
        opened.subscribe(api_key=app.api_key, after=cursor, types=["call.started"])
        assert opened.message() == {
            "type": "ready", "cursor": cursor, "data": {"subscribed": True}}
        assert [opened.message()["data"]["call_id"] for _ in range(2)] == [2, 3]


def test_a_bare_connection_with_a_bad_cursor_is_told_and_begins_now(app: App) -> None:
    for cursor in ("nonsense", "A" * 32, "A" * 200):
        with Socket(ws_url(app)) as opened:
            opened.subscribe(api_key=app.api_key, after=cursor)
            assert opened.message()["type"] == "error"
            assert opened.message()["type"] == "ready"


@pytest.mark.parametrize("said", [None, {"api_key": "nonsense"}, {"types": ["call.ended"]}])
def test_a_bare_connection_without_a_good_key_is_closed(app: App, said: dict | None) -> None:
    begun = time.monotonic()
    with Socket(ws_url(app)) as opened:
        if said is not None:
            opened.subscribe(**said)
        assert opened.close_code() == 4401
    assert time.monotonic() - begun < 15


# Tickets


def test_a_ticket_lets_one_in_once_over_all_replicas(own_stack: Stack) -> None:
    app = own_stack.create_app("ticket")
    other = own_stack.another_apid()
    ticket = take_ticket(app)
    assert ticket["expires_in"] == 30
    assert ticket["url"] == ws_url(app, f"/ws?ticket={ticket['ticket']}")
    with Socket(ticket["url"]) as opened:
        assert is_let_in(opened, app)
    assert refusal(ticket["url"]) == 401
    elsewhere = ticket["url"].replace(str(own_stack.apid.port), str(other.port))
    assert refusal(elsewhere) == 401
    # And the other way round.
    ticket = take_ticket(app)
    elsewhere = ticket["url"].replace(str(own_stack.apid.port), str(other.port))
    with Socket(elsewhere) as opened:
        assert opened.message()["type"] == "ready"
    assert refusal(ticket["url"]) == 401


def claims_of(token: str) -> dict:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_a_ticket_is_of_its_app_and_ends(stack: Stack, app: App) -> None:
    ticket = take_ticket(app)["ticket"]
    claims = claims_of(ticket)
    assert claims["sub"] == app.app_id
    assert 25 < claims["exp"] - time.time() <= 31
    head, _, mac = ticket.split(".")
    other = stack.create_app("other")
    forged = json.dumps(claims | {"sub": other.app_id}).encode()
    body = base64.urlsafe_b64encode(forged).rstrip(b"=").decode()
    assert refusal(ws_url(app, f"/ws?ticket={head}.{body}.{mac}")) == 401
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    assert refusal(ws_url(app, f"/ws?ticket={none}.{body}.")) == 401


def made_ticket(stack: Stack, app: App, seconds: int) -> str:
    """As apid makes one, with this long to go: signed by a key derived from the pepper."""
    key = hmac.digest(stack.pepper.encode(), b"cti-ws-ticket", "sha256")
    claims = {"aud": "cti-ws-ticket", "sub": app.app_id, "jti": str(uuid.uuid4()),
              "key": app.api_key.split("_")[2], "exp": int(time.time()) + seconds}
    return ws_url(app, f"/ws?ticket={jws.mint(json.dumps(claims).encode(), key)}")


def test_a_ticket_that_has_ended_is_refused(stack: Stack, app: App) -> None:
    with Socket(made_ticket(stack, app, 10)) as opened:
        assert opened.message()["type"] == "ready"
    assert refusal(made_ticket(stack, app, 0)) == 401
    assert refusal(made_ticket(stack, app, -1)) == 401


def test_a_ticket_of_a_revoked_key_is_refused(stack: Stack, app: App) -> None:
    ticket = take_ticket(app)
    stack.sql("UPDATE api_keys SET revoked_at = now() WHERE app_id = %s", app.app_id)
    assert refusal(ticket["url"]) == 401


def test_a_socket_by_ticket_goes_with_its_key(stack: Stack, app: App) -> None:
    with Socket(take_ticket(app)["url"]) as opened:
        stack.sql("UPDATE api_keys SET revoked_at = now() WHERE app_id = %s", app.app_id)
        assert opened.close_code() == 4401


def test_a_ticket_is_for_those_with_a_key(app: App) -> None:
    assert request("POST", f"{app.api_url}/api/ws-ticket").status == 401
    bad = request("POST", f"{app.api_url}/api/ws-ticket", b'{"x":1}', {"x-app-api-key": app.api_key})
    assert bad.status == 400


# Live tokens


def test_a_live_token_is_good_for_its_origins(stack: Stack, app: App) -> None:
    made = live_token(stack, app, expires_in_days=7)
    assert made["url"] == ws_url(app, f"/ws?token={made['token']}")
    assert set(made) == {"token", "token_id", "url", "origins", "created_at", "expires_at"}
    with Socket(made["url"], {"Origin": ORIGIN}) as opened:
        assert is_let_in(opened, app)
    assert code_for_a_browser(made["url"], "https://evil.example") == 4403
    assert refusal(made["url"]) == 403


def test_a_live_token_opens_no_other_door(stack: Stack, app: App) -> None:
    token = live_token(stack, app)["token"]
    for headers in ({"x-app-api-key": token}, {"Authorization": f"Bearer {token}"}):
        answer = request("GET", f"{app.api_url}/api/calls", headers=headers | {"Origin": ORIGIN})
        assert answer.status == 401
    assert code_for_a_browser(ws_url(app, f"/ws?ticket={token}")) == 4401
    ticket = take_ticket(app)["ticket"]
    assert code_for_a_browser(ws_url(app, f"/ws?token={ticket}")) == 4401


def test_a_live_token_that_ends_closes_its_sockets(stack: Stack, app: App) -> None:
    made = live_token(stack, app)
    with Socket(made["url"], {"Origin": ORIGIN}) as opened:
        assert opened.message()["type"] == "ready"
        stack.sql("UPDATE live_tokens SET expires_at = now() WHERE token_id = %s", made["token_id"])
        assert opened.close_code(5) == 4401
    assert refusal(made["url"]) == 401  # at once, and before anybody asks where it is from


def delete_token(stack: Stack, app: App, token_id: str) -> Answer:
    return request(
        "DELETE",
        f"{stack.apid.url}/internal/apps/{app.app_id}/live-tokens/{token_id}",
        headers={"Authorization": f"Bearer {stack.admin_secret}"},
    )


def test_a_revoked_live_token_closes_its_sockets(stack: Stack, app: App) -> None:
    made = live_token(stack, app)
    with Socket(made["url"], {"Origin": ORIGIN}) as opened:
        assert opened.message()["type"] == "ready"
        assert delete_token(stack, stack.create_app("other"), made["token_id"]).status == 404
        assert delete_token(stack, app, made["token_id"]).status == 204
        assert opened.close_code() == 4401
    assert code_for_a_browser(made["url"]) == 4401
    assert delete_token(stack, app, made["token_id"]).status == 404
    [row] = stack.admin("GET", f"/apps/{app.app_id}/live-tokens")["live_tokens"]
    assert row["token_id"] == made["token_id"] and row["revoked_at"] and row["last_used_at"]
    assert made["token"] not in json.dumps(row)


@pytest.mark.parametrize(
    "body, named",
    [
        ({}, "origins"),
        ({"origins": []}, "origins"),
        ({"origins": ["https://app.example.com/path"]}, "origins"),
        ({"origins": ["*"]}, "origins"),
        ({"origins": [ORIGIN], "expires_in_days": 0}, "expires_in_days"),
        ({"origins": [ORIGIN], "scope": "all"}, "scope"),
    ],
)
def test_a_live_token_needs_origins(stack: Stack, app: App, body: dict, named: str) -> None:
    answer = request(
        "POST",
        f"{stack.apid.url}/internal/apps/{app.app_id}/live-token",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {stack.admin_secret}"},
    )
    assert answer.status == 400 and named in answer.json()["detail"], answer.body


# Origins


def test_the_origins_of_an_app_bind_browsers(stack: Stack, app: App) -> None:
    set_origins(stack, app, ORIGIN, "http://localhost:3000")
    key = {"x-app-api-key": app.api_key}
    with Socket(ws_url(app), key | {"Origin": "http://localhost:3000"}) as opened:
        assert opened.message()["type"] == "ready"
    with Socket(ws_url(app), key) as opened:  # no browser
        assert opened.message()["type"] == "ready"
    assert code_for_a_browser(take_ticket(app)["url"], "https://evil.example") == 4403
    with Socket(ws_url(app), {"Origin": "https://evil.example"}) as opened:
        opened.subscribe(api_key=app.api_key)
        assert opened.close_code() == 4403


OTHER = "https://other.example"


@pytest.fixture(scope="module")
def narrow(run_stack) -> Iterator[Stack]:
    """Where the operator names the pages, and three failures are too many."""
    env = {"CORS_ALLOWED_ORIGINS": f"{ORIGIN}, {OTHER}", "RATE_LIMIT_FAILED_AUTH_PER_MIN": "3",
           "TRUSTED_PROXY_HOPS": "1"}
    with run_stack({"apid": env}) as running:
        yield running


def verdicts(app: App, origin: str) -> list[int | str | None]:
    """By a ticket, by the first message, by a header: what a socket from this page comes to."""
    page = {"Origin": origin}
    found: list[int | str | None] = []
    for url, said in ((take_ticket(app)["url"], False), (ws_url(app), True)):
        with Socket(url, page) as opened:
            if said:
                opened.subscribe(api_key=app.api_key)
            try:
                found.append(opened.message()["type"])
            except Closed as end:
                found.append(end.code)
    try:
        with open_socket(app, **page) as opened:
            found.append(opened.message()["type"])
    except Refused as end:
        found.append(end.status)
    return found


def test_an_app_narrows_what_the_operator_allows(narrow: Stack) -> None:
    app = narrow.create_app("narrow")
    assert verdicts(app, ORIGIN) == verdicts(app, OTHER) == ["ready"] * 3
    assert verdicts(app, "https://evil.example") == [4403, 4403, 403]
    set_origins(narrow, app, OTHER, "https://evil.example")
    narrow.sql("NOTIFY cti_keys")
    eventually(lambda: verdicts(app, ORIGIN) == [4403, 4403, 403], 5, "the app's own list")
    assert verdicts(app, OTHER) == ["ready"] * 3
    assert verdicts(app, "https://evil.example") == [4403, 4403, 403]
    token = live_token(narrow, app, origins=["https://page.example"])
    with Socket(token["url"], {"Origin": "https://page.example"}) as opened:
        assert opened.message()["type"] == "ready"


# Guessing


def guess_by_message(app: App, address: str) -> int | None:
    """The status that it is refused with, or the code that it is closed with."""
    try:
        with Socket(ws_url(app), {"X-Forwarded-For": address}) as opened:
            opened.subscribe(api_key="cti_test_aaaaaaaaaaaa_" + "A" * 43)
            return opened.close_code()
    except Refused as end:
        return end.status


def test_wrong_keys_on_sockets_are_counted_as_elsewhere(narrow: Stack) -> None:
    app = narrow.create_app("guessed")
    assert app.get("/api/calls").status == 200
    assert [guess_by_message(app, "1.1.1.1") for _ in range(4)] == [4401] * 3 + [429]
    assert guess_by_message(app, "2.2.2.2") == 4401
    there = {"X-Forwarded-For": "1.1.1.1"}
    key = {"x-app-api-key": narrow.create_app("new").api_key}
    assert request("GET", f"{app.api_url}/api/calls", headers=there | key).status == 429
    # Who is known goes on.
    with open_socket(app, **there) as opened:
        assert opened.message()["type"] == "ready"
    with Socket(take_ticket(app)["url"], there) as opened:
        assert opened.message()["type"] == "ready"


@pytest.mark.parametrize("way", ["ticket", "token"])
def test_wrong_tickets_and_tokens_are_counted_too(narrow: Stack, way: str) -> None:
    app = narrow.create_app("guessed")
    there = {"X-Forwarded-For": {"ticket": "3.3.3.3", "token": "4.4.4.4"}[way]}
    url = ws_url(app, f"/ws?{way}=nonsense")
    assert [refusal(url, there) for _ in range(4)] == [401] * 3 + [429]


def told_of(stack: Stack, since: int, path: str) -> int:
    """How many lines of apid's log, from there on, are of requests for the path."""
    return sum(path in json.dumps(line) for line in stack.apid.lines()[since:])


def test_what_stands_in_the_address_is_not_logged(stack: Stack, app: App) -> None:
    token = live_token(stack, app)
    ticket = take_ticket(app)
    before = len(stack.apid.lines())
    with Socket(token["url"], {"Origin": ORIGIN}), Socket(ticket["url"]):
        pass
    assert stack.create_app("later").get("/api/calls").status == 200
    eventually(lambda: told_of(stack, before, "/ws") == 2 and told_of(stack, before, "/api/calls"),
               20, "the lines of all three")
    for secret in (token["token"], ticket["ticket"]):
        assert not stack.apid.log_contains(secret)
        assert not stack.apid.log_contains(urlsplit(token["url"]).query)
    assert parse_qs(urlsplit(ticket["url"]).query)["ticket"] == [ticket["ticket"]]
