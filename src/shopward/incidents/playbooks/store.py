"""Playbooks that a shop brought, one row a version.

Promise: every call runs in the caller's transaction and neither begins nor commits one; a version is never changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import func, select

from shopward.bulk import put_new
from shopward.incidents.playbooks.playbook import Playbook
from shopward.incidents.tables import playbook_record

if TYPE_CHECKING:
    from sqlalchemy import Connection

_decode = msgspec.json.Decoder(Playbook).decode


class PlaybookStore:
    """The playbooks of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def add(self, connection: Connection, playbook: Playbook, *, person: str, at_ms: int) -> bool:
        """A new version; false where somebody else just made it."""
        row = {
            "tenant": self._tenant,
            "id": playbook.id,
            "version": playbook.version,
            "at_ms": at_ms,
            "person": person,
        }
        return put_new(connection, playbook_record, row | {"body": msgspec.json.encode(playbook).decode()})

    def newest(self, connection: Connection, playbook_id: str) -> Playbook | None:
        """The newest version of one."""
        table = playbook_record.c
        body = connection.scalar(
            select(table.body)
            .where(table.tenant == self._tenant, table.id == playbook_id)
            .order_by(table.version.desc())
            .limit(1)
        )
        return None if body is None else _decode(body)

    def listed(self, connection: Connection) -> list[Playbook]:
        """The newest version of each, by id."""
        table = playbook_record.c
        newest = (
            select(table.id, func.max(table.version).label("version"))
            .where(table.tenant == self._tenant)
            .group_by(table.id)
            .subquery()
        )
        query = (
            select(table.body)
            .join(newest, (newest.c.id == table.id) & (newest.c.version == table.version))
            .where(table.tenant == self._tenant)
            .order_by(table.id)
        )
        return [_decode(body) for body in connection.scalars(query)]
