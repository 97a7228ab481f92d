"""HTTP byte for byte: what is sent is what the test says, and every answer is seen."""

from __future__ import annotations

import contextlib
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

PATIENCE_S = 30
STATUS_LINE = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n")
LAST = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
LAST_ANSWER = b'{"status":"ok"}'


@dataclass(frozen=True)
class Reply:
    statuses: list[int]  # of each answer but the last request's
    lived_on: bool  # the connection served the last request, too


def exchange(url: str, sent: bytes) -> Reply:
    """Sends it and behind it a last request, then reads until the server closes."""
    text = _exchange(url, sent + LAST)
    statuses = [int(status) for status in STATUS_LINE.findall(text)]
    lived_on = text.endswith(LAST_ANSWER)
    return Reply(statuses[:-1] if lived_on else statuses, lived_on)


def exchange_cut(url: str, sent: bytes) -> list[int]:
    """Sends it and says that nothing more will come; the statuses of all answers."""
    text = _exchange(url, sent, half_close=True)
    return [int(status) for status in STATUS_LINE.findall(text)]


def _exchange(url: str, sent: bytes, half_close: bool = False) -> bytes:
    parts = urlsplit(url)
    text = b""
    with socket.create_connection((parts.hostname, parts.port), PATIENCE_S) as peer:
        # It may have answered and closed already: then the answer is what counts.
        with contextlib.suppress(OSError):
            peer.sendall(sent)
            if half_close:
                peer.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while chunk := peer.recv(65536):
                text += chunk
    return text
