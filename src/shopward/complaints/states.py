"""The states of a complaint and who may take which step.

Promise: pure; a step that a state does not allow is refused (``complaint_state``), and these hold whatever is tried:
- nobody who is barred takes, acknowledges, extends or decides; an appeal is decided by somebody else than the decision;
- a decision has a reason that fits its outcome; one that gives right has a remedy, one that does not has none;
- the date moves once, only with a reason, and only as far as the regime says;
- a date that passes is noted once a state and decides nothing; only the time for an appeal ends a complaint by itself.

::

    received ── acknowledge ──▶ acknowledged ── take ──▶ in_review ── decide ──▶ decided ── time for an appeal over ──▶ final
       │                            │                     │  ▲                      │                                    ▲
       └────────── take ────────────┼─────────────────────┘  └ extend, take         └── appeal ──▶ appealed ── decide ───┘
                                    └── withdraw (from every open state) ──▶ withdrawn
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from shopward.calendars import due_ms
from shopward.complaints.complaint import NAMES_SOMETHING, OPEN, REASONS, Complaint, Happened, date_of
from shopward.errors import Conflict, InvalidField, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.complaints.complaint import About, ExtendReason, Outcome, Reason, Remedy, State, Step
    from shopward.complaints.regimes import Regime

SYSTEM: Final = "shopward"
HISTORY_MAX: Final = 100
REMEDIES_MAX: Final = 5


def received(
    complaint_id: str, user: str, about: About, regime: Regime, *, subject: str = "", against: str = "",
    barred: Sequence[str] = (), statement: str = "", at_ms: int, by: str,
) -> Complaint:  # fmt: skip
    """A complaint came in: both clocks run from now."""
    kept_out = tuple(sorted({each for each in (*barred, against) if each}))
    return Complaint(
        id=complaint_id, user=user, state="received", about=about, regime=regime.name, received_ms=at_ms,
        acknowledge_due_ms=due_ms(at_ms, regime.acknowledge_within, regime.place),
        due_ms=due_ms(at_ms, regime.decide_within, regime.place), subject=subject, against=against, barred=kept_out,
        statement=statement, history=(Happened(at_ms, "received", by),),
    )  # fmt: skip


def acknowledged(complaint: Complaint, *, at_ms: int, by: str) -> Complaint:
    """The customer was told in writing that it is dealt with, and by when."""
    _in(complaint, "received")
    _not_barred(complaint, by)
    return _after(complaint, "acknowledged", at_ms, by, state="acknowledged", is_overdue=False)


def taken(complaint: Complaint, *, at_ms: int, by: str) -> Complaint:
    """A person looks after it; on appeal another one than who decided. Another may take it over."""
    _in(complaint, *OPEN)
    _may_decide(complaint, by)
    if complaint.state == "appealed":
        return _after(complaint, "taken", at_ms, by, reviewer=by)
    is_late = complaint.is_overdue and complaint.state != "received"
    return _after(complaint, "taken", at_ms, by, state="in_review", reviewer=by, is_overdue=is_late)


def extended(complaint: Complaint, regime: Regime, reason: ExtendReason, *, at_ms: int, by: str) -> Complaint:
    """More time, once, where the regime has it: counted from when it was received."""
    _in(complaint, "acknowledged", "in_review")
    _not_barred(complaint, by)
    if (
        regime.extend_within is None
        or complaint.is_extended
        or complaint.is_overdue
        or at_ms > complaint.due_ms
    ):
        raise Conflict(
            "there is no more time", code="no_extension", path="id",
            expected="a regime that extends, once, before the date has passed", found=complaint.regime,
        )  # fmt: skip
    due = due_ms(complaint.received_ms, regime.extend_within, regime.place)
    return _after(complaint, "extended", at_ms, by, reason, due_ms=due, is_extended=True)


def decided(
    complaint: Complaint, regime: Regime, outcome: Outcome, reason: Reason, remedies: Sequence[Remedy], *, at_ms: int, by: str
) -> Complaint:  # fmt: skip
    """A person decides, and on appeal for good; whoever looks after it, another one may decide."""
    _in(complaint, "in_review", "appealed")
    _may_decide(complaint, by)
    _check(outcome, reason, remedies)
    is_last = complaint.state == "appealed"
    until = 0 if is_last else due_ms(at_ms, regime.appeal_within, regime.place)
    return _after(
        complaint, "appeal_decided" if is_last else "decided", at_ms, by, reason, state="final" if is_last else "decided",
        outcome=outcome, reason=reason, remedies=tuple(remedies), decider=by, reviewer="", is_overdue=False,
        appeal_until_ms=until,
    )  # fmt: skip


def appealed(complaint: Complaint, regime: Regime, *, at_ms: int, by: str) -> Complaint:
    """The customer does not agree: another person decides, by a date of its own."""
    _in(complaint, "decided")
    if at_ms > complaint.appeal_until_ms:
        raise _state(complaint, "an appeal within the regime's time")
    return _after(
        complaint, "appealed", at_ms, by, state="appealed", due_ms=due_ms(at_ms, regime.appeal_decide_within, regime.place),
        is_overdue=False,
    )  # fmt: skip


def withdrawn(complaint: Complaint, *, at_ms: int, by: str) -> Complaint:
    """The customer takes it back; an appeal too, and then the decision stands."""
    _in(complaint, *OPEN)
    state: State = "final" if complaint.state == "appealed" else "withdrawn"
    return _after(complaint, "withdrawn", at_ms, by, state=state, is_overdue=False, reviewer="")


def passed(complaint: Complaint, *, at_ms: int) -> Complaint:
    """The date of its state passed: a decision that nobody appealed is final; anything else is overdue, noted once."""
    date = date_of(complaint)
    if not date or at_ms <= date or complaint.is_overdue:
        raise _state(complaint, "a complaint whose date has passed")
    if complaint.state == "decided":
        return _after(complaint, "accepted", at_ms, SYSTEM, state="final")
    return _after(complaint, "overdue", at_ms, SYSTEM, is_overdue=True)


def _check(outcome: Outcome, reason: Reason, remedies: Sequence[Remedy]) -> None:
    if reason not in REASONS[outcome]:
        raise InvalidField(
            "this reason does not fit the outcome", path="reason", expected="one of " + ", ".join(REASONS[outcome]),
            found=reason,
        )  # fmt: skip
    if (outcome == "rejected") is bool(remedies) or len(remedies) > REMEDIES_MAX:
        raise InvalidField(
            "what gives right puts right, and what does not promises nothing", path="remedies",
            expected=f"none where it is rejected, else 1 to {REMEDIES_MAX}", found=str(len(remedies)),
        )  # fmt: skip
    for at, each in enumerate(remedies):
        if (each.kind in NAMES_SOMETHING) is not bool(each.reference):
            raise InvalidField(
                "a release and a claim name what they are about, and nothing else does", path=f"remedies[{at}].reference",
                expected="an id for order_release and claim", found=each.kind,
            )  # fmt: skip


def _not_barred(complaint: Complaint, by: str) -> None:
    if by in complaint.barred:
        raise Refused(
            "this person may not deal with this complaint", code="complaint_barred",
            expected="somebody whom, and whose deed, it is not about", found="a person whom it is about",
        )  # fmt: skip


def _may_decide(complaint: Complaint, by: str) -> None:
    _not_barred(complaint, by)
    if complaint.state == "appealed" and by == complaint.decider:
        raise Refused(
            "another person is needed", code="second_person_needed", expected="somebody else than who decided",
            found="the same",
        )  # fmt: skip


def _in(complaint: Complaint, *states: State) -> None:
    if complaint.state not in states:
        raise _state(complaint, " or ".join(states))


def _state(complaint: Complaint, expected: str) -> Conflict:
    return Conflict(
        "the complaint is in a state from which this cannot be done", code="complaint_state", path="id",
        expected=expected, found=complaint.state,
    )  # fmt: skip


def _after(
    complaint: Complaint, step: Step, at_ms: int, by: str, why: str = "", **changed: object
) -> Complaint:
    if len(complaint.history) >= HISTORY_MAX and step in ("taken", "extended"):
        raise _state(complaint, f"fewer than {HISTORY_MAX} steps")
    return msgspec.structs.replace(
        complaint, history=(*complaint.history, Happened(at_ms, step, by, why)), **changed
    )
