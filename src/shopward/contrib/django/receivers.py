"""Signals: logins that no password opened, registrations, logouts.

Promise: a session that begins in a visit was decided, whoever began it: a login by a link, a foreign identity or a view that
goes around ``authenticate`` is decided here, and where it does not go on, the session ends before the answer leaves. Only
what really failed is told as failed: nothing listens to ``user_login_failed``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth import BACKEND_SESSION_KEY, get_user_model, logout
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_save

from shopward.contrib.django.asking import Stopped, login_decision
from shopward.contrib.django.backends import PATH
from shopward.contrib.django.options import shopward
from shopward.contrib.django.visit import current, visit_of

if TYPE_CHECKING:
    from django.http import HttpRequest

    from shopward.contrib.django.visit import Visit


def connect() -> None:
    """Once, when the app is ready."""
    user_logged_in.connect(_entered, dispatch_uid="shopward")
    user_logged_out.connect(_left, dispatch_uid="shopward")
    post_save.connect(_made, sender=get_user_model(), dispatch_uid="shopward")


def _entered(*, request: HttpRequest | None, user: Any, **_: Any) -> None:
    visit = visit_of(request)
    if visit is None or request is None:
        return
    if user.pk not in visit.decided:
        type_ = "registration" if user.pk in visit.created else "login"
        event = visit.event(type_, "succeeded", user)
        event["session"] = {"id": visit.begin_session()}
        if user.pk in visit.credentials:
            event["credential"] = visit.credentials[user.pk]
        decision = login_decision(shopward().client, visit, event, user)
        backend = request.session.get(BACKEND_SESSION_KEY, "")
        if not decision.may_proceed:
            visit.is_ours = True
            logout(request)
            raise Stopped(decision, event, user, backend if type_ == "login" else "")
        visit.decided.add(user.pk)
    _warn(request, visit)
    if request.session.get(BACKEND_SESSION_KEY) == PATH and user.pk in visit.backends:
        request.session[BACKEND_SESSION_KEY] = visit.backends[user.pk]
    visit.keep_session()


def _warn(request: HttpRequest, visit: Visit) -> None:
    """Say in the shop's own messages what an owner who was let in has to know: that the password is out, for example."""
    decision = visit.decisions.get("login")
    if decision is not None and decision.action("reset_password") is not None and decision.reasons:
        messages.warning(request, decision.reasons[0].text, fail_silently=True)


def _left(*, request: HttpRequest | None, user: Any, **_: Any) -> None:
    visit = visit_of(request)
    if visit is not None and user is not None and not visit.is_ours:
        shopward().client.record(visit.event("logout", "succeeded", user))


def _made(*, instance: Any, created: bool, **_: Any) -> None:
    visit = current.get()
    if created and visit is not None:
        visit.created.add(instance.pk)
