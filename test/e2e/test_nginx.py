"""Dialpad, clients and admins through deploy/nginx/cti-server.conf. (More of clients: test_api_clients.py)"""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest
import requests
from cti import App, Stack
from hook import payload
from live import Socket
from nginx import Nginx, nginx_before
from web import eventually

CALL = payload("call_connected_seed")


@pytest.fixture(scope="module")
def nginx(stack: Stack) -> Iterator[Nginx]:
    with nginx_before(stack) as running:
        yield running


def send_webhook(nginx: Nginx, app: App, claims: dict) -> requests.Response:
    path = app.hook.url[app.hook.url.index("/webhooks/"):]
    return requests.post(nginx.url + path, data=app.hook.sign(claims), verify=nginx.trusted, timeout=10)


def test_a_webhook_comes_to_ingestd_and_its_call_to_the_client(nginx: Nginx, app: App):
    assert send_webhook(nginx, app, CALL).json() == {"received": True}
    app.wait_for(f"/api/calls/{CALL['call_id']}")


def test_a_webhook_as_large_as_ingestd_takes_it_passes(nginx: Nginx, app: App):
    large = CALL | {"call_id": 7, "note": "x" * 1_400_000}
    assert send_webhook(nginx, app, large).status_code == 200


def test_without_tls_everything_is_sent_to_https(nginx: Nginx):
    answer = requests.get(nginx.plain_url + "/api/calls?limit=1", allow_redirects=False, timeout=10)
    assert answer.status_code == 308
    assert answer.headers["Location"] == "https://localhost/api/calls?limit=1"


def test_a_page_follows_the_feed_and_its_ticket_stands_in_no_log(nginx: Nginx, app: App):
    """Not even that of a page which forgot the TLS."""
    ticket = requests.post(nginx.url + "/api/ws-ticket", headers={"x-app-api-key": app.api_key},
                           verify=nginx.trusted, timeout=10).json()["ticket"]
    requests.get(f"{nginx.plain_url}/ws?ticket={ticket}", allow_redirects=False, timeout=10)
    with Socket(f"{nginx.url}/ws?ticket={ticket}", tls=nginx.tls) as socket:
        socket.subscribe()
        socket.wait_subscribed()
        send_webhook(nginx, app, CALL)
        assert socket.message()["type"] == "call.started"
    eventually(lambda: "GET /ws 101" in nginx.logged(), 10, "its line in nginx' log")
    assert ticket not in nginx.logged()


def test_admins_come_in_from_where_they_may_and_from_nowhere_else(nginx: Nginx, stack: Stack):
    def status(source: str) -> int:
        connection = http.client.HTTPSConnection(
            "127.0.0.1", nginx.port, context=nginx.tls, source_address=(source, 0), timeout=10)
        connection.request("GET", "/internal/stats", headers={"Authorization": f"Bearer {stack.admin_secret}"})
        return connection.getresponse().status

    assert (status("127.0.0.1"), status("127.0.0.2")) == (200, 403)


def test_both_logs_call_a_request_by_one_name(nginx: Nginx, app: App):
    def ask(**headers: str) -> str:
        answer = requests.get(nginx.url + "/api/calls", headers={"x-app-api-key": app.api_key} | headers,
                              verify=nginx.trusted, timeout=10)
        return answer.headers["X-Request-Id"]

    assert ask(**{"X-Request-Id": "find-me"}) == "find-me"
    for name in ("find-me", ask()):
        eventually(lambda wanted=name: wanted in nginx.logged(), 20, name)
