"""The page where a claim is filed for a customer: the form as the log filled it in, each transaction with a box.

Promise: as over the API, a service and an analyst may file; what is ticked is what is disputed, and nothing else. A claim that was filed
already leads to its own page. A form of another site is refused; the page works without scripts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from shopward.errors import Conflict, InvalidField, NotFound, Refused
from shopward.flows.claim import ITEMS_MAX, Filing
from shopward.http.calls import id_of, needed_id
from shopward.http.pages import notice_of
from shopward.http.sessions import form_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from shopward.http.pages import Paper
    from shopward.http.sessions import Sessions
    from shopward.service import Shopward

TICKED: Final = "event:"
"""A box is named by this and the event's id."""
TOLD: Final = ("nothing_ticked", "already_claimed")
"""Refusals that have a sentence of their own on the page."""
_FORM_BYTES_MAX: Final = ITEMS_MAX * 1_600
"""Ids of so many events, each of 128 characters of up to twelve bytes in a form."""


class FilingPages:
    """The handlers.

    Args:
        shopward: the open engine.
        sessions: who is in.
        paper: writes the page.
    """

    def __init__(self, shopward: Shopward, *, sessions: Sessions, paper: Paper) -> None:
        self._desk = shopward.claims
        self._sessions = sessions
        self._paper = paper

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/claims/{id}/file", self.form, methods=["GET"]),
            Route("/claims/{id}/file", self.file, methods=["POST"]),
        ]

    async def form(self, request: Request) -> Response:
        """``GET /claims/{id}/file``."""
        if not self._sessions.is_known(request):
            return RedirectResponse("/login", 303)
        claim_id = id_of(request)
        if claim_id is None or not self._sessions.has_role(request, "service", "analyst"):
            return self._paper.missing(request)
        try:
            claim, _payouts = await run_in_threadpool(self._desk.get, claim_id)
        except NotFound:
            return self._paper.missing(request)
        if claim.state != "draft":
            return RedirectResponse(_path(claim_id), 303)
        owners = await run_in_threadpool(self._desk.owners, [claim])
        return self._paper.page(
            request, "filing.html", claim=claim, user=owners[claim.user], ticked=TICKED, back=_path(claim_id) + "/file",
            notice=notice_of(request, TOLD),
        )  # fmt: skip

    async def file(self, request: Request) -> Response:
        """``POST /claims/{id}/file``: send the form in; it is assessed at once."""
        caller, claim_id = self._sessions.acting(request, "service", "analyst"), needed_id(request, "claim")
        form = await form_of(request, bytes_max=_FORM_BYTES_MAX)
        events = tuple(name.removeprefix(TICKED) for name in form if name.startswith(TICKED))
        if not events:
            return RedirectResponse(_path(claim_id) + "/file?notice=nothing_ticked", 303)
        try:
            await run_in_threadpool(self._desk.submit, caller, claim_id, Filing(events))
        except (
            Conflict,
            InvalidField,
            Refused,
        ) as refused:  # another claim has one of them, or it was filed meanwhile
            return RedirectResponse(f"{_path(claim_id)}/file?notice={refused.code}", 303)
        return RedirectResponse(_path(claim_id), 303)


def _path(claim_id: str) -> str:
    return f"/claims/{quote(claim_id, safe='')}"
