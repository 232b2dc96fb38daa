"""Reports over HTTP: the button, the queue, and what people say of a case.

Promise: any key may report, a service's on behalf of its customer; looking at cases and settling them is the analyst's, and
the key tells who. The answer to a report holds its verdict, so that the customer hears at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.errors import InvalidField, NotFound
from shopward.flows.reports import Reported, Settling
from shopward.http.calls import ID_MAX, by_method, decoded, id_of, json_answer, language
from shopward.http.orders import limit_of
from shopward.screening.reports import CASE_STATES
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.http.calls import Calls
    from shopward.screening.reports import CaseRow, ReportRow
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


class ReportView(Struct):
    """A report of a case."""

    id: str
    kind: str
    reporter: str
    at: str
    channel: str
    verdict: str
    evidence: list[dict[str, str]]


class CasePage(Struct):
    """A case with a page of its reports; ``next`` is the ``after`` of the page that follows, if any."""

    case: CaseView
    reports: list[ReportView]
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
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/reports", by_method(GET=self.cases, POST=self.take), methods=["GET", "POST"]),
            Route("/v1/reports/{id}", by_method(GET=self.case, POST=self.settle), methods=["GET", "POST"]),
        ]

    async def take(self, request: Request) -> Response:
        """``POST /v1/reports``."""
        caller, spoken = self._calls.caller(request), language(request)
        said = decoded(await self._calls.body(request, caller), Reported)
        return json_answer(await run_in_threadpool(self._desk.take, said, spoken), 201)

    async def cases(self, request: Request) -> Response:
        """``GET /v1/reports?state=&before=&limit=``."""
        self._calls.caller(request, "analyst")
        state, limit = request.query_params.get("state"), limit_of(request)
        if state is not None and state not in CASE_STATES:
            raise InvalidField(
                "not a state", code="unknown_word", path="state", expected="one of " + ", ".join(CASE_STATES),
                found="another word",
            )  # fmt: skip
        before = _mark(request, "before")
        found = await run_in_threadpool(lambda: self._desk.cases(state=state, before=before, limit=limit + 1))
        shown = [_case(row) for row in found[:limit]]
        return json_answer(ReportCases(shown, shown[-1].id if len(found) > limit else None))

    async def case(self, request: Request) -> Response:
        """``GET /v1/reports/{id}?after=&limit=``."""
        self._calls.caller(request, "analyst")
        limit, after = limit_of(request), _mark(request, "after") or ""
        row, reports = await run_in_threadpool(
            lambda: self._desk.case(_id(request), after=after, limit=limit + 1)
        )
        shown = [_report(each) for each in reports[:limit]]
        return json_answer(CasePage(_case(row), shown, shown[-1].id if len(reports) > limit else None))

    async def settle(self, request: Request) -> Response:
        """``POST /v1/reports/{id}``."""
        caller = self._calls.caller(request, "analyst")
        said = decoded(await self._calls.body(request, caller), Settling)
        return json_answer(_case(await run_in_threadpool(self._desk.settle, caller, _id(request), said)))


def _case(row: CaseRow) -> CaseView:
    shown: dict[str, Any] = msgspec.json.decode(row.body)
    return CaseView(
        row.id, row.state, row.kind, row.cluster, row.reports, to_rfc3339(row.opened_ms), to_rfc3339(row.last_ms),
        row.settled_by, to_rfc3339(row.settled_ms) if row.settled_ms else "", shown["link"], shown["verdict"],
        shown["evidence"],
    )  # fmt: skip


def _report(row: ReportRow) -> ReportView:
    shown: dict[str, Any] = msgspec.json.decode(row.body)
    return ReportView(row.id, row.kind, row.reporter, to_rfc3339(row.at_ms), **shown)


def _mark(request: Request, name: str) -> str | None:
    given = request.query_params.get(name)
    if given is not None and (not 1 <= len(given) <= ID_MAX or not given.isprintable()):
        raise InvalidField("not a place", path=name, expected="the next of an answer", found="another text")
    return given


def _id(request: Request) -> str:
    found = id_of(request)
    if found is None:
        raise NotFound("no such case", path="id", expected="the id of a case", found="another text")
    return found
