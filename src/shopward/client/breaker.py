"""The breaker: a server that fails is left alone for a moment, so that a shop's pages do not each wait for it.

Promise: after ``FAILURES`` failures in a row no call is made for ``PAUSE_S``; then one call tries, and the first that is
answered closes the breaker: recovery takes no restart. Time is an argument; safe to share between threads.
"""

from __future__ import annotations

import threading
from typing import Final

FAILURES: Final = 3
PAUSE_S: Final = 2.0


class Breaker:
    """Counts failures in a row."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._ask_again_s = float("-inf")

    def may_ask(self, *, now_s: float) -> bool:
        """Whether to call now; while it is open, one caller in each pause hears yes."""
        with self._lock:
            if self._failures < FAILURES:
                return True
            if now_s < self._ask_again_s:
                return False
            self._ask_again_s = now_s + PAUSE_S
            return True

    def heard(self) -> None:
        """The server answered, whatever it said."""
        with self._lock:
            self._failures = 0

    def failed(self, *, now_s: float) -> None:
        """The server was not reached, did not answer in time or cannot record."""
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES:
                self._ask_again_s = now_s + PAUSE_S
