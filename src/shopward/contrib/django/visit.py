"""One request as events need it: address, device, session, and what was decided in it already.

Promise:
- the device is a random name in a signed cookie; a cookie that was made up counts as none, and the cookie is set only on
  answers to requests about which something was told, so that pages stay cacheable;
- a session has a random name of its own: the session key is a secret and is never told;
- the client's address follows ``proxies`` alone; a forwarding header that nobody was trusted to write is not read.
"""

from __future__ import annotations

import logging
import secrets
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from django.core import signing
from django.utils.translation import get_language

from shopward.client import event, from_wsgi, signs_of_wsgi
from shopward.contrib.django.tokens import PAGE_FIELD, page_tokens, token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

    from shopward.client import Decision, TrustedProxies
    from shopward.contrib.django.guards import GuardedView

COOKIE: Final = "shopward_device"
SESSION: Final = "_shopward_session"
_COOKIE_AGE_S: Final = 2 * 365 * 24 * 3600
_SALT: Final = "shopward.device"
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
_NAMES: Final = ("username", "email", "phone")
LANGUAGES: Final = ("id", "zh", "en")
_logger = logging.getLogger("shopward.django")

current: ContextVar[Visit | None] = ContextVar("shopward_visit", default=None)
"""The visit of the request under way: some code of shops calls ``authenticate`` without its request."""


class Visit:
    """What is known of one request.

    Attributes:
        request: of Django.
        decided: accounts whose login was decided in this request already.
        created: accounts that were made in it.
        backends: the backend that knew the password of an account.
        asked: guarded views that may run, with what was asked of them.
        credentials: ``credential`` of events, by account, where a new password was taken.
        decisions: what was decided, by event type: a view of the shop's looks here for a ``hold`` or a ``limit``.
        is_ours: whether it is us who log somebody out now, which is no event.
    """

    def __init__(self, request: HttpRequest, proxies: TrustedProxies, *, has_pages: bool = False) -> None:
        self.request = request
        self.decided: set[Any] = set()
        self.created: set[Any] = set()
        self.backends: dict[Any, str] = {}
        self.credentials: dict[Any, dict[str, Any]] = {}
        self.asked: list[tuple[GuardedView, dict[str, Any]]] = []
        self.decisions: dict[str, Decision] = {}
        self.is_ours = False
        self._proxies = proxies
        self._has_pages = has_pages
        self._device = ""
        self._context: dict[str, Any] | None = None
        self._session = ""

    @property
    def language(self) -> str:
        """Of texts: the shop's language for this customer where it is one of ours, else English."""
        spoken = (get_language() or "").partition("-")[0].lower()
        return spoken if spoken in LANGUAGES else "en"

    @property
    def context(self) -> Mapping[str, Any]:
        """The event's ``context``."""
        if self._context is None:
            meta = self.request.META
            self._context = from_wsgi(meta, self._proxies, device_id=self._known_device())
            if "HTTP_X_FORWARDED_FOR" in meta and self._context.get("ip") == meta.get("REMOTE_ADDR"):
                _warn_of_proxies()
        return self._context

    def event(self, type_: str, status: str, user: Any = None, **parts: Any) -> dict[str, Any]:
        """An event of this request.

        Args:
            type_: of the catalogue.
            status: of the catalogue.
            user: an account, or the name that was typed where there is no such account; ``None`` for nobody.
            parts: as the contract writes them.
        """
        session = self.request.session.get(SESSION, "") if hasattr(self.request, "session") else ""
        session_part: dict[str, Any] = {"session": {"id": session}} if session else {}
        about = _about(user)
        own = dict(parts.pop("properties", {}))
        return event(
            type_, status, user_=about, context=dict(self.context), properties=self._signs | own, **session_part, **parts
        )  # fmt: skip

    def begin_session(self) -> str:
        """Give the session of a login its name, before there is one."""
        self._session = self._session or secrets.token_urlsafe(16)
        return self._session

    def keep_session(self) -> None:
        """Write the name into the session that Django made since."""
        self.request.session[SESSION] = self.begin_session()

    def seal(self, response: HttpResponse) -> None:
        """Give the browser its device, where it had none and something was told of it."""
        if self._device:
            response.set_cookie(
                COOKIE,
                signing.Signer(salt=_SALT).sign(self._device),
                max_age=_COOKIE_AGE_S,
                httponly=True,
                secure=self.request.is_secure(),
                samesite="Lax",
            )

    @property
    def _signs(self) -> dict[str, Any]:
        """What the request says of the program behind it: signs in its headers, and the page that its form came from."""
        request = self.request
        signs = signs_of_wsgi(request.META, is_secure=request.is_secure())
        made: dict[str, Any] = {"client_signs": signs} if signs else {}
        if self._has_pages and request.method == "POST" and request.content_type in _FORMS:
            made["page"] = page_tokens().read(request.POST.get(PAGE_FIELD, ""))
        return made

    def _known_device(self) -> str:
        try:
            return str(signing.Signer(salt=_SALT).unsign(self.request.COOKIES.get(COOKIE, "")))
        except signing.BadSignature:  # none, or somebody made one up: a device that nobody knows
            self._device = secrets.token_urlsafe(16)
            return self._device


def visit_of(request: HttpRequest | None) -> Visit | None:
    """The visit of a request, or of the one under way; ``None`` outside of requests."""
    found = getattr(request, "shopward", None)
    return found if isinstance(found, Visit) else current.get()


def typed_name(credentials: Mapping[str, Any]) -> str:
    """What somebody typed as the name of an account."""
    return next((str(credentials[name]) for name in _NAMES if credentials.get(name)), "")


def _about(user: Any) -> dict[str, Any]:
    """``user`` of an event."""
    if user is None:
        return {}
    if isinstance(user, str):  # no such account; counted by what was typed
        return {"id": "typed:" + token("name", user.strip().lower()), "known": False} if user else {}
    if user.pk is None:
        return {}
    joined = getattr(user, "date_joined", None)
    tokens = {"email": token("email", (getattr(user, "email", "") or "").lower())}
    about = {
        "id": str(user.pk),
        "registered_at": joined.isoformat() if joined is not None and joined.tzinfo else "",
        "tokens": {name: value for name, value in tokens.items() if value},
    }
    return {name: value for name, value in about.items() if value}


def _warn_of_proxies(told: list[bool] = []) -> None:  # noqa: B006 -- once for the process
    if not told:
        told.append(True)
        _logger.warning(
            "shopward: X-Forwarded-For comes in and is not read: if a proxy of yours writes it, name it in SHOPWARD['proxies']"
        )
