"""Pages: the live page "Now", and how a person opens it.

Promise: nobody sees it without an API key or a link that works once. The key is typed into a form and exchanged for a
session of 12 hours (``sessions``). On loopback the start line prints a link with a token that works once and for ten
minutes, so that trying it out takes no typing.

Why not the key in a cookie or in the browser's storage: it would outlive the visit and could be stolen to write events.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from shopward.flows.wording import language_of
from shopward.http.calls import ID_MAX
from shopward.http.filters import account_path, due, mark, moment, money, plain_money
from shopward.http.problems import HttpRefusal
from shopward.http.sessions import Sessions, form_of, refuse_other_sites

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from starlette.requests import Request

    from shopward.access import ApiKeys
    from shopward.http.activity import Activity
    from shopward.http.figures import Figures
    from shopward.http.gate import Gate
    from shopward.service import Shopward

CAMPAIGNS_TOP: Final = 12
_HERE: Final = Path(__file__).parent


class Paper:
    """Templates with the words of the reader's language."""

    def __init__(self) -> None:
        self._texts: dict[str, dict[str, str]] = {}
        for file in sorted(_HERE.glob("texts*.toml")):
            for language, words in tomllib.loads(file.read_text(encoding="utf-8")).items():
                self._texts.setdefault(language, {}).update(words)
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined
        )
        self._templates.filters |= {
            "moment": moment, "due": due, "money": money, "plain_money": plain_money, "account_path": account_path, "mark": mark,
        }  # fmt: skip

    def page(
        self, request: Request, name: str, status: int = 200, *, language: str = "", **values: Any
    ) -> Response:
        """A page, kept by nobody; in the reader's language where none is given."""
        language = language or reader_language(request)
        html = self._templates.get_template(name).render(language=language, t=self._texts[language], **values)
        return HTMLResponse(html, status, headers={"cache-control": "no-store"})

    def words(self, request: Request) -> Mapping[str, str]:
        """All words of the reader's language."""
        return self._texts[reader_language(request)]

    def missing(self, request: Request) -> Response:
        """What there is not, or not for this reader."""
        return self.page(request, "missing.html", 404)


class Pages:
    """The handlers.

    Args:
        shopward: for its policy's texts and settings.
        keys: what the form is held against.
        gate: for the position of the log.
        activity: what the page shows of decisions.
        figures: what it shows of campaigns and findings.
        sessions: who is in.
        paper: writes the pages.
    """

    def __init__(
        self,
        shopward: Shopward,
        keys: ApiKeys,
        gate: Gate,
        activity: Activity,
        *,
        figures: Figures,
        sessions: Sessions,
        paper: Paper,
    ) -> None:
        self._shopward = shopward
        self._keys = keys
        self._gate = gate
        self._activity = activity
        self._figures = figures
        self._sessions = sessions
        self._paper = paper

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/", self.now, methods=["GET"]),
            Route("/now.json", self.now_json, methods=["GET"]),
            Route("/login", self.login, methods=["GET", "POST"]),
            Route("/logout", self.logout, methods=["POST"]),
        ]

    def one_time_token(self) -> str:
        """A token that opens the page once, for ten minutes."""
        return self._sessions.one_time_token()

    async def now(self, request: Request) -> Response:
        """``GET /``."""
        if not self._sessions.is_known(request):
            return RedirectResponse("/login", 303)
        return self._paper.page(request, "now.html", policy=self._shopward.policy.version)

    async def now_json(self, request: Request) -> Response:
        """``GET /now.json``: what the page shows, asked for once a second."""
        if not self._sessions.is_known(request):
            raise HttpRefusal(
                401, "unauthorized", "a session is needed", expected="the cookie that /login sets"
            )
        language = reader_language(request)
        shown = self._activity.shown(self._shopward.wording, language, self._paper.words(request))
        shown |= {"seq": self._gate.seq, "ready": self._gate.is_ready, "waiting": self._gate.waiting}
        shown["campaigns"] = self._figures.live(language)[:CAMPAIGNS_TOP]
        shown["found"] = await run_in_threadpool(self._figures.found)
        shown["waits"] = (await run_in_threadpool(self._figures.waits)).workload
        return Response(msgspec.json.encode(shown), media_type="application/json")

    async def login(self, request: Request) -> Response:
        """``GET /login``: the form, or the link that works once; ``POST /login``: the key."""
        if request.method == "POST":
            return await self._log_in(request)
        once = request.query_params.get("once", "")
        if once and self._sessions.redeem(once):
            response = RedirectResponse("/", 303)
            self._sessions.begin(response, None)
            return response
        return self._paper.page(request, "login.html", failed=bool(once))

    async def logout(self, request: Request) -> Response:
        """``POST /logout``."""
        refuse_other_sites(request)
        response = RedirectResponse("/login", 303)
        self._sessions.end(request, response)
        return response

    async def _log_in(self, request: Request) -> Response:
        refuse_other_sites(request)
        key = (await form_of(request)).get("key", "").strip()
        caller = self._keys.caller_of(key.encode("utf-8", "replace"))
        if caller is None:  # fails closed
            return self._paper.page(request, "login.html", 401, failed=True)
        response = RedirectResponse("/", 303)
        self._sessions.begin(response, caller)
        return response


def is_cursor(text: str) -> bool:
    """Whether it may stand where a page goes on: an id of ours, or nothing."""
    return text.isprintable() and len(text) <= ID_MAX


def notice_of(request: Request, told: Collection[str]) -> str:
    """Why what was pressed was not done: the code where a page has a sentence for it, else ``changed``; empty where all went well."""
    notice = request.query_params.get("notice", "")
    return notice if notice in told or not notice else "changed"


def reader_language(request: Request) -> str:
    """The language that a browser asks for."""
    return language_of(request.headers.get("accept-language", "").encode("latin-1"))
