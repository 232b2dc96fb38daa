"""Cursors: how far the ordered log was acted on, moved in the transaction of what was done.

Promise: a cursor moves on from where the caller believed it to be, or not at all; so of two processes that follow one
log, one acts and the other reads on from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from shopward.bulk import put_new
from shopward.outbox.tables import follow_cursor

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Cursors:
    """The cursors of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def begin(self, connection: Connection, name: str, seq: int) -> None:
        """Put a cursor there, where it has none."""
        put_new(connection, follow_cursor, {"tenant": self._tenant, "name": name, "seq": seq})

    def at(self, connection: Connection, name: str) -> int:
        """Where it is; 0 where there is none."""
        table = follow_cursor.c
        asked = select(table.seq).where(table.tenant == self._tenant, table.name == name)
        return int(connection.scalar(asked) or 0)

    def move(self, connection: Connection, name: str, *, old: int, new: int) -> bool:
        """On from where it was; false where somebody else moved it."""
        table = follow_cursor.c
        moved = connection.execute(
            update(follow_cursor)
            .where(table.tenant == self._tenant, table.name == name, table.seq == old)
            .values(seq=new)
        )
        return moved.rowcount == 1
