"""Overseeing: what is in force, for decisions, captures, people and reports; and the clock's part in it.

Promise: reading changes nothing but what is due: an order whose start or end has come by the server's clock begins or
ends before anybody is told about orders. What captures see (``index``) is what their own transaction sees.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from shopward.events.facts import Facts
from shopward.flows.arrows import is_over
from shopward.protection.index import OrderIndex
from shopward.protection.operations import OPERATIONS, mask
from shopward.protection.resolve import resolve
from shopward.protection.view import Progress
from shopward.values import HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shopward.flows.ground import Ground
    from shopward.protection.attributes import Declared
    from shopward.protection.inforce import Change
    from shopward.protection.members import Members
    from shopward.protection.orders import Order, Standing

CHANGES_PAGE: Final = 500
JUMP_MS: Final = HOUR_MS
_logger = logging.getLogger("shopward")


class Overseer:
    """Looks; may be called from any thread.

    Args:
        ground: what the stories stand on.
        steady_s: seconds of a clock that never jumps, to notice one that does.
    """

    def __init__(self, ground: Ground, *, steady_s: Callable[[], float]) -> None:
        self._on = ground
        self._steady_s = steady_s
        self._said_jump = False
        self._ahead_ms = ground.clock.now_ms() - round(steady_s() * 1000)
        self._index: tuple[int, OrderIndex] = (-1, OrderIndex((), ground.blind))
        self._members: dict[str, Members] = {}

    def declare(self, users: Mapping[str, Declared]) -> None:
        """Replace what is declared of users, by their ids; all of them or none. Data and no deed: not audited."""
        blinded = {self._on.blind("user", user): declaration for user, declaration in users.items()}
        self._on.records.write(lambda connection: self._on.users.put(connection, blinded))

    def declared(self, tokens: Sequence[str]) -> dict[str, Declared]:
        """The declarations among these users."""
        return self._on.records.read(lambda connection: self._on.users.get(connection, tokens))

    def get(self, order_id: str) -> tuple[Order, int]:
        """An order and how many users were let out of it."""
        self.sweep()
        return self._on.records.read(
            lambda connection: (
                self._on.arrows.got(connection, order_id),
                self._on.store.count_exceptions(connection, order_id),
            )
        )

    def newest(self, *, state: str | None, before: str | None, limit: int) -> list[Order]:
        """Orders, newest first."""
        self.sweep()
        return self._on.records.read(
            lambda connection: self._on.store.newest(connection, state=state, before=before, limit=limit)
        )

    def progress(self, order: Order) -> Progress:
        """How many of those it covers have set a new password since a reset began, or were let out of another order."""
        target, since_ms = order.standing.target, order.standing.begun_ms

        def work(connection: Any) -> Progress:
            if order.standing.kind == "reset":
                done, of, exact = self._on.users.progress(
                    connection, target, lambda user: user.password_set_at_ms >= since_ms > 0
                )
            else:
                measured = self._on.users.measure(connection, target)
                done, of, exact = (
                    self._on.store.count_exceptions(connection, order.id),
                    measured.count,
                    measured.exact,
                )
            return Progress(done, of, min(1.0, done / of) if of else 0.0, exact=exact)

        return self._on.records.read(work)

    def orders_of(self, user: str) -> list[str]:
        """The ids of the orders in force that cover a user in anything."""
        return [order.id for order in self.in_force_for(self._on.blind("user", user))]

    def in_force_for(self, token: str) -> list[Standing]:
        """The orders in force that cover a user, by token, in anything."""

        def work(connection: Any) -> list[Standing]:
            index = self.index(connection)
            declared = self._on.users.get(connection, [token]).get(token)
            facts = Facts("", "", "", user=token, actor=token)
            covering = list(index.of_user(mask(OPERATIONS), facts, declared))
            ids = [order.id for order in covering]
            released = self._on.store.exceptions_of(connection, token, ids) if ids else set()
            return [order for order in covering if order.id not in released]

        return self._on.records.read(work)

    def excluded(self, facts: Facts, *, anything: bool = False) -> frozenset[str]:
        """The factors that prove nothing for this event, by the step-up orders that are in force now.

        Args:
            facts: of the event.
            anything: whether to go by all orders that cover its user in anything.
        """

        def work(connection: Any) -> frozenset[str]:
            index = self.index(connection)
            declared = None
            if index.asks_attributes:
                declared = self._on.users.get(connection, [facts.user]).get(facts.user)
            covering = (
                index.of_user(mask(OPERATIONS), facts, declared)
                if anything
                else index.matching(facts, declared)
            )
            asking = [order for order in covering if order.kind == "step_up"]
            released = (
                self._on.store.exceptions_of(connection, facts.user, [order.id for order in asking])
                if asking
                else ()
            )
            return resolve(order for order in asking if order.id not in released).exclude

        return self._on.records.read(work)

    def index(self, connection: Any) -> OrderIndex:
        """The orders in force as this transaction sees them; built anew only where the version moved.

        What a transaction sees that itself moved the version is kept for nobody: if it rolls back, the version is given
        out again, for other orders, and captures would trust the index of those that never were.
        """
        kept_version, kept = self._index  # read once: another thread may put an older one there at any moment
        version = self._on.store.version(connection)
        if kept_version == version and not self._on.store.is_moving(connection):
            return kept
        standing = self._on.store.standing(connection)
        wanted = {order.target.set_id for order in standing} - {""}
        known = self._members
        members = {
            set_id: known.get(set_id) or self._on.sets.members(connection, set_id) for set_id in wanted
        }
        index = OrderIndex(standing, self._on.blind, members)
        if not self._on.store.is_moving(connection):
            self._members, self._index = members, (version, index)
        return index

    def members(self, set_id: str) -> Members:
        """The users of a sealed victim set; held in memory while an order is about it."""
        self._on.records.read(self.index)
        return self._members.get(set_id) or self._on.records.read(
            lambda connection: self._on.sets.members(connection, set_id)
        )

    def changes(self, after: int) -> list[Change]:
        """The next changes after a version, once what is due has begun or ended."""
        self.sweep()
        return self._on.records.read(
            lambda connection: (
                self._on.store.changes(connection, after=after, limit=CHANGES_PAGE)
                if self._on.store.version(connection) > after
                else []
            )
        )

    def sweep(self) -> None:
        """Begin and end what is due by the server's clock.

        Where that clock jumped ahead by more than an hour while this process ran, nothing ends (fails closed): a wrong
        clock must not open what a person closed. A restart takes the clock as it is.
        """
        now_ms = self._on.clock.now_ms()
        due = self._on.records.read(lambda connection: self._on.store.due(connection, now_ms))
        jumped = now_ms - round(self._steady_s() * 1000) - self._ahead_ms > JUMP_MS
        if jumped and any(is_over(order, now_ms) for order in due):
            if not self._said_jump:
                _logger.error("the clock jumped ahead: no order ends before a restart")
            self._said_jump = True
            due = [order for order in due if not is_over(order, now_ms)]
        if due:
            ids = [order.id for order in due]

            def work(connection: Any) -> None:
                self._on.fence.exclusive(connection)
                self._on.arrows.sweep(connection, now_ms, ids)

            self._on.records.write(work)
