"""Incidents in SQL.

Promise: every method works inside the caller's transaction; with ``lock`` a row is held until the commit, so that of two who write
at once, one sees what the other wrote. What the record says lies sealed (``Words``); the row has its id, state and time.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, Protocol

from sqlalchemy import func, insert, select, update

from shopward.bulk import put_rows
from shopward.errors import StoreError
from shopward.incidents.incident import Incident, decode, encode
from shopward.incidents.scope import ROW, TOKEN
from shopward.incidents.tables import incident_record, incident_signal, incident_victims

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

    from shopward.incidents.incident import State

PAGE_ROWS: Final = 16_384
AT_WORK: Final[tuple[State, ...]] = ("proposed", "open", "contained")
_PAGE: Final = 100


KIND: Final = "incident"
"""What its words are called."""


class Words(Protocol):
    """Keeps texts sealed, in the caller's transaction; ``subject`` is empty for those of no one customer."""

    def keep(self, connection: Any, kind: str, text_id: str, text: str, *, subject: str) -> None:
        """A text, in the place of the one that it had."""
        ...

    def of(self, connection: Any, kind: str, ids: Sequence[str]) -> dict[str, str]:
        """Texts by their ids."""
        ...


class SignalRow(NamedTuple):
    """Which incident a signal has, and how many accounts it had when it was scoped last."""

    incident: str
    accounts: int


class IncidentStore:
    """The incidents of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
        words: keep what records say.
    """

    def __init__(self, tenant: str, words: Words) -> None:
        self._tenant = tenant
        self._words = words

    def add(self, connection: Connection, incident: Incident, *, at_ms: int) -> None:
        """A new one."""
        connection.execute(insert(incident_record), self._row(incident, at_ms))
        self._keep(connection, incident)

    def put(self, connection: Connection, incident: Incident, *, at_ms: int) -> None:
        """One that is locked, changed."""
        table = incident_record.c
        connection.execute(
            update(incident_record)
            .where(table.tenant == self._tenant, table.id == incident.id)
            .values(self._row(incident, at_ms))
        )
        self._keep(connection, incident)

    def get(self, connection: Connection, incident_id: str, *, lock: bool = False) -> Incident | None:
        """One of them."""
        table = incident_record.c
        query = select(table.id, table.body).where(table.tenant == self._tenant, table.id == incident_id)
        found = self._whole(connection, query.with_for_update() if lock else query)
        return found[0] if found else None

    def listed(self, connection: Connection, *, state: str, before: str, limit: int) -> list[Incident]:
        """Newest first; an empty word asks for all."""
        table = incident_record.c
        query = select(table.id, table.body).where(table.tenant == self._tenant)
        if state:
            query = query.where(table.state == state)
        if before:
            query = query.where(table.id < before)
        return self._whole(connection, query.order_by(table.id.desc()).limit(limit))

    def at_work(self, connection: Connection) -> Iterator[Incident]:
        """Those that are proposed, open or contained; some at a time."""
        for state in AT_WORK:
            before = ""
            while page := self.listed(connection, state=state, before=before, limit=_PAGE):
                yield from page
                before = page[-1].id

    def signals(self, connection: Connection) -> dict[tuple[str, str], SignalRow]:
        """Every signal that has an incident, by kind and subject."""
        table = incident_signal.c
        asked = select(table.kind, table.subject, table.incident, table.accounts).where(
            table.tenant == self._tenant
        )
        return {(kind, subject): SignalRow(*row) for kind, subject, *row in connection.execute(asked)}

    def signal(self, connection: Connection, kind: str, subject: str) -> str | None:
        """The incident of a signal."""
        table = incident_signal.c
        asked = select(table.incident).where(
            table.tenant == self._tenant, table.kind == kind, table.subject == subject
        )
        found: str | None = connection.scalar(asked)
        return found

    def put_signal(
        self,
        connection: Connection,
        kind: str,
        subject: str,
        incident: str,
        *,
        accounts: int,
        only_new: bool = False,
    ) -> bool:
        """Note the incident of a signal; with ``only_new`` false, and nothing changed, where it has one."""
        row = (self._tenant, kind, subject, incident, accounts)
        replacing = () if only_new else ("incident", "accounts")
        return put_rows(connection, incident_signal, [row], keeping=only_new, replacing=replacing) == 1

    def put_victims(self, connection: Connection, incident_id: str, version: int, rows: bytes) -> None:
        """The people of a version, which is new."""
        step = PAGE_ROWS * ROW
        named = {"tenant": self._tenant, "incident": incident_id, "version": version}
        for page, start in enumerate(range(0, len(rows), step)):
            connection.execute(
                insert(incident_victims), {**named, "page": page, "rows": rows[start : start + step]}
            )

    def victims(self, connection: Connection, incident_id: str, version: int) -> Iterator[bytes]:
        """The pages of a version, one at a time."""
        table, page = incident_victims.c, 0
        while True:
            asked = select(table.rows).where(
                table.tenant == self._tenant, table.incident == incident_id, table.version == version, table.page == page
            )  # fmt: skip
            rows = connection.scalar(asked)
            if rows is None:
                return
            yield bytes(rows)
            page += 1

    def victim(self, connection: Connection, incident_id: str, version: int, token: bytes) -> bytes:
        """The row of one person of a version; empty where they are not in it. Rows stand in the order of their tokens."""
        table, first = incident_victims.c, func.substr(incident_victims.c.rows, 1, TOKEN)
        asked = select(table.rows).where(
            table.tenant == self._tenant, table.incident == incident_id, table.version == version, first <= token
        )  # fmt: skip
        rows = bytes(connection.scalar(asked.order_by(table.page.desc()).limit(1)) or b"")
        at = ROW * bisect_left(
            range(len(rows) // ROW), token, key=lambda row: rows[row * ROW : row * ROW + TOKEN]
        )
        found = rows[at : at + ROW]
        return found if found.startswith(token) else b""

    def _whole(self, connection: Connection, query: Any) -> list[Incident]:
        """The records of rows; one that lies in clear as yet is read from its row."""
        rows = connection.execute(query).all()
        told = self._words.of(connection, KIND, [incident_id for incident_id, body in rows if not body])
        return [decode(body or told.get(incident_id) or _missing()) for incident_id, body in rows]

    def _keep(self, connection: Connection, incident: Incident) -> None:
        self._words.keep(connection, KIND, incident.id, encode(incident).decode(), subject="")

    def _row(self, incident: Incident, at_ms: int) -> dict[str, Any]:
        return {
            "tenant": self._tenant, "id": incident.id, "state": incident.state, "changed_ms": at_ms, "body": "",
        }  # fmt: skip


def _missing() -> NoReturn:
    raise StoreError(  # fails closed
        "the record of an incident is missing", expected="what its row names", found="nothing",
        hint="restore the store whole from a backup; somebody or something changed it",
    )  # fmt: skip
