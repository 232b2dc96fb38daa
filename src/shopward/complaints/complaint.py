"""A complaint as a value: whose, about what, where it stands, what happened to it.

Promise: plain data that both databases keep as one JSON text. It names a customer by token; persons of staff stand in it by the
name of their key, for staff alone. Times are milliseconds.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

About = Literal["decision", "order", "claim", "privacy", "staff", "service"]
State = Literal["received", "acknowledged", "in_review", "decided", "appealed", "final", "withdrawn"]
Step = Literal[
    "received", "acknowledged", "taken", "extended", "overdue", "decided", "appealed", "appeal_decided", "accepted",
    "withdrawn",
]  # fmt: skip
Outcome = Literal["upheld", "partly", "rejected"]
Reason = Literal[
    "our_mistake", "too_slow", "data_handled_wrongly", "staff_misconduct", "rule_unfair", "rule_applied_rightly",
    "no_fault_found", "already_put_right", "not_ours",
]  # fmt: skip
_GRANTED: Final[tuple[Reason, ...]] = (
    "our_mistake", "too_slow", "data_handled_wrongly", "staff_misconduct", "rule_unfair",
)  # fmt: skip
REASONS: Final[dict[Outcome, tuple[Reason, ...]]] = {
    "upheld": _GRANTED,
    "partly": _GRANTED,
    "rejected": ("rule_applied_rightly", "no_fault_found", "already_put_right", "not_ours"),
}
ExtendReason = Literal["waiting_for_customer", "waiting_for_partner", "waiting_for_authority", "difficult"]
RemedyKind = Literal["apology", "order_release", "claim", "correction", "erasure"]
NAMES_SOMETHING: Final[frozenset[RemedyKind]] = frozenset({"order_release", "claim"})
"""These say which order is released or which claim pays."""
OPEN: Final[tuple[State, ...]] = ("received", "acknowledged", "in_review", "appealed")
"""A person of staff has to do something."""


class Remedy(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What puts it right; ``reference`` is the id of the order or claim, empty for the others."""

    kind: RemedyKind
    reference: Annotated[str, Meta(max_length=128)] = ""


class Happened(Struct, frozen=True, omit_defaults=True):
    """A step that was taken, by whom, and why."""

    at_ms: int
    step: Step
    by: str
    reason: str = ""


class Complaint(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A complaint.

    Attributes:
        user: token.
        subject: the id of the decision's event, the order or the claim; empty for the others.
        against: the person of staff, where it is about one.
        barred: persons who decide nothing of it: ``against``, and who made what it is about.
        statement: in the customer's words, personal values masked; empty in the store, which has it sealed, and where it was erased.
        acknowledge_due_ms, due_ms: by when; ``due_ms`` moves once by an extension, and is the appeal's after one.
        appeal_until_ms: until when an appeal is taken; 0 before it is decided.
        reviewer: who looks after it; empty for nobody.
        decider: who decided last; an appeal takes another person.
        is_overdue: whether the shop was told that the date of this state passed.
    """

    id: str
    user: str
    state: State
    about: About
    regime: str
    received_ms: int
    acknowledge_due_ms: int
    due_ms: int
    subject: str = ""
    against: str = ""
    barred: tuple[str, ...] = ()
    statement: str = ""
    is_extended: bool = False
    appeal_until_ms: int = 0
    reviewer: str = ""
    decider: str = ""
    outcome: Outcome | Literal[""] = ""
    reason: Reason | Literal[""] = ""
    remedies: tuple[Remedy, ...] = ()
    is_overdue: bool = False
    history: tuple[Happened, ...] = ()


encode: Final = msgspec.json.Encoder().encode
decode: Final = msgspec.json.Decoder(Complaint).decode


def date_of(complaint: Complaint) -> int:
    """By when the state it is in has to be left; 0 where nothing is due."""
    if complaint.state == "received":
        return complaint.acknowledge_due_ms
    if complaint.state == "decided":
        return complaint.appeal_until_ms
    return complaint.due_ms if complaint.state in OPEN else 0


def next_ms(complaint: Complaint) -> int:
    """When the clock has something to do with it; 0 for nothing, and where the date was told to have passed."""
    return 0 if complaint.is_overdue else date_of(complaint)
