"""Pages of cases: one campaign and what it did, and the findings that wait; worked from the browser.

Promise: what is shown are the records that ``flows.record`` wrote. Who an account belongs to is shown to an analyst's
session alone; one that only looks sees counts. What is pressed here goes through ``flows.casework`` under the person of
the session, as over the API, and is audited the same; a form of another site is refused. Pages work without scripts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from shopward.errors import Conflict, InvalidField, NotFound
from shopward.findings import FINDING_STATES
from shopward.http.calls import ID_MAX, id_of, needed_id
from shopward.http.filters import money
from shopward.http.pages import is_cursor, reader_language
from shopward.http.sessions import form_of
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from shopward.access import Caller
    from shopward.findings import FindingRow
    from shopward.flows.casework import MemberRow
    from shopward.http.figures import Figures
    from shopward.http.pages import Paper
    from shopward.http.sessions import Sessions
    from shopward.service import Shopward

PAGE: Final = 50
SETTLED_STATES: Final = ("acknowledged", "dismissed", "acted")


class CasePages:
    """The handlers.

    Args:
        shopward: the open engine.
        figures: titles of campaigns.
        sessions: who is in.
        paper: writes the pages.
    """

    def __init__(self, shopward: Shopward, *, figures: Figures, sessions: Sessions, paper: Paper) -> None:
        self._cases = shopward.cases
        self._figures = figures
        self._sessions = sessions
        self._paper = paper

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/campaigns/{id}", self.campaign, methods=["GET"]),
            Route("/campaigns/{id}", self.press, methods=["POST"]),
            Route("/findings", self.findings, methods=["GET"]),
            Route("/findings/{id}", self.settle, methods=["POST"]),
        ]

    async def campaign(self, request: Request) -> Response:
        """``GET /campaigns/{id}?after=``: evidence, reach, findings, members."""
        if not self._sessions.is_known(request):
            return RedirectResponse("/login", 303)
        campaign_id, after = id_of(request), request.query_params.get("after", "")
        if campaign_id is None or not (after.isascii() and after.isprintable() and len(after) <= ID_MAX):
            return self._paper.missing(request)
        try:
            row, members = await run_in_threadpool(
                lambda: self._cases.campaign(campaign_id, after=after, limit=PAGE + 1)
            )
            found = await run_in_threadpool(
                lambda: self._cases.findings(state=None, before=None, limit=PAGE, campaign=campaign_id)
            )
        except NotFound:
            return self._paper.missing(request)
        caller = self._sessions.caller(request)
        shown = msgspec.json.decode(row.body)
        return self._paper.page(
            request, "campaign.html",
            row=row,
            campaign=shown,
            title=self._figures.title(shown["kind"], reader_language(request)),
            acknowledged_at=_moment(row.acknowledged_ms),
            spent=[money(each["amount_minor"], each["currency"]) for each in shown["spent"]],
            may=_may(caller),
            members=_members(members[:PAGE], caller),
            after=members[PAGE - 1].token if len(members) > PAGE else "",
            found=_findings(found, caller),
            back=f"/campaigns/{quote(campaign_id, safe='')}",
            notice=request.query_params.get("notice", ""),
        )  # fmt: skip

    async def press(self, request: Request) -> Response:
        """``POST /campaigns/{id}``: acknowledge it or escalate it."""
        caller, campaign_id = self._sessions.analyst(request), needed_id(request, "case")
        what = (await form_of(request)).get("do", "")
        if what not in ("acknowledge", "escalate"):
            raise InvalidField(
                "no such deed", path="do", expected="acknowledge or escalate", found="another word"
            )
        work = self._cases.acknowledge if what == "acknowledge" else self._cases.escalate
        notice = ""
        try:
            await run_in_threadpool(work, caller, campaign_id)
        except Conflict as refused:
            notice = f"?notice={refused.code}"
        return RedirectResponse(f"/campaigns/{quote(campaign_id, safe='')}{notice}", 303)

    async def findings(self, request: Request) -> Response:
        """``GET /findings?state=&before=``."""
        if not self._sessions.is_known(request):
            return RedirectResponse("/login", 303)
        state, before = request.query_params.get("state", "open"), request.query_params.get("before")
        is_good = state in FINDING_STATES and (before is None or is_cursor(before))
        if not is_good:
            return self._paper.missing(request)
        try:
            found = await run_in_threadpool(
                lambda: self._cases.findings(state=state, before=before, limit=PAGE + 1)
            )
        except NotFound:
            return self._paper.missing(request)
        caller = self._sessions.caller(request)
        return self._paper.page(
            request, "findings.html", state=state, states=FINDING_STATES, may=_may(caller),
            found=_findings(found[:PAGE], caller), before=found[PAGE - 1][0].id if len(found) > PAGE else "",
            back=f"/findings?state={state}",
        )  # fmt: skip

    async def settle(self, request: Request) -> Response:
        """``POST /findings/{id}``: what became of it; then back to where it was pressed."""
        caller, finding_id = self._sessions.analyst(request), needed_id(request, "case")
        form = await form_of(request)
        state, back = form.get("state", ""), form.get("back", "")
        if state not in SETTLED_STATES:
            raise InvalidField(
                "not a state",
                path="state",
                expected="one of " + ", ".join(SETTLED_STATES),
                found="another word",
            )
        await run_in_threadpool(self._cases.settle, caller, finding_id, state)
        is_ours = (
            back.startswith(("/campaigns/", "/findings", "/users/")) and back.isprintable()
        )  # never to another site
        return RedirectResponse(back if is_ours else "/findings", 303)


def _may(caller: Caller | None) -> bool:
    """Whether this session may decide cases and see whose they are."""
    return caller is not None and bool({"analyst", "admin"} & set(caller.roles))


def _members(members: Sequence[MemberRow], caller: Caller | None) -> list[dict[str, Any]]:
    if not _may(caller):
        return []
    return [
        each.shown | {"user": each.user, "first_at": _short(each.shown["first_at"]).removesuffix(" UTC")}
        for each in members
    ]


def _findings(found: Sequence[tuple[FindingRow, str]], caller: Caller | None) -> list[dict[str, Any]]:
    return findings_shown(found) if _may(caller) else []


def findings_shown(found: Sequence[tuple[FindingRow, str]]) -> list[dict[str, Any]]:
    """Findings as ``findings_list.html`` shows them, each with the shop's id of its user."""
    shown = []
    for row, user in found:
        body = msgspec.json.decode(row.body)
        shown.append(body | {
            "user": user, "state": row.state, "changed_by": row.changed_by, "at": _short(body["at"]),
            "path": quote(row.id, safe=""),
        })  # fmt: skip
    return shown


def _moment(at_ms: int) -> str:
    return _short(to_rfc3339(at_ms)) if at_ms else ""


def _short(at: str) -> str:
    """A moment to the minute, in UTC."""
    return at[:16].replace("T", " ") + " UTC"
