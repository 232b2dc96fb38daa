"""The ruling of protection orders on top of a decision: it strengthens, and never relaxes.

Promise: a pure function. The decision is the stronger of the two; the policy's actions stay, those of the orders are
added; where both ask for a factor, what either excludes is excluded, and where no factor is left it is a deny (fails
closed: a challenge that proves nothing must not let anybody through). The score stays the policy's: it says how likely
an attack is, and an order says nothing of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from shopward.protection.resolve import CHALLENGE, DENY
from shopward.protection.view import REASON_PREFIX
from shopward.risk.policy import STRENGTH, Action
from shopward.risk.verdict import Reason
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.flows.engine import DecisionRecord
    from shopward.protection.resolve import Ruling

_KINDS: Final = tuple(STRENGTH)
_STEP_UP: Final = "step_up"


def strengthened(
    record: DecisionRecord, ruling: Ruling, used: Sequence[str], *, factors: Sequence[str], version: int
) -> DecisionRecord:
    """The record with what the orders in force say.

    Args:
        record: the policy's decision.
        ruling: of the orders.
        used: limits that the event uses up where it goes ahead.
        factors: the policy's, in order of preference.
        version: of the set of orders.
    """
    strength = max(STRENGTH[record.decision], ruling.strength)
    actions = record.actions
    if ruling.orders:
        actions = tuple(dict.fromkeys((*_plain(actions), *_asked(ruling))))
        if strength == STRENGTH["challenge"]:
            step_up = _step_up(record.actions, ruling, factors)
            if step_up is None:
                strength = STRENGTH["deny"]
            else:
                actions = (step_up, *actions)
    decision = _KINDS[strength]
    return msgspec.structs.replace(
        record,
        decision=decision,
        reasons=(*_reasons(ruling), *record.reasons),
        actions=actions,
        orders=ruling.ids,
        deciding=_deciding(record, ruling, strength),
        used=tuple(used) if strength < STRENGTH["challenge"] else (),
        in_force=version,
        asked=record.actions if ruling.orders else (),
    )


def _plain(actions: Sequence[Action]) -> tuple[Action, ...]:
    return tuple(action for action in actions if action.type != _STEP_UP)


def _asked(ruling: Ruling) -> list[Action]:
    """What the orders ask the shop to do besides."""
    asked = []
    if ruling.hold_until_ms:
        asked.append(Action("hold", until=to_rfc3339(ruling.hold_until_ms)))
    asked += [
        Action("limit", amount_minor=limit.amount_minor, currency=limit.currency, window_s=limit.window_s)
        for limit in ruling.limits
    ]
    asked += [Action(action) for action in sorted(ruling.actions)]  # type: ignore[arg-type] # words of resolve
    return asked


def _step_up(actions: Sequence[Action], ruling: Ruling, factors: Sequence[str]) -> Action | None:
    """The challenge that satisfies policy and orders both; ``None`` where no factor is left."""
    asked = [action for action in actions if action.type == _STEP_UP]
    excluded = {factor for action in asked for factor in action.exclude} | ruling.exclude
    preferred = [action.factor for action in asked if action.factor is not None] + list(factors)
    factor = next((each for each in preferred if each not in excluded), None)
    if factor is None:
        return None
    return Action(_STEP_UP, factor, tuple(sorted(excluded)))  # type: ignore[arg-type] # words of both


def _reasons(ruling: Ruling) -> tuple[Reason, ...]:
    return tuple(
        Reason(REASON_PREFIX + order.kind, {"order": order.id, "reason": order.reason})
        for order in ruling.orders
    )


def _deciding(record: DecisionRecord, ruling: Ruling, strength: int) -> tuple[str, ...]:
    """What a passed challenge would have to satisfy."""
    if strength != CHALLENGE:
        return record.deciding if ruling.strength != DENY else ()
    asking = tuple(order.id for order in ruling.orders if order.kind == _STEP_UP)
    return (
        (*record.deciding, *asking) if STRENGTH[record.decision] == CHALLENGE else asking or record.deciding
    )
