"""What is kept of a report and of its case; plain values, so that the stories can speak of them and import no database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from shopward.screening.links.lists import Scope

CASE_STATES: Final = ("open", "confirmed", "dismissed")
"""A case is open until a person says what it is; a settled one takes no further reports."""
Reason = Literal[
    "fraud_seen", "account_taken_over", "loss_confirmed", "data_misused", "nothing_found", "owner_acted", "genuine_message",
    "already_settled", "withdrawn",
]  # fmt: skip
REASONS: Final[dict[str, tuple[Reason, ...]]] = {
    "confirmed": ("fraud_seen", "account_taken_over", "loss_confirmed", "data_misused"),
    "dismissed": ("nothing_found", "owner_acted", "genuine_message", "already_settled", "withdrawn"),
}
"""By state, why a case may be settled so; the first stands where nobody says."""
OF_A_CUSTOMER: Final = frozenset({"loss", "doubt"})
"""These kinds gather by whose account it is; all others by what was reported."""

NOTHING_SAID: Final = '{"channel":"","verdict":"","evidence":[],"said":""}'
"""The body of a report that was erased."""
NOTHING_SHOWN: Final = '{"link":"","verdict":"","evidence":[]}'
"""The body of a case whose customer was erased."""


class ReportRow(NamedTuple):
    """One report.

    Attributes:
        case_id: the case that it is in.
        kind: message, link, sender, loss or doubt.
        reporter: customer or staff.
        user_token: keyed token of the customer whom it is about; empty where nobody was named.
        body: channel, verdict, evidence and what was said, as JSON; no text of the message. Empty in the store, which has it
            sealed, and where it was erased.
    """

    id: str
    case_id: str
    kind: str
    reporter: str
    user_token: str
    at_ms: int
    body: str = ""


class CaseRow(NamedTuple):
    """A case: reports of what seems to be the same thing.

    Attributes:
        cluster: what they share; empty for a case that takes no others.
        user_token: whose account it is about, for a loss or a doubt of a customer who was named; else empty.
        reports: how many.
        due_ms: by when somebody has looked.
        is_overdue: 1 once the shop was told that nobody has.
        assignee: the person who looks after it; empty for nobody.
        reason: why it was settled so; empty while it is open.
        body: what is shown of it, as JSON: link, verdict, evidence. Empty in the store, which has it sealed.
    """

    id: str
    cluster: str
    state: str
    kind: str
    reports: int
    opened_ms: int
    last_ms: int
    settled_by: str
    settled_ms: int
    body: str
    user_token: str = ""
    due_ms: int = 0
    is_overdue: int = 0
    assignee: str = ""
    reason: str = ""


class NoteRow(NamedTuple):
    """What a person wrote into a case; personal values are masked in ``text``, which is empty in the store and where it was erased."""

    id: str
    case_id: str
    person: str
    at_ms: int
    text: str = ""


class ListedRow(NamedTuple):
    """An entry of the shop's own list, from a case that was confirmed."""

    case_id: str
    link: str
    scope: Scope
    seen_ms: int
    ends_ms: int
