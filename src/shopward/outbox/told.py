"""What somebody was told of a date, so that each is told once.

Promise: a row is a subject, what of it, its date and how near it was; putting it in a second time changes nothing. A date that is
moved is another date. Rows of dates that are long over are forgotten, once nobody works on their subject.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from shopward.bulk import among, put_rows
from shopward.outbox.tables import deadline_told
from shopward.outbox.telling import Telling

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

_T = deadline_told.c


class Told:
    """Of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def untold(self, connection: Connection, tellings: Sequence[Telling]) -> list[Telling]:
        """Those that nobody was told, in their order."""
        asked = select(_T.subject, _T.of, _T.due_ms, _T.step).where(
            _T.tenant == self._tenant, among(connection, _T.subject, {each.subject for each in tellings})
        )
        known = {Telling(*row) for row in connection.execute(asked)}
        return [each for each in tellings if each not in known]

    def put(self, connection: Connection, tellings: Sequence[Telling]) -> None:
        """They are told now."""
        put_rows(connection, deadline_told, [(self._tenant, *each) for each in tellings], keeping=True)

    def forget(self, connection: Connection, *, before_ms: int, but: Iterable[str]) -> None:
        """Dates that were before this, but those of these subjects."""
        over = (_T.tenant == self._tenant) & (_T.due_ms < before_ms) & ~among(connection, _T.subject, but)
        connection.execute(delete(deadline_told).where(over))
