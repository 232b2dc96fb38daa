"""Dossier: what the records beside the vault hold of one customer, for them: reports, cases, complaints, claims, consents.

Promise: it goes with the export of the vault, on the same case, and is a line of the audit log of its own before it leaves.
Names of staff are left out, what they wrote is not. ``complete`` is false where there is more of a kind than ``EACH_MAX``.
The log of events is not in it: ``GET /v1/users/{id}/timeline`` has that, a page at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from shopward.claims.view import ClaimView
from shopward.claims.view import view as claim_view
from shopward.complaints.view import ComplaintView
from shopward.complaints.view import view as complaint_view
from shopward.flows.claim_words import with_reasons
from shopward.flows.complain import with_statements
from shopward.flows.report_cases import notes_of
from shopward.flows.reports import with_bodies
from shopward.screening.reports.wording import said
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.access import Caller
    from shopward.claims.store import ClaimStore
    from shopward.complaints.store import ComplaintStore
    from shopward.flows.arrows import Trail
    from shopward.flows.words import Words
    from shopward.ports import Records
    from shopward.processing.consent import Consent
    from shopward.processing.store import ProcessingStore
    from shopward.screening.reports import CaseRow, ReportRow
    from shopward.screening.reports.store import ReportStore
    from shopward.values import Clock

EACH_MAX: Final = 1_000


class OwnReport(Struct):
    """Something that the customer, or staff for them, reported."""

    id: str
    case_id: str
    kind: str
    at: str
    said: str


class OwnCase(Struct):
    """A case about the customer's account, with what staff wrote into it."""

    id: str
    kind: str
    state: str
    opened_at: str
    text: str
    notes: list[str]


class ConsentView(Struct):
    """A line of a consent; the newest of a purpose counts."""

    purpose: str
    number: int
    state: str
    text_version: str
    how: str
    at: str


class Dossier(Struct):
    """All of it, newest first; consents by purpose, oldest first."""

    reports: list[OwnReport]
    cases: list[OwnCase]
    complaints: list[ComplaintView]
    claims: list[ClaimView]
    consents: list[ConsentView]
    complete: bool

    @property
    def is_empty(self) -> bool:
        """Whether nothing is kept."""
        return not (self.reports or self.cases or self.complaints or self.claims or self.consents)


class DossierDesk:
    """May be called from any thread.

    Args:
        records: transactions.
        reports, complaints, claims, processing: the rows.
        words: what reports, complaints and notes say.
        token_of: makes a token of the shop's id of a user.
        trail: the audit log.
        clock: the server's.
    """

    def __init__(
        self,
        *,
        records: Records,
        reports: ReportStore,
        complaints: ComplaintStore,
        claims: ClaimStore,
        processing: ProcessingStore,
        words: Words,
        token_of: Callable[[str], str],
        trail: Trail,
        clock: Clock,
    ) -> None:
        self._records = records
        self._reports = reports
        self._complaints = complaints
        self._claims = claims
        self._processing = processing
        self._words = words
        self._token_of = token_of
        self._trail = trail
        self._clock = clock

    def of(self, caller: Caller, user_id: str, case_id: str, language: str) -> Dossier:
        """What is kept of a customer, written down before it leaves; nothing is written for nothing."""
        now_ms, token = self._clock.now_ms(), self._token_of(user_id)

        def work(connection: Any) -> Dossier:
            found = self._gathered(connection, token, language, now_ms)
            if not found.is_empty:
                details = {
                    name: len(getattr(found, name)) for name in found.__struct_fields__ if name != "complete"
                }
                self._trail.append(
                    connection, at_ms=now_ms, actor=caller.key, deed="personal:export", subject=token,
                    details={"case": case_id, "of": "dossier", **details},
                )  # fmt: skip
            return found

        return self._records.write(work)

    def _gathered(self, connection: Any, token: str, language: str, now_ms: int) -> Dossier:
        most = EACH_MAX + 1
        reports = with_bodies(self._words, connection, self._reports.of_user(connection, token, limit=most))
        cases = self._reports.cases(connection, user=token, limit=most)
        rows = self._complaints.listed(
            connection, state="", user=token, is_overdue=False, before="", limit=most
        )
        complaints = with_statements(self._words, connection, rows)
        claims = self._claims.listed(connection, state="", user=token, incident="", before="", limit=most)
        consents = self._processing.of_subject(connection, token)
        return Dossier(
            [_report(each) for each in reports[:EACH_MAX]],
            [self._case(connection, each, language) for each in cases[:EACH_MAX]],
            [complaint_view(each, language=language, at_ms=now_ms, for_staff=False) for each in complaints[:EACH_MAX]],
            [
                claim_view(each, self._claims.payouts_of(connection, each.id), language=language)
                for each in with_reasons(self._words, connection, claims[:EACH_MAX])
            ],
            [consent_view(each) for each in consents],
            max(len(reports), len(cases), len(complaints), len(claims)) <= EACH_MAX,
        )  # fmt: skip

    def _case(self, connection: Any, row: CaseRow, language: str) -> OwnCase:
        notes = [each.text for each in notes_of(self._words, self._reports, connection, row.id)]
        return OwnCase(
            row.id,
            row.kind,
            row.state,
            to_rfc3339(row.opened_ms),
            said("reasons", row.reason, language),
            notes,
        )


def consent_view(line: Consent) -> ConsentView:
    """A line for the API."""
    return ConsentView(
        line.purpose, line.number, line.state, line.text_version, line.how, to_rfc3339(line.at_ms)
    )


def _report(row: ReportRow) -> OwnReport:
    body: dict[str, Any] = msgspec.json.decode(row.body)
    return OwnReport(row.id, row.case_id, row.kind, to_rfc3339(row.at_ms), str(body.get("said", "")))
