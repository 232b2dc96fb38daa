"""A reading connection for each thread.

Promise: a reader never waits for the one that appends and cannot write. A connection that broke is replaced and
the question asked once more; a thread that ends takes its connection with it.
"""

from __future__ import annotations

import threading
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from shopward.adapters.sql.failures import driver_errors, is_passing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.adapters.sql.statements import Row


class Readers:
    """Reading connections, made by ``connect`` when a thread first asks."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._local = threading.local()
        self._all: weakref.WeakSet[_Reader] = weakref.WeakSet()

    def fetch(self, text: str, values: Sequence[Any]) -> list[Row]:
        """All rows that a statement answers."""
        try:
            return self._reader().fetch(text, values)
        except driver_errors() as error:
            self._forget()
            if not is_passing(error):
                raise
        return self._reader().fetch(text, values)

    def close(self) -> None:
        """Close the connections of all threads."""
        for reader in list(self._all):
            reader.close()
        self._local = threading.local()

    def _reader(self) -> _Reader:
        reader: _Reader | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = _Reader(self._connect())
            self._all.add(reader)
        return reader

    def _forget(self) -> None:
        reader: _Reader | None = getattr(self._local, "reader", None)
        if reader is not None:
            reader.close()
            self._local.reader = None


class _Reader:
    """One connection, closed when nobody holds it any more."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.close = weakref.finalize(self, _close, connection)

    def fetch(self, text: str, values: Sequence[Any]) -> list[Row]:
        cursor = self._connection.execute(text, values)
        rows: list[Row] = cursor.fetchall()
        cursor.close()
        return rows


def _close(connection: Any) -> None:
    with suppress(*driver_errors()):
        connection.close()
