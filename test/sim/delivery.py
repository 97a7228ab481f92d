"""Delivers signed bodies to a webhook as Dialpad does, and keeps the books.

Several threads, each with a connection of its own, take what is due. A body that waits
for its next try holds up no other, so order is lost by retries exactly as in real life.
What was acknowledged (2xx) is the ground truth for "nothing acknowledged is lost".
"""

import http.client
import random
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .agenda import Agenda
from .model import Event
from .policy import ANSWER_TIMEOUT_S, Tries

CONTENT_TYPE = "application/jwt"  # as receivers have seen it; not documented
REPEAT_REACH = 10  # a duplicate comes at most this many places after the first


@dataclass
class Attempt:
    at_s: float  # since the start of the delivery
    took_s: float
    status: int | None  # None: no answer
    error: str | None


@dataclass
class Parcel:
    """One body to deliver: an event's first copy or a duplicate of it."""

    event: Event
    body: bytes
    copy: int = 0
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def acknowledged(self) -> bool:
        return bool(self.attempts) and is_success(self.attempts[-1].status)


def is_success(status: int | None) -> bool:
    return status is not None and 200 <= status < 300


def pack(events: list[Event], sign, *, repeat: float = 0.0, shuffled: bool = False,
         seed: str = "") -> list[Parcel]:
    """Sign the events (`sign`: claims to body text) and lay them out for delivery.

    `repeat` is the share of events that come twice, the second copy byte for byte the
    same; `shuffled` ignores time altogether.
    """
    rng = random.Random(f"{seed}/delivery")
    placed: list[tuple[float, Parcel]] = []
    for place, event in enumerate(events):
        body = sign(event.claims).encode("ascii")
        placed.append((place, Parcel(event, body)))
        if rng.random() < repeat:
            later = place + rng.randint(1, REPEAT_REACH) + 0.5
            placed.append((later, Parcel(event, body, copy=1)))
    placed.sort(key=lambda item: item[0])
    parcels = [parcel for _, parcel in placed]
    if shuffled:
        rng.shuffle(parcels)
    return parcels


class Line:
    """One connection to the hook, kept open between posts if asked."""

    def __init__(self, url: str, timeout_s: float, keep_alive: bool):
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        maker = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        self._timeout_s = timeout_s
        self._keep_alive = keep_alive
        self._connection = maker(parts.hostname, parts.port, timeout=timeout_s)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def post(self, body: bytes) -> tuple[int | None, str | None]:
        """The answer's status, or None and the reason why there is none."""
        give_up_at = time.monotonic() + self._timeout_s
        try:
            status = self._exchange(body, give_up_at)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return None, f"{type(error).__name__}: {error}"
        if not self._keep_alive:
            self.close()
        return status, None

    def _exchange(self, body: bytes, give_up_at: float) -> int:
        """Connecting, sending and the wait for an answer share one deadline.

        An answer that has begun in time and then trickles is not cut off.
        """
        connection = self._connection
        if connection.sock is None:
            connection.connect()
        connection.sock.settimeout(max(0.001, give_up_at - time.monotonic()))
        connection.request("POST", self._path, body, {
            "Content-Type": CONTENT_TYPE,
            "Connection": "keep-alive" if self._keep_alive else "close"})
        connection.sock.settimeout(max(0.001, give_up_at - time.monotonic()))
        response = connection.getresponse()
        response.read()
        return response.status

    def close(self) -> None:
        self._connection.close()


class Round:
    """A parcel on its way: what is left of its tries."""

    def __init__(self, parcel: Parcel):
        self.parcel = parcel
        self._tries = Tries(parcel.event.kind)

    def post(self, line: Line, begun: float) -> float | None:
        """One try, entered in the books; the seconds until the next one, None for none."""
        at = time.monotonic()
        status, error = line.post(self.parcel.body)
        self.parcel.attempts.append(
            Attempt(at - begun, time.monotonic() - at, status, error))
        return self._tries.wait_after(status)


class Courier:
    """Delivers parcels. `time_scale` shortens the waits between tries, nothing else."""

    def __init__(self, url: str, *, connections: int = 1, rate: float | None = None,
                 time_scale: float = 1.0, keep_alive: bool = True,
                 answer_timeout_s: float = ANSWER_TIMEOUT_S):
        self._url = url
        self._connections = connections
        self._rate = rate
        self._time_scale = time_scale
        self._keep_alive = keep_alive
        self._answer_timeout_s = answer_timeout_s
        self._begun = 0.0

    def deliver(self, parcels: list[Parcel]) -> None:
        """Returns when each parcel is acknowledged or given up; see their attempts."""
        agenda = self._plan(parcels)
        workers = [threading.Thread(target=self._work, args=(agenda,), daemon=True)
                   for _ in range(self._connections)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def _plan(self, parcels: list[Parcel]) -> Agenda[Round]:
        self._begun = time.monotonic()
        gap = 1.0 / self._rate if self._rate else 0.0
        agenda: Agenda[Round] = Agenda()
        for place, parcel in enumerate(parcels):
            agenda.add(Round(parcel), self._begun + place * gap)
        agenda.close()
        return agenda

    def _work(self, agenda: Agenda[Round]) -> None:
        line = Line(self._url, self._answer_timeout_s, self._keep_alive)
        while (job := agenda.take()) is not None:
            wait_s = job.post(line, self._begun)
            if wait_s is not None:
                agenda.add(job, time.monotonic() + wait_s * self._time_scale)
            agenda.settle()
        line.close()
