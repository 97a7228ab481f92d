"""Clients as people write them, with the libraries they use: directly, and behind nginx with TLS."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from cti import App, Stack
from nginx import nginx_before

from test.conftest import ROOT

NODE_CLIENT = Path(__file__).with_name("client.mjs")


@dataclass(frozen=True)
class Way:
    """One way to reach apid: its URL, and the file of the certificate to trust."""

    url: str
    trusted: str | None = None


@pytest.fixture(scope="module")
def proxied_stack(run_stack) -> Iterator[Stack]:
    """As in production: behind one proxy, with limits."""
    env = {"DIALPAD_ENV": "production", "TRUSTED_PROXY_HOPS": "1",
           "PUBLIC_API_URL": "https://localhost", "PUBLIC_INGEST_URL": "https://localhost",
           "RATE_LIMIT_API_PER_MIN": "1000", "RATE_LIMIT_FAILED_AUTH_PER_MIN": "5"}
    with run_stack({"apid": env}) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(proxied_stack: Stack) -> Iterator[Way]:
    with nginx_before(proxied_stack) as running:
        yield Way(running.url, running.trusted)


@pytest.fixture(params=["directly", "through nginx"])
def way(request: pytest.FixtureRequest, proxied_stack: Stack) -> Way:
    if request.param == "directly":
        return Way(proxied_stack.apid.url)
    return request.getfixturevalue("proxy")


@pytest.fixture
def own_app(proxied_stack: Stack) -> App:
    return proxied_stack.create_app("a")


def session(way: Way, key: str) -> requests.Session:
    made = requests.Session()
    made.trust_env = False
    made.verify = way.trusted
    made.headers["x-app-api-key"] = key
    return made


def test_a_client_with_python_requests(way: Way, own_app: App):
    assert own_app.hook.post({"call_id": 5, "state": "ringing", "direction": "inbound"}).status == 200
    own_app.wait_for("/api/calls/5")
    with session(way, own_app.api_key) as client:
        for _ in range(20):  # the library keeps connections, where it may
            page = client.get(f"{way.url}/api/calls", params={"limit": 5, "total": "false"})
            assert page.status_code == 200
            assert [call["call_id"] for call in page.json()["calls"]] == [5]
        assert page.headers["RateLimit"] and page.headers["X-Request-Id"]
        assert client.head(f"{way.url}/api/calls").status_code == 200
        missing = client.get(f"{way.url}/api/calls/77", headers={"X-Request-Id": "find-me"})
        assert missing.status_code == 404 and missing.json()["request_id"] == "find-me"
        assert client.post(f"{way.url}/api/calls", json={}).status_code == 405
        wrong = client.get(f"{way.url}/api/calls", params={"limit": "x"})
        assert wrong.status_code == 400 and "limit" in wrong.json()["detail"]


def test_an_admin_with_python_requests(way: Way, proxied_stack: Stack):
    with requests.Session() as client:
        client.trust_env = False
        client.verify = way.trusted
        client.headers["Authorization"] = f"Bearer {proxied_stack.admin_secret}"
        made = client.post(f"{way.url}/internal/apps", json={"name": "☎"})
        assert made.status_code == 201 and made.json()["name"] == "☎"
        path = f"{way.url}/internal/apps/{made.json()['app_id']}"
        assert client.patch(path, json={"is_active": False}).json()["is_active"] is False

        def in_chunks() -> Iterator[bytes]:
            yield b'{"name": '
            yield b'"in chunks"}'

        assert client.patch(path, data=in_chunks()).json()["name"] == "in chunks"
        assert client.delete(path, params={"confirm": "in chunks"}).status_code == 200
        large = client.post(f"{way.url}/internal/apps", data=b"{" + b" " * 900_000)
        assert large.status_code == 413


def test_a_client_with_fetch(way: Way, own_app: App):
    done = subprocess.run(
        ["node", NODE_CLIENT, way.url, own_app.api_key], capture_output=True, text=True, timeout=60,
        cwd=ROOT, env={"PATH": "/usr/local/bin:/usr/bin:/bin"}
        | ({"NODE_EXTRA_CA_CERTS": way.trusted} if way.trusted else {}),
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["together"] == [200] * 20
    assert seen["list"] == {"calls": [], "total": 0, "limit": 50, "offset": 0, "has_more": False,
                            "next_cursor": None}
    assert seen["unknown"] == {"status": 400, "type": "application/problem+json", "named": True}
    assert seen["refused"] == 401
    assert seen["allowed"] == "*"


def test_behind_the_proxy_each_client_is_counted_by_its_own_address(
    proxy: Way, proxied_stack: Stack
):
    def guess(**headers: str) -> int:
        with session(proxy, "cti_live_" + "a" * 12 + "_" + "A" * 43) as client:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return client.get(f"{proxy.url}/api/calls", headers=named).status_code

    # What a client says of itself stands to the left of what nginx says.
    statuses = [guess(X_Forwarded_For=f"6.6.6.{n}") for n in range(8)]
    assert statuses[-1] == 429 and set(statuses) == {401, 429}
    app = proxied_stack.create_app("known")
    with session(Way(proxied_stack.apid.url), app.api_key) as client:  # another address
        assert client.get(f"{proxied_stack.apid.url}/api/calls",
                          headers={"X-Forwarded-For": "9.9.9.9"}).status_code == 200


def test_https_is_seen_behind_the_proxy(proxy: Way):
    answer = requests.get(proxy.url + "/health", verify=proxy.trusted, timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Strict-Transport-Security"]
