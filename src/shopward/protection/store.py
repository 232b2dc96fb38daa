"""Orders in SQL: rows, exceptions, and the journal that gives every change of what is in force its place.

Promise:
- every method works inside the caller's transaction; nothing here begins, commits or decides;
- ``journal`` gives out versions without gaps: the head row is locked until the caller commits, so the order of the
  versions is the order of the commits;
- text that comes back is decoded into the structs it was made of; nothing in a row is ever run.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import ARRAY, String, and_, func, insert, literal, or_, select, update

from shopward.bulk import among, put_new, put_rows
from shopward.errors import Conflict
from shopward.protection.inforce import Change
from shopward.protection.orders import Order, Standing, decode_order, encode
from shopward.protection.tables import (
    protection_change,
    protection_exception,
    protection_head,
    protection_key,
    protection_order,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection

    from shopward.values import IdSource

_decode_change: Final = msgspec.json.Decoder(Change).decode
_MOVING: Final = "shopward_moving_orders"


class OrderStore:
    """The orders of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
        ids: names changes.
    """

    def __init__(self, tenant: str, ids: IdSource) -> None:
        self._tenant = tenant
        self._ids = ids

    def add(self, connection: Connection, order: Order) -> None:
        """A new row."""
        connection.execute(insert(protection_order), self._row(order))

    def put(self, connection: Connection, before: Order, after: Order) -> None:
        """A changed order in the place of the one that was read.

        Raises:
            Conflict: somebody changed it meanwhile.
        """
        table = protection_order.c
        changed = connection.execute(
            update(protection_order)
            .where(table.tenant == self._tenant, table.id == before.id, table.body == encode(before).decode())
            .values(self._row(after))
        )
        if changed.rowcount != 1:
            raise Conflict("somebody else changed this order", code="order_state", hint="look at it again")

    def get(self, connection: Connection, order_id: str) -> Order | None:
        """One order."""
        table = protection_order.c
        body = connection.scalar(select(table.body).where(table.tenant == self._tenant, table.id == order_id))
        return None if body is None else decode_order(body)

    def newest(
        self, connection: Connection, *, state: str | None, before: str | None, limit: int
    ) -> list[Order]:
        """Orders by id, newest first."""
        table = protection_order.c
        asked = select(table.body).where(table.tenant == self._tenant)
        if state is not None:
            asked = asked.where(table.state == state)
        if before is not None:
            asked = asked.where(table.id < before)
        found = connection.scalars(asked.order_by(table.id.desc()).limit(limit))
        return [decode_order(body) for body in found]

    def standing(self, connection: Connection) -> list[Standing]:
        """What is in force."""
        table = protection_order.c
        bodies = connection.scalars(
            select(table.body).where(table.tenant == self._tenant, table.state == "active")
        )
        return [decode_order(body).standing for body in bodies]

    def due(self, connection: Connection, at_ms: int) -> list[Order]:
        """Orders whose start, end or date of review has come."""
        table = protection_order.c
        begins = and_(table.state == "scheduled", table.starts_ms <= at_ms)
        ends = and_(table.state == "active", table.ends_ms > 0, table.ends_ms <= at_ms)
        reviews = and_(table.state == "active", table.review_ms > 0, table.review_ms <= at_ms)
        bodies = connection.scalars(
            select(table.body)
            .where(table.tenant == self._tenant, or_(begins, ends, reviews))
            .order_by(table.id)
        )
        return [decode_order(body) for body in bodies]

    # The key of a request that may come twice.

    def keyed(self, connection: Connection, key: str) -> tuple[bytes, str] | None:
        """The digest and the order of an idempotency key."""
        table = protection_key.c
        row = connection.execute(
            select(table.digest, table.order_id).where(table.tenant == self._tenant, table.key == key)
        ).first()
        return None if row is None else (bytes(row[0]), str(row[1]))

    def add_key(self, connection: Connection, key: str, digest: bytes, order_id: str) -> None:
        """Let a key stand for an order."""
        connection.execute(
            insert(protection_key),
            {"tenant": self._tenant, "key": key, "digest": digest, "order_id": order_id},
        )

    def put_key(self, connection: Connection, key: str, digest: bytes, order_id: str) -> None:
        """Let a key stand for an order, whatever it stood for before."""
        row = (self._tenant, key, digest, order_id)
        put_rows(connection, protection_key, [row], replacing=("digest", "order_id"))

    def count_by(self, connection: Connection, author: str, *, after: str) -> int:
        """How many orders newer than an id somebody placed."""
        table = protection_order.c
        bodies = connection.scalars(select(table.body).where(table.tenant == self._tenant, table.id > after))
        return sum(decode_order(body).author == author for body in bodies)

    # Exceptions.

    def except_users(
        self,
        connection: Connection,
        order_id: str,
        users: Sequence[str],
        *,
        cause: str,
        evidence: str,
        actor: str,
        at_ms: int,
    ) -> list[str]:
        """Rows for those that have none yet; their tokens."""
        known = self.excepted(connection, order_id, users)
        fresh = sorted(set(users) - known)  # in the order of the key: fewer pages are touched
        if fresh:
            user = _listed(connection, fresh)
            same = (self._tenant, order_id, user, cause, evidence, actor, at_ms)
            rows = select(*(value if value is user else literal(value) for value in same))
            names = [column.name for column in protection_exception.columns]
            connection.execute(insert(protection_exception).from_select(names, rows))
        return fresh

    def excepted(self, connection: Connection, order_id: str, users: Sequence[str]) -> set[str]:
        """Which of these users have an exception to an order."""
        table = protection_exception.c
        asked = select(table.user_token).where(
            table.tenant == self._tenant,
            table.order_id == order_id,
            among(connection, table.user_token, users),
        )
        return set(connection.scalars(asked))

    def exceptions_of(self, connection: Connection, user: str, order_ids: Sequence[str]) -> set[str]:
        """To which of these orders a user has an exception."""
        table = protection_exception.c
        return set(
            connection.scalars(
                select(table.order_id).where(
                    table.tenant == self._tenant, table.order_id.in_(order_ids), table.user_token == user
                )
            )
        )

    def exceptions_among(
        self, connection: Connection, users: Sequence[str], order_ids: Sequence[str]
    ) -> set[tuple[str, str]]:
        """The pairs of one of these orders and one of these users to whom it does not apply."""
        table = protection_exception.c
        rows = connection.execute(
            select(table.order_id, table.user_token).where(
                table.tenant == self._tenant, table.order_id.in_(order_ids), table.user_token.in_(users)
            )
        )
        return {(order_id, user) for order_id, user in rows}

    def count_exceptions(self, connection: Connection, order_id: str, actor: str | None = None) -> int:
        """How many users are excepted from an order, by one person or by anybody."""
        table = protection_exception.c
        asked = select(func.count()).where(table.tenant == self._tenant, table.order_id == order_id)
        if actor is not None:
            asked = asked.where(table.actor == actor)
        return int(connection.scalar(asked) or 0)

    # The journal.

    def version(self, connection: Connection) -> int:
        """Of what is in force."""
        table = protection_head.c
        found = connection.scalar(select(table.version).where(table.tenant == self._tenant))
        return int(found or 0)

    def next_version(self, connection: Connection) -> int:
        """The version of the next change; the head stays locked until the transaction ends."""
        put_new(connection, protection_head, {"tenant": self._tenant, "version": 0})
        head = protection_head.c
        connection.execute(
            update(protection_head).where(head.tenant == self._tenant).values(version=head.version + 1)
        )
        connection.info[_MOVING] = weakref.ref(connection.get_transaction())
        return self.version(connection)

    def is_moving(self, connection: Connection) -> bool:
        """Whether this very transaction took a version: it may still roll back, and another be given the same one."""
        taken = connection.info.get(_MOVING)
        return taken is not None and taken() is connection.get_transaction()

    def journal(
        self,
        connection: Connection,
        version: int,
        *,
        kind: str,
        at_ms: int,
        order_id: str,
        order: Standing | None = None,
        users: Sequence[str] = (),
    ) -> None:
        """Write the change of a version that ``next_version`` gave."""
        change = msgspec.convert(
            {
                "version": version,
                "id": self._ids.new("oc", at_ms),
                "kind": kind,
                "at_ms": at_ms,
                "order_id": order_id,
            },
            Change,
        )
        change = msgspec.structs.replace(change, order=order, users=tuple(users))
        connection.execute(
            insert(protection_change),
            {"tenant": self._tenant, "version": version, "body": encode(change).decode()},
        )

    def changes(self, connection: Connection, *, after: int, limit: int) -> list[Change]:
        """The changes after a version, in order."""
        table = protection_change.c
        bodies = connection.scalars(
            select(table.body)
            .where(table.tenant == self._tenant, table.version > after)
            .order_by(table.version)
            .limit(limit)
        )
        return [_decode_change(body) for body in bodies]

    def _row(self, order: Order) -> dict[str, Any]:
        return {
            "tenant": self._tenant,
            "id": order.id,
            "state": order.state,
            "starts_ms": order.starts_ms,
            "ends_ms": order.standing.ends_ms,
            "review_ms": 0 if order.review_told_ms else order.review_ms,
            "body": encode(order).decode(),
        }


def _listed(connection: Connection, tokens: Sequence[str]) -> ColumnElement[str]:
    """Tokens as a column of one statement: a row for each would be a round trip of the driver's for each."""
    if connection.dialect.name == "sqlite":
        packed = msgspec.json.encode(tokens).decode()
        return func.json_each(packed).table_valued("value").c.value.cast(String)
    return func.unnest(literal(list(tokens), ARRAY(String))).column_valued("listed")
