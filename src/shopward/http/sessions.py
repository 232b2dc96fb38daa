"""Sessions of people in a browser: who looks, and what they may do there.

Promise: a session is a random secret in a cookie that scripts cannot read and other sites cannot send (HttpOnly,
SameSite=Strict, Secure under HTTPS); the server keeps its digest alone, in memory, so a restart ends all of them. It
stands for the person of the key that opened it. One that was opened by the link of the start line stands for nobody: it
looks, and neither changes anything nor sees who a customer is. A form of another site is refused.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import parse_qs

from shopward.errors import Refused
from shopward.http.problems import HttpRefusal
from shopward.values import HOUR_MS, MINUTE_MS, url_parts

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.access import Caller, Role
    from shopward.values import Clock

COOKIE: Final = "shopward_session"
SESSION_MS: Final = 12 * HOUR_MS
ONCE_MS: Final = 10 * MINUTE_MS
SESSIONS_MAX: Final = 1_000
FORM_BYTES_MAX: Final = 4_096


class _Held(NamedTuple):
    until_ms: int
    caller: Caller | None


class Secrets:
    """Digests of secrets that hold until a time, and for whom; bounded, in memory alone."""

    def __init__(self) -> None:
        self._held: dict[bytes, _Held] = {}

    def begin(self, at_ms: int, *, for_ms: int, caller: Caller | None = None) -> str:
        """A new secret."""
        self._held = {digest: held for digest, held in self._held.items() if held.until_ms > at_ms}
        if len(self._held) >= SESSIONS_MAX:
            del self._held[next(iter(self._held))]
        secret = secrets.token_urlsafe(32)
        self._held[_digest(secret)] = _Held(at_ms + for_ms, caller)
        return secret

    def held(self, secret: str, at_ms: int) -> _Held | None:
        """What hangs from it, while it holds; looked up by digest, so that time tells nothing of the secret."""
        held = self._held.get(_digest(secret))
        return held if held is not None and held.until_ms > at_ms else None

    def end(self, secret: str) -> None:
        """It holds no more."""
        self._held.pop(_digest(secret), None)


class Sessions:
    """The sessions of one server.

    Args:
        clock: the server's.
        is_https: whether browsers come over HTTPS, here or at a proxy.
    """

    def __init__(self, clock: Clock, *, is_https: bool) -> None:
        self._clock = clock
        self._is_https = is_https
        self._sessions = Secrets()
        self._once = Secrets()

    def one_time_token(self) -> str:
        """A token that opens a session once, for ten minutes."""
        return self._once.begin(self._clock.now_ms(), for_ms=ONCE_MS)

    def redeem(self, token: str) -> bool:
        """Whether it is a token that was not used yet; it is used now."""
        is_good = self._once.held(token, self._clock.now_ms()) is not None
        self._once.end(token)
        return is_good

    def begin(self, response: Response, caller: Caller | None) -> None:
        """Open a session with this answer; ``None`` for one that only looks."""
        response.set_cookie(
            COOKIE,
            self._sessions.begin(self._clock.now_ms(), for_ms=SESSION_MS, caller=caller),
            max_age=SESSION_MS // 1000,
            httponly=True,
            samesite="strict",
            secure=self._is_https,
        )

    def end(self, request: Request, response: Response) -> None:
        """Close the session of a request."""
        self._sessions.end(request.cookies.get(COOKIE, ""))
        response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=self._is_https)

    def is_known(self, request: Request) -> bool:
        """Whether a request has a session."""
        return self._held(request) is not None

    def caller(self, request: Request) -> Caller | None:
        """Who asks; ``None`` for nobody, or for a session that only looks."""
        held = self._held(request)
        return None if held is None else held.caller

    def has_role(self, request: Request, *roles: Role) -> bool:
        """Whether who asks may see what is these roles'; nobody may with a session that only looks. Fails closed."""
        caller = self.caller(request)
        return caller is not None and not {"admin", *roles}.isdisjoint(caller.roles)

    def analyst(self, request: Request) -> Caller:
        """Who asks, with a form of this very site; raises where they may not decide a case. Fails closed."""
        return self.acting(request, "analyst")

    def acting(self, request: Request, *roles: Role) -> Caller:
        """Who asks, with a form of this very site; raises where they have none of these roles. Fails closed."""
        refuse_other_sites(request)
        caller = self.caller(request)
        if caller is None:
            raise Refused(
                "this session only looks", code="role_missing", expected="a session opened with a person's key",
                found="another session", hint="log out and open the page with your own key",
            )  # fmt: skip
        caller.require(*roles)
        return caller

    def _held(self, request: Request) -> _Held | None:
        return self._sessions.held(request.cookies.get(COOKIE, ""), self._clock.now_ms())


async def form_of(request: Request, *, bytes_max: int = FORM_BYTES_MAX) -> dict[str, str]:
    """The fields of a form, bounded; the first of each name. A NUL, which no store takes, is left out."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > bytes_max:
            raise HttpRefusal(
                413, "input_too_large", "the form is too large", expected=f"at most {bytes_max} bytes"
            )
    told = parse_qs(body.decode("utf-8", "replace"))
    return {name.replace("\0", ""): values[0].replace("\0", "") for name, values in told.items()}


def refuse_other_sites(request: Request, *, outward: str = "") -> None:
    """A form of another site must neither log in nor out, nor decide a case.

    Browsers say by ``Sec-Fetch-Site`` where a form comes from, older ones by ``Origin`` alone, which a proxy that
    rewrites ``Host`` makes look foreign, unless it is the ``outward`` host that the shop named. Fails closed on what they say; a script says nothing and has no cookie
    that it could abuse.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        is_own = site in ("same-origin", "none")
    else:
        origin = request.headers.get("origin")
        is_own = origin is None or url_parts(origin).netloc in {request.headers.get("host"), outward} - {""}
    if not is_own:
        raise HttpRefusal(403, "refused", "a form of another site", expected="this server's own form")


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
