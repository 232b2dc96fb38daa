"""Resolution: many orders that apply to one event become one ruling.

Promise, held by property tests: a pure function of the orders, whatever their number and order; asking twice gives the
same; and one order more never weakens a ruling in any part: the decision is no milder, a hold ends no earlier, a limit
is no higher, a factor's level no lower, no excluded factor comes back and no action goes away.

In words: deny before delay before the lowest limit before the highest assurance. There is nothing that permits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from shopward.protection.orders import FACTOR_LEVELS, Limit, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable

DENY: Final = 3
CHALLENGE: Final = 2
_ACTIONS: Final = {
    "reset": "reset_password",
    "revoke": "revoke_sessions",
    "unlink": "unlink_identity",
    "notify_only": "notify",
}
_RANK: Final = {
    "freeze": 0, "delay": 1, "limit": 2, "step_up": 3, "reset": 4, "revoke": 5, "unlink": 6, "notify_only": 7,
}  # fmt: skip


class Ruling(Struct, frozen=True):
    """What the orders in force say of one event.

    Attributes:
        strength: 0 nothing, 2 challenge, 3 deny.
        hold_until_ms: the latest end of a delay; 0 where none applies.
        limits: the lowest limit that is exceeded, for each currency.
        assurance: the highest level that a factor must have.
        exclude: factors that prove nothing here.
        actions: what the shop is asked to do besides.
        orders: who had a say, strongest kind first.
    """

    strength: int = 0
    hold_until_ms: int = 0
    limits: tuple[Limit, ...] = ()
    assurance: int = 0
    exclude: frozenset[str] = frozenset()
    actions: frozenset[str] = frozenset()
    orders: tuple[Standing, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the orders that had a say."""
        return tuple(order.id for order in self.orders)


NO_RULING: Final = Ruling()


def resolve(applying: Iterable[Standing]) -> Ruling:
    """One ruling of the orders that apply: limits that are exceeded, step-ups that are not answered, all others."""
    orders = {order.id: order for order in applying}
    if not orders:
        return NO_RULING
    kinds = {order.kind for order in orders.values()}
    lowest: dict[str, Limit] = {}
    for order in orders.values():
        limit = order.limit
        if limit is not None:
            held = lowest.get(limit.currency)
            lowest[limit.currency] = limit if held is None else min(held, limit, key=_lowness)
    level = max(order.assurance for order in orders.values())
    excluded = frozenset(factor for order in orders.values() for factor in order.exclude)
    if "step_up" in kinds:
        excluded |= {factor for factor, reached in FACTOR_LEVELS.items() if reached < max(level, 1)}
    return Ruling(
        DENY if kinds & {"freeze", "delay", "limit"} else CHALLENGE if "step_up" in kinds else 0,
        max((order.ends_ms for order in orders.values() if order.kind == "delay"), default=0),
        tuple(lowest[currency] for currency in sorted(lowest)),
        level,
        excluded,
        frozenset(_ACTIONS[kind] for kind in kinds if kind in _ACTIONS),
        tuple(sorted(orders.values(), key=lambda order: (_RANK[order.kind], order.id))),
    )


def _lowness(limit: Limit) -> tuple[int, int]:
    return limit.amount_minor, -limit.window_s
