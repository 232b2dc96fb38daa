"""Aliases in SQL.

Promise: every method works inside the caller's transaction. A number that one transaction takes is skipped by the others, so
that no two records have it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from shopward.bulk import put_rows
from shopward.partners.aliases import QUARANTINE_MS, Alias
from shopward.partners.tables import partner_alias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection

_COLUMNS: Final = tuple(partner_alias.c[name] for name in Alias._fields)


class AliasStore:
    """The aliases of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def import_numbers(self, connection: Connection, numbers: Sequence[str]) -> int:
        """Add to the pool what is not in it; how many were new."""
        rows = [(self._tenant, *Alias(number, "phone")) for number in sorted(set(numbers))]
        return put_rows(connection, partner_alias, rows, keeping=True)

    def count(self, connection: Connection, *, now_ms: int) -> tuple[int, int]:
        """How many numbers the pool has, and how many are free."""
        table = partner_alias.c
        counted = select(func.count()).where(table.tenant == self._tenant, table.kind == "phone")
        free = counted.where(self._is_free(now_ms))
        return connection.scalar(counted) or 0, connection.scalar(free) or 0

    def free_numbers(self, connection: Connection, *, count: int, now_ms: int) -> list[str]:
        """Numbers that can be taken, longest unused first, held until the commit."""
        table = partner_alias.c
        query = select(table.alias).where(
            table.tenant == self._tenant, table.kind == "phone", self._is_free(now_ms)
        )
        query = query.order_by(table.expires_ms, table.alias).limit(count).with_for_update(skip_locked=True)
        return list(connection.scalars(query))

    def take(self, connection: Connection, aliases: Sequence[Alias]) -> None:
        """Numbers of the pool stand for somebody now."""
        table = partner_alias.c
        taken = update(partner_alias).where(table.tenant == self._tenant, table.alias == bindparam("number"))
        if aliases:
            connection.execute(taken, [{"number": each.alias, **self._row(each)} for each in aliases])

    def add(self, connection: Connection, aliases: Sequence[Alias]) -> None:
        """New addresses, or numbers that nobody has."""
        if aliases:
            connection.execute(insert(partner_alias), [self._row(each) for each in aliases])

    def get(self, connection: Connection, alias: str) -> Alias | None:
        """What is known of one."""
        table = partner_alias.c
        row = connection.execute(
            select(*_COLUMNS).where(table.tenant == self._tenant, table.alias == alias)
        ).first()
        return None if row is None else Alias(*row)

    def of_share(self, connection: Connection, share: str, records: Sequence[str]) -> list[Alias]:
        """Those that some records have in a share."""
        table = partner_alias.c
        rows = connection.execute(
            select(*_COLUMNS).where(
                table.tenant == self._tenant, table.share == share, table.record.in_(records)
            )
        )
        return [Alias(*row) for row in rows]

    def listed(self, connection: Connection, *, after: str, limit: int) -> list[Alias]:
        """By alias."""
        table = partner_alias.c
        query = select(*_COLUMNS).where(table.tenant == self._tenant, table.alias > after)
        return [Alias(*row) for row in connection.execute(query.order_by(table.alias).limit(limit))]

    def end(self, connection: Connection, share: str, *, now_ms: int) -> None:
        """A share was ended early: its aliases end with it, and their quarantine begins."""
        table = partner_alias.c
        connection.execute(
            update(partner_alias)
            .where(table.tenant == self._tenant, table.share == share, table.expires_ms > now_ms)
            .values(expires_ms=now_ms)
        )

    def forget(self, connection: Connection, *, now_ms: int) -> None:
        """Drop whom an alias stood for, once its quarantine is over; addresses are never used again."""
        table = partner_alias.c
        over = (table.tenant == self._tenant, table.share != "", table.expires_ms <= now_ms - QUARANTINE_MS)
        connection.execute(delete(partner_alias).where(*over, table.kind == "email"))
        blank = dict.fromkeys(("partner", "share", "record", "subject", "field"), "")
        connection.execute(update(partner_alias).where(*over).values(blank))

    def _is_free(self, now_ms: int) -> ColumnElement[bool]:
        table = partner_alias.c
        return or_(table.share == "", table.expires_ms <= now_ms - QUARANTINE_MS)

    def _row(self, alias: Alias) -> dict[str, str | int]:
        return {"tenant": self._tenant, **alias._asdict()}
