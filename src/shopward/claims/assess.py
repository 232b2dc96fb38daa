"""Assessing a claim: item by item from what is known, then the regime's shares, then whether a person has to look.

Promise: pure. The steps, in this order, since each one settles what comes after it:
  (1) after notice, or under an order that should have held it: the platform's, whole, whatever else is known
  (2) inside an incident that the account is a victim of, or nothing speaks against the customer: the platform's
  (3) evidence against: a person decides; until then, and if nobody does, the platform's
  (4) the regime's excess, tiers and cap are taken off what is left of (2) and (3), the last items first
  (5) without evidence, within the age and the amount of the regime, it is approved at once

What a customer bears by (4) comes off the newest items, so that each item says what is paid of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from shopward.claims.evidence import against
from shopward.claims.liability import NEVER, Loss, above_cap, customer_share
from shopward.values import DAY_MS

if TYPE_CHECKING:
    from shopward.claims.claim import Claim, Item, Reason
    from shopward.claims.regimes import Regime

MONTH_MS: Final = 30 * DAY_MS + DAY_MS // 2
"""A month of a limit of age; who is a day late is looked at by a person and not refused by this."""
ALWAYS: Final = frozenset({"after_notice", "order_in_force"})
"""Nothing is ever taken off these."""


class Assessment(NamedTuple):
    """What came out.

    Attributes:
        items: with what is borne of each and why.
        is_automatic: no person has to look.
    """

    items: tuple[Item, ...]
    is_automatic: bool


def assess(
    claim: Claim, regime: Regime, *, is_victim: bool, learned_ms: int = NEVER, statement_ms: int = NEVER
) -> Assessment:
    """Assess the items of a claim.

    Args:
        claim: received; its items with what is known.
        regime: its rules.
        is_victim: whether the account stands in the incident's victim set.
        learned_ms: when the customer learned of it, if known.
        statement_ms: when a statement showed it, if there was one.
    """
    assessed = [_assessed(item, claim, is_victim=is_victim) for item in claim.items]
    shared = _shared(assessed, claim, regime, learned_ms=learned_ms, statement_ms=statement_ms)
    return Assessment(tuple(shared), _is_automatic(shared, claim, regime, is_victim=is_victim))


def _assessed(item: Item, claim: Claim, *, is_victim: bool) -> Item:
    evidence = tuple(
        dict.fromkeys(
            (*item.evidence, *against(item, window_from_ms=claim.window_from_ms if claim.incident else 0))
        )
    )
    inside = claim.window_from_ms <= item.at_ms <= claim.window_until_ms
    reason: Reason = "no_evidence_against"
    if claim.notice_ms and item.at_ms > claim.notice_ms:
        reason = "after_notice"
    elif item.known.orders:
        reason = "order_in_force"
    elif claim.incident and is_victim and inside:
        reason = "in_incident"
    elif evidence:
        reason = "evidence_against"
    return msgspec.structs.replace(item, evidence=evidence, borne_minor=item.amount_minor, reason=reason)


def _shared(
    items: list[Item], claim: Claim, regime: Regime, *, learned_ms: int, statement_ms: int
) -> list[Item]:
    """The items with the customer's share taken off, currency by currency."""
    for currency in {item.currency for item in items}:
        mine = [item for item in items if item.currency == currency and item.reason not in ALWAYS]
        losses = [Loss(item.at_ms, item.amount_minor) for item in mine]
        share = customer_share(
            losses, currency=currency, regime=regime, notice_ms=claim.notice_ms, learned_ms=learned_ms,
            statement_ms=statement_ms, is_vulnerable=claim.is_vulnerable,
        )  # fmt: skip
        total = sum(item.amount_minor for item in mine)
        over = above_cap(total - share, currency=currency, regime=regime)
        items = _taken_off(items, currency, share, "customer_share")
        items = _taken_off(items, currency, over, "above_cap")
    return items


def _taken_off(items: list[Item], currency: str, amount_minor: int, reason: Reason) -> list[Item]:
    if not amount_minor:
        return items
    left, newest = amount_minor, sorted(items, key=lambda item: item.at_ms, reverse=True)
    changed: dict[str, Item] = {}
    for item in newest:
        if left and item.currency == currency and item.reason not in ALWAYS:
            taken = min(left, item.borne_minor)
            left -= taken
            if taken:
                changed[item.event_id] = msgspec.structs.replace(
                    item, borne_minor=item.borne_minor - taken, reason=reason
                )
    return [changed.get(item.event_id, item) for item in items]


def _is_automatic(items: list[Item], claim: Claim, regime: Regime, *, is_victim: bool) -> bool:
    if any(item.reason == "evidence_against" or (item.evidence and item.reason not in ALWAYS | {"in_incident"})
           for item in items):  # fmt: skip
        return False
    oldest_ms = min(item.at_ms for item in items)
    if regime.claim_within_months and claim.received_ms - oldest_ms > regime.claim_within_months * MONTH_MS:
        return False
    if claim.incident and is_victim and all(item.reason in ALWAYS | {"in_incident"} for item in items):
        return True
    sums: dict[str, int] = {}
    for item in items:
        sums[item.currency] = sums.get(item.currency, 0) + item.borne_minor
    return all(amount <= regime.auto_approve_max_minor.get(currency, 0) for currency, amount in sums.items())
