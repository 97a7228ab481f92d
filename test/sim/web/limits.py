"""Dialpad's rate limits: 20 requests a second of one company, and one limit per operation.

The limits are documented, their windows are not: both are sliding here. Nor is
Retry-After, so there is none.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Hashable


class Limits:
    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        self._passed: dict[Hashable, deque[float]] = {}

    def admits(self, *rules: tuple[Hashable, float, int]) -> bool:
        """Rules are (what is counted, seconds, how many in them). Refused ones don't count."""
        with self._lock:
            now = self._clock()
            counted = [self._recent(key, now - seconds) for key, seconds, _ in rules]
            if any(len(seen) >= most for seen, (_, _, most) in zip(counted, rules)):
                return False
            for seen in counted:
                seen.append(now)
            return True

    def _recent(self, key: Hashable, since: float) -> deque[float]:
        seen = self._passed.setdefault(key, deque())
        while seen and seen[0] <= since:
            seen.popleft()
        return seen
