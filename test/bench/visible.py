"""From a POST to the call in GET /api/calls (without its total), through ingestd, workerd and apid."""

from __future__ import annotations

import contextlib
import http.client
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
from backlog import connect, make_apps

FIRST_CALL = 5_000_000_000_000_000
API_ENV = {
    "API_KEY_PEPPER": "a-pepper-of-thirty-two-characters",
    "TOKEN_ENCRYPTION_KEY": "a-token-key-of-thirty-two-letters",
    "INTERNAL_API_SECRET": "an-admins-secret",
    "RATE_LIMIT_API_PER_MIN": "0",
}
CALL_ID = re.compile(rb'"call_id":(\d+)')
GRACE_SECONDS = 10
PAUSE_SECONDS = 0.001  # between two looks: to look without a pause takes one of two cores


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
    answer = _request(apid.port, "POST", f"/internal/apps/{tokens.APP_ID}/api-key", b"{}",
                      {"Authorization": f"Bearer {API_ENV['INTERNAL_API_SECRET']}",
                       "Content-Type": "application/json"})
    return json.loads(answer)["api_key"]


class _Seen:
    """When each call first stood in the list."""

    def __init__(self, apid: rig.Apid, key: str):
        self.at: dict[int, float] = {}
        self.took: list[float] = []  # seconds of each look
        self._port = apid.port
        self._request = (f"GET /api/calls?limit=3&total=false HTTP/1.1\r\nHost: localhost\r\n"
                         f"x-app-api-key: {key}\r\nConnection: close\r\n\r\n").encode()

    def look(self) -> None:
        begun = time.monotonic()
        answer = bytearray()
        with socket.create_connection(("127.0.0.1", self._port), timeout=10) as sock:
            sock.sendall(self._request)
            while part := sock.recv(65536):
                answer += part
        now = time.monotonic()
        self.took.append(now - begun)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"GET /api/calls: {bytes(answer[:200])!r}")
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
        body = tokens.sign(_claims(n), secret)
        begun = time.monotonic()
        _request(port, "POST", tokens.PATH, body, {})
        sent[FIRST_CALL + n] = Sent(begun, time.monotonic())
    return sent


def _claims(n: int) -> bytes:
    """A call that begins now, so that it stands first in the list."""
    now_ms = time.time_ns() // 1_000_000
    event = json.loads(tokens.claims(n))
    event |= {"call_id": FIRST_CALL + n, "date_started": now_ms, "date_connected": now_ms,
              "date_ended": now_ms, "event_timestamp": now_ms}
    return json.dumps(event, separators=(",", ":")).encode()


def _request(port: int, method: str, path: str, body: bytes | None,
             headers: Mapping[str, str]) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        data = answer.read()
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        raise RuntimeError(f"{method} {path}: {answer.status} {data[:200]!r}")
    return data
