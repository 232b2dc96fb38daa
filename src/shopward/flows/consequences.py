"""Consequences: what a decision asks for besides is carried out, once, and the shop is told.

Promise:
- what the policy itself asked for (``DecisionRecord.own_actions``) becomes an order of the system about that one user, and
  one message to the shop; what an order in force added asks for no second order;
- an order of the system is short, about one user, gives its decision as its reason, and lets the customer out by their own
  proof; it is never about staff, a partner or many, and never placed while one of its kind stands for the user;
- which actions become orders is the policy's (``consequences.carry_out``); at most so many in an hour, so that a rule
  gone wrong stops at a few customers and people are told;
- history has no consequence: an event that is told more than an hour after it happened is recorded, and that is all;
- replay and backtest do not come here.

The story of a decision:
  (1) is it news, and did the policy ask for anything?
  (2) may an order be placed: a customer's own event, an action that is carried out, none of its kind in force, not too many?
  (3) the order, under the decision's natural key, in force at once
  (4) what the shop is owed to hear, with what was done about each action
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from shopward.outbox import Topic
from shopward.protection.operations import expanded
from shopward.protection.orders import Kind, Limit, Order, Standing, Target
from shopward.values import DAY_MS, HOUR_MS, SECOND_MS, to_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.flows.arrows import Outbox
    from shopward.flows.follow import Heard
    from shopward.flows.ground import Ground
    from shopward.flows.system import SystemOrders
    from shopward.risk.policy import Action
    from shopward.risk.policy import Consequences as Carried

NEWS_MS: Final = HOUR_MS
HOLD_MS: Final = DAY_MS
HOLD_MAX_MS: Final = 3 * DAY_MS
_ASKS: Final = b'"actions":['


class Means(NamedTuple):
    """What an action becomes: an order of this kind, over these operations, for so long."""

    kind: Kind
    scope: str
    lasts_ms: int


MEANS: Final[dict[str, Means]] = {
    "freeze": Means("freeze", "money_out", DAY_MS),
    "hold": Means("delay", "money_out", HOLD_MS),
    "limit": Means("limit", "money_out", 3 * DAY_MS),
    "revoke_sessions": Means("revoke", "everything", 7 * DAY_MS),
    "reset_password": Means("reset", "everything", 7 * DAY_MS),
    "unlink_identity": Means("unlink", "everything", 7 * DAY_MS),
}
"""The operations never hold ``change_credentials`` where an order denies: the way out must stay open."""


class Consequences:
    """Listens to the log.

    Args:
        ground: what the stories of protection stand on.
        outbox: what the shop is owed to hear.
        system: places the orders.
        carried: what the policy in force says of it.
    """

    def __init__(
        self, ground: Ground, outbox: Outbox, system: SystemOrders, carried: Callable[[], Carried]
    ) -> None:
        self._on = ground
        self._outbox = outbox
        self._system = system
        self._carried = carried

    def hears(self, facts: bytes, decisions: bytes) -> bool:  # noqa: ARG002 -- the port's signature
        """Whether a decision asked for anything."""
        return _ASKS in decisions

    def act(self, connection: Any, heard: Heard) -> bool:
        """Carry out what the policy asked for; whether an order began."""
        facts, record = heard.facts, heard.record
        actions = [action for action in record.own_actions if action.type != "step_up"]
        if not actions or heard.recorded_ms - facts.time_ms > NEWS_MS:  # (1)
            return False
        now_ms = self._on.clock.now_ms()
        placed: list[str] = []
        for action in actions:
            order = self._order(action, heard, now_ms)
            if order is not None and self._system.place(connection, order, now_ms):  # (3)
                placed.append(order.id)
        self._outbox.owe(  # (4)
            connection,
            at_ms=now_ms,
            topic=Topic.DECISION_ACTIONS,
            subject=record.id,
            payload={
                "event_id": facts.id,
                "decision": record.decision,
                "actions": [action.type for action in actions],
                "orders": placed,
            },
        )
        return bool(placed)

    def _order(self, action: Action, heard: Heard, now_ms: int) -> Order | None:
        """(2) The order that an action becomes, ``None`` where it becomes none."""
        facts = heard.facts
        means = MEANS.get(action.type)
        if means is None or action.type not in self._carried().carry_out:
            return None
        if facts.actor_type != "customer" or not facts.user or not facts.user_known:
            return None
        ends_ms = heard.recorded_ms + _lasts_ms(action, means, heard.recorded_ms)
        limit, provider = _limit(action), facts.identity_provider if means.kind == "unlink" else ""
        if ends_ms <= now_ms or (means.kind == "limit") != (limit is not None):
            return None
        if means.kind == "unlink" and not provider:
            return None
        return self._system.draft(
            Standing(
                id="",
                kind=means.kind,
                scope=expanded([means.scope]),
                target=Target("user", (facts.user,)),
                reason="account_at_risk",
                limit=limit,
                provider=provider,
                ends_ms=ends_ms,
            ),
            decision=heard.record.id,
            now_ms=now_ms,
        )


def _lasts_ms(action: Action, means: Means, at_ms: int) -> int:
    """How long, from when the decision was recorded; a hold says it itself, within bounds."""
    if action.type != "hold":
        return means.lasts_ms
    if action.until is not None:
        return min(to_ms(datetime.fromisoformat(action.until)) - at_ms, HOLD_MAX_MS)
    return min((action.window_s or 0) * SECOND_MS or means.lasts_ms, HOLD_MAX_MS)


def _limit(action: Action) -> Limit | None:
    if action.type != "limit" or not action.amount_minor or not action.currency or not action.window_s:
        return None
    return Limit(action.amount_minor, action.currency, action.window_s)
