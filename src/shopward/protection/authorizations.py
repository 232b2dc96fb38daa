"""Authorisations in SQL: a money operation in two steps, and the check that no order overtook it.

Promise, of ``Authorizations.settle`` inside a transaction that holds the fence (``ports.Fence``):
- a capture is written only where no order in force covers the operation, as the database has it at that moment; the
  orders are read after the fence is held, so an order that committed before is always seen;
- an authorisation is captured at most once, is worth nothing after its time, and never leaves a final state;
- a limit counts what was captured, for one user by one transaction at a time.

It decides nothing about risk: whether to authorise at all is a decision of the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from shopward.protection.money import Authorization
from shopward.protection.resolve import resolve
from shopward.protection.tables import money_authorization
from shopward.values import SECOND_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from shopward.events import Facts
    from shopward.protection.index import OrderIndex
    from shopward.protection.orders import Standing
    from shopward.protection.resolve import Ruling
    from shopward.protection.store import OrderStore
    from shopward.protection.users import DeclaredUsers

_INSERTS: Final[dict[str, Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


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

    def add(self, connection: Connection, authorization: Authorization) -> Authorization | None:
        """A new row, and what then stands under its id; one that is there already stays as it is."""
        adding = _INSERTS[connection.dialect.name](money_authorization)
        added = connection.execute(adding.values(self._row(authorization)).on_conflict_do_nothing())
        return authorization if added.rowcount == 1 else self.get(connection, authorization.id)

    def get(self, connection: Connection, authorization_id: str) -> Authorization | None:
        """One authorisation."""
        return self._one(connection, authorization_id, lock=False)

    def locked(self, connection: Connection, authorization_id: str) -> Authorization | None:
        """One authorisation; nobody else settles it before the transaction ends."""
        return self._one(connection, authorization_id, lock=True)

    def put(self, connection: Connection, authorization: Authorization) -> None:
        """A settled one."""
        table = money_authorization.c
        connection.execute(
            update(money_authorization)
            .where(table.tenant == self._tenant, table.id == authorization.id)
            .values(self._row(authorization))
        )

    def ruling(
        self,
        connection: Connection,
        authorization: Authorization,
        index: OrderIndex,
        facts: Facts,
        *,
        at_ms: int,
        one_user: Callable[[], None],
    ) -> Ruling:
        """What the orders in force say of carrying it out.

        Args:
            connection: in a transaction that holds the fence.
            authorization: locked.
            index: of the orders in force, read after the fence was held.
            facts: of the authorisation.
            at_ms: the server's clock.
            one_user: makes other captures of this user wait; called before a limit is looked at.
        """
        declared = None
        if index.asks_attributes:
            declared = self._users.get(connection, [authorization.user]).get(authorization.user)
        covering = index.matching(facts, declared)
        if not covering:
            return resolve(())
        exempt = self._orders.exceptions_of(connection, authorization.user, [order.id for order in covering])
        standing = [order for order in covering if order.id not in exempt]
        if any(order.kind == "limit" for order in standing):
            one_user()
        return resolve(order for order in standing if self._stops(connection, authorization, order, at_ms))

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

    def _one(self, connection: Connection, authorization_id: str, *, lock: bool) -> Authorization | None:
        table = money_authorization.c
        asked = select(table.body).where(table.tenant == self._tenant, table.id == authorization_id)
        body = connection.scalar(asked.with_for_update() if lock else asked)
        return None if body is None else _decode(body)

    def _row(self, authorization: Authorization) -> dict[str, Any]:
        return {
            "tenant": self._tenant,
            "id": authorization.id,
            "state": authorization.state,
            "user_token": authorization.user,
            "operations": authorization.operations,
            "currency": authorization.currency,
            "amount_minor": authorization.amount_minor,
            "expires_ms": authorization.expires_ms,
            "settled_ms": authorization.settled_ms,
            "body": _encode(authorization).decode(),
        }
