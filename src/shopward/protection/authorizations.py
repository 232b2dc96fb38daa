"""Authorisations in SQL: a money operation in two steps, and the check that no order overtook it.

Promise, inside a transaction that holds the fence (``ports.Fence``):
- a capture is written only where no order in force covers the operation, as the database has it at that moment; the
  orders are read after the fence is held, so an order that committed before is always seen;
- an authorisation is captured at most once, is worth nothing after its time, and never leaves a final state;
- a limit counts what was captured, for one user by one transaction at a time.

Several are read, locked and written in one statement each: a round trip costs more than what it asks for.

It decides nothing about risk: whether to authorise at all is a decision of the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import ARRAY, BigInteger, String, bindparam, func, select, update

from shopward.bulk import among, put_rows
from shopward.protection.money import Authorization
from shopward.protection.resolve import resolve
from shopward.protection.tables import money_authorization
from shopward.values import SECOND_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection, Update

    from shopward.events import Facts
    from shopward.protection.index import OrderIndex
    from shopward.protection.orders import Standing
    from shopward.protection.resolve import Ruling
    from shopward.protection.store import OrderStore
    from shopward.protection.users import DeclaredUsers


_SETTLED: Final = (("held", String), ("state", String), ("settled_ms", BigInteger), ("body", String))
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Authorization).decode


class Authorizations:
    """The authorisations of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
        orders: exceptions are looked up in it.
        users: declared attributes are.
    """

    def __init__(self, tenant: str, orders: OrderStore, users: DeclaredUsers) -> None:
        self._tenant = tenant
        self._orders = orders
        self._users = users

    def add(self, connection: Connection, made: Sequence[Authorization]) -> dict[str, Authorization]:
        """New rows, and what then stands under their ids; one that is there already stays as it is."""
        fresh = {each.id: each for each in reversed(made)}  # of two under one id the first
        rows = [self._row(fresh[each]) for each in sorted(fresh)]
        added = put_rows(connection, money_authorization, rows, keeping=True)
        return fresh if added == len(fresh) else self._found(connection, list(fresh), lock=False)

    def locked(self, connection: Connection, ids: Sequence[str]) -> dict[str, Authorization]:
        """Those that there are; nobody else settles them before the transaction ends."""
        return self._found(connection, ids, lock=True)

    def put(self, connection: Connection, settled: Sequence[Authorization]) -> None:
        """Settled ones, which this transaction locked."""
        if not settled:
            return
        rows = [
            {
                "held": each.id,
                "state": each.state,
                "settled_ms": each.settled_ms,
                "body": _encode(each).decode(),
            }
            for each in settled
        ]
        if connection.dialect.name == "sqlite":
            connection.execute(_of_row(self._tenant, bindparam("held")), rows)
        else:  # one statement: planning one for each took as long as the commit
            listed = (
                func.unnest(
                    *(bindparam(name, [row[name] for row in rows], ARRAY(kind)) for name, kind in _SETTLED)
                )
                .table_valued(*(name for name, _kind in _SETTLED), name="listed")
                .render_derived()
            )
            values = {name: listed.c[name] for name in ("state", "settled_ms", "body")}
            connection.execute(_of_row(self._tenant, listed.c.held).values(values))

    def covering(
        self, connection: Connection, index: OrderIndex, held: Sequence[tuple[Authorization, Facts]]
    ) -> list[list[Standing]]:
        """The orders that cover each of these and have not let its user out.

        Args:
            connection: in a transaction that holds the fence.
            index: of the orders in force, read after the fence was held.
            held: authorisations that are locked, and their facts.
        """
        users = sorted({each.user for each, _facts in held})
        declared = self._users.get(connection, users) if index.asks_attributes else {}
        covering = [index.matching(facts, declared.get(each.user)) for each, facts in held]
        order_ids = sorted({order.id for orders in covering for order in orders})
        if not order_ids:
            return covering
        exempt = self._orders.exceptions_among(connection, users, order_ids)
        return [
            [order for order in orders if (order.id, each.user) not in exempt]
            for (each, _facts), orders in zip(held, covering, strict=True)
        ]

    def ruling(
        self, connection: Connection, authorization: Authorization, orders: Sequence[Standing], *, at_ms: int
    ) -> Ruling:
        """What the orders that cover it say of carrying it out.

        Args:
            connection: in a transaction that holds the fence, and for a limit the user's turn (``Fence.one_user``).
            authorization: locked.
            orders: from ``covering``.
            at_ms: the server's clock.
        """
        return resolve(order for order in orders if self._stops(connection, authorization, order, at_ms))

    def _stops(
        self, connection: Connection, authorization: Authorization, order: Standing, at_ms: int
    ) -> bool:
        if order.kind in ("freeze", "delay"):
            return True
        if order.kind == "step_up":  # one that the decision knew was answered by a challenge
            return order.begun > authorization.version
        if order.kind == "limit" and order.limit is not None and authorization.amount_minor:
            limit = order.limit
            if limit.currency != authorization.currency:
                return True
            since = max(at_ms - limit.window_s * SECOND_MS, order.begun_ms)
            spent = self._captured(connection, authorization.user, limit.currency, order.mask, since)
            return spent + authorization.amount_minor > limit.amount_minor
        return False  # reset, revoke, unlink and notify_only demand something besides and stop nothing

    def _captured(
        self, connection: Connection, user: str, currency: str, operations: int, since_ms: int
    ) -> int:
        table = money_authorization.c
        return int(
            connection.scalar(
                select(func.coalesce(func.sum(table.amount_minor), 0)).where(
                    table.tenant == self._tenant,
                    table.user_token == user,
                    table.settled_ms > since_ms,
                    table.state == "captured",
                    table.currency == currency,
                    table.operations.op("&")(operations) != 0,
                )
            )
            or 0
        )

    def _found(self, connection: Connection, ids: Sequence[str], *, lock: bool) -> dict[str, Authorization]:
        table = money_authorization.c
        asked = select(table.body).where(table.tenant == self._tenant, among(connection, table.id, ids))
        if lock:  # in one order everywhere, so that no two transactions wait for each other
            asked = asked.order_by(table.id).with_for_update()
        found = [_decode(body) for body in connection.scalars(asked)]
        return {each.id: each for each in found}

    def _row(self, each: Authorization) -> tuple[Any, ...]:
        return (
            self._tenant, each.id, each.state, each.user, each.operations, each.currency, each.amount_minor,
            each.expires_ms, each.settled_ms, _encode(each).decode(),
        )  # fmt: skip


def _of_row(tenant: str, held: ColumnElement[str]) -> Update:
    """An update of the row of an authorisation."""
    table = money_authorization.c
    return update(money_authorization).where(table.tenant == tenant, table.id == held)
