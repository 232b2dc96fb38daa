"""Reports over HTTP: the button, the queue, and what people say of a case.

Promise: any key may report, a service's on behalf of its customer; looking at cases and settling them is the analyst's, and
the key tells who. The answer to a report holds its verdict and what happens next, so that the customer hears at once. A case
of a loss or a doubt shows what is known of its customer as it is now; reading it changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.errors import InvalidField
from shopward.flows.report_cases import Assigning, Noted, Settling
from shopward.flows.reports import Offer, Reported, offers_of
from shopward.flows.sight import CustomerSeen
from shopward.http.calls import ID_MAX, by_method, decoded, json_answer, language, needed_id
from shopward.http.orders import limit_of
from shopward.screening.reports import CASE_STATES
from shopward.screening.reports.wording import said
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.http.calls import Calls
    from shopward.screening.reports import CaseRow, NoteRow, ReportRow
    from shopward.service import Shopward


class CaseView(Struct):
    """A case: what was reported, how often, and what became of it."""

    id: str
    state: str
    kind: str
    cluster: str
    reports: int
    opened_at: str
    last_at: str
    settled_by: str
    settled_at: str
    link: str
    verdict: str
    evidence: list[dict[str, str]]
    due_at: str
    is_overdue: bool
    assignee: str
    reason: str
    text: str


class NoteView(Struct):
    """What a person wrote into a case."""

    id: str
    person: str
    at: str
    text: str


class ReportView(Struct):
    """A report of a case."""

    id: str
    kind: str
    reporter: str
    at: str
    channel: str
    verdict: str
    evidence: list[dict[str, str]]
    said: str = ""


class CasePage(Struct):
    """A case with a page of its reports; ``next`` is the ``after`` of the page that follows, if any.

    Attributes:
        customer: what is known of whose case it is; absent where it is nobody's.
        offers: what can be done at once for them.
    """

    case: CaseView
    reports: list[ReportView]
    notes: list[NoteView]
    customer: CustomerSeen | None
    offers: list[Offer]
    next: str | None


class ReportCases(Struct):
    """A page of cases, newest first; ``next`` is the ``before`` of the page that follows, if any."""

    cases: list[CaseView]
    next: str | None


class ReportCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._desk = shopward.reports
        self._cases = shopward.report_cases
        self._sight = shopward.sight
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/reports", by_method(GET=self.cases, POST=self.take), methods=["GET", "POST"]),
            Route("/v1/reports/{id}", by_method(GET=self.case, POST=self.settle), methods=["GET", "POST"]),
            Route("/v1/reports/{id}/assign", self.assign, methods=["POST"]),
            Route("/v1/reports/{id}/notes", self.note, methods=["POST"]),
        ]

    async def take(self, request: Request) -> Response:
        """``POST /v1/reports``."""
        caller, spoken = self._calls.caller(request), language(request)
        asked = decoded(await self._calls.body(request, caller), Reported)
        return json_answer(await run_in_threadpool(self._desk.take, asked, spoken), 201)

    async def cases(self, request: Request) -> Response:
        """``GET /v1/reports?state=&user=&assignee=&before=&limit=``."""
        self._calls.caller(request, "analyst")
        state, limit, spoken = request.query_params.get("state", ""), limit_of(request), language(request)
        if state and state not in CASE_STATES:
            raise InvalidField(
                "not a state", code="unknown_word", path="state", expected="one of " + ", ".join(CASE_STATES),
                found="another word",
            )  # fmt: skip
        before = _mark(request, "before") or ""
        user, assignee = (request.query_params.get(name, "")[:128] for name in ("user", "assignee"))
        found = await run_in_threadpool(
            lambda: self._cases.cases(
                state=state, user_id=user, assignee=assignee, before=before, limit=limit + 1
            )
        )
        shown = [_case(row, spoken) for row in found[:limit]]
        return json_answer(ReportCases(shown, shown[-1].id if len(found) > limit else None))

    async def case(self, request: Request) -> Response:
        """``GET /v1/reports/{id}?after=&limit=``."""
        self._calls.caller(request, "analyst")
        limit, after, spoken = limit_of(request), _mark(request, "after") or "", language(request)
        return json_answer(
            await run_in_threadpool(
                self._page, needed_id(request, "case"), after=after, limit=limit, language=spoken
            )
        )

    async def settle(self, request: Request) -> Response:
        """``POST /v1/reports/{id}``."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), Settling)
        settled = await run_in_threadpool(self._cases.settle, caller, needed_id(request, "case"), asked)
        return json_answer(_case(settled, language(request)))

    async def assign(self, request: Request) -> Response:
        """``POST /v1/reports/{id}/assign``; without a body who asks looks after it."""
        caller = self._calls.caller(request, "analyst")
        asked = await self._calls.optional_body(request, caller, Assigning())
        assigned = await run_in_threadpool(self._cases.assign, caller, needed_id(request, "case"), asked)
        return json_answer(_case(assigned, language(request)))

    async def note(self, request: Request) -> Response:
        """``POST /v1/reports/{id}/notes``."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), Noted)
        return json_answer(
            _note(await run_in_threadpool(self._cases.note, caller, needed_id(request, "case"), asked)), 201
        )

    def _page(self, case_id: str, *, after: str, limit: int, language: str) -> CasePage:
        found = self._cases.case(case_id, after=after, limit=limit + 1)
        row, shown = found.case, [_report(each) for each in found.reports[:limit]]
        customer = self._sight.of(row.user_token, language) if row.user_token else None
        return CasePage(
            _case(row, language), shown, [_note(each) for each in found.notes], customer,
            [] if customer is None or row.state != "open" else offers_of(row.kind, customer.user, language),
            shown[-1].id if len(found.reports) > limit else None,
        )  # fmt: skip


def _case(row: CaseRow, language: str) -> CaseView:
    shown: dict[str, Any] = msgspec.json.decode(row.body)
    return CaseView(
        row.id, row.state, row.kind, row.cluster, row.reports, to_rfc3339(row.opened_ms), to_rfc3339(row.last_ms),
        row.settled_by, to_rfc3339(row.settled_ms) if row.settled_ms else "", shown["link"], shown["verdict"],
        shown["evidence"], to_rfc3339(row.due_ms) if row.due_ms else "", bool(row.is_overdue), row.assignee, row.reason,
        said("reasons", row.reason, language),
    )  # fmt: skip


def _note(row: NoteRow) -> NoteView:
    return NoteView(row.id, row.person, to_rfc3339(row.at_ms), row.text)


def _report(row: ReportRow) -> ReportView:
    shown: dict[str, Any] = msgspec.json.decode(row.body)
    return ReportView(row.id, row.kind, row.reporter, to_rfc3339(row.at_ms), **shown)


def _mark(request: Request, name: str) -> str | None:
    given = request.query_params.get(name)
    if given is not None and (not 1 <= len(given) <= ID_MAX or not given.isprintable()):
        raise InvalidField("not a place", path=name, expected="the next of an answer", found="another text")
    return given
