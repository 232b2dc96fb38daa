"""Pace: so many in any minute, and how long to wait where it is too many.

Promise: times are handed in; what is refused does not count, so that waiting helps. It is not locked: who shares one among threads locks.
"""

from __future__ import annotations

from collections import deque

from shopward.values import MINUTE_MS, SECOND_MS


class Pace:
    """A bound on what happens in a minute.

    Args:
        most: how many.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken_ms: deque[int] = deque()

    def wait_s(self, at_ms: int) -> int:
        """0 where one more may happen, which counts from now on; otherwise after how many seconds there is room."""
        while self._taken_ms and self._taken_ms[0] <= at_ms - MINUTE_MS:
            self._taken_ms.popleft()
        if len(self._taken_ms) >= self._most:
            return max(1, -(-(self._taken_ms[0] + MINUTE_MS - at_ms) // SECOND_MS))
        self._taken_ms.append(at_ms)
        return 0
