"""Partners and shares in SQL.

Promise: every method works inside the caller's transaction; with ``lock`` a row is held until the commit, so that a page is
never given after a suspension that was answered. Pages of shares that are over are deleted, not kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import delete, insert, select, update

from shopward.partners.partner import Partner
from shopward.partners.shares import Share
from shopward.partners.tables import (
    partner_record,
    partner_share,
    partner_share_page,
    partner_share_record,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

_partner = msgspec.json.Decoder(Partner).decode
_share = msgspec.json.Decoder(Share).decode


class PartnerStore:
    """The partners of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def add(self, connection: Connection, partner: Partner) -> None:
        """A new one, whose id is free."""
        connection.execute(insert(partner_record), self._row(partner))

    def put(self, connection: Connection, partner: Partner) -> None:
        """One that is locked, changed."""
        table = partner_record.c
        connection.execute(
            update(partner_record)
            .where(table.tenant == self._tenant, table.id == partner.id)
            .values(self._row(partner))
        )

    def get(self, connection: Connection, partner_id: str, *, lock: bool = False) -> Partner | None:
        """One of them."""
        table = partner_record.c
        query = select(table.body).where(table.tenant == self._tenant, table.id == partner_id)
        body = connection.scalar(query.with_for_update() if lock else query)
        return None if body is None else _partner(body)

    def listed(self, connection: Connection, *, after: str, limit: int) -> list[Partner]:
        """By id."""
        table = partner_record.c
        query = select(table.body).where(table.tenant == self._tenant, table.id > after).order_by(table.id)
        return [_partner(body) for body in connection.scalars(query.limit(limit))]

    def add_share(
        self,
        connection: Connection,
        share: Share,
        *,
        pages: Sequence[bytes] = (),
        records: Sequence[str] = (),
    ) -> None:
        """A new share with its sealed pages, or with the records that it names."""
        connection.execute(insert(partner_share), self._share_row(share))
        mine = {"tenant": self._tenant, "share": share.id}
        if pages:
            rows = [{**mine, "page": number, "sealed": sealed} for number, sealed in enumerate(pages)]
            connection.execute(insert(partner_share_page), rows)
        if records:
            named = [{**mine, "number": number, "record": record} for number, record in enumerate(records)]
            connection.execute(insert(partner_share_record), named)

    def named(self, connection: Connection, share_id: str, *, first: int, count: int) -> list[str]:
        """The ids of records that a share names, from a number on."""
        table = partner_share_record.c
        query = select(table.record).where(
            table.tenant == self._tenant,
            table.share == share_id,
            table.number >= first,
            table.number < first + count,
        )
        return list(connection.scalars(query.order_by(table.number)))

    def close_share(self, connection: Connection, share: Share) -> None:
        """End a share; its pages are gone."""
        table = partner_share.c
        closed = msgspec.structs.replace(share, state="closed")
        connection.execute(
            update(partner_share)
            .where(table.tenant == self._tenant, table.id == share.id)
            .values(self._share_row(closed))
        )
        self._drop_pages(connection, [share.id])

    def share(self, connection: Connection, partner_id: str, share_id: str) -> Share | None:
        """One of a partner's."""
        table = partner_share.c
        body = connection.scalar(
            select(table.body).where(
                table.tenant == self._tenant, table.id == share_id, table.partner == partner_id
            )
        )
        return None if body is None else _share(body)

    def shares(self, connection: Connection, partner_id: str, *, before: str, limit: int) -> list[Share]:
        """A partner's, newest first."""
        table = partner_share.c
        query = select(table.body).where(table.tenant == self._tenant, table.partner == partner_id)
        if before:
            query = query.where(table.id < before)
        return [_share(body) for body in connection.scalars(query.order_by(table.id.desc()).limit(limit))]

    def shares_between(self, connection: Connection, from_ms: int, until_ms: int) -> int:
        """How many shares could have given pages in a span of time."""
        table = partner_share.c
        bodies = connection.scalars(
            select(table.body).where(table.tenant == self._tenant, table.expires_ms > from_ms)
        )
        return sum(1 for body in bodies if _share(body).made_ms < until_ms)

    def page(self, connection: Connection, share_id: str, page: int) -> bytes | None:
        """The sealed bytes of a page."""
        table = partner_share_page.c
        sealed: bytes | None = connection.scalar(
            select(table.sealed).where(
                table.tenant == self._tenant, table.share == share_id, table.page == page
            )
        )
        return sealed

    def forget_over(self, connection: Connection, *, now_ms: int, limit: int = 100) -> int:
        """Delete the pages of shares that are over; how many shares."""
        shares, pages = partner_share.c, partner_share_page.c
        over = (
            select(shares.id)
            .where(shares.tenant == self._tenant, shares.expires_ms <= now_ms)
            .where(select(pages.page).where(pages.tenant == self._tenant, pages.share == shares.id).exists())
            .limit(limit)
        )
        ids = list(connection.scalars(over))
        self._drop_pages(connection, ids)
        return len(ids)

    def _drop_pages(self, connection: Connection, share_ids: list[str]) -> None:
        table = partner_share_page.c
        connection.execute(
            delete(partner_share_page).where(table.tenant == self._tenant, table.share.in_(share_ids))
        )

    def _row(self, partner: Partner) -> dict[str, Any]:
        return {"tenant": self._tenant, "id": partner.id, "state": partner.state, "body": msgspec.json.encode(partner).decode()}  # fmt: skip

    def _share_row(self, share: Share) -> dict[str, Any]:
        return {
            "tenant": self._tenant, "id": share.id, "partner": share.partner, "expires_ms": share.expires_ms,
            "body": msgspec.json.encode(share).decode(),
        }  # fmt: skip
