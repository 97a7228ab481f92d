"""What is due when. Threads take from it and sleep until the next thing is due."""

import heapq
import itertools
import threading
import time
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Agenda(Generic[Item]):
    """Every item taken must be settled; what has to come again is added anew before."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int, Item]] = []
        self._ticket = itertools.count()  # the order of what is due at the same instant
        self._unsettled = 0
        self._closed = False

    def add(self, item: Item, due: float) -> None:
        """`due` is an instant of the monotonic clock."""
        with self._changed:
            heapq.heappush(self._heap, (due, next(self._ticket), item))
            self._unsettled += 1
            self._changed.notify()

    def take(self) -> Item | None:
        """The next item, once it is due; None when no more will ever come."""
        with self._changed:
            while self._unsettled or not self._closed:
                wait_s = self._heap[0][0] - time.monotonic() if self._heap else None
                if wait_s is not None and wait_s <= 0:
                    return heapq.heappop(self._heap)[2]
                self._changed.wait(wait_s)
            return None

    def settle(self) -> None:
        with self._changed:
            self._unsettled -= 1
            if not self._unsettled:
                self._changed.notify_all()

    def close(self) -> None:
        """Nothing new will be added, but by who has taken something."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def abandon(self) -> None:
        """Forget what has not been taken yet, and close."""
        with self._changed:
            self._unsettled -= len(self._heap)
            self._heap.clear()
            self._closed = True
            self._changed.notify_all()

    @property
    def unsettled(self) -> int:
        return self._unsettled
