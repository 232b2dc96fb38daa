"""The backend that goes first: the others say whether the password is right, Shopward whether the login goes on.

Promise: the password is checked once, by the shop's own backends in their own order; a right one on a login that is denied
looks to the caller like a wrong one, but for the time of the look-up among stolen passwords (``screens_logins``), which only right
ones take; a challenge leads to the challenge page. The ``user_login_failed`` that Django sends
for a denied login is told to nobody: our own denials never feed the score. Outside of a request (a command, a worker) this
backend stands aside. Sessions keep the name of the backend that knew the password, so that taking Shopward out logs nobody
out.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.contrib.auth import load_backend
from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import PermissionDenied
from django.views.decorators.debug import sensitive_variables

from shopward.contrib.django.asking import Stopped, login_decision
from shopward.contrib.django.options import shopward
from shopward.contrib.django.presets.accounts import account_of
from shopward.contrib.django.tokens import token
from shopward.contrib.django.visit import typed_name, visit_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest

PATH: Final = "shopward.contrib.django.backends.VetoBackend"


class VetoBackend(BaseBackend):
    """First in ``AUTHENTICATION_BACKENDS``."""

    @sensitive_variables()  # type: ignore[untyped-decorator, unused-ignore] # no stubs
    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> Any:
        """The account, where the password is right and the login goes on; ``None`` where this is no visit of ours.

        Raises:
            PermissionDenied: the password is wrong, or the login is denied: the same to the caller.
            Stopped: it has to be proved first.
        """
        visit = visit_of(request)
        if visit is None:
            return None
        user, backend = self._known_to_others(request, credentials)
        if user is not None and user.pk in visit.created:
            return None  # signed in by its own registration, which the receiver tells of
        told = user if user is not None else account_of(name := typed_name(credentials)) or name
        event = visit.event("login", "failed" if user is None else "succeeded", told)
        password = str(credentials.get("password") or "")
        if user is None:
            if password:
                event["credential"] = {"password_hmac": token("password", password)}
            shopward().client.decide(event)
            raise PermissionDenied
        if password:
            event["credential"] = shopward().credential(password)
        event["session"] = {"id": visit.begin_session()}
        decision = login_decision(shopward().client, visit, event, user)
        if decision.may_proceed:
            visit.decided.add(user.pk)
            visit.backends[user.pk] = backend
            return user
        if decision.decision == "challenge":
            raise Stopped(decision, event, user, backend)
        raise PermissionDenied

    def get_user(self, user_id: Any) -> Any:
        """For sessions that name this backend: whoever the others know."""
        for _, backend in _others():
            user = backend.get_user(user_id)
            if user is not None:
                return user
        return None

    def _known_to_others(self, request: HttpRequest | None, credentials: dict[str, Any]) -> tuple[Any, str]:
        """What ``django.contrib.auth.authenticate`` does, for the backends behind this one."""
        for path, backend in _others():
            try:
                inspect.signature(backend.authenticate).bind(request, **credentials)
            except TypeError:  # made for other credentials
                continue
            user = backend.authenticate(request, **credentials)  # its PermissionDenied ends it, as it should
            if user is not None:
                return user, path
        return None, ""


def _others() -> Iterator[tuple[str, Any]]:
    return ((path, load_backend(path)) for path in settings.AUTHENTICATION_BACKENDS if path != PATH)
