"""Lines in SQL.

Promise: every method works inside the caller's transaction; who changes a line holds the fence. A signal is kept once for each line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import delete, insert, select, update

from shopward.bulk import put_new
from shopward.lines.line import Line
from shopward.lines.signals import Signal
from shopward.lines.tables import line_record, line_signal

if TYPE_CHECKING:
    from sqlalchemy import Connection

_T, _S = line_record.c, line_signal.c
_line: Final = msgspec.json.Decoder(Line).decode
_signal: Final = msgspec.json.Decoder(Signal).decode


class LineStore:
    """The lines of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def all(self, connection: Connection) -> list[Line]:
        """All of them, in the order in which they were made."""
        query = select(_T.body).where(_T.tenant == self._tenant).order_by(_T.id)
        return [_line(body) for body in connection.scalars(query)]

    def get(self, connection: Connection, line_id: str) -> Line | None:
        """One of them."""
        body = connection.scalar(select(_T.body).where(_T.tenant == self._tenant, _T.id == line_id))
        return None if body is None else _line(body)

    def add(self, connection: Connection, line: Line) -> None:
        """A new one."""
        row = {"tenant": self._tenant, "id": line.id, "state": line.state, "body": _body(line)}
        connection.execute(insert(line_record), row)

    def put(self, connection: Connection, line: Line) -> None:
        """One that is there, changed."""
        mine = (_T.tenant == self._tenant) & (_T.id == line.id)
        connection.execute(update(line_record).where(mine).values(state=line.state, body=_body(line)))

    def keep(self, connection: Connection, line_id: str, signal: Signal) -> bool:
        """Keep a signal; false, and nothing changed, where it was told before."""
        row = {
            "tenant": self._tenant, "line": line_id, "key": signal.key, "at_ms": signal.at_ms, "body": _body(signal),
        }  # fmt: skip
        return put_new(connection, line_signal, row)

    def signals(self, connection: Connection, line_id: str, *, limit: int) -> list[Signal]:
        """What was told of a line, the newest first."""
        query = select(_S.body).where(_S.tenant == self._tenant, _S.line == line_id)
        return [
            _signal(body) for body in connection.scalars(query.order_by(_S.at_ms.desc(), _S.key).limit(limit))
        ]

    def forget(self, connection: Connection, *, before_ms: int) -> int:
        """Drop signals of before a time; how many."""
        gone = delete(line_signal).where(_S.tenant == self._tenant, _S.at_ms < before_ms)
        return int(connection.execute(gone).rowcount)

    def remove(self, connection: Connection, line_id: str) -> None:
        """A line, of which no signal is kept any more."""
        connection.execute(delete(line_record).where(_T.tenant == self._tenant, _T.id == line_id))

    def is_barred(self, connection: Connection, phone_id: str = "") -> bool:
        """Whether a line is condemned: the one with this id at the platform, or any where none is given.

        Fails closed: a condemned line whose id nobody said may be that one.
        """
        query = select(_T.body).where(_T.tenant == self._tenant, _T.state == "condemned")
        return any(
            not phone_id or _line(body).phone_id in ("", phone_id) for body in connection.scalars(query)
        )


def _body(value: Line | Signal) -> str:
    return msgspec.json.encode(value).decode()
