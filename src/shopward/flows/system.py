"""Orders of the system: placed by nobody's word, about one user, with a way out, and never too many of them.

Promise, for whoever listens to the log (``consequences``, ``alerted``), inside a transaction that holds the fence:
- each has a decision as its reason, and one of a kind for a user of a decision: its natural key;
- none is placed while the last of its kind about the user is in force: one that let the user out is in force too, so that
  nobody is stopped again from what they got out of;
- at most so many an hour, as the policy says, so that a rule gone wrong, or a provider that alarms about everybody, stops
  at a few customers; the shop is told once an hour and people decide (fails open).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from shopward.flows.arrows import SYSTEM
from shopward.outbox import Topic
from shopward.protection.orders import RELEASE_CONDITIONS, Order, ReleaseCondition, Standing
from shopward.values import HOUR_MS, digest16

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.flows.arrows import Outbox
    from shopward.flows.ground import Ground
    from shopward.risk.policy import Consequences as Carried
    from shopward.values import IdSource


class SystemOrders:
    """Places them.

    Args:
        ground: what the stories of protection stand on.
        outbox: what the shop is owed to hear.
        ids: names orders.
        carried: what the policy says of it.
    """

    def __init__(self, ground: Ground, outbox: Outbox, ids: IdSource, carried: Callable[[], Carried]) -> None:
        self._on = ground
        self._outbox = outbox
        self._ids = ids
        self._carried = carried

    def draft(
        self,
        standing: Standing,
        *,
        decision: str,
        now_ms: int,
        release: tuple[ReleaseCondition, ...] = RELEASE_CONDITIONS,
    ) -> Order:
        """An order that nobody asked for but a decision."""
        return Order(
            standing=msgspec.structs.replace(standing, id=self._ids.new("o", now_ms)),
            state="draft",
            decision=decision,
            release=release,
            created_ms=now_ms,
            starts_ms=now_ms,
            author=SYSTEM,
            author_key=SYSTEM,
        )

    def place(self, connection: Any, order: Order, now_ms: int) -> bool:
        """In force at once, under its decision's natural key; false where one of its kind stands or it is too many."""
        if self._stands(connection, order.standing) or self._is_enough(connection, now_ms):
            return False
        store, arrows, about = self._on.store, self._on.arrows, _about(order.standing)
        digest = digest16(order.decision.encode())
        store.add(connection, order)
        store.add_key(connection, _key("decision", order.decision, *about), digest, order.id)
        store.put_key(connection, _key("user", *about), digest, order.id)
        arrows.audit(connection, SYSTEM, "order:create", order, now_ms)
        arrows.activate(connection, order, SYSTEM, now_ms)
        return True

    def _stands(self, connection: Any, standing: Standing) -> bool:
        """Whether the system's last order of this kind about this user is in force; one that let the user out is too."""
        known = self._on.store.keyed(connection, _key("user", *_about(standing)))
        return known is not None and self._on.arrows.got(connection, known[1]).state == "active"

    def _is_enough(self, connection: Any, now_ms: int) -> bool:
        """Whether no more may be placed in this hour; said once an hour. Fails open: decisions stand, people look."""
        store, most = self._on.store, self._carried().orders_per_hour_max
        if store.count_by(connection, SYSTEM, after=self._ids.new("o", now_ms - HOUR_MS)) < most:
            return False
        hour = str(now_ms // HOUR_MS)
        if store.keyed(connection, _key("held_back", hour)) is None:
            store.add_key(connection, _key("held_back", hour), digest16(b""), "")
            self._outbox.owe(
                connection,
                at_ms=now_ms,
                topic=Topic.CONSEQUENCES_HELD_BACK,
                subject="consequences",
                payload={"orders_per_hour_max": most},
            )
        return True


def _key(*parts: str) -> str:
    """A natural key, beside the idempotency keys of callers."""
    return digest16("\x1f".join(("consequence", *parts)).encode()).hex()


def _about(standing: Standing) -> tuple[str, ...]:
    """What there is one of for a user at a time: a kind, of one provider where it names one."""
    return (standing.kind, standing.provider, *standing.target.tokens)
