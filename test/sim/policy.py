"""When Dialpad sends a body again, as its documentation of delivery failures says.

    2xx                                  done
    no answer in 5 s, or no connection   at most 2 more tries, at once
    5xx, call events                     3 more tries, after 2, 4, 8 s
    5xx, texts                           10 more tries, after 30 s, 1, 2, 4, 8, 16, 32 min,
                                         then 3 times 60 min
    any 4xx, 429 included                never again: the event is gone

Not documented, and chosen here: an answer that is none of these (1xx, 3xx) is final as a
4xx is; where failures mix, the quick tries and the backed-off ones are counted apart.
"""

from collections.abc import Iterator

ANSWER_TIMEOUT_S = 5.0
QUICK_TRIES = 2
MINUTE = 60.0
BACKOFF_S = {
    "call": (2.0, 4.0, 8.0),
    "sms": (30.0, *(minutes * MINUTE for minutes in (1, 2, 4, 8, 16, 32, 60, 60, 60))),
}


class Tries:
    """What is left of one body's tries."""

    def __init__(self, kind: str):
        self._quick_left = QUICK_TRIES
        self._backoff: Iterator[float] = iter(BACKOFF_S[kind])

    def wait_after(self, status: int | None) -> float | None:
        """Seconds until the next try after this answer (None: no answer); None: give up."""
        if status is None:
            if self._quick_left == 0:
                return None
            self._quick_left -= 1
            return 0.0
        if status >= 500:
            return next(self._backoff, None)
        return None
