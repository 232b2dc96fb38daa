"""Erasures and legal holds of customers, as rows.

Promise: every call runs in the caller's transaction. A row of an erasure holds its certificate; a hold says who placed it and
whether an erasure waits for its end. The reasons of both are somebody's words and lie sealed elsewhere (``flows.words``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import delete, func, insert, select, update

from shopward.vault.rows import Hold, hold_name
from shopward.vault.tables import vault_erasure, vault_hold, vault_subject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from shopward.vault.journal import Erased


_NO_REASON: Final = '"reason":""'


class ErasureBook:
    """The rows of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def last_seq(self, connection: Connection) -> int:
        """How many erasures the store knows."""
        query = select(func.max(vault_erasure.c.seq)).where(vault_erasure.c.tenant == self._tenant)
        return int(connection.scalar(query) or 0)

    def note(self, connection: Connection, erased: Erased, *, at_ms: int, certificate: str) -> None:
        """Write down an erasure with its certificate."""
        row = {
            "tenant": self._tenant, "seq": erased.seq, "subject": erased.subject,
            "retention": ",".join(erased.retention), "until_ms": erased.until_ms, "at_ms": at_ms, "certificate": certificate,
        }  # fmt: skip
        connection.execute(insert(vault_erasure), row)

    def certificates(self, connection: Connection, subject: str) -> list[str]:
        """The certificates of a customer's erasures, oldest first."""
        table = vault_erasure.c
        query = select(table.certificate).where(table.tenant == self._tenant, table.subject == subject)
        return list(connection.scalars(query.order_by(table.seq)))

    def since(self, connection: Connection, since_ms: int, retention: str) -> set[str]:
        """The customers of whom a class was erased since then."""
        table = vault_erasure.c
        query = select(table.subject, table.retention).where(
            table.tenant == self._tenant, table.until_ms >= since_ms
        )
        return {subject for subject, classes in connection.execute(query) if retention in classes.split(",")}

    def classes(self, connection: Connection, subject: str, *, until_ms: int) -> list[str]:
        """The classes in which a customer has a key that was made up to then."""
        table = vault_subject.c
        query = select(table.retention).where(
            table.tenant == self._tenant, table.subject == subject, table.created_ms <= until_ms
        )
        return sorted(connection.scalars(query))

    # Legal holds.

    def hold(self, connection: Connection, hold: Hold) -> bool:
        """Hold a customer's class; false where it is held already."""
        if any(each.retention == hold.retention for each in self.holds(connection, hold.subject)):
            return False
        connection.execute(insert(vault_hold), {"tenant": self._tenant, **hold._asdict()})
        return True

    def holds(self, connection: Connection, subject: str) -> list[Hold]:
        """What is held of a customer."""
        columns = [vault_hold.c[name] for name in Hold._fields]
        query = select(*columns).where(vault_hold.c.tenant == self._tenant, vault_hold.c.subject == subject)
        return [Hold(*row) for row in connection.execute(query.order_by(vault_hold.c.retention))]

    def erase_after(self, connection: Connection, subject: str, retention: Sequence[str]) -> None:
        """Note that an erasure waits for the end of these holds."""
        connection.execute(update(vault_hold).where(self._mine(subject, retention)).values(erase_after=True))

    def release(self, connection: Connection, subject: str, retention: Sequence[str]) -> list[Hold]:
        """End holds; those that there were."""
        held = [each for each in self.holds(connection, subject) if each.retention in retention]
        connection.execute(delete(vault_hold).where(self._mine(subject, retention)))
        return held

    # What an earlier version kept in clear.

    def holds_in_clear(
        self, connection: Connection, _after: str, limit: int
    ) -> list[tuple[str, str, str, int]]:
        """Holds whose reason lies in them: what it is called, nobody's token, the reason, and since when."""
        table = vault_hold.c
        query = select(table.subject, table.retention, table.reason, table.since_ms).where(
            table.tenant == self._tenant, table.reason != ""
        )
        rows = connection.execute(query.limit(limit).with_for_update())
        return [
            (hold_name(subject, retention), "", reason, at_ms) for subject, retention, reason, at_ms in rows
        ]

    def empty_holds(self, connection: Connection, names: Sequence[str]) -> None:
        """Take the reasons out of holds."""
        for subject, retention in (name.split(":") for name in names):
            connection.execute(update(vault_hold).where(self._mine(subject, [retention])).values(reason=""))

    def certificates_in_clear(
        self, connection: Connection, _after: str, limit: int
    ) -> list[tuple[str, str, str, int]]:
        """Certificates whose reason lies in them: id, nobody's token, the reason, and when they were made."""
        table = vault_erasure.c
        query = select(table.certificate, table.at_ms).where(
            table.tenant == self._tenant, ~table.certificate.contains(_NO_REASON)
        )
        rows = connection.execute(query.order_by(table.seq).limit(limit).with_for_update())
        found = [(msgspec.json.decode(body), at_ms) for body, at_ms in rows]
        return [(body["id"], "", body["reason"], at_ms) for body, at_ms in found]

    def empty_certificates(self, connection: Connection, ids: Sequence[str]) -> None:
        """Take the reasons out of certificates."""
        table = vault_erasure.c
        for each in ids:
            mine = (table.tenant == self._tenant) & (table.seq == int(each.removeprefix("ve-")))
            body = connection.scalar(select(table.certificate).where(mine))
            without = msgspec.json.encode(msgspec.json.decode(body or "{}") | {"reason": ""}).decode()
            connection.execute(update(vault_erasure).where(mine).values(certificate=without))

    def _mine(self, subject: str, retention: Sequence[str]) -> Any:
        table = vault_hold.c
        return (table.tenant == self._tenant) & (table.subject == subject) & table.retention.in_(retention)


def overwrite_freed(connection: Connection) -> None:
    """Have this connection overwrite what it frees: SQLite does not by itself, and PostgreSQL only at its next vacuum."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
