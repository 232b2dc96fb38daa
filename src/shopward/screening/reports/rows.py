"""What is kept of a report and of its case; plain values, so that the stories can speak of them and import no database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from shopward.screening.links.lists import Scope

CASE_STATES: Final = ("open", "confirmed", "dismissed")
"""A case is open until a person says what it is; a settled one takes no further reports."""


class ReportRow(NamedTuple):
    """One report.

    Attributes:
        case_id: the case that it is in.
        kind: message, link, sender, loss or doubt.
        reporter: customer or staff.
        user_token: keyed token of the customer whom it is about; empty where nobody was named.
        body: channel, verdict and evidence, as JSON; no text of the message.
    """

    id: str
    case_id: str
    kind: str
    reporter: str
    user_token: str
    at_ms: int
    body: str


class CaseRow(NamedTuple):
    """A case: reports of what seems to be the same thing.

    Attributes:
        cluster: what they share; empty for a case that takes no others.
        reports: how many.
        body: what is shown of it, as JSON.
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


class ListedRow(NamedTuple):
    """An entry of the shop's own list, from a case that was confirmed."""

    case_id: str
    link: str
    scope: Scope
    seen_ms: int
    ends_ms: int
