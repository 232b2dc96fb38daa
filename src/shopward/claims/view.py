"""What is shown of a claim, to the customer through the shop and to those who decide.

Promise: the same to both: what the platform knows of each item, what it bears and why, by when it answers. Persons are named to
nobody here; who decided stands in the audit log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from shopward.claims.claim import borne, claimed
from shopward.claims.wording import said
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.claims.claim import Claim, Item, Known
    from shopward.claims.payouts import Payout


class KnownView(Struct, omit_defaults=True):
    """What the platform knows of the moment."""

    decision: str = ""
    device_since: str = ""
    login_at: str = ""
    factor: str = ""
    factor_since: str = ""
    orders: tuple[str, ...] = ()


class ItemView(Struct, omit_defaults=True):
    """A disputed event: what of it the platform bears, and why, in the language asked for."""

    event_id: str
    transaction_id: str
    at: str
    type: str
    amount_minor: int
    currency: str
    borne_minor: int
    known: KnownView
    reason: str = ""
    text: str = ""
    evidence: tuple[str, ...] = ()
    is_proposed: bool = False


class AmountView(Struct):
    """Of one currency."""

    currency: str
    claimed_minor: int
    borne_minor: int
    paid_minor: int


class PayoutView(Struct, omit_defaults=True):
    """A payout and where it is."""

    id: str
    state: str
    amount_minor: int
    currency: str
    instrument: str
    tries: int
    is_provisional: bool = False
    said: str = ""


class StepView(Struct, omit_defaults=True):
    """What was done, and why."""

    at: str
    step: str
    reason: str = ""


class ClaimView(Struct, omit_defaults=True):
    """A claim."""

    id: str
    state: str
    text: str
    regime: str
    round: int
    items: list[ItemView]
    amounts: list[AmountView]
    history: list[StepView]
    payouts: list[PayoutView] = []
    incident: str = ""
    created_at: str = ""
    notice_at: str = ""
    received_at: str = ""
    due_at: str = ""
    clock: str = ""
    user: str = ""


def view(claim: Claim, payouts: Sequence[Payout], *, language: str, user: str = "") -> ClaimView:
    """What is shown of it, in ``id``, ``zh`` or ``en``, with the shop's own id of whose it is where that is known."""
    owed, paid = borne(claim), _paid(payouts)
    stop = claim.stops[-1] if claim.stops and not claim.stops[-1].until_ms else None
    return ClaimView(
        claim.id, claim.state, said("states", claim.state, language), claim.regime, claim.round,
        [_item(item, language) for item in claim.items],
        [AmountView(each, amount, owed.get(each, 0), paid.get(each, 0)) for each, amount in claimed(claim).items()],
        [StepView(to_rfc3339(each.at_ms), each.step, each.reason) for each in claim.history],
        [PayoutView(each.id, each.state, each.amount_minor, each.currency, each.instrument, each.tries,
                    each.is_provisional, each.said) for each in payouts],
        incident=claim.incident, created_at=_at(claim.created_ms), notice_at=_at(claim.notice_ms),
        received_at=_at(claim.received_ms), due_at=_at(claim.due_ms),
        clock="" if stop is None else said("stops", stop.reason, language), user=user,
    )  # fmt: skip


def _item(item: Item, language: str) -> ItemView:
    return ItemView(
        item.event_id, item.transaction_id, to_rfc3339(item.at_ms), item.type, item.amount_minor, item.currency,
        item.borne_minor, _known(item.known), item.reason, said("reasons", item.reason, language), item.evidence,
        item.is_proposed,
    )  # fmt: skip


def _known(known: Known) -> KnownView:
    return KnownView(
        known.decision, _at(known.device_since_ms), _at(known.login_ms), known.factor, _at(known.factor_since_ms),
        known.orders,
    )  # fmt: skip


def _paid(payouts: Sequence[Payout]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for payout in payouts:
        if payout.state == "paid":
            sums[payout.currency] = sums.get(payout.currency, 0) + payout.amount_minor
    return sums


def _at(at_ms: int) -> str:
    return to_rfc3339(at_ms) if at_ms else ""
