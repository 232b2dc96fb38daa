"""Arrows: the steps that an order takes, inside a transaction that holds the fence exclusively.

Promise: a step is its arrow of ``states.ARROWS``, the row, where it changes what is in force the next version of the
journal, what the shop is owed to hear of it, and the line of the audit log; all of it in the caller's transaction. Who
may take a step is ``protect``'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from shopward.errors import Conflict, InvalidField, NotFound
from shopward.outbox import Topic
from shopward.protection.orders import Order, is_at_least
from shopward.protection.states import moved

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shopward.access import Caller
    from shopward.protection.states import Verb
    from shopward.protection.store import OrderStore

SYSTEM: Final = "shopward"
"""Who acts where the clock does."""


class Trail(Protocol):
    """``audit.AuditTrail``, as far as it is used here."""

    def append(
        self, connection: Any, *, at_ms: int, actor: str, deed: str, subject: str, details: Mapping[str, Any]
    ) -> Any:
        """Add a line in the caller's transaction."""
        ...

    def append_each(
        self, connection: Any, *, at_ms: int, actor: str, deed: str, told: Mapping[str, Mapping[str, Any]]
    ) -> Any:
        """Add a line for each subject in the caller's transaction."""
        ...


class Outbox(Protocol):
    """``outbox.messages.Outbox``, as far as it is used here."""

    def owe(
        self, connection: Any, *, at_ms: int, topic: str, subject: str, payload: Mapping[str, Any]
    ) -> Any:
        """Add a message in the caller's transaction."""
        ...

    def owe_many(
        self, connection: Any, *, at_ms: int, topic: str, told: Mapping[str, Mapping[str, Any]]
    ) -> Any:
        """Add a message for each subject in the caller's transaction."""
        ...


class Herald(Protocol):
    """``flows.announce.Announcer``, as far as it is used here."""

    def order_began(self, connection: Any, order: Order, now_ms: int) -> None:
        """Write down, in the caller's transaction, whom of the outside this is to be told."""
        ...


class Arrows:
    """The steps.

    Args:
        store: the orders.
        trail: the audit log.
        outbox: what the shop is owed to hear.
        herald: what others are to be told.
    """

    def __init__(self, store: OrderStore, trail: Trail, outbox: Outbox, herald: Herald) -> None:
        self._store = store
        self._trail = trail
        self._outbox = outbox
        self._herald = herald

    def got(self, connection: Any, order_id: str) -> Order:
        """An order as it is now; raises ``NotFound``."""
        order = self._store.get(connection, order_id)
        if order is None:
            raise NotFound("no such order", path="id", expected="the id of an order", found="another id")
        return order

    def activate(self, connection: Any, order: Order, actor: str, now_ms: int) -> Order:
        """Into force, or onto the calendar where its start lies ahead."""
        if 0 < order.standing.ends_ms <= now_ms:
            raise Conflict(
                "the order's end has passed", code="order_state", path="ends_at", found=order.state
            )
        if order.starts_ms > now_ms:
            return self.move(connection, order, "schedule", actor, now_ms)
        return self.begin(connection, order, "activate", actor, now_ms)

    def sweep(self, connection: Any, now_ms: int, due: Sequence[str]) -> None:
        """Begin and end those of these orders whose moment has come, and say once of the others that a review is due."""
        for order in self._store.due(connection, now_ms):
            if order.id not in due:
                continue
            if order.state == "scheduled":
                self.begin(connection, order, "begin", SYSTEM, now_ms)
            elif is_over(order, now_ms):
                self.end(connection, order, "expire", None, now_ms)
            else:
                told = msgspec.structs.replace(order, review_told_ms=now_ms)
                self._store.put(connection, order, told)
                self.owe(connection, Topic.ORDER_REVIEW_DUE, told, now_ms)

    def begin(self, connection: Any, order: Order, verb: Verb, actor: str, now_ms: int) -> Order:
        """(4) and (5) of what comes into force; what it takes the place of ends in the same transaction."""
        replaced = self._replaceable(connection, order) if order.supersedes else None
        version = self._store.next_version(connection)
        standing = msgspec.structs.replace(order.standing, begun=version, begun_ms=now_ms)
        begun = msgspec.structs.replace(order, standing=standing, state=moved(order.state, verb))
        self._store.put(connection, order, begun)
        self._store.journal(
            connection, version, kind="begin", at_ms=now_ms, order_id=order.id, order=standing
        )
        self.owe(connection, Topic.ORDER_ACTIVATED, begun, now_ms)
        self._herald.order_began(connection, begun, now_ms)
        self.audit(connection, actor, "order:activate", begun, now_ms)
        if replaced is not None:
            self.end(connection, replaced, "supersede", None, now_ms)
        return begun

    def end(self, connection: Any, order: Order, verb: Verb, caller: Caller | None, now_ms: int) -> Order:
        """(4) and (5) of what goes out of force, or never came into it."""
        actor, person = (SYSTEM, "") if caller is None else (caller.key, caller.person)
        was_active = order.state == "active"
        ended = msgspec.structs.replace(
            order, state=moved(order.state, verb), ended_ms=now_ms, released_by=person
        )
        self._store.put(connection, order, ended)
        if was_active:
            version = self._store.next_version(connection)
            self._store.journal(connection, version, kind="end", at_ms=now_ms, order_id=order.id)
        self.owe(connection, Topic.ORDER_ENDED, ended, now_ms)
        deed = {"expire": "order:expire", "supersede": "order:supersede"}.get(verb)
        self.audit(
            connection, actor, deed or ("order:release" if was_active else "order:cancel"), ended, now_ms
        )
        return ended

    def move(self, connection: Any, order: Order, verb: Verb, actor: str, now_ms: int) -> Order:
        """A step that changes nothing of what is in force."""
        after = msgspec.structs.replace(order, state=moved(order.state, verb))
        self._store.put(connection, order, after)
        if after.state == "pending_approval":
            self.owe(connection, Topic.ORDER_APPROVAL_NEEDED, after, now_ms)
        self.audit(connection, actor, "order:submit", after, now_ms)
        return after

    def except_users(
        self, connection: Any, order: Order, tokens: Sequence[str], *, caller: Caller, cause: str, evidence: str,
        at_ms: int,
    ) -> int:  # fmt: skip
        """Let users out of an order that stays in force for all others; how many had not been let out before."""
        fresh = self._store.except_users(
            connection, order.id, tokens, cause=cause, evidence=evidence, actor=caller.person, at_ms=at_ms
        )
        if fresh:
            version = self._store.next_version(connection)
            self._store.journal(
                connection, version, kind="exempt", at_ms=at_ms, order_id=order.id, users=fresh
            )
            self.owe(connection, Topic.ORDER_USERS_RELEASED, order, at_ms, cause=cause, users=len(fresh))
            details = {"cause": cause, "users": len(fresh), "evidence": bool(evidence)}
            self.line(connection, caller.key, "exception:create", order.id, details, at_ms)
        return len(fresh)

    def _replaceable(self, connection: Any, order: Order) -> Order:
        old = self.got(connection, order.supersedes)
        moved(old.state, "supersede")
        if not is_at_least(order.standing, old.standing):
            raise InvalidField(
                "the order is weaker than the one whose place it would take", code="order_weaker", path="supersedes",
                expected="the same kind and target, no smaller scope, no earlier end, no milder parameters",
                hint="place it beside the other one: orders add to each other",
            )  # fmt: skip
        return old

    def owe(
        self, connection: Any, topic: Topic, order: Order, at_ms: int, **more: str | int | Sequence[str]
    ) -> None:
        """What the shop is to hear of an order; before the line of the audit log, which is last."""
        standing = order.standing
        payload = {
            "kind": standing.kind,
            "state": order.state,
            "target": standing.target.kind,
            "reason": standing.reason,
        }
        self._outbox.owe(connection, at_ms=at_ms, topic=topic, subject=order.id, payload=payload | more)

    def audit(self, connection: Any, actor: str, deed: str, order: Order, at_ms: int) -> None:
        """The line of what was done to an order."""
        standing = order.standing
        details = {
            "kind": standing.kind,
            "scope": list(standing.scope),
            "target": standing.target.kind,
            "reason": standing.reason,
            "state": order.state,
            "version": standing.begun,
        }
        self.line(connection, actor, deed, order.id, details, at_ms)

    def line(
        self, connection: Any, actor: str, deed: str, subject: str, details: Mapping[str, Any], at_ms: int
    ) -> None:
        """A line of the audit log."""
        self._trail.append(connection, at_ms=at_ms, actor=actor, deed=deed, subject=subject, details=details)


def is_over(order: Order, at_ms: int) -> bool:
    """Whether an order that is in force has reached its end."""
    return order.state == "active" and 0 < order.standing.ends_ms <= at_ms
