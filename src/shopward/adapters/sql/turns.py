"""Turns: the writers of one SQLite file in one process, first come, first served.

Promise: who waits is served in the order of coming; nobody starves. SQLite itself lets a writer that finds the file
busy sleep and try again, longer each time, so that one who asks now and then lost to those who ask without pause: a
freeze waited 3.5 s behind four spenders, and 4 ms with turns (benchmarks/protection.py).

Between processes SQLite's own waiting remains. PostgreSQL queues by itself and takes no turns.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Turns:
    """A lock that is handed on in the order of asking; not reentrant."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the turn, and hand it on at the end."""
        self._take()
        try:
            yield
        finally:
            self._hand_on()

    def _take(self) -> None:
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        mine.acquire()  # released by whoever hands the turn on

    def _hand_on(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


_of_files: Final[dict[str, Turns]] = {}
_making: Final = threading.Lock()


def turns_of(path: Path) -> Turns:
    """The turns of a file; one for the whole process."""
    with _making:
        return _of_files.setdefault(str(path.absolute()), Turns())
