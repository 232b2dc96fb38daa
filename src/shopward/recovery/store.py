"""Cases and undos in SQL.

Promise: every method works inside the caller's transaction; ``locked`` and ``spendable`` hold their row until the commit,
so that of two who take a step at once, one sees what the other did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, insert, select, update

from shopward.bulk import put_rows
from shopward.recovery.cases import Undo, decode_case, encode
from shopward.recovery.states import FINAL
from shopward.recovery.tables import recovery_case, recovery_undo

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from shopward.recovery.cases import Case

_UNDO_SAID: Final = ("digest", "user_token", "changed_ms", "expires_ms", "recovery_id")


class RecoveryStore:
    """The cases of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def add(self, connection: Connection, case: Case) -> None:
        """A new case."""
        connection.execute(insert(recovery_case), self._row(case))

    def put(self, connection: Connection, case: Case) -> None:
        """A case that is locked, changed."""
        table = recovery_case.c
        connection.execute(
            update(recovery_case)
            .where(table.tenant == self._tenant, table.id == case.id)
            .values(self._row(case))
        )

    def get(self, connection: Connection, case_id: str) -> Case | None:
        """A case."""
        return self._case(connection, recovery_case.c.id == case_id, lock=False)

    def locked(self, connection: Connection, case_id: str) -> Case | None:
        """A case that nobody else changes until the commit."""
        return self._case(connection, recovery_case.c.id == case_id, lock=True)

    def open_of(self, connection: Connection, user: str) -> Case | None:
        """The open case of a user, locked."""
        return self._case(connection, recovery_case.c.open_for == user, lock=True)

    def under_way(self, connection: Connection, *, user: str, before: str, limit: int) -> list[Case]:
        """Open cases, newest first; of one user, or with an empty word of all."""
        table = recovery_case.c
        query = (
            select(table.body)
            .where(
                table.tenant == self._tenant, table.open_for == user if user else table.open_for != table.id
            )
            .order_by(table.id.desc())
            .limit(limit)
        )
        bodies = connection.scalars(query.where(table.id < before) if before else query)
        return [decode_case(body) for body in bodies]

    def put_undo(self, connection: Connection, undo: Undo) -> None:
        """A way back; a newer token of the same change makes the older worthless."""
        row = (
            self._tenant, undo.event_id, undo.digest, undo.user, undo.changed_ms, undo.expires_ms, undo.recovery_id,
        )  # fmt: skip
        put_rows(connection, recovery_undo, [row], replacing=_UNDO_SAID)

    def undo_of(self, connection: Connection, event_id: str) -> Undo | None:
        """The way back from a change, locked."""
        return self._undo(connection, recovery_undo.c.event_id == event_id)

    def undo_by(self, connection: Connection, digest: bytes) -> Undo | None:
        """The way back that a token opens, locked."""
        return self._undo(connection, recovery_undo.c.digest == digest)

    def forget_undos(self, connection: Connection, *, before_ms: int) -> int:
        """Delete ways back that ended before a time; how many."""
        table = recovery_undo.c
        gone = connection.execute(
            delete(recovery_undo).where(table.tenant == self._tenant, table.expires_ms < before_ms)
        )
        return int(gone.rowcount)

    def _case(self, connection: Connection, which: Any, *, lock: bool) -> Case | None:
        query = select(recovery_case.c.body).where(recovery_case.c.tenant == self._tenant, which)
        body = connection.scalar(query.with_for_update() if lock else query)
        return None if body is None else decode_case(body)

    def _undo(self, connection: Connection, which: Any) -> Undo | None:
        table = recovery_undo.c
        row = connection.execute(
            select(
                table.event_id,
                table.digest,
                table.user_token,
                table.changed_ms,
                table.expires_ms,
                table.recovery_id,
            )
            .where(table.tenant == self._tenant, which)
            .with_for_update()
        ).first()
        return None if row is None else Undo(row[0], bytes(row[1]), *row[2:])

    def _row(self, case: Case) -> dict[str, Any]:
        return {
            "tenant": self._tenant,
            "id": case.id,
            "open_for": case.id if case.state in FINAL else case.user,
            "body": encode(case).decode(),
        }
