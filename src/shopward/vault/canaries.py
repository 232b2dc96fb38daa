"""Which canaries were planted for whom, as rows.

Promise: every call runs in the caller's transaction. A record that is a canary and stands here for nobody is a trap: nobody
has a reason to have it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, select

from shopward.vault.tables import vault_canary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

CHUNK: Final = 400


class CanaryBook:
    """The rows of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def note(
        self, connection: Connection, records: Sequence[str], *, recipient: str, person: str, now_ms: int
    ) -> None:
        """Write down canaries that were planted for a recipient; for nobody where it is empty."""
        mine = {"tenant": self._tenant, "recipient": recipient, "person": person, "planted_ms": now_ms}
        connection.execute(insert(vault_canary), [{**mine, "record": record} for record in records])

    def recipients(self, connection: Connection, records: Sequence[str]) -> dict[str, str]:
        """For whom each of some records was planted; those of traps are empty or missing."""
        table = vault_canary.c
        found: dict[str, str] = {}
        for start in range(0, len(records), CHUNK):
            part = table.record.in_(records[start : start + CHUNK])
            query = select(table.record, table.recipient).where(table.tenant == self._tenant, part)
            found |= {record: recipient for record, recipient in connection.execute(query)}  # noqa: C416 -- rows, not pairs
        return found

    def of(self, connection: Connection, recipient: str, limit: int) -> list[str]:
        """The newest canaries of a recipient."""
        table = vault_canary.c
        query = select(table.record).where(table.tenant == self._tenant, table.recipient == recipient)
        return list(connection.scalars(query.order_by(table.planted_ms.desc(), table.record).limit(limit)))
