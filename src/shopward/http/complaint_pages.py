"""The page of complaints: the list by state, with what may be done about each at once.

Promise: as over the API, complaints are shown to a service's and an analyst's session, names of staff to the analyst's alone; one that only
looks is told so and sees none. Acknowledging and taking go through ``flows.complain`` under the person of the session, which keeps out who is
barred; a form of another site is refused. Pages work without scripts.

Not here: deciding, which takes an outcome, a reason and a remedy of closed sets: a call and a command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from shopward.complaints.complaint import OPEN, date_of
from shopward.complaints.view import view
from shopward.errors import Conflict, InvalidField, NotFound, Refused
from shopward.http.calls import id_of
from shopward.http.complaints import STATES
from shopward.http.pages import is_cursor, notice_of, reader_language
from shopward.http.sessions import form_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from shopward.complaints import Complaint
    from shopward.http.pages import Paper
    from shopward.http.sessions import Sessions
    from shopward.service import Shopward

PAGE: Final = 50
OVERDUE: Final = "overdue"
TOLD: Final = ("second_person_needed", "complaint_barred", "complaint_state")
"""Refusals that have a sentence of their own on the page."""


class ComplaintPages:
    """The handlers.

    Args:
        shopward: the open engine.
        sessions: who is in.
        paper: writes the page.
    """

    def __init__(self, shopward: Shopward, *, sessions: Sessions, paper: Paper) -> None:
        self._desk = shopward.complaints
        self._sessions = sessions
        self._paper = paper

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/complaints", self.listed, methods=["GET"]),
            Route("/complaints/{id}", self.press, methods=["POST"]),
        ]

    async def listed(self, request: Request) -> Response:
        """``GET /complaints?state=&before=``; ``overdue`` is a state here."""
        if not self._sessions.is_known(request):
            return RedirectResponse("/login", 303)
        asked, before = request.query_params.get("state", STATES[0]), request.query_params.get("before", "")
        if asked not in (*STATES, OVERDUE) or not is_cursor(before):
            return self._paper.missing(request)
        may = self._sessions.has_role(request, "service", "analyst")
        is_staff = self._sessions.has_role(request, "analyst")
        found: Sequence[Complaint] = (
            await run_in_threadpool(
                lambda: self._desk.listed(
                    state="" if asked == OVERDUE else asked, is_overdue=asked == OVERDUE, before=before, limit=PAGE + 1
                )
            )
            if may
            else ()
        )  # fmt: skip
        now_ms, spoken = self._desk.now_ms(), reader_language(request)
        rows = [
            (view(each, language=spoken, at_ms=now_ms, for_staff=is_staff), date_of(each), each.state in OPEN)
            for each in found[:PAGE]
        ]
        return self._paper.page(
            request, "complaints.html", state=asked, states=(*STATES, OVERDUE), may=may, is_staff=is_staff, rows=rows,
            now_ms=now_ms, before=found[PAGE - 1].id if len(found) > PAGE else "",
            notice=notice_of(request, TOLD),
        )  # fmt: skip

    async def press(self, request: Request) -> Response:
        """``POST /complaints/{id}``: the customer was told, or who presses looks after it; then back to the list."""
        caller, complaint_id = self._sessions.analyst(request), id_of(request)
        form = await form_of(request)
        what, state = form.get("do", ""), form.get("state", STATES[0])
        if what not in ("acknowledge", "take") or state not in (*STATES, OVERDUE):
            raise InvalidField(
                "no such deed", path="do", expected="acknowledge or take", found="another word"
            )
        if complaint_id is None:
            raise NotFound(
                "no such complaint", path="id", expected="the id of a complaint", found="another text"
            )
        work = self._desk.acknowledge if what == "acknowledge" else self._desk.take
        notice = {}
        try:
            await run_in_threadpool(work, caller, complaint_id)
        except (Conflict, Refused) as refused:
            notice = {"notice": refused.code}
        asked = urlencode({"state": state, **notice})
        return RedirectResponse(f"/complaints?{asked}#{quote(complaint_id, safe='')}", 303)
