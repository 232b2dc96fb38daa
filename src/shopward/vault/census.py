"""How many customers the vault knows, and where one stands among them: what a leak is weighed against.

Promise: numbers alone, without canaries, in the caller's transaction. A customer's place is that of the first record kept of
them, which is near where a dump of a table would have them.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

from sqlalchemy import case, func, select

from shopward.vault.tables import vault_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

CHUNK: Final = 400


class Census:
    """The customers of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def firsts(self, connection: Connection) -> array[int]:
        """When each customer came, in order; as long as there are customers."""
        table = vault_record.c
        first = func.min(table.created_ms).label("first")
        query = select(first).where(table.tenant == self._tenant, ~table.canary)
        return array("q", connection.scalars(query.group_by(table.subject).order_by(first)))

    def first_of(self, connection: Connection, subjects: Sequence[str]) -> dict[str, int]:
        """When each of some customers came."""
        table, found = vault_record.c, {}
        for start in range(0, len(subjects), CHUNK):
            part = table.subject.in_(subjects[start : start + CHUNK])
            query = select(table.subject, func.min(table.created_ms)).where(
                table.tenant == self._tenant, part
            )
            found.update(
                {subject: int(first) for subject, first in connection.execute(query.group_by(table.subject))}
            )
        return found

    def kept(self, connection: Connection) -> list[tuple[str, int, int]]:
        """Of each retention class, how many records there are, and how many of them have an end."""
        table = vault_record.c
        ending = func.sum(case((table.expires_ms > 0, 1), else_=0))
        query = select(table.retention, func.count(), ending).where(
            table.tenant == self._tenant, ~table.canary
        )
        rows = connection.execute(query.group_by(table.retention).order_by(table.retention))
        return [(str(retention), int(records), int(ends)) for retention, records, ends in rows]

    def regions(self, connection: Connection) -> dict[str, int]:
        """How many customers each region has; one who has records of two counts in both."""
        table = vault_record.c
        query = select(table.region, func.count(table.subject.distinct())).where(
            table.tenant == self._tenant, ~table.canary
        )
        return {region: int(count) for region, count in connection.execute(query.group_by(table.region))}

    def newest(self, connection: Connection, kind: str) -> str:
        """The id of the newest record of a kind; empty where there is none."""
        table = vault_record.c
        query = select(table.id).where(table.tenant == self._tenant, table.kind == kind, ~table.canary)
        return str(connection.scalar(query.order_by(table.created_ms.desc()).limit(1)) or "")
