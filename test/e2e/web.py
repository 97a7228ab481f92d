"""One HTTP request and its answer, byte for byte; no proxy, no redirects."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any, TypeVar
from urllib.parse import urlsplit

import contract

T = TypeVar("T")
# For what comes soon. A machine that is slow and shared takes long; where all is well nobody waits.
PATIENCE_S = 30


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message  # names in any case
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def request(
    method: str,
    url: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = PATIENCE_S,
) -> Answer:
    """On a connection of its own. Only what is given is sent: no Content-Type of ours.

    An answer of apid has to fit the description of the API."""
    with contextlib.closing(connection_to(url, timeout)) as connection:
        return request_on(connection, method, url, body, headers)


def connection_to(url: str, timeout: float = PATIENCE_S) -> http.client.HTTPConnection:
    """It opens with its first request, and once more after an answer that closed it."""
    parts = urlsplit(url)
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)


def request_on(
    connection: http.client.HTTPConnection,
    method: str,
    url: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    connection.request(method, path, body, dict(headers or {}))
    response = connection.getresponse()
    answer = Answer(response.status, response.headers, response.read())
    contract.check(method, url, answer.status, answer.headers.get("Content-Type", ""), answer.body)
    return answer


def eventually(check: Callable[[], T | None], seconds: float, what: str) -> T:
    """The first true value of check(), or a failure that says what never came."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)
