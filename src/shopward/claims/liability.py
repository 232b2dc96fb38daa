"""What a customer bears under a regime.

Promise: pure, in whole minor units, and never more than was lost. What came after the notice is left out before anything is
asked here: nobody bears that but the platform.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.calendars import due_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.calendars import Place
    from shopward.claims.regimes import Regime, Tiers

NEVER: Final = 0


class Loss(NamedTuple):
    """One unauthorised movement before the notice, all of one currency."""

    at_ms: int
    amount_minor: int


def customer_share(
    losses: Sequence[Loss],
    *,
    currency: str,
    regime: Regime,
    notice_ms: int,
    learned_ms: int,
    statement_ms: int,
    is_vulnerable: bool,
) -> int:
    """What the customer bears of these, in minor units.

    Args:
        losses: before the notice.
        currency: of all of them.
        regime: the rules.
        notice_ms: when the platform was told.
        learned_ms: when he learned that his device or account was in other hands; ``NEVER`` where it is not known,
            which counts as told at once.
        statement_ms: when a statement with the first of them was sent; ``NEVER`` for none.
        is_vulnerable: spared the excess.
    """
    total = sum(loss.amount_minor for loss in losses)
    share = 0 if is_vulnerable else regime.excess_minor.get(currency, 0)
    if regime.tiers is not None and regime.tiers.currency == currency:
        share += _by_tiers(
            losses,
            regime.tiers,
            regime.place,
            notice_ms=notice_ms,
            learned_ms=learned_ms,
            statement_ms=statement_ms,
        )
    return min(share, total)


def above_cap(amount_minor: int, *, currency: str, regime: Regime) -> int:
    """What of an amount the regime does not pay."""
    cap = regime.cap_minor.get(currency)
    return 0 if cap is None else max(amount_minor - cap, 0)


def _by_tiers(
    losses: Sequence[Loss], tiers: Tiers, place: Place, *, notice_ms: int, learned_ms: int, statement_ms: int
) -> int:
    """12 CFR 1005.6(b)(1) to (3)."""
    told_by_ms = due_ms(learned_ms, tiers.learned_within, place) if learned_ms else notice_ms
    last_ms = due_ms(statement_ms, tiers.statement_within, place) if statement_ms else notice_ms
    within = [loss for loss in losses if loss.at_ms <= last_ms]
    early = sum(loss.amount_minor for loss in within if loss.at_ms <= told_by_ms)
    later = sum(loss.amount_minor for loss in within if loss.at_ms > told_by_ms)
    if notice_ms <= told_by_ms:
        share = min(tiers.early_minor, early + later)
    else:
        share = min(tiers.late_minor, min(tiers.early_minor, early) + later)
    return share + sum(loss.amount_minor for loss in losses if loss.at_ms > last_ms)
