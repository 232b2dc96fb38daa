"""A customer's page about her own account: the link to it, the door, the page, and what is pressed there.

Promise: a link is asked for with a service's key. The door uses nothing up until its button is pressed, so that previews of links do
no harm; it and the page tell nobody where a visitor came from (``strict-origin``: the address of the door is a secret, and browsers
still say by ``Origin`` that a form is ours). The visit hangs from a cookie that scripts cannot read and other sites cannot send, bound
to this very host where there is HTTPS; a form of another site is refused. Nothing is stored by the browser. All of it works without a
script. What is shown and done is ``flows.overview`` and ``flows.selfservice``.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from shopward.errors import InvalidField, StoreError
from shopward.flows.selfservice import STATEMENT_MAX, WISHES
from shopward.flows.visit import VISIT_MS, Told, Visit, VisitAsked
from shopward.http import account_words
from shopward.http.advice import LANGUAGES
from shopward.http.calls import id_of, json_answer, user_id
from shopward.http.pages import reader_language
from shopward.http.sessions import form_of, refuse_other_sites
from shopward.protection.view import explain
from shopward.screening.reports.wording import said
from shopward.values import HOUR_MS, to_rfc3339, url_parts, written_amount

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from shopward.flows.overview import Overview
    from shopward.http.calls import Calls
    from shopward.http.gate import Gate
    from shopward.http.pages import Paper
    from shopward.service import Shopward

COOKIE: Final = "shopward_visit"
DOOR: Final = "/visit/"
PAGE: Final = "/account"
DEEDS: Final = ("not_me", "freeze", "claim", "send_claim", "appeal", "complain", "ask", "withdraw", "close")
_FORM_BYTES_MAX: Final = 32_768
_logger = logging.getLogger("shopward")
_TICK: Final = "event:"
_ORIGIN_ALONE: Final = "strict-origin"


class VisitMade(Struct, omit_defaults=True):
    """A link for one customer, once.

    Attributes:
        path: where it leads on this server.
        url: the same with the setting ``customer_url`` before it; absent where that is not set.
        expires_at: until when it opens.
    """

    path: str
    expires_at: str
    url: str = ""


class VisitCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        gate: takes changed orders into the log.
        calls: reads requests.
        paper: writes the pages.
        is_https: whether browsers come over HTTPS.
    """

    def __init__(self, shopward: Shopward, gate: Gate, calls: Calls, paper: Paper, *, is_https: bool) -> None:
        self._desk = shopward.visits
        self._overviews = shopward.overviews
        self._service = shopward.self_service
        self._redress = shopward.redress
        self._shop = shopward.settings.shop_name
        self._outward_url = shopward.settings.customer_url.rstrip("/")
        self._outward_host = url_parts(self._outward_url).netloc
        self._gate = gate
        self._calls = calls
        self._paper = paper
        self._is_https = is_https
        self._cookie = f"__Host-{COOKIE}" if is_https else COOKIE

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/users/{id}/visits", self.ask, methods=["POST"]),
            Route(DOOR + "{token}", self.door, methods=["GET"]),
            Route(DOOR + "{token}", self.enter, methods=["POST"]),
            Route(PAGE, self.page, methods=["GET"]),
            Route(PAGE, self.press, methods=["POST"]),
        ]

    async def ask(self, request: Request) -> Response:
        """``POST /v1/users/{id}/visits``."""
        caller = self._calls.caller(request, "service")
        asked = await self._calls.optional_body(request, caller, VisitAsked())
        user = user_id(id_of(request))
        link = await run_in_threadpool(self._desk.ask, caller, user, asked)
        path = DOOR + link.token
        url = self._outward_url + path if self._outward_url else ""
        return json_answer(VisitMade(path, to_rfc3339(link.until_ms), url), 201)

    async def door(self, request: Request) -> Response:
        """``GET /visit/{token}``: a button. However often it is looked at, the link stays good."""
        waiting = self._desk.waiting(request.path_params["token"])
        if waiting is None:
            return self._shut(request, 404)
        language = waiting.language or reader_language(request)
        return self._shown(request, "visit.html", language, shut="")

    async def enter(self, request: Request) -> Response:
        """``POST /visit/{token}``: the button; the link is used up, the page opens."""
        refuse_other_sites(request, outward=self._outward_host)
        try:
            entered = await run_in_threadpool(self._desk.enter, request.path_params["token"])
        except StoreError as failed:
            return self._down(request, reader_language(request), failed)
        if entered is None:
            return self._shut(request, 404)
        secret, visit = entered
        visit.language = visit.language or reader_language(request)
        response = RedirectResponse(PAGE, 303)
        response.set_cookie(
            self._cookie, secret, max_age=VISIT_MS // 1000, httponly=True, samesite="strict", secure=self._is_https
        )  # fmt: skip
        return response

    async def page(self, request: Request) -> Response:
        """``GET /account?lang=``."""
        visit = self._visit(request)
        if visit is None:
            return self._ended(self._shut(request, 401))
        if request.query_params.get("lang") in LANGUAGES:
            visit.language = request.query_params["lang"]
        wait_s = self._desk.wait_s(visit)
        if wait_s:
            busy = self._shown(request, "visit.html", visit.language, 429, shut="busy")
            busy.headers["retry-after"] = str(wait_s)
            return busy
        try:
            overview = await run_in_threadpool(self._overviews.of, visit.user, visit.language)
        except StoreError as failed:
            return self._down(request, visit.language, failed)
        return self._account(request, visit, overview)

    async def press(self, request: Request) -> Response:
        """``POST /account``: ``do`` is one of ``DEEDS``; then back to the page, which says what came of it."""
        refuse_other_sites(request, outward=self._outward_host)
        visit = self._visit(request)
        if visit is None:
            return self._shut(request, 401)
        form = await form_of(request, bytes_max=_FORM_BYTES_MAX)
        deed = form.get("do", "")
        if deed not in DEEDS:
            raise InvalidField(
                "no such deed", path="do", expected="one of " + ", ".join(DEEDS), found="another word"
            )
        if deed == "close":
            self._desk.leave(self._secret(request))
            return self._ended(RedirectResponse(PAGE, 303))
        visit.told = Told("enough")
        if visit.may_press():
            try:
                visit.told = await run_in_threadpool(self._done, visit, deed, form)
            except StoreError as failed:
                visit.told = None  # whether it was done stands on the page that comes next
                return self._down(request, visit.language, failed)
            if deed == "freeze":
                await self._gate.take_orders()
        return RedirectResponse(f"{PAGE}#told", 303)

    def _done(self, visit: Visit, deed: str, form: dict[str, str]) -> Told:
        typed = form.get("said", "").strip()
        about, _, subject = form.get("about", "").partition(":")
        ticked = [name.removeprefix(_TICK) for name in form if name.startswith(_TICK)]
        deeds: dict[str, Callable[[], Told]] = {
            "not_me": lambda: self._service.not_me(visit, form.get("event", ""), visit.language),
            "freeze": lambda: self._service.freeze(visit),
            "claim": lambda: self._redress.begin(visit),
            "send_claim": lambda: self._redress.send(visit, form.get("claim", ""), ticked),
            "appeal": lambda: self._redress.appeal(visit, about, subject),
            "complain": lambda: self._service.complain(visit, about, subject, typed),
            "ask": lambda: self._service.wish(visit, form.get("wish", ""), typed),
            "withdraw": lambda: self._service.withdraw(visit, form.get("purpose", "")),
        }
        return deeds[deed]()

    def _account(self, request: Request, visit: Visit, overview: Overview) -> Response:
        language, zone = visit.language, visit.timezone
        texts = account_words.words(language, self._shop)

        def when(at_ms: int) -> str:
            return account_words.when(at_ms, zone, language)

        return self._shown(
            request, "account.html", language, visit=visit, seen=overview, told_text=self._said(visit, texts), statement_max=STATEMENT_MAX,
            wishes=WISHES, now_ms=self._desk.now_ms(), places=account_words.countries(language),
            gap="" if language == "zh" else " ", when=when, says=lambda order: explain(order, language, moment=when),
            day=lambda at_ms: account_words.day(at_ms, "UTC", language),
            closes=account_words.clock(visit.until_ms, zone, language),
            amount=lambda minor, currency: written_amount(minor, currency, language),
            device=lambda each: account_words.device(each, texts),
        )  # fmt: skip

    def _said(self, visit: Visit, texts: dict[str, Any]) -> str:
        """What the last press came to, in the language of the page now."""
        if visit.told is None:
            return ""
        if visit.told.word != "reported":
            return str(texts[f"told_{visit.told.word}_text"])
        left = max(1, -(-(visit.told.due_ms - self._desk.now_ms()) // HOUR_MS))
        return said("next", visit.told.kind, visit.language, hours=left)

    def _down(self, request: Request, language: str, failed: StoreError) -> Response:
        """The store does not answer: a customer reads what to do then, and no problem of ours. Fails closed."""
        _logger.warning("a customer's own page could not be shown: %s", failed.code)
        return self._shown(request, "visit.html", language, 503, shut="down")

    def _shut(self, request: Request, status: int) -> Response:
        """No link, or no visit."""
        return self._shown(request, "visit.html", reader_language(request), status, shut="over")

    def _shown(
        self, request: Request, name: str, language: str, status: int = 200, **values: object
    ) -> Response:
        texts = account_words.words(language, self._shop)
        response = self._paper.page(
            request, name, status, language=language, a=texts, languages=LANGUAGES, **values
        )
        response.headers["referrer-policy"] = _ORIGIN_ALONE
        return response

    def _ended(self, response: Response) -> Response:
        """The cookie goes."""
        response.delete_cookie(self._cookie, httponly=True, samesite="strict", secure=self._is_https)
        return response

    def _visit(self, request: Request) -> Visit | None:
        """Whose page it is. Fails closed."""
        return self._desk.of(self._secret(request))

    def _secret(self, request: Request) -> str:
        return request.cookies.get(self._cookie, "")
