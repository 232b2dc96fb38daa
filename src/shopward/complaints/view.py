"""What is shown of a complaint: to the customer through the shop, and to those who deal with it.

Promise: dates and sentences are the same for both. Names of staff are in ``staff`` alone, which a service key does not get:
a customer hears that another person decided, not who.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from shopward.complaints.complaint import OPEN, date_of
from shopward.complaints.wording import said
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from shopward.complaints.complaint import Complaint


class RemedyView(Struct, omit_defaults=True):
    """What puts it right, in the language asked for."""

    kind: str
    text: str
    reference: str = ""


class ComplaintStep(Struct, omit_defaults=True):
    """What was done, and why."""

    at: str
    step: str
    reason: str = ""


class ComplaintStaff(Struct, omit_defaults=True):
    """Who: for staff alone."""

    against: str = ""
    barred: tuple[str, ...] = ()
    reviewer: str = ""
    decider: str = ""


class ComplaintView(Struct, omit_defaults=True):
    """A complaint.

    Attributes:
        due_at: by when the state it is in is left; absent where nothing is due.
        is_overdue: whether that date has passed while somebody had to act.
    """

    id: str
    state: str
    text: str
    about: str
    regime: str
    received_at: str
    history: list[ComplaintStep]
    is_overdue: bool
    due_at: str = ""
    is_extended: bool = False
    subject: str = ""
    statement: str = ""
    outcome: str = ""
    outcome_text: str = ""
    reason: str = ""
    reason_text: str = ""
    remedies: list[RemedyView] = []
    appeal_until: str = ""
    staff: ComplaintStaff | None = None


def view(complaint: Complaint, *, language: str, at_ms: int, for_staff: bool) -> ComplaintView:
    """What is shown of it, in ``id``, ``zh`` or ``en``."""
    date = date_of(complaint)
    staff = ComplaintStaff(complaint.against, complaint.barred, complaint.reviewer, complaint.decider)
    return ComplaintView(
        id=complaint.id, state=complaint.state, text=said("states", complaint.state, language), about=complaint.about,
        regime=complaint.regime, received_at=to_rfc3339(complaint.received_ms),
        history=[ComplaintStep(to_rfc3339(each.at_ms), each.step, each.reason) for each in complaint.history],
        due_at=_at(date), is_overdue=complaint.state in OPEN and 0 < date < at_ms, is_extended=complaint.is_extended,
        subject=complaint.subject, statement=complaint.statement, outcome=complaint.outcome,
        outcome_text=said("outcomes", complaint.outcome, language), reason=complaint.reason,
        reason_text=said("reasons", complaint.reason, language),
        remedies=[
            RemedyView(each.kind, said("remedies", each.kind, language), each.reference) for each in complaint.remedies
        ],
        appeal_until=_at(complaint.appeal_until_ms), staff=staff if for_staff else None,
    )  # fmt: skip


def _at(at_ms: int) -> str:
    return to_rfc3339(at_ms) if at_ms else ""
