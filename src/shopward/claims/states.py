"""The states of a claim and who may take which step.

Promise: pure; a step that a state does not allow is refused (``claim_state``), and these hold whatever is tried:
- a refusal, of a part too, needs evidence of a closed kind on each item that is refused, a proposer and another person who confirms;
- what is the platform's after notice or under an order is never refused;
- an appeal is decided by somebody else than the round before;
- the clock stands only under review, only with a reason, and never moves the due date beyond the regime's total.

::

    draft ── receive ──▶ under_review ──┬── approve / deadline passed ──▶ approved ──▶ paid
      │         └── assessed as certain ─┘▲                                  ▲          │
      └─ withdraw                        │├── propose ─▶ decline_proposed ───┤ confirm  │
                                         │└── reject ◀────────┘              ▼ (nothing │ appeal / reopen
                                         └────────────── appeal / reopen ── declined ◀──┘  is borne)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from shopward.calendars import due_ms
from shopward.claims.assess import ALWAYS
from shopward.claims.claim import Claim, Happened, Item, Step, Stop, borne, claimed
from shopward.errors import Conflict, InvalidField, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shopward.claims.assess import Assessment
    from shopward.claims.claim import PlatformEvidence, Reason, State, StopReason
    from shopward.claims.regimes import Regime

SYSTEM: Final = "shopward"
DECIDED: Final[frozenset[State]] = frozenset({"approved", "declined", "paid"})
HISTORY_MAX: Final = 200


def received(
    claim: Claim, regime: Regime, items: Sequence[Item], *, notice_ms: int, at_ms: int, by: str
) -> Claim:
    """The form came in: the clock runs from now."""
    _in(claim, "draft")
    if not items:
        raise InvalidField(
            "a claim disputes something", path="items", expected="at least one event", found="none"
        )
    due = due_ms(at_ms, regime.decide_within, regime.place)
    return _after(
        claim, "received", at_ms, by, state="under_review", items=tuple(items), notice_ms=notice_ms or at_ms,
        received_ms=at_ms, due_ms=due, first_due_ms=due, last_due_ms=due_ms(at_ms, regime.decide_at_most, regime.place),
        provisional_due_ms=0
        if regime.provisional_within is None
        else due_ms(at_ms, regime.provisional_within, regime.place),
    )  # fmt: skip


def assessed(claim: Claim, found: Assessment, *, at_ms: int) -> Claim:
    """What the platform's own evidence says; certain ones are approved."""
    _in(claim, "under_review")
    step: Step = "auto_approved" if found.is_automatic else "sent_to_review"
    state: State = "approved" if found.is_automatic else "under_review"
    return _after(claim, step, at_ms, SYSTEM, state=state, items=found.items)


def approved(
    claim: Claim, amounts: Mapping[str, int], *, at_ms: int, by: str, reason: Reason | None = None
) -> Claim:
    """A person approves, whole or in part; what is refused of an item is a refusal and is proposed instead.

    Args:
        claim: under review.
        amounts: by event id, what is borne; as assessed where it is left out. Never less than was assessed.
        at_ms: when.
        by: the person; not the one of the round before.
        reason: ``goodwill`` for more than the regime says.
    """
    _may_decide(claim, by)
    items = []
    for item in claim.items:
        amount = amounts.get(item.event_id, item.borne_minor)
        if not item.borne_minor <= amount <= item.amount_minor:
            raise _amount(
                item, f"{item.borne_minor} to {item.amount_minor}: less is a refusal, and is proposed"
            )
        is_more = amount > item.borne_minor
        items.append(
            msgspec.structs.replace(
                item, borne_minor=amount, reason=reason if is_more and reason else item.reason
            )
        )
    _all_known(claim, amounts)
    whole = all(item.borne_minor == item.amount_minor for item in items)
    step: Step = "approved" if whole else "partly_approved"
    return _after(_started(claim, at_ms), step, at_ms, by, state="approved", items=tuple(items), reviewer=by)


def proposed(claim: Claim, amounts: Mapping[str, int], *, reason: Reason, at_ms: int, by: str) -> Claim:
    """A person proposes to refuse, whole or in part; nothing is refused before another person confirms it."""
    _may_decide(claim, by)
    _all_known(claim, amounts)
    proposal = tuple(
        _lowered(item, amounts.get(item.event_id, item.borne_minor), reason) for item in claim.items
    )
    if proposal == claim.items:
        raise InvalidField(
            "nothing is refused", path="amounts", expected="less for an item", found="nothing less"
        )
    return _after(
        claim, "decline_proposed", at_ms, by, reason, state="decline_proposed", proposal=proposal, proposer=by
    )


def confirmed(claim: Claim, *, at_ms: int, by: str) -> Claim:
    """A second person agrees: refused, or approved in part."""
    _in(claim, "decline_proposed")
    _another(by, claim.proposer, "the person who proposed it")
    _another(by, _reviewer_before(claim), "the person who decided the round before")
    state: State = "approved" if any(item.borne_minor for item in claim.proposal) else "declined"
    return _after(
        _started(claim, at_ms),
        "decline_confirmed",
        at_ms,
        by,
        state=state,
        items=claim.proposal,
        proposal=(),
        reviewer=by,
    )


def rejected(claim: Claim, *, at_ms: int, by: str) -> Claim:
    """A second person does not agree: it is looked at again."""
    _in(claim, "decline_proposed")
    _another(by, claim.proposer, "the person who proposed it")
    return _after(claim, "decline_rejected", at_ms, by, state="under_review", proposal=(), proposer="")


def expired(claim: Claim, *, at_ms: int) -> Claim:
    """Nobody decided in time: approved, as assessed; a proposal that nobody confirmed falls."""
    _in(claim, "under_review", "decline_proposed")
    if at_ms <= claim.due_ms or (_stands(claim) is not None and at_ms <= claim.last_due_ms):
        raise _state(claim, "a claim whose time is over")
    items = tuple(
        msgspec.structs.replace(item, reason="deadline_passed") if item.reason == "evidence_against" else item
        for item in claim.items
    )
    return _after(
        _started(claim, at_ms),
        "deadline_passed",
        at_ms,
        SYSTEM,
        state="approved",
        items=items,
        proposal=(),
        proposer="",
    )


def with_evidence(
    claim: Claim, event_id: str, kind: PlatformEvidence, *, reference: str, at_ms: int, by: str
) -> Claim:
    """A person adds evidence against an item: of which kind, and where it can be seen."""
    _in(claim, "under_review")
    _all_known(claim, {event_id: 0})
    items = tuple(
        msgspec.structs.replace(
            item, evidence=tuple(dict.fromkeys((*item.evidence, kind))), reason=_doubted(item)
        )
        if item.event_id == event_id
        else item
        for item in claim.items
    )
    return _after(claim, "evidence_added", at_ms, by, f"{kind}: {reference}", items=items)


def clock_stopped(claim: Claim, reason: StopReason, *, at_ms: int, by: str) -> Claim:
    """The clock stands, with a reason."""
    _in(claim, "under_review")
    if _stands(claim) is not None:
        raise _state(claim, "a clock that runs")
    return _after(claim, "clock_stopped", at_ms, by, reason, stops=(*claim.stops, Stop(at_ms, reason)))


def clock_started(claim: Claim, *, at_ms: int, by: str) -> Claim:
    """The clock runs again; the due date moves by as long as it stood, up to the regime's total."""
    _in(claim, "under_review")
    if _stands(claim) is None:
        raise _state(claim, "a clock that stands")
    return _after(_started(claim, at_ms), "clock_started", at_ms, by)


def appealed(claim: Claim, regime: Regime, *, at_ms: int, by: str) -> Claim:
    """The customer does not agree: another round, another person."""
    _in(claim, *DECIDED)
    decided_ms = max(each.at_ms for each in claim.history)
    if at_ms > due_ms(decided_ms, regime.appeal_within, regime.place):
        raise _state(claim, "an appeal within the regime's time; reopening takes a person")
    return _again(claim, regime, "appealed", at_ms, by)


def reopened(claim: Claim, regime: Regime, reason: str, *, at_ms: int, by: str) -> Claim:
    """A person opens it again: something new is known."""
    _in(claim, *DECIDED)
    return _again(claim, regime, "reopened", at_ms, by, reason)


def withdrawn(claim: Claim, *, at_ms: int, by: str) -> Claim:
    """The customer takes it back before it is decided."""
    _in(claim, "draft", "under_review", "decline_proposed")
    return _after(claim, "withdrawn", at_ms, by, state="withdrawn", proposal=(), proposer="")


def credited(claim: Claim, *, at_ms: int) -> Claim:
    """Nobody decided for so long that all of it is credited meanwhile; once in the life of a claim."""
    _in(claim, "under_review", "decline_proposed")
    return _after(claim, "provisional_credit", at_ms, SYSTEM, provisional_minor=claimed(claim))


def paid(claim: Claim, *, at_ms: int) -> Claim:
    """Everything that was approved left."""
    _in(claim, "approved")
    return _after(claim, "paid", at_ms, SYSTEM, state="paid", paid_minor=borne(claim))


def _again(claim: Claim, regime: Regime, step: Step, at_ms: int, by: str, reason: str = "") -> Claim:
    due = due_ms(at_ms, regime.decide_within, regime.place)
    return _after(
        claim, step, at_ms, by, reason, state="under_review", round=claim.round + 1, due_ms=due, first_due_ms=due,
        last_due_ms=due_ms(at_ms, regime.decide_at_most, regime.place), stops=(), proposer="", proposal=(),
    )  # fmt: skip


def _lowered(item: Item, amount_minor: int, reason: Reason) -> Item:
    if amount_minor == item.borne_minor:
        return item
    if not 0 <= amount_minor < item.borne_minor:
        raise _amount(item, f"0 to {item.borne_minor}")
    if item.reason in ALWAYS:
        raise Refused(
            "this loss is always the platform's", code="claim_always_borne", path=item.event_id,
            expected="an item from before the notice and under no order", found=item.reason,
        )  # fmt: skip
    if not item.evidence:
        raise Refused(
            "nothing is refused without evidence", code="claim_needs_evidence", path=item.event_id,
            expected="evidence of the platform against this item", found="none",
        )  # fmt: skip
    return msgspec.structs.replace(item, borne_minor=amount_minor, reason=reason)


def _doubted(item: Item) -> Reason | Literal[""]:
    return item.reason if item.reason in ALWAYS or not item.reason else "evidence_against"


def _may_decide(claim: Claim, by: str) -> None:
    _in(claim, "under_review")
    _another(by, _reviewer_before(claim), "the person who decided the round before")


def _reviewer_before(claim: Claim) -> str:
    return claim.reviewer if claim.round > 1 else ""


def _another(by: str, other: str, who: str) -> None:
    if by == other:
        raise Refused(
            "another person is needed",
            code="second_person_needed",
            expected=f"somebody else than {who}",
            found="the same",
        )


def _all_known(claim: Claim, amounts: Mapping[str, int]) -> None:
    known = {item.event_id for item in claim.items}
    if not known >= amounts.keys():
        raise InvalidField(
            "the claim has no such item",
            path="amounts",
            expected="events of this claim",
            found="another event",
        )


def _stands(claim: Claim) -> Stop | None:
    """The stop that is under way."""
    return claim.stops[-1] if claim.stops and not claim.stops[-1].until_ms else None


def _started(claim: Claim, at_ms: int) -> Claim:
    """The clock runs; nothing where it ran."""
    stop = _stands(claim)
    if stop is None:
        return claim
    ended = msgspec.structs.replace(stop, until_ms=max(at_ms, stop.from_ms))
    moved = min(claim.due_ms + ended.until_ms - ended.from_ms, max(claim.last_due_ms, claim.due_ms))
    return msgspec.structs.replace(claim, stops=(*claim.stops[:-1], ended), due_ms=moved)


def _in(claim: Claim, *states: State) -> None:
    if claim.state not in states:
        raise _state(claim, " or ".join(states))


def _state(claim: Claim, expected: str) -> Conflict:
    return Conflict(
        "the claim is in a state from which this cannot be done", code="claim_state", path="id", expected=expected,
        found=claim.state,
    )  # fmt: skip


def _amount(item: Item, expected: str) -> InvalidField:
    return InvalidField(
        "not an amount for this item", path=item.event_id, expected=expected, found="another amount"
    )


def _after(claim: Claim, step: Step, at_ms: int, by: str, reason: str = "", **changed: object) -> Claim:
    if len(claim.history) >= HISTORY_MAX:
        raise _state(claim, f"fewer than {HISTORY_MAX} steps")
    return msgspec.structs.replace(
        claim, history=(*claim.history, Happened(at_ms, step, by, reason)), **changed
    )
