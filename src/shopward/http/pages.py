"""Pages: the live page "Now", and how a person opens it.

Promise: nobody sees it without the API key or a link that works once. The key is typed into a form and exchanged for a
random session of 12 hours in a cookie that scripts cannot read and other sites cannot send (HttpOnly, SameSite=Strict,
Secure under HTTPS); the server keeps the session's digest alone, in memory, so a restart ends all of them. On loopback
the start line prints a link with a token that works once and for ten minutes, so that trying it out takes no typing.

Why not the key in a cookie or in the browser's storage: it would outlive the visit and could be stolen to write events;
a session can only look. Forms are guarded against other sites by ``Sec-Fetch-Site`` and ``Origin`` besides the cookie.
"""

from __future__ import annotations

import hashlib
import secrets
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from shopward.flows.wording import language_of
from shopward.http.problems import HttpRefusal
from shopward.values import HOUR_MS, MINUTE_MS

if TYPE_CHECKING:
    from starlette.requests import Request

    from shopward.access import ApiKeys
    from shopward.http.activity import Activity
    from shopward.http.gate import Gate
    from shopward.service import Shopward

COOKIE: Final = "shopward_session"
SESSION_MS: Final = 12 * HOUR_MS
ONCE_MS: Final = 10 * MINUTE_MS
SESSIONS_MAX: Final = 1_000
FORM_BYTES_MAX: Final = 4_096
_HERE: Final = Path(__file__).parent


class Sessions:
    """Digests of secrets that hold until a time; bounded, in memory alone."""

    def __init__(self) -> None:
        self._until: dict[bytes, int] = {}

    def begin(self, at_ms: int, *, for_ms: int) -> str:
        """A new secret."""
        self._until = {digest: until for digest, until in self._until.items() if until > at_ms}
        if len(self._until) >= SESSIONS_MAX:
            del self._until[next(iter(self._until))]
        secret = secrets.token_urlsafe(32)
        self._until[_digest(secret)] = at_ms + for_ms
        return secret

    def holds(self, secret: str, at_ms: int) -> bool:
        """Whether it is one of ours and not over; looked up by digest, so that time tells nothing of the secret."""
        return self._until.get(_digest(secret), 0) > at_ms

    def end(self, secret: str) -> None:
        """It holds no more."""
        self._until.pop(_digest(secret), None)


class Pages:
    """The handlers.

    Args:
        shopward: for its policy's texts, clock and settings.
        keys: what the form is held against.
        gate: for the position of the log.
        activity: what the page shows.
    """

    def __init__(self, shopward: Shopward, keys: ApiKeys, gate: Gate, activity: Activity) -> None:
        self._shopward = shopward
        self._keys = keys
        self._gate = gate
        self._activity = activity
        self._sessions = Sessions()
        self._once = Sessions()
        self._is_https = shopward.settings.has_tls or shopward.settings.behind_proxy
        self._texts: dict[str, dict[str, str]] = tomllib.loads(
            (_HERE / "texts.toml").read_text(encoding="utf-8")
        )
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined
        )

    def one_time_token(self) -> str:
        """A token that opens the page once, for ten minutes."""
        return self._once.begin(self._shopward.clock.now_ms(), for_ms=ONCE_MS)

    async def now(self, request: Request) -> Response:
        """``GET /``."""
        if not self._is_known(request):
            return RedirectResponse("/login", 303)
        return self._page(request, "now.html", policy=self._shopward.policy.version)

    async def now_json(self, request: Request) -> Response:
        """``GET /now.json``: what the page shows, asked for once a second."""
        if not self._is_known(request):
            raise HttpRefusal(
                401, "unauthorized", "a session is needed", expected="the cookie that /login sets"
            )
        shown = self._activity.shown(self._shopward.wording, _language(request))
        shown |= {"seq": self._gate.seq, "ready": self._gate.is_ready, "waiting": self._gate.waiting}
        return Response(msgspec.json.encode(shown), media_type="application/json")

    async def login(self, request: Request) -> Response:
        """``GET /login``: the form, or the link that works once; ``POST /login``: the key."""
        if request.method == "POST":
            return await self._log_in(request)
        once = request.query_params.get("once", "")
        if once and self._once.holds(once, self._shopward.clock.now_ms()):
            self._once.end(once)
            return self._begun()
        return self._page(request, "login.html", failed=bool(once))

    async def logout(self, request: Request) -> Response:
        """``POST /logout``."""
        _refuse_other_sites(request)
        self._sessions.end(request.cookies.get(COOKIE, ""))
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=self._is_https)
        return response

    async def _log_in(self, request: Request) -> Response:
        _refuse_other_sites(request)
        form = parse_qs(await _form(request))
        key = form.get("key", [""])[0].strip()
        if self._keys.name_of(key.encode("utf-8", "replace")) is None:  # fails closed
            return self._page(request, "login.html", 401, failed=True)
        return self._begun()

    def _begun(self) -> Response:
        response = RedirectResponse("/", 303)
        secret = self._sessions.begin(self._shopward.clock.now_ms(), for_ms=SESSION_MS)
        response.set_cookie(
            COOKIE,
            secret,
            max_age=SESSION_MS // 1000,
            httponly=True,
            samesite="strict",
            secure=self._is_https,
        )
        return response

    def _is_known(self, request: Request) -> bool:
        return self._sessions.holds(request.cookies.get(COOKIE, ""), self._shopward.clock.now_ms())

    def _page(self, request: Request, name: str, status: int = 200, **values: Any) -> Response:
        language = _language(request)
        texts = self._texts[language]
        html = self._templates.get_template(name).render(language=language, t=texts, **values)
        return HTMLResponse(html, status, headers={"cache-control": "no-store"})


async def _form(request: Request) -> str:
    """The form's body, bounded."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > FORM_BYTES_MAX:
            raise HttpRefusal(
                413, "input_too_large", "the form is too large", expected=f"at most {FORM_BYTES_MAX} bytes"
            )
    return body.decode("utf-8", "replace")


def _refuse_other_sites(request: Request) -> None:
    """A form of another site must neither log in nor out.

    Browsers say by ``Sec-Fetch-Site`` where a form comes from, older ones by ``Origin`` alone, which a proxy that
    rewrites ``Host`` would make look foreign. Fails closed on what they say; a script says nothing and has no cookie
    that it could abuse.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        is_own = site in ("same-origin", "none")
    else:
        origin = request.headers.get("origin")
        is_own = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not is_own:
        raise HttpRefusal(403, "refused", "a form of another site", expected="this server's own form")


def _language(request: Request) -> str:
    return language_of(request.headers.get("accept-language", "").encode("latin-1"))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
