"""Pages of orders: what is in force and what waits, one order in the reader's words, and an order about many from a form.

Promise: shown to a service's and an analyst's session, pressed by an analyst's alone. A new order about many is a dry run first: it
counts whom it would stop and stops nobody; it begins when somebody who has seen the number says so once more, and where the API asks for
a second person, when that person does. What is pressed goes through ``flows.protect`` under the person of the session; a form of
another site is refused. Pages work without scripts.

Not here: sets of victims, advisories and orders about partners or staff: those are calls and commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from shopward.errors import Conflict, InvalidField, NotFound, Refused
from shopward.http.calls import id_of, needed_id
from shopward.http.order_forms import (
    HOURS,
    KINDS,
    SCOPES,
    TARGETS,
    let_out,
    placed_once,
    request_of,
    shown_order,
)
from shopward.http.pages import is_cursor, notice_of, reader_language
from shopward.http.sessions import form_of
from shopward.protection.orders import REASON_CODES, RELEASE_CONDITIONS
from shopward.protection.states import FINAL, STATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from shopward.access import Caller
    from shopward.http.gate import Gate
    from shopward.http.pages import Paper
    from shopward.http.sessions import Sessions
    from shopward.protection.orders import Order
    from shopward.service import Shopward

PAGE: Final = 50
DEEDS: Final = ("approve", "release", "withdraw", "let_out")
ORDER: Final = ("active", "pending_approval", "draft", "scheduled", "expired", "cancelled", "superseded")
TOLD: Final = (
    "second_person_needed", "share_exceeded", "release_pending", "release_needs_two", "already_released", "release_condition",
    "not_sure", "order_wrong",
)  # fmt: skip
"""Refusals that have a sentence of their own on the page."""
_FORM_BYTES_MAX: Final = 600_000
"""A condition, or ids of some thousand users."""
_NOTHING: Final[Mapping[str, str]] = {
    "kind": "freeze", "target": "everyone", "scope": "stored_value", "hours": "24", "currency": "IDR",
    "release_identity_proved": "on", "release_staff_release": "on",
}  # fmt: skip


class OrderPages:
    """The handlers.

    Args:
        shopward: the open engine.
        gate: takes changed orders into the log.
        sessions: who is in.
        paper: writes the pages.
    """

    def __init__(self, shopward: Shopward, gate: Gate, *, sessions: Sessions, paper: Paper) -> None:
        self._shopward = shopward
        self._desk = shopward.protection
        self._overseer = shopward.overseer
        self._gate = gate
        self._sessions = sessions
        self._paper = paper

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/orders", self.listed, methods=["GET"]),
            Route("/orders", self.draft, methods=["POST"]),
            Route("/orders/{id}", self.one, methods=["GET"]),
            Route("/orders/{id}", self.press, methods=["POST"]),
        ]

    async def listed(self, request: Request) -> Response:
        """``GET /orders?state=&before=``."""
        if not self._sessions.is_known(request):
            return RedirectResponse("/login", 303)
        state, before = request.query_params.get("state", ORDER[0]), request.query_params.get("before", "")
        if state not in STATES or not is_cursor(before):
            return self._paper.missing(request)
        return await self._list(request, state, before, _NOTHING)

    async def draft(self, request: Request) -> Response:
        """``POST /orders``: count whom an order would be about; it stops nobody yet."""
        caller = self._sessions.analyst(request)
        form = await form_of(request, bytes_max=_FORM_BYTES_MAX)
        try:
            asked = request_of(form, at_ms=self._shopward.clock.now_ms())
            order = await run_in_threadpool(placed_once, self._desk, caller, asked, form)
        except InvalidField as wrong:
            return await self._list(request, ORDER[0], "", form, wrong)
        return RedirectResponse(_path(order.id) if order else "/orders?state=draft", 303)

    async def one(self, request: Request) -> Response:
        """``GET /orders/{id}?progress=``."""
        if not self._sessions.is_known(request):
            return RedirectResponse("/login", 303)
        order_id = id_of(request)
        if order_id is None or not self._may(request):
            return self._paper.missing(request)
        try:
            order, exceptions = await run_in_threadpool(self._overseer.get, order_id)
        except NotFound:
            return self._paper.missing(request)
        is_counted = "progress" in request.query_params and order.state == "active"
        progress = await run_in_threadpool(self._overseer.progress, order) if is_counted else None
        user = await run_in_threadpool(self._shopward.user_of, order)
        shown = shown_order(
            order, reader_language(request), at_ms=self._shopward.clock.now_ms(), exceptions=exceptions, progress=progress, user=user
        )  # fmt: skip
        return self._paper.page(
            request, "order.html", order=shown, is_mass=order.is_mass, is_over=order.state in FINAL,
            needs_two=order.needs_approval, may=self._sessions.has_role(request, "analyst"), back=_path(order_id),
            notice=notice_of(request, TOLD),
        )  # fmt: skip

    async def press(self, request: Request) -> Response:
        """``POST /orders/{id}``: let it begin, approve, release, take a request for release back, or let one user out."""
        caller, order_id = self._sessions.analyst(request), needed_id(request, "order")
        form, notice = await form_of(request), ""
        if form.get("do") not in DEEDS:
            raise InvalidField(
                "no such deed", path="do", expected="one of " + ", ".join(DEEDS), found="another word"
            )
        try:
            notice = await run_in_threadpool(self._pressed, caller, order_id, form)
        except (Conflict, Refused) as refused:
            notice = refused.code
        except InvalidField:
            notice = "order_wrong"
        await self._gate.take_orders()
        return RedirectResponse(_path(order_id) + (f"?notice={notice}" if notice else ""), 303)

    def _pressed(self, caller: Caller, order_id: str, form: Mapping[str, str]) -> str:
        """Why nothing was done; empty where it was."""
        what = form.get("do", "")
        if what in ("approve", "release") and not form.get("sure"):
            return "not_sure"
        if what == "approve":
            self._desk.approve(caller, order_id, is_release=form.get("of") == "release")
        elif what == "let_out":
            let_out(
                self._desk, caller, order_id, user=form.get("user", ""), evidence=form.get("evidence", "")
            )
        else:
            is_agreed = form.get("of") != "draft" if what == "release" else None
            self._desk.release(caller, order_id, withdraw=what == "withdraw", is_agreed=is_agreed)
        return ""

    async def _list(
        self,
        request: Request,
        state: str,
        before: str,
        form: Mapping[str, str],
        wrong: InvalidField | None = None,
    ) -> Response:
        may, spoken, now_ms = self._may(request), reader_language(request), self._shopward.clock.now_ms()
        found: list[Order] = []
        if may:
            found = await run_in_threadpool(
                lambda: self._overseer.newest(state=state, before=before or None, limit=PAGE + 1)
            )
        return self._paper.page(
            request, "orders.html", 200 if wrong is None else 422, state=state, states=ORDER, may=may,
            may_place=self._sessions.has_role(request, "analyst"), form=form, wrong=wrong,
            rows=[shown_order(each, spoken, at_ms=now_ms) for each in found[:PAGE]],
            kinds=KINDS, scopes=SCOPES, targets=TARGETS, hours=HOURS, reasons=REASON_CODES, releases=RELEASE_CONDITIONS,
            once=self._shopward.ids.new("once", now_ms), before=found[PAGE - 1].id if len(found) > PAGE else "",
        )  # fmt: skip

    def _may(self, request: Request) -> bool:
        return self._sessions.has_role(request, "service", "analyst")


def _path(order_id: str) -> str:
    return f"/orders/{quote(order_id, safe='')}"
