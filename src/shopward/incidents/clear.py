"""Records of incidents that an earlier version kept in clear: found, and taken out of their rows once they are sealed.

Promise: both work inside the caller's transaction, and change nothing but the records' own column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from shopward.incidents.tables import incident_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


def in_clear(tenant: str, connection: Connection, after: str, limit: int) -> list[tuple[str, str, str, int]]:
    """Some behind an id: id, nobody's token, the record, and when it changed last."""
    table = incident_record.c
    query = select(table.id, table.body, table.changed_ms).where(
        table.tenant == tenant, table.id > after, table.body != ""
    )
    rows = connection.execute(query.order_by(table.id).limit(limit).with_for_update())
    return [(incident_id, "", body, changed_ms) for incident_id, body, changed_ms in rows]


def emptied(tenant: str, connection: Connection, ids: Sequence[str]) -> None:
    """Take the records out of these rows."""
    mine = (incident_record.c.tenant == tenant) & incident_record.c.id.in_(ids)
    connection.execute(update(incident_record).where(mine).values(body=""))
