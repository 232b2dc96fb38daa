"""Complaints in SQL.

Promise: what the customer said is not in the row (``flows.words``); every method works inside the caller's transaction; with ``lock`` a row is held until the commit. One key of the
shop's is one complaint: whoever adds holds the fence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import case, func, insert, select, update

from shopward.complaints.complaint import OPEN, Complaint, decode, encode, next_ms
from shopward.complaints.tables import complaint_record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

_T = complaint_record.c
_STATEMENT: Final = '"statement":'
"""Stands in a complaint of an earlier version, and in no other: within a text its quotes would be escaped."""


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

    def near(self, connection: Connection, *, at_ms: int, until_ms: int, limit: int) -> list[tuple[str, int]]:
        """Those that wait for a person and whose date is in this time, with it; the soonest first."""
        query = select(_T.id, _T.due_ms).where(
            _T.tenant == self._tenant, _T.state.in_(OPEN), _T.due_ms.between(at_ms, until_ms)
        )
        return [(name, due_ms) for name, due_ms in connection.execute(query.order_by(_T.due_ms).limit(limit))]

    def standing(self, connection: Connection, *, at_ms: int) -> tuple[int, int]:
        """How many wait for a person, and of these how many are past their date; the date of one that was told is 0."""
        mine = (_T.tenant == self._tenant) & _T.state.in_(OPEN)
        asked = select(func.count(), func.count(case((_T.due_ms < at_ms, 1)))).where(mine)
        count, late = connection.execute(asked).one()
        return int(count), int(late)

    # What an earlier version kept in clear.

    def in_clear(self, connection: Connection, after: str, limit: int) -> list[tuple[str, str, str, int]]:
        """Complaints whose statement lies in them: id, token of the customer, statement, and when they came."""
        query = select(_T.body).where(_T.tenant == self._tenant, _T.id > after, _T.body.contains(_STATEMENT))
        found = map(decode, connection.scalars(query.order_by(_T.id).limit(limit).with_for_update()))
        return [(each.id, each.user, each.statement, each.received_ms) for each in found]

    def emptied(self, connection: Connection, ids: Sequence[str], *, keyed: Callable[[str], str]) -> None:
        """Take the statements out of them, and have keyed what their words hash to."""
        query = select(_T.id, _T.body, _T.said_hash).where(_T.tenant == self._tenant, _T.id.in_(ids))
        for complaint_id, body, digest in connection.execute(query).all():
            without = encode(msgspec.structs.replace(decode(body), statement="")).decode()
            mine = (_T.tenant == self._tenant) & (_T.id == complaint_id)
            connection.execute(
                update(complaint_record).where(mine).values(body=without, said_hash=keyed(digest))
            )

    def _row(self, complaint: Complaint) -> dict[str, Any]:
        return {
            "user_token": complaint.user, "state": complaint.state, "due_ms": next_ms(complaint),
            "body": encode(complaint).decode(),
        }  # fmt: skip
