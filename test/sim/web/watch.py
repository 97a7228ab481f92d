"""What came in and how it was answered, and what of it Dialpad's description forbids.

Neither holds a value from a request: queries and bodies carry secrets.
"""

import threading
from collections import deque
from dataclasses import asdict, dataclass

from ..spec.operations import Operation, Spec
from ..spec.schema import Flaw
from .message import Answer, Request

KEPT = 10_000


@dataclass(frozen=True)
class Violation:
    side: str  # request (the daemons' fault) or answer (the simulator's own)
    operation: str
    where: str
    what: str


class Watch:
    def __init__(self) -> None:
        self._spec = Spec()
        self._lock = threading.Lock()
        self._requests: deque[dict] = deque(maxlen=KEPT)
        self._violations: deque[Violation] = deque(maxlen=KEPT)

    def operation(self, request: Request) -> Operation | None:
        return self._spec.find(request.method, request.path)

    def check_request(self, operation: Operation, request: Request) -> list[Flaw]:
        """All flaws are noted; those are returned for which Dialpad would refuse it."""
        flaws = self._spec.request_flaws(operation, request.query_text,
                                         request.content_type, request.body)
        self._note("request", operation.name, flaws)
        return [flaw for flaw in flaws if flaw.grave]

    def check_answer(self, operation: Operation, answer: Answer) -> None:
        flaws = self._spec.answer_flaws(operation, answer.status, answer.body)
        self._note("answer", operation.name, flaws)

    def unknown_operation(self, request: Request) -> None:
        self._note("request", f"{request.method} {request.path}",
                   [Flaw("path", "is no operation that the simulator knows")])

    def log(self, request: Request, status: int | None) -> None:
        """`status` is None if there was no answer."""
        with self._lock:
            self._requests.append({"method": request.method, "path": request.path,
                                   "status": status})

    def requests(self) -> list[dict]:
        with self._lock:
            return list(self._requests)

    def violations(self) -> list[dict]:
        with self._lock:
            return [asdict(violation) for violation in self._violations]

    def forget_requests(self) -> None:
        with self._lock:
            self._requests.clear()

    def forget_violations(self) -> None:
        with self._lock:
            self._violations.clear()

    def _note(self, side: str, operation: str, flaws: list[Flaw]) -> None:
        with self._lock:
            self._violations.extend(
                Violation(side, operation, flaw.where, flaw.what) for flaw in flaws)
