"""A WebSocket client that sends exactly what a test says, and readers of the change feed."""

from __future__ import annotations

import base64
import json
import os
import socket
import ssl
import struct
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cti import App
from web import PATIENCE_S, request

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Refused(Exception):
    """The handshake was answered with another status than 101."""

    def __init__(self, status: int, body: bytes):
        super().__init__(f"{status} {body[:200]!r}")
        self.status = status
        self.body = body


class Closed(Exception):
    """The server has closed; code None: without a close frame."""

    def __init__(self, code: int | None, reason: str = ""):
        super().__init__(f"{code} {reason}")
        self.code = code


def frame(op: int, payload: bytes, first: int | None = None) -> bytes:
    """A masked frame of a client."""
    mask = os.urandom(4)
    head = bytes([0x80 | op if first is None else first])
    if len(payload) < 126:
        head += bytes([0x80 | len(payload)])
    elif len(payload) < 65536:
        head += b"\xfe" + struct.pack(">H", len(payload))
    else:
        head += b"\xff" + struct.pack(">Q", len(payload))
    masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    return head + mask + masked


class Socket:
    """One connection. Answers pings; everything else is for the test."""

    def __init__(self, url: str, headers: dict[str, str] | None = None,
                 timeout: float = PATIENCE_S, tls: ssl.SSLContext | None = None):
        parts = urlsplit(url)
        self._s = socket.create_connection((parts.hostname, parts.port), timeout=timeout)
        self._s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self._s = tls.wrap_socket(self._s, server_hostname=parts.hostname)
        self._in = b""
        self.answers_pings = True
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = {
            "Host": parts.netloc,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Version": "13",
        } | (headers or {})
        head = f"GET {target} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items())
        self._s.sendall(head.encode() + b"\r\n")
        self._shake_hands()

    def _shake_hands(self) -> None:
        while b"\r\n\r\n" not in self._in:
            more = self._s.recv(65536)
            if not more:
                break
            self._in += more
        head, _, self._in = self._in.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1]) if head else 0
        if status != 101:
            body = self._in
            while more := self._s.recv(65536):
                body += more
            self._s.close()
            raise Refused(status, body)

    def _need(self, n: int) -> None:
        while len(self._in) < n:
            more = self._s.recv(65536)
            if not more:
                raise Closed(None)
            self._in += more

    def frame(self) -> tuple[int, bytes]:
        """Taken whole or not at all: after a timeout in its middle the next call finds it."""
        self._need(2)
        start, length = 2, self._in[1] & 127
        if length >= 126:
            start, form = (4, ">H") if length == 126 else (10, ">Q")
            self._need(start)
            (length,) = struct.unpack(form, self._in[2:start])
        end = start + length
        self._need(end)
        op, payload, self._in = self._in[0] & 15, self._in[start:end], self._in[end:]
        return op, payload

    def message(self, timeout: float = PATIENCE_S) -> dict[str, Any]:
        """The next one. TimeoutError when none comes."""
        deadline = time.monotonic() + timeout
        while True:
            self._s.settimeout(max(deadline - time.monotonic(), 0.001))
            op, payload = self.frame()
            if op == TEXT:
                return json.loads(payload)
            if op == PING and self.answers_pings:
                self._s.sendall(frame(PONG, payload))
            if op == CLOSE:
                code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else None
                raise Closed(code, payload[2:].decode())

    def close_code(self, timeout: float = PATIENCE_S) -> int | None:
        """Whatever else comes: the code that it is closed with."""
        try:
            while True:
                self.message(timeout)
        except Closed as end:
            return end.code

    def is_silent(self, seconds: float) -> bool:
        try:
            self.message(seconds)
        except TimeoutError:
            return True
        return False

    def send(self, message: dict[str, Any]) -> None:
        self._s.sendall(frame(TEXT, json.dumps(message).encode()))

    def send_bytes(self, raw: bytes) -> None:
        self._s.sendall(raw)

    def subscribe(self, **members: Any) -> None:
        self.send({"type": "subscribe", **members})

    def wait_subscribed(self) -> dict[str, Any]:
        """The `ready` that answers a subscribe; one about the connection may come before."""
        while True:
            message = self.message()
            if message["type"] == "ready" and message["data"]["subscribed"]:
                return message

    def shrink_window(self, to: int = 4096) -> None:
        self._s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, to)

    def close(self) -> None:
        self._s.close()

    def __enter__(self) -> Socket:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def ws_url(app: App, path: str = "/ws") -> str:
    return app.api_url.replace("http", "ws", 1) + path


def open_socket(app: App, **headers: str) -> Socket:
    return Socket(ws_url(app), {"x-app-api-key": app.api_key} | headers)


def subscribed(app: App, after: str | None = None, types: list[str] | None = None) -> Socket:
    """Open, past `ready`, given everything at once."""
    opened = open_socket(app)
    members = {name: value for name, value in {"after": after, "types": types}.items() if value}
    opened.subscribe(**members)
    opened.wait_subscribed()
    return opened


@dataclass
class Poller:
    """Reads the feed as a polling client does."""

    app: App
    cursor: str | None = None
    seen: list[dict] = field(default_factory=list)

    def ask(self, timeout: float = 60, **query: Any) -> dict[str, Any]:
        if self.cursor is not None:
            query["after"] = self.cursor
        path = "/api/events?" + "&".join(f"{name}={value}" for name, value in query.items())
        key = {"x-app-api-key": self.app.api_key}
        answer = request("GET", self.app.api_url + path, headers=key, timeout=timeout)
        assert answer.status == 200, (path, answer.status, answer.body)
        page = answer.json()
        self.cursor = page["next_cursor"]
        self.seen += page["events"]
        return page

    def drain(self) -> list[dict]:
        """All there is."""
        start = len(self.seen)
        while self.ask(limit=500)["has_more"]:
            pass
        return self.seen[start:]
