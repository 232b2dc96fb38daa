"""The guard: right behind Django's ``AuthenticationMiddleware``.

Promise: a guarded view runs only where it may; what it did is told behind it, after its transaction (``ATOMIC_REQUESTS``
wraps the view alone, so a stop rolls back nothing of ours and everything of the view's). A request that touches nothing
guarded costs no call. A setting that cannot work stops the shop's start, not its pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import logout

from shopward.contrib.django import own_page, pages, proving
from shopward.contrib.django.asking import Stopped, ask, tell
from shopward.contrib.django.options import shopward
from shopward.contrib.django.visit import Visit, current

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from django.http import HttpRequest, HttpResponse


class Guard:
    """For ``MIDDLEWARE``."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._client = shopward().client

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """One request."""
        visit = Visit(request, shopward().proxies, has_pages=shopward().has_pages)
        request.shopward = visit  # type: ignore[attr-defined, unused-ignore] # Django's way to hand things on
        under_way = current.set(visit)
        try:
            response = self._answered(visit)
        finally:
            current.reset(under_way)
        visit.seal(response)
        return response

    def process_view(
        self, request: HttpRequest, _view: Any, _args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> HttpResponse | None:
        """Ask before a guarded view runs."""
        visit = request.shopward  # type: ignore[attr-defined, unused-ignore] # see above
        match = request.resolver_match
        for guarded in shopward().guards.get(match.view_name if match else "", ()):
            try:
                if (
                    guarded.applies(request)
                    and (event := ask(self._client, visit, guarded, kwargs)) is not None
                ):
                    visit.asked.append((guarded, event))
            except Stopped as stop:
                visit.asked.clear()  # a later one stopped it: nothing of the earlier ones happened
                return self._stopped(visit, stop)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A login that does not go on, from inside the shop's own view."""
        if isinstance(exception, Stopped):
            return self._stopped(request.shopward, exception)  # type: ignore[attr-defined, unused-ignore] # see above
        return None

    def _answered(self, visit: Visit) -> HttpResponse:
        if visit.request.path_info == proving.PATH:
            return proving.answer(self._client, visit)
        if visit.request.path_info == own_page.PATH:
            return own_page.answer(self._client, visit)
        response = self._get_response(visit.request)
        for guarded, event in visit.asked:
            decision = tell(self._client, visit, guarded, event, response)
            if decision is not None and decision.decision == "deny":
                return pages.stopped(visit, decision)
        return response

    def _stopped(self, visit: Visit, stop: Stopped) -> HttpResponse:
        if stop.decision.action("revoke_sessions") is not None and not stop.backend:
            _end_session(visit)
            return pages.stopped(visit, stop.decision)
        if stop.decision.decision == "challenge":
            return proving.begin(visit, stop)
        return pages.stopped(visit, stop.decision)


def _end_session(visit: Visit) -> None:
    visit.is_ours = True
    if hasattr(visit.request, "session"):
        logout(visit.request)
