"""The write-ahead file of SQLite, whose pages get into the database beside the commits, and not within one.

Promise:
- a commit waits for a few pages at most. By itself SQLite lets the commit that fills the file's 1,000th page copy all of
  them: 14 ms for every 90th group of 64, and more than one answer in a hundred waited for it;
- the file stays small: the first commit after a copy copies what came meanwhile, and the one behind it begins the file anew;
- where the copying cannot keep up or fails, the file grows to ``FILE_PAGES_MAX``, and then a commit does it, as SQLite would:
  it fails open, since what is committed is durable in either file.

It decides nothing about what is durable. Other connections to the file keep SQLite's own habit.
"""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

STEP_BYTES: Final = 4 * 1024 * 1024
"""So much is written between two copies: less copies more often, more makes those who commit meanwhile wait longer."""
COMMIT_BYTES: Final = 5 * 16_384
"""Pages that a commit writes beside what is appended: the head, leaves of three tables."""
FILE_PAGES_MAX: Final = 4_000


class WriteAhead:
    """Keeps one file short, for the one connection that appends to it.

    Args:
        connect: opens another connection to the file.
    """

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._copier: ThreadPoolExecutor | None = None
        self._copying: Future[None] | None = None
        self._written = 0

    def keep(self, connection: Any) -> None:
        """Take over from SQLite for this connection."""
        connection.execute(f"PRAGMA wal_autocheckpoint = {FILE_PAGES_MAX}").close()

    def committed(self, connection: Any, appended_bytes: int) -> None:
        """A transaction of this connection is durable; call it between two of them, in their thread."""
        self._written += appended_bytes + COMMIT_BYTES
        if self._copying is None:
            if self._written >= STEP_BYTES:
                self._written = 0
                self._copier = self._copier or ThreadPoolExecutor(1, "shopward-wal")
                with suppress(RuntimeError):  # no thread to be had: a commit does it in the end
                    self._copying = self._copier.submit(self._copy_aside)
        elif self._copying.done():
            self._copying = None
            if self._written < STEP_BYTES:  # else another copy aside comes first
                _copy(connection)

    def close(self) -> None:
        """Let a copy that is under way end."""
        if self._copier is not None:
            self._copier.shutdown()
            self._copier = self._copying = None

    def _copy_aside(self) -> None:
        with suppress(sqlite3.Error), closing(self._connect()) as connection:
            _copy(connection)


def _copy(connection: Any) -> None:
    """Copy what can be copied without waiting for anybody."""
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
