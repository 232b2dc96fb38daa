"""Complaints in SQL.

Promise: every method works inside the caller's transaction; with ``lock`` a row is held until the commit. One key of the
shop's is one complaint: whoever adds holds the fence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, insert, select, update

from shopward.complaints.complaint import OPEN, Complaint, decode, encode, next_ms
from shopward.complaints.tables import complaint_record

if TYPE_CHECKING:
    from sqlalchemy import Connection

_T = complaint_record.c


class ComplaintStore:
    """The complaints of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def add(self, connection: Connection, complaint: Complaint, *, key: str, digest: str) -> None:
        """A new one, under the shop's key for it (empty for none) and the hash of what was said."""
        row = self._row(complaint) | {
            "tenant": self._tenant,
            "id": complaint.id,
            "said_key": key,
            "said_hash": digest,
        }
        connection.execute(insert(complaint_record), row)

    def put(self, connection: Connection, complaint: Complaint) -> None:
        """One that is locked, changed."""
        mine = (_T.tenant == self._tenant) & (_T.id == complaint.id)
        connection.execute(update(complaint_record).where(mine).values(self._row(complaint)))

    def get(self, connection: Connection, complaint_id: str, *, lock: bool = False) -> Complaint | None:
        """One of them; with ``lock`` one that nobody else changes until the commit."""
        query = select(_T.body).where(_T.tenant == self._tenant, _T.id == complaint_id)
        body = connection.scalar(query.with_for_update() if lock else query)
        return None if body is None else decode(body)

    def of_key(self, connection: Connection, key: str) -> tuple[Complaint, str] | None:
        """The complaint that the shop sent under a key, and the hash of what it said."""
        query = select(_T.body, _T.said_hash).where(_T.tenant == self._tenant, _T.said_key == key)
        row = connection.execute(query).one_or_none()
        return None if row is None else (decode(row[0]), str(row[1]))

    def listed(
        self, connection: Connection, *, state: str, user: str, is_overdue: bool, before: str, limit: int
    ) -> list[Complaint]:
        """Newest first; an empty word asks for all."""
        query = select(_T.body).where(_T.tenant == self._tenant).order_by(_T.id.desc()).limit(limit)
        asked = ((_T.state, state), (_T.user_token, user))
        query = query.where(*(column == value for column, value in asked if value))
        if is_overdue:  # told to be overdue: open, and nothing is due any more
            query = query.where(_T.state.in_(OPEN), _T.due_ms == 0)
        if before:
            query = query.where(_T.id < before)
        return [decode(body) for body in connection.scalars(query)]

    def due(self, connection: Connection, *, at_ms: int, limit: int) -> list[str]:
        """Those whose date passed, the longest first."""
        query = select(_T.id).where(_T.tenant == self._tenant, _T.due_ms > 0, _T.due_ms < at_ms)
        return list(connection.scalars(query.order_by(_T.due_ms).limit(limit)))

    def standing(self, connection: Connection, *, at_ms: int) -> tuple[int, int]:
        """How many wait for a person, and of these how many are past their date; the date of one that was told is 0."""
        mine = (_T.tenant == self._tenant) & _T.state.in_(OPEN)
        asked = select(func.count(), func.count(case((_T.due_ms < at_ms, 1)))).where(mine)
        count, late = connection.execute(asked).one()
        return int(count), int(late)

    def _row(self, complaint: Complaint) -> dict[str, Any]:
        return {
            "user_token": complaint.user, "state": complaint.state, "due_ms": next_ms(complaint),
            "body": encode(complaint).decode(),
        }  # fmt: skip
