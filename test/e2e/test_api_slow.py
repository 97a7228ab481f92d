"""Clients that hold connections and do not get on: the others are served meanwhile."""

from __future__ import annotations

import contextlib
import resource
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from cti import App, Stack

IDLERS = 1000
# apid has 48 threads by default. Another client may wait for its turn, never for the deadlines of all.
PATIENCE_S = 8


@contextlib.contextmanager
def crowd(stack: Stack, sent: bytes, count: int) -> Iterator[list[socket.socket]]:
    """So many connections, each of which has sent this and waits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4 * count), hard), hard))
    parts = urlsplit(stack.apid.url)
    with contextlib.ExitStack() as open_ones:
        peers = []
        for _ in range(count):
            peer = socket.create_connection((parts.hostname, parts.port), 30)
            peers.append(open_ones.enter_context(peer))
            with contextlib.suppress(ConnectionError):
                peer.sendall(sent)
        yield peers


def assert_served(app: App) -> None:
    for _ in range(5):
        began = time.monotonic()
        assert app.get("/api/calls").status == 200
        assert time.monotonic() - began < PATIENCE_S


def assert_served_soon(app: App) -> None:
    """While every place is taken a 503 says so at once."""
    deadline = time.monotonic() + PATIENCE_S
    while (status := app.get("/api/calls").status) == 503:
        assert time.monotonic() < deadline
    assert status == 200


HALVES = {
    "silent": b"",
    "half a request line": b"GET /api/ca",
    "half a header": b"GET /api/calls HTTP/1.1\r\nx-app-api-k",
}


@pytest.mark.parametrize("what", HALVES)
def test_a_thousand_idle_connections_keep_nobody_out(stack: Stack, app: App, what: str):
    with crowd(stack, HALVES[what], IDLERS):
        assert_served(app)
    assert_served(app)


def test_bodies_that_never_end_keep_nobody_out(stack: Stack, app: App):
    head = (f"POST /internal/apps HTTP/1.1\r\nAuthorization: Bearer {stack.admin_secret}\r\n"
            "Content-Length: 100\r\n\r\n{").encode()
    webhook = b"POST /webhooks/dialpad HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nabc"
    for sent in (head, webhook):
        with crowd(stack, sent, 60):
            assert_served_soon(app)


def test_a_client_that_sends_byte_by_byte_is_served(stack: Stack, app: App):
    parts = urlsplit(stack.apid.url)
    text = f"GET /api/calls HTTP/1.1\r\nHost: x\r\nx-app-api-key: {app.api_key}\r\n\r\n".encode()
    with socket.create_connection((parts.hostname, parts.port), 20) as peer:
        for n in range(len(text)):
            peer.sendall(text[n : n + 1])
            time.sleep(0.02)
        assert peer.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")


def test_clients_that_never_read_keep_nobody_out(stack: Stack, app: App):
    ask = f"GET /api/calls HTTP/1.1\r\nx-app-api-key: {app.api_key}\r\n\r\n".encode()
    with crowd(stack, ask, 200):
        assert_served_soon(app)


def test_half_open_connections_keep_nobody_out(stack: Stack, app: App):
    """Peers that have said that nothing more will come, before their request was whole."""
    with crowd(stack, b"GET /api/calls HTTP/1.1\r\nHost: x\r\n", 200) as peers:
        for peer in peers:
            with contextlib.suppress(OSError):
                peer.shutdown(socket.SHUT_WR)
        assert_served(app)


def test_a_crowd_that_comes_and_goes_leaves_nothing_behind(stack: Stack, app: App):
    stop = threading.Event()

    def come_and_go() -> None:
        while not stop.is_set():
            with crowd(stack, b"GET /api/ca", 20):
                pass

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(50):
            assert_served_soon(app)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert stack.apid.is_running
