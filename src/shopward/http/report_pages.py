"""Pages of what customers reported: the queue, overdue first, and one case with the account it is about; worked from the browser.

Promise: as over the API, cases are the analyst's: another session is told so and sees none. What is pressed goes through
``flows.report_cases`` under the person of the session, audited the same; a form of another site is refused. A reported link is
text and never leads anywhere. Pages work without scripts.

Not here: what is done about the account itself, which is one page further (``user_pages``) and remembers the case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from shopward.errors import Conflict, InputTooLarge, NotFound
from shopward.flows.report_cases import Assigning, Noted, Settling
from shopward.flows.reports import why_frozen
from shopward.http.calls import decoded, id_of, needed_id
from shopward.http.filters import account_path
from shopward.http.pages import is_cursor, notice_of, reader_language
from shopward.http.sessions import form_of
from shopward.screening.reports import OF_A_CUSTOMER, REASONS, Reason
from shopward.screening.reports.wording import said
from shopward.screening.wording import texts as reason_texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

    from shopward.access import Caller
    from shopward.flows.report_cases import ReportCases
    from shopward.flows.sight import CustomerSeen
    from shopward.http.figures import Figures
    from shopward.http.pages import Paper
    from shopward.http.sessions import Sessions
    from shopward.screening.reports import CaseRow, ReportRow
    from shopward.service import Shopward

PAGE: Final = 50
SHELVES: Final = ("open", "mine", "confirmed", "dismissed")
ABOUT: Final[Mapping[str, Sequence[str]]] = {
    "all": ("loss", "doubt", "message", "link", "sender"),
    "accounts": ("loss", "doubt"),
    "messages": ("message", "link", "sender"),
}
"""What the queue is narrowed to."""
SCOPES: Final = ("host", "domain", "path", "url")
TOLD: Final = ("case_settled", "shared_host", "input_too_large")
"""Refusals that have a sentence of their own on the page."""
_FORM_BYTES_MAX: Final = 50_000
"""A note of 4,000 characters, each of them up to twelve bytes in a form."""


class _Press(Struct, tag_field="do", forbid_unknown_fields=True):
    """What may be pressed."""

    def on(self, cases: ReportCases, caller: Caller, case_id: str) -> object:
        """Take the step; raises why it may not be taken."""
        raise NotImplementedError


class _Take(_Press, tag="take"):
    def on(self, cases: ReportCases, caller: Caller, case_id: str) -> object:
        return cases.assign(caller, case_id, Assigning())


class _Leave(_Press, tag="leave"):
    def on(self, cases: ReportCases, caller: Caller, case_id: str) -> object:
        return cases.assign(caller, case_id, Assigning(""))


class _Note(_Press, tag="note"):
    text: Annotated[str, Meta(min_length=1, max_length=4_000)]

    def on(self, cases: ReportCases, caller: Caller, case_id: str) -> object:
        return cases.note(caller, case_id, Noted(self.text))


class _Settle(_Press, tag="settle"):
    state: Literal["confirmed", "dismissed"]
    reason: Reason
    scope: Literal["url", "path", "host", "domain"] = "host"

    def on(self, cases: ReportCases, caller: Caller, case_id: str) -> object:
        return cases.settle(caller, case_id, Settling(self.state, self.scope, self.reason))


_Pressed = _Take | _Leave | _Note | _Settle


class ReportPages:
    """The handlers.

    Args:
        shopward: the open engine.
        figures: titles of campaigns.
        sessions: who is in.
        paper: writes the pages.
    """

    def __init__(self, shopward: Shopward, *, figures: Figures, sessions: Sessions, paper: Paper) -> None:
        self._figures = figures
        self._cases = shopward.report_cases
        self._sight = shopward.sight
        self._history = shopward.vault.history
        self._clock = shopward.clock
        self._sessions = sessions
        self._paper = paper

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/cases", self.listed, methods=["GET"]),
            Route("/cases/{id}", self.one, methods=["GET"]),
            Route("/cases/{id}", self.press, methods=["POST"]),
        ]

    async def listed(self, request: Request) -> Response:
        """``GET /cases?shelf=&about=&before=``."""
        if not self._sessions.is_known(request):
            return RedirectResponse("/login", 303)
        shelf, about = request.query_params.get("shelf", SHELVES[0]), request.query_params.get("about", "all")
        before = request.query_params.get("before", "")
        if shelf not in SHELVES or about not in ABOUT or not is_cursor(before):
            return self._paper.missing(request)
        caller = self._sessions.caller(request)
        may = caller is not None and self._may(request)
        late: list[CaseRow] = []
        found: list[CaseRow] = []
        if caller is not None and may:
            late, found = await run_in_threadpool(self._shelf, caller, shelf, ABOUT[about], before)
        rows = [*late[:PAGE], *found[:PAGE]]
        users = await run_in_threadpool(
            self._history.users, sorted({each.user_token for each in rows} - {""})
        )
        return self._paper.page(
            request, "cases.html", shelf=shelf, shelves=SHELVES, about=about, abouts=tuple(ABOUT), may=may,
            rows=[(each, msgspec.json.decode(each.body), users.get(each.user_token, "")) for each in rows],
            now_ms=self._clock.now_ms(), before=found[PAGE - 1].id if len(found) > PAGE else "", is_more_late=len(late) > PAGE,
        )  # fmt: skip

    async def one(self, request: Request) -> Response:
        """``GET /cases/{id}?after=``."""
        if not self._sessions.is_known(request):
            return RedirectResponse("/login", 303)
        case_id, after, spoken = (
            id_of(request),
            request.query_params.get("after", ""),
            reader_language(request),
        )
        if case_id is None or not is_cursor(after) or not self._may(request):
            return self._paper.missing(request)
        try:
            found = await run_in_threadpool(lambda: self._cases.case(case_id, after=after, limit=PAGE + 1))
        except NotFound:
            return self._paper.missing(request)
        token = found.case.user_token
        seen = await run_in_threadpool(self._sight.of, token, spoken) if token else None
        return self._paper.page(
            request, "case.html", case=found.case, body=_told(found.case, spoken), is_customers=found.case.kind in OF_A_CUSTOMER,
            reports=[_told(each, spoken) for each in found.reports[:PAGE]], notes=found.notes, seen=seen,
            titles=self._titles(seen, spoken), account=_account_path(seen, case_id), now_ms=self._clock.now_ms(), back=_path(case_id), why_frozen=why_frozen(found.case.kind), scopes=SCOPES,
            reasons=_reasons(spoken), why=said("reasons", found.case.reason, spoken), notice=notice_of(request, TOLD),
            after=found.reports[PAGE - 1].id if len(found.reports) > PAGE else "",
        )  # fmt: skip

    async def press(self, request: Request) -> Response:
        """``POST /cases/{id}``: one of the steps that a person takes daily."""
        caller, case_id = self._sessions.analyst(request), needed_id(request, "case")
        form = await form_of(request, bytes_max=_FORM_BYTES_MAX)
        asked: _Press = decoded(msgspec.json.encode(form), _Pressed)  # type: ignore[arg-type] # a union
        notice = ""
        try:
            await run_in_threadpool(asked.on, self._cases, caller, case_id)
        except (Conflict, InputTooLarge) as refused:
            notice = f"?notice={refused.code}"
        return RedirectResponse(_path(case_id) + notice, 303)

    def _shelf(
        self, caller: Caller, shelf: str, kinds: Sequence[str], before: str
    ) -> tuple[list[CaseRow], list[CaseRow]]:
        """What is overdue, where the queue begins; then the others, newest first."""
        if shelf == "open":
            return self._cases.queue(before=before, kinds=kinds, limit=PAGE + 1)
        state, mine = ("open", caller.person) if shelf == "mine" else (shelf, "")
        return [], self._cases.cases(state=state, assignee=mine, before=before, kinds=kinds, limit=PAGE + 1)

    def _titles(self, seen: CustomerSeen | None, spoken: str) -> dict[str, str]:
        """What the kinds of its campaigns are called."""
        return {
            each.kind: self._figures.title(each.kind, spoken) for each in (seen.campaigns if seen else ())
        }

    def _may(self, request: Request) -> bool:
        return self._sessions.has_role(request, "analyst")


def _told(row: CaseRow | ReportRow, spoken: str) -> dict[str, Any]:
    """What is kept of a case or report, with its evidence in the reader's language."""
    body: dict[str, Any] = msgspec.json.decode(row.body)
    known = reason_texts(spoken)
    evidence = [(known.get(each["code"], each["code"]), each["text"]) for each in body["evidence"]]
    return {
        **body,
        "evidence": [(text.replace("{about}", "-"), where) for text, where in evidence],
        "row": row,
    }


def _reasons(spoken: str) -> dict[str, list[tuple[str, str]]]:
    """By state, why a case may be settled so, and how it reads."""
    return {
        state: [(each, said("reasons", each, spoken)) for each in fitting]
        for state, fitting in REASONS.items()
    }


def _account_path(seen: CustomerSeen | None, case_id: str) -> str:
    """The page of the account, which remembers the case; empty where nobody is told."""
    if seen is None or not seen.user:
        return ""
    return f"{account_path(seen.user)}?{urlencode({'case': case_id})}"


def _path(case_id: str) -> str:
    return f"/cases/{quote(case_id, safe='')}"
