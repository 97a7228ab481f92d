"""Many clients in one thread, each with one request under way at a time.

wrk counts per thread; this counts per client, and tells the latency of each status apart. It is
no faster than Python is, so it measures shares and waiting times, not throughput.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import tokens


@dataclass
class Tally:
    served: list[int]  # 200s, by client
    seconds: dict[int, list[float]] = field(default_factory=dict)  # of each answer, by status
    lost: int = 0  # connections refused, reset, or closed without an answer


class Clients:
    """`count` clients that post tokens in turn; each token is sent once at most."""

    def __init__(self, port: int, count: int, reuse: bool, supply: Iterator[bytes]):
        self._port, self._reuse, self._supply = port, reuse, supply
        self._epoll = select.epoll()
        self._sockets: list[socket.socket | None] = [None] * count
        self._begun = [0.0] * count
        self._numbers: dict[int, int] = {}  # client by file descriptor
        self._busy: set[int] = set()
        self._unsent: dict[int, bytes] = {}
        self.tally = Tally([0] * count)

    def run(self, seconds: float) -> Tally:
        """Begins no request after `seconds`, then waits for the answers that are under way."""
        self._until = time.monotonic() + seconds
        for number in range(len(self._sockets)):
            self._ask(number)
        while self._busy and time.monotonic() < self._until + 15:
            for fd, event in self._epoll.poll(1):
                number = self._numbers[fd]
                if event & select.EPOLLOUT:
                    self._send(number)
                else:
                    self._receive(number)
        self.tally.lost += len(self._busy)
        for number in range(len(self._sockets)):
            self._close(number)
        return self.tally

    def _ask(self, number: int) -> None:
        """The next request of a client, on its connection or a new one."""
        token = next(self._supply, None)
        if token is None or time.monotonic() >= self._until:
            return
        self._busy.add(number)
        self._begun[number] = time.monotonic()
        self._unsent[number] = _http(token, self._reuse)
        if self._sockets[number] is not None:
            self._send(number)
            return
        sock = socket.socket()
        sock.setblocking(False)
        self._sockets[number] = sock
        self._numbers[sock.fileno()] = number
        sock.connect_ex(("127.0.0.1", self._port))
        self._epoll.register(sock, select.EPOLLOUT)

    def _send(self, number: int) -> None:
        sock = self._sockets[number]
        try:
            sock.send(self._unsent.pop(number))
        except OSError:
            self._lose(number)
            return
        self._epoll.modify(sock, select.EPOLLIN)

    def _receive(self, number: int) -> None:
        """The answers are small and leave ingestd in one write."""
        try:
            data = self._sockets[number].recv(65536)
        except OSError:
            data = b""
        if number not in self._busy:  # an idle connection has ended
            self._close(number)
            return
        if not data:
            self._lose(number)
            return
        self._busy.discard(number)
        status = int(data[9:12])
        taken = time.monotonic() - self._begun[number]
        self.tally.seconds.setdefault(status, []).append(taken)
        self.tally.served[number] += status == 200
        if b"\r\nConnection: close" in data:
            self._close(number)
        self._ask(number)

    def _lose(self, number: int) -> None:
        self.tally.lost += 1
        self._busy.discard(number)
        self._close(number)
        self._ask(number)

    def _close(self, number: int) -> None:
        sock = self._sockets[number]
        if sock is None:
            return
        del self._numbers[sock.fileno()]
        self._epoll.unregister(sock)
        sock.close()
        self._sockets[number] = None


def _http(token: bytes, reuse: bool) -> bytes:
    head = (f"POST {tokens.PATH} HTTP/1.1\r\nHost: localhost\r\n"
            f"Content-Type: application/jwt\r\nContent-Length: {len(token)}\r\n")
    return head.encode() + (b"" if reuse else b"Connection: close\r\n") + b"\r\n" + token
