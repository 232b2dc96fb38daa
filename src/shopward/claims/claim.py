"""A claim as a value: who, which items, what is known of each, where it stands, and what happened to it.

Promise: plain data that both databases keep as one JSON text. Amounts are whole minor units; times are milliseconds. It names a
user by token; the shop's own ids of events and transactions are there, since the claim is about them.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import Struct

State = Literal[
    "draft", "under_review", "decline_proposed", "approved", "declined", "paid", "withdrawn",
]  # fmt: skip
OPEN: Final[tuple[State, ...]] = ("under_review", "decline_proposed")
"""Somebody has to decide."""
Step = Literal[
    "drafted", "received", "auto_approved", "sent_to_review", "clock_stopped", "clock_started", "evidence_added",
    "approved", "partly_approved", "decline_proposed", "decline_confirmed", "decline_rejected", "deadline_passed",
    "provisional_credit", "appealed", "reopened", "paid", "withdrawn",
]  # fmt: skip
WRITTEN: Final[frozenset[Step]] = frozenset({"evidence_added", "reopened"})
"""The reasons of these are people's own words."""
PlatformEvidence = Literal[
    "strong_authentication_by_owner", "device_binding", "customer_admission", "first_party_pattern"
]
"""The only kinds that can carry a refusal."""
Reason = Literal[
    "after_notice", "order_in_force", "in_incident", "no_evidence_against", "evidence_against", "customer_share",
    "above_cap", "outside_period", "goodwill", "deadline_passed", "authorised_by_owner", "not_disputable",
]  # fmt: skip
StopReason = Literal["waiting_for_customer", "waiting_for_partner", "waiting_for_authority"]


class Known(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the platform knows of the moment of an item; ``_ms`` are times, 0 for never.

    Attributes:
        decision: what was decided then.
        device_since_ms: since when this device had been used with success.
        login_ms: when the session began, as far as the log tells.
        factor: by which a challenge for this very event was passed.
        factor_since_ms: since when that factor stood on the account.
        orders: those in force for it at the time.
    """

    decision: str = ""
    device_since_ms: int = 0
    login_ms: int = 0
    factor: str = ""
    factor_since_ms: int = 0
    orders: tuple[str, ...] = ()


class Item(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A disputed event.

    Attributes:
        is_proposed: whether the form ticked it by itself.
        evidence: against it, by kind.
        borne_minor: what the platform bears of it, once it is assessed or decided.
        reason: why so much.
    """

    event_id: str
    transaction_id: str
    at_ms: int
    type: str
    amount_minor: int
    currency: str
    known: Known = Known()
    is_proposed: bool = False
    evidence: tuple[PlatformEvidence, ...] = ()
    borne_minor: int = 0
    reason: Reason | Literal[""] = ""


class Happened(Struct, frozen=True):
    """A step that was taken, by whom, and why; ``reason`` is empty in the store where it is somebody's own words, which are sealed."""

    at_ms: int
    step: Step
    by: str
    reason: str = ""


class Stop(Struct, frozen=True):
    """The clock stood from one moment to another; 0 while it stands."""

    from_ms: int
    reason: StopReason
    until_ms: int = 0


class Claim(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A claim.

    Attributes:
        user: token.
        notice_ms: when the platform was first told; a loss after it is the platform's.
        regime: which rules hold for it.
        round: 1 for the first decision, one more for each appeal or reopening.
        due_ms: when it counts as approved if nobody decided; 0 before it is received.
        first_due_ms: the same as it was before any stop of the clock.
        reviewer: who decided last; an appeal takes another person.
        proposer: who proposed to decline; confirming takes another person.
        is_vulnerable: of a customer whom the regime protects further.
        provisional_minor: by currency, what was credited while nobody had decided.
        counted_minor: of it, what was held against what is owed.
        accrued_minor: what is owed by all rounds.
        paid_minor: what left.
    """

    id: str
    user: str
    state: State
    regime: str
    created_ms: int
    items: tuple[Item, ...]
    notice_ms: int = 0
    incident: str = ""
    window_from_ms: int = 0
    window_until_ms: int = 0
    round: int = 1
    received_ms: int = 0
    due_ms: int = 0
    first_due_ms: int = 0
    last_due_ms: int = 0
    stops: tuple[Stop, ...] = ()
    reviewer: str = ""
    proposer: str = ""
    proposal: tuple[Item, ...] = ()
    is_vulnerable: bool = False
    provisional_due_ms: int = 0
    provisional_minor: dict[str, int] = {}
    counted_minor: dict[str, int] = {}
    accrued_minor: dict[str, int] = {}
    paid_minor: dict[str, int] = {}
    history: tuple[Happened, ...] = ()


encode: Final = msgspec.json.Encoder().encode
decode: Final = msgspec.json.Decoder(Claim).decode


def borne(claim: Claim) -> dict[str, int]:
    """What the platform bears of all items, by currency."""
    sums: dict[str, int] = {}
    for item in claim.items:
        if item.borne_minor:
            sums[item.currency] = sums.get(item.currency, 0) + item.borne_minor
    return sums


def next_ms(claim: Claim) -> int:
    """When the clock has something to do: a provisional credit, or the approval of what nobody decided."""
    due_ms = deadline_ms(claim)
    if claim.provisional_due_ms and not claim.provisional_minor:
        return min(claim.provisional_due_ms, due_ms)
    return due_ms


def deadline_ms(claim: Claim) -> int:
    """When it counts as approved though nobody decided; later while its clock stands."""
    stands = bool(claim.stops) and not claim.stops[-1].until_ms
    return max(claim.last_due_ms, claim.due_ms) if stands else claim.due_ms


def claimed(claim: Claim) -> dict[str, int]:
    """What is disputed, by currency."""
    sums: dict[str, int] = {}
    for item in claim.items:
        sums[item.currency] = sums.get(item.currency, 0) + item.amount_minor
    return sums
