"""What holds for every request to apid: errors, CORS, limits, proxies, https."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from admin import admin
from cti import App, Stack
from ingest import metric
from raw import exchange_cut
from web import Answer, eventually, request

PAGE = "https://app.example"
PUBLIC = "https://api.example"
StackMaker = Callable[..., AbstractContextManager[Stack]]


def get(stack: Stack, path: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return request("GET", stack.apid.url + path, headers=named)


# Errors


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/nowhere", 404), ("GET", "/api/nowhere", 404), ("GET", "/internal/nowhere", 404),
    ("DELETE", "/api/calls", 405), ("OPTIONS", "/api/calls", 405), ("PUT", "/", 405),
    ("GET", "/api/calls", 401), ("GET", "/internal/apps", 401),
    ("GET", "/api/calls/%zz", 400), ("GET", "/api/../x", 400), ("GET", "/api/calls?a=%zz", 400),
    ("CONNECT", "/api/calls", 405), ("PROPFIND", "/api/calls", 405),
])
def test_every_error_is_a_problem_that_says_what_and_which(
    stack: Stack, method: str, path: str, status: int
):
    answer = request(method, stack.apid.url + path, headers={"X-Request-Id": "mine-1"})
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-Id"] == "mine-1"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    problem = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "error", "request_id"}
    assert problem["status"] == status and problem["request_id"] == "mine-1"
    assert problem["title"] and problem["detail"] and problem["error"]
    assert ("Allow" in answer.headers) == (status == 405)


def test_what_is_allowed_instead_is_named(stack: Stack):
    answer = request("DELETE", stack.apid.url + "/api/calls")
    assert answer.headers["Allow"] == "GET, HEAD"
    answer = request("PUT", stack.apid.url + "/internal/apps/x")
    assert answer.headers["Allow"] == "GET, HEAD, PATCH, DELETE"


def test_a_request_id_that_is_none_is_replaced(stack: Stack):
    for given in ("a b", "x" * 65, "<script>", ""):
        answer = get(stack, "/", X_Request_Id=given)
        assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["X-Request-Id"])


def test_a_body_that_is_too_large_is_refused_unread(stack: Stack, app: App):
    assert admin(stack, "POST", "/apps", b" " * 16385).status == 413
    assert admin(stack, "POST", "/apps", b" " * 2_000_000).status == 413
    answer = request("GET", stack.apid.url + "/api/calls", b"x", {"x-app-api-key": app.api_key})
    assert answer.status == 413 and answer.json()["status"] == 413


MALFORMED = {
    "no HTTP at all": (b"hello\r\n\r\n", 400),
    "an unknown method": (b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "65 headers": (b"GET / HTTP/1.1\r\n" + b"".join(b"A%d: b\r\n" % n for n in range(65)) + b"\r\n", 431),
    "a header line of 20 KB": (b"GET / HTTP/1.1\r\nA: " + b"b" * 20_000 + b"\r\n\r\n", None),
    "a path of 20 KB": (b"GET /" + b"b" * 20_000 + b" HTTP/1.1\r\n\r\n", None),
    "33 query parameters": (b"GET /api/calls?" + b"&".join(b"a%d=1" % n for n in range(33))
                            + b" HTTP/1.1\r\n\r\n", 400),
    "a version to come": (b"GET / HTTP/3.0\r\n\r\n", 505),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_http_is_answered_and_the_next_client_served(stack: Stack, what: str):
    sent, status = MALFORMED[what]
    # What is longer than the library reads is answered, but may reset the connection before.
    expected = ([status], [400]) if status else ([400], [431], [])
    assert exchange_cut(stack.apid.url, sent) in expected
    assert get(stack, "/").status == 200


@pytest.mark.parametrize("folded", [
    b"POST /internal/apps HTTP/1.1\r\nA: b\r\n c\r\nContent-Length: 40\r\n\r\n",
    b"GET /api/calls HTTP/1.1\r\nA: b\r\n c: d\r\n\r\n",
])
def test_nothing_hides_behind_a_folded_header(stack: Stack, folded: bytes):
    hidden = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    assert len(exchange_cut(stack.apid.url, folded + hidden)) == 1


# CORS


def preflight(stack: Stack, path: str, origin: str = PAGE) -> Answer:
    return request("OPTIONS", stack.apid.url + path, headers={
        "Origin": origin, "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "x-app-api-key"})


def test_any_page_may_call_the_api(stack: Stack, app: App):
    before = preflight(stack, "/api/calls")
    assert before.status == 204 and before.body == b""
    assert before.headers["Access-Control-Allow-Origin"] == "*"
    allowed = before.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"x-app-api-key", "authorization", "content-type"} <= set(allowed)
    assert {"GET", "POST"} <= set(before.headers["Access-Control-Allow-Methods"].split(", "))
    answer = get(stack, "/api/calls", Origin=PAGE, x_app_api_key=app.api_key)
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert set(exposed) == {"X-Request-Id", "RateLimit", "RateLimit-Policy", "Retry-After"}
    for response in (before, answer):
        assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize(("path", "status"), [
    ("/api/calls", 401), ("/api/nowhere", 404), ("/api/calls?nope=1", 401), ("/api/calls/%zz", 400),
])
def test_a_page_can_read_errors_too(stack: Stack, path: str, status: int):
    answer = get(stack, path, Origin=PAGE)
    assert answer.status == status
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", ["/internal/apps", "/health", "/apix", "/"])
def test_only_the_api_is_for_other_pages(stack: Stack, path: str):
    assert "Access-Control-Allow-Origin" not in get(stack, path, Origin=PAGE).headers
    assert "Access-Control-Allow-Origin" not in preflight(stack, path).headers


@pytest.fixture(scope="module")
def narrow(run_stack: StackMaker) -> Iterator[Stack]:
    env = {"CORS_ALLOWED_ORIGINS": f"{PAGE}, https://other.example:8443"}
    with run_stack({"apid": env}) as running:
        yield running


def test_the_operator_can_name_the_pages(narrow: Stack):
    app = narrow.create_app("a")
    for origin in (PAGE, "https://other.example:8443"):
        for answer in (preflight(narrow, "/api/calls", origin),
                       get(narrow, "/api/calls", Origin=origin, x_app_api_key=app.api_key)):
            assert answer.status in (200, 204)
            assert answer.headers["Access-Control-Allow-Origin"] == origin
            assert answer.headers["Vary"] == "Origin"
    for origin in ("https://evil.example", "https://app.example.evil.example", "null"):
        assert preflight(narrow, "/api/calls", origin).status == 403
        answer = get(narrow, "/api/calls", Origin=origin, x_app_api_key=app.api_key)
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert answer.headers["Vary"] == "Origin"
    assert app.get("/api/calls").status == 200


def test_an_app_can_name_its_pages(stack: Stack, app: App):
    stack.admin("PATCH", f"/apps/{app.app_id}", {"allowed_origins": [PAGE, "http://localhost:3000"]})
    assert get(stack, "/api/calls", Origin=PAGE, x_app_api_key=app.api_key).status == 200
    refused = get(stack, "/api/calls", Origin="https://evil.example", x_app_api_key=app.api_key)
    assert refused.status == 403 and "allowed_origins" in refused.json()["detail"]
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert app.get("/api/calls").status == 200  # no page at all
    stack.admin("PATCH", f"/apps/{app.app_id}", {"allowed_origins": []})
    assert get(stack, "/api/calls", Origin="https://evil.example",
               x_app_api_key=app.api_key).status == 200


# Limits


@pytest.fixture(scope="module")
def limited(run_stack: StackMaker) -> Iterator[Stack]:
    env = {"RATE_LIMIT_API_PER_MIN": "5", "RATE_LIMIT_AUTH_PER_MIN": "2",
           "RATE_LIMIT_FAILED_AUTH_PER_MIN": "3", "TRUSTED_PROXY_HOPS": "1"}
    with run_stack({"apid": env}) as running:
        yield running


def test_a_key_has_so_many_requests_a_minute(limited: Stack):
    app, other = limited.create_app("a"), limited.create_app("b")
    for n in range(5):
        answer = app.get("/api/calls" if n % 2 else "/api/messages")
        assert answer.status == 200
        assert answer.headers["RateLimit-Policy"] == '"api";q=5;w=60'
        assert re.fullmatch(rf'"api";r={4 - n};t=(60|5\d)', answer.headers["RateLimit"])
    refused = app.get("/api/calls")
    assert refused.status == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit"].startswith('"api";r=0;t=')
    assert "5" in refused.json()["detail"] and refused.json()["title"] == "Too many requests"
    assert other.get("/api/calls").status == 200


def guess(stack: Stack, address: str, key: str = "cti_test_aaaaaaaaaaaa_" + "A" * 43) -> Answer:
    return get(stack, "/api/calls", X_Forwarded_For=address, x_app_api_key=key)


def test_an_address_has_so_many_failures_a_minute(limited: Stack):
    app = limited.create_app("a")
    assert guess(limited, "1.1.1.1", app.api_key).status == 200
    assert [guess(limited, "1.1.1.1").status for _ in range(4)] == [401] * 3 + [429]
    refused = guess(limited, "1.1.1.1", "no key at all")
    assert refused.status == 429 and refused.headers["Retry-After"]
    assert guess(limited, "2.2.2.2").status == 401
    # Who is known here already goes on, whoever else sits behind that address.
    assert guess(limited, "1.1.1.1", app.api_key).status == 200


def test_a_key_that_was_right_here_is_never_locked_out_with_its_address(limited: Stack):
    app, late = limited.create_app("a"), limited.create_app("b")
    address = "5.5.5.5"
    assert guess(limited, address, app.api_key).status == 200
    assert [guess(limited, address).status for _ in range(4)] == [401] * 3 + [429]

    def lookups() -> int:
        return metric(limited.apid, "cti_key_lookups_total")

    def is_forgotten() -> bool:
        before = lookups()
        assert guess(limited, "7.7.7.7", late.api_key).status in (200, 429)
        return lookups() > before

    assert is_forgotten()  # the first time it is read, and then again when all is forgotten
    limited.sql("NOTIFY cti_keys")
    eventually(is_forgotten, 20, "apid to forget what it knew")
    before = lookups()
    assert guess(limited, address, app.api_key).status == 200
    assert lookups() == before + 1
    # A guess at that key, and a key that was never seen here: nothing is asked for them.
    limited.sql("NOTIFY cti_keys")
    eventually(is_forgotten, 20, "apid to forget what it knew")
    before = lookups()
    assert guess(limited, address, app.api_key[:-4] + "AAAA").status == 429
    assert guess(limited, address, limited.create_app("c").api_key).status == 429
    assert lookups() == before


def test_a_caller_cannot_choose_his_address(limited: Stack):
    statuses = [guess(limited, f"6.6.6.{n}, 3.3.3.3").status for n in range(4)]
    assert statuses == [401] * 3 + [429]


def test_of_ipv6_a_whole_network_is_one_caller(limited: Stack):
    statuses = [guess(limited, f"2001:db8:1:1::{n}").status for n in range(4)]
    assert statuses == [401] * 3 + [429]
    assert guess(limited, "2001:db8:1:2::1").status == 401


def test_guessing_the_admins_secret_is_limited_too(limited: Stack):
    def try_secret(secret: str) -> int:
        return get(limited, "/internal/apps", X_Forwarded_For="4.4.4.4",
                   Authorization=f"Bearer {secret}").status

    assert [try_secret(f"guess-{n}") for n in range(4)] == [401] * 3 + [429]
    assert try_secret(limited.admin_secret) == 200


def test_an_address_has_so_many_logins_a_minute(limited: Stack):
    def begin(address: str, **headers: str) -> Answer:
        return get(limited, "/auth/dialpad/connect?app_id=x", X_Forwarded_For=address, **headers)

    for left in (1, 0):
        answer = begin("9.9.9.9")
        assert answer.status == 400
        assert answer.headers["RateLimit-Policy"] == '"auth";q=2;w=60'
        assert answer.headers["RateLimit"].startswith(f'"auth";r={left};t=')
    refused = begin("9.9.9.9")
    assert refused.status == 429 and 0 < int(refused.headers["Retry-After"]) <= 60
    page = begin("9.9.9.9", Accept="text/html")
    assert page.status == 429 and b"from this address" in page.body
    assert page.headers["Content-Type"].startswith("text/html")
    # Callbacks and logins are counted together; a key of the API is not concerned.
    assert get(limited, "/auth/dialpad/callback", X_Forwarded_For="9.9.9.9").status == 429
    assert guess(limited, "9.9.9.9", limited.create_app("a").api_key).status == 200
    assert begin("8.8.8.8").status == 400


def test_without_limits_nothing_is_said_of_them(stack: Stack, app: App):
    answer = app.get("/api/calls")
    assert "RateLimit" not in answer.headers and "RateLimit-Policy" not in answer.headers
    assert stack.apid.log_contains("RATE_LIMIT_API_PER_MIN")


# Production


@pytest.fixture(scope="module")
def production(run_stack: StackMaker) -> Iterator[Stack]:
    env = {"DIALPAD_ENV": "production", "PUBLIC_API_URL": PUBLIC, "PUBLIC_INGEST_URL": PUBLIC}
    with run_stack({"apid": env}) as running:
        yield running


def test_in_production_unencrypted_requests_are_sent_to_https(production: Stack):
    answer = get(production, "/api/calls?limit=5&x=%41", X_Forwarded_Proto="http")
    assert answer.status == 308
    assert answer.headers["Location"] == f"{PUBLIC}/api/calls?limit=5&x=%41"
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
    posted = request("POST", production.apid.url + "/internal/apps", b"{}", {
        "X-Forwarded-Proto": "http", "Authorization": f"Bearer {production.admin_secret}"})
    assert posted.status == 403 and "https" in posted.json()["detail"]
    for path in ("/healthz", "/readyz"):
        assert get(production, path, X_Forwarded_Proto="http").status == 200


def test_in_production_encrypted_requests_pass(production: Stack):
    for proto in ("https", "HTTPS", "https, http"):
        answer = get(production, "/", X_Forwarded_Proto=proto)
        assert answer.status == 200
        assert answer.headers["Strict-Transport-Security"]
    assert get(production, "/").status == 200


def test_elsewhere_http_is_good_enough(stack: Stack):
    answer = get(stack, "/", X_Forwarded_Proto="http")
    assert answer.status == 200
    assert "Strict-Transport-Security" not in answer.headers


def test_a_redirect_cannot_be_made_to_lead_elsewhere(production: Stack):
    for path in ("//evil.example/x", "/\\evil.example"):
        sent = f"GET {path} HTTP/1.1\r\nX-Forwarded-Proto: http\r\n\r\n".encode()
        assert exchange_cut(production.apid.url, sent)
        answer = get(production, path, X_Forwarded_Proto="http")
        assert answer.headers.get("Location", PUBLIC).startswith(PUBLIC + "/"), json.dumps(path)
