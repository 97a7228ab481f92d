"""How fast the machine is right now: what one HMAC-SHA256 costs, while the load runs.

Shared processors change their speed by a factor of two within minutes. A cost beside that of a
fixed piece of work, done by the same library in the same seconds, does not.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import statistics
import threading
import time

BYTES = 1400  # about what a webhook's token has to be verified
BURST, PAUSE_SECONDS = 200, 0.25  # about a hundredth of one core


class Yardstick:
    """Measures from its entry to its exit: `with Yardstick() as y: …`, then `y.hmac_us()`."""

    def __init__(self) -> None:
        sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
        self._hmac = sodium.crypto_auth_hmacsha256
        self._found: list[float] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Yardstick:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def hmac_us(self) -> float:
        return statistics.median(self._found)

    def _run(self) -> None:
        out, key, text = ctypes.create_string_buffer(32), bytes(32), bytes(BYTES)
        length = ctypes.c_ulonglong(BYTES)
        while True:
            begun = time.thread_time()
            for _ in range(BURST):
                self._hmac(out, text, length, key)
            self._found.append((time.thread_time() - begun) / BURST * 1e6)
            if self._done.wait(PAUSE_SECONDS):
                return
