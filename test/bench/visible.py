"""From a POST to the call in GET /api/calls, through ingestd, workerd and apid."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import re
import socket
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass

import rig
import tokens
from backlog import clear, connect, make_apps

FIRST_CALL = 5_000_000_000_000_000
API_ENV = {
    "API_KEY_PEPPER": "a-pepper-of-thirty-two-characters",
    "TOKEN_ENCRYPTION_KEY": "a-token-key-of-thirty-two-letters",
    "INTERNAL_API_SECRET": "an-admins-secret",
    "RATE_LIMIT_API_PER_MIN": "0",
}
CALL_ID = re.compile(rb'"call_id":(\d+)')
GRACE_SECONDS = 10
PAUSE_SECONDS = 0.002  # between two looks: to look without a pause takes one of two cores


@dataclass(frozen=True)
class Visible:
    seconds: list[float]  # of each call that was seen, sorted
    missing: int
    answer_ms: float  # of a POST, its median
    look_ms: float  # of a GET, its median

    def percentile_ms(self, part: float) -> float:
        return self.seconds[int(len(self.seconds) * part)] * 1000


def run(db: rig.Database, rate: float, count: int, env: Mapping[str, str]) -> Visible:
    """`count` calls, one event each, sent at an even pace; the list is read again and again."""
    with connect(db) as conn:
        clear(conn)
        make_apps(conn, [tokens.APP_ID])
    with contextlib.ExitStack() as stack:
        ingestd = stack.enter_context(rig.running(rig.Ingestd(db, {})))
        stack.enter_context(rig.running(rig.Workerd(db, env)))
        apid = stack.enter_context(rig.running(rig.Apid(db, API_ENV)))
        seen = _Seen(apid, _api_key(apid))
        with multiprocessing.Pool(1) as pool:
            sending = pool.apply_async(_send, (ingestd.port, rate, count))
            until = time.monotonic() + count / rate + GRACE_SECONDS
            while len(seen.at) < count and time.monotonic() < until:
                seen.look()
                time.sleep(PAUSE_SECONDS)
            sent = sending.get()
    taken = sorted(seen.at[call] - sent[call].begun for call in seen.at)
    return Visible(taken, count - len(taken),
                   statistics.median(s.answered - s.begun for s in sent.values()) * 1000,
                   statistics.median(seen.took) * 1000)


def _api_key(apid: rig.Apid) -> str:
    headers = {"Authorization": f"Bearer {API_ENV['INTERNAL_API_SECRET']}",
               "Content-Type": "application/json"}
    path = f"/internal/apps/{tokens.APP_ID}/api-key"
    answer = _exchange(apid.port, _request("POST", path, headers, b"{}"))
    return json.loads(answer.partition(b"\r\n\r\n")[2])["api_key"]


class _Seen:
    """When each call first stood in the list."""

    def __init__(self, apid: rig.Apid, key: str):
        self.at: dict[int, float] = {}
        self.took: list[float] = []  # seconds of each look
        self._port = apid.port
        self._request = _request("GET", "/api/calls?limit=10", {"x-app-api-key": key})

    def look(self) -> None:
        begun = time.monotonic()
        answer = _exchange(self._port, self._request)
        now = time.monotonic()
        self.took.append(now - begun)
        for found in CALL_ID.findall(answer):
            self.at.setdefault(int(found), now)


@dataclass(frozen=True)
class Sent:
    """One POST, by the clock that all processes share."""

    begun: float
    answered: float


def _send(port: int, rate: float, count: int) -> dict[int, Sent]:
    secret = tokens.hook_secret(rig.MASTER_KEY)
    sent: dict[int, Sent] = {}
    start = time.monotonic()
    for n in range(count):
        time.sleep(max(0.0, start + n / rate - time.monotonic()))
        request = _request("POST", tokens.PATH, {}, tokens.sign(_claims(n), secret))
        begun = time.monotonic()
        _exchange(port, request)
        sent[FIRST_CALL + n] = Sent(begun, time.monotonic())
    return sent


def _claims(n: int) -> bytes:
    """A call that begins now, so that it stands first in the list."""
    now_ms = time.time_ns() // 1_000_000
    event = json.loads(tokens.claims(n))
    event |= {"call_id": FIRST_CALL + n, "date_started": now_ms, "date_connected": now_ms,
              "date_ended": now_ms, "event_timestamp": now_ms}
    return json.dumps(event, separators=(",", ":")).encode()


def _request(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    head = {"Host": "localhost", "Connection": "close", "Content-Length": str(len(body))} | headers
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def _exchange(port: int, request: bytes) -> bytes:
    """The whole answer; on a connection of its own, with as little of Python as there can be."""
    answer = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(request)
        while part := sock.recv(65536):
            answer += part
    if not answer.startswith(b"HTTP/1.1 2"):
        raise RuntimeError(f"{request[:40]!r}: {bytes(answer[:200])!r}")
    return bytes(answer)
