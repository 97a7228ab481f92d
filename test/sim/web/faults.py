"""Faults that a test asks for: the next `times` requests of a path meet them.

    answer   status, headers and body as given; the request is not carried out
    slow     carried out and answered after `seconds`
    trickle  carried out; the answer comes byte by byte, over `seconds`
    drop     not carried out; the connection ends without an answer
    lost     carried out, so that a token was issued or a webhook made; then as drop
"""

import threading
from dataclasses import asdict, dataclass, field, fields

from ..world.refusal import Refusal
from .message import Request

KINDS = ("answer", "slow", "trickle", "drop", "lost")


@dataclass
class Fault:
    kind: str
    path: str  # exact, or a beginning followed by *
    method: str | None = None
    times: int = 1
    seconds: float = 0
    status: int = 500
    headers: dict = field(default_factory=dict)
    body: str = "{}"

    def hits(self, request: Request) -> bool:
        if self.method not in (None, request.method):
            return False
        if self.path.endswith("*"):
            return request.path.startswith(self.path[:-1])
        return request.path == self.path


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, given: dict) -> None:
        unknown = set(given) - {one.name for one in fields(Fault)}
        if unknown:
            raise Refusal(400, f"a fault has no {', '.join(sorted(unknown))}")
        if given.get("kind") not in KINDS or "path" not in given:
            raise Refusal(400, f"a fault has a path and a kind of {', '.join(KINDS)}")
        with self._lock:
            self._waiting.append(Fault(**given))

    def take(self, request: Request) -> Fault | None:
        """The fault that this request meets: the oldest of those that fit."""
        with self._lock:
            for fault in self._waiting:
                if fault.hits(request):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._waiting.remove(fault)
                    return fault
        return None

    def waiting(self) -> list[dict]:
        with self._lock:
            return [asdict(fault) for fault in self._waiting]

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()
