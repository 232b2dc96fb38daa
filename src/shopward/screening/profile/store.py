"""Published profiles in SQL: numbered, never changed, the newest counts.

Promise: every call runs in the caller's transaction and neither begins nor commits one. Two publications at the same moment
cannot take the same number: the second is a ``Conflict`` of the key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from shopward.screening.profile.rows import ProfileRow
from shopward.screening.profile.tables import screening_profile

if TYPE_CHECKING:
    from sqlalchemy import Connection


class ProfileStore:
    """The profiles of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def add(self, connection: Connection, row: ProfileRow) -> None:
        """A publication."""
        connection.execute(insert(screening_profile), {"tenant": self._tenant, **row._asdict()})

    def newest_number(self, connection: Connection) -> int:
        """The number of the newest; 0 where nothing was published."""
        table = screening_profile.c
        query = select(func.max(table.number)).where(table.tenant == self._tenant)
        return int(connection.scalar(query) or 0)

    def newest(self, connection: Connection) -> ProfileRow | None:
        """The newest."""
        columns = [screening_profile.c[name] for name in ProfileRow._fields]
        query = (
            select(*columns)
            .where(screening_profile.c.tenant == self._tenant)
            .order_by(screening_profile.c.number.desc())
            .limit(1)
        )
        row = connection.execute(query).one_or_none()
        return None if row is None else ProfileRow(*row)
