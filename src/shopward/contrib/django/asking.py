"""Asking before something is done, and telling what came of it.

Promise: ``Stopped`` is the one thing that comes out of here, and the middleware makes a page of it. Where the request's own
objects cannot be read (a preset on a version of a shop that it does not know), the SDK's table answers as if the server were
not heard, and it is logged: fails open or closed as the shop said for that type.

The story of a guarded view: (1) the event; (2) the decision, and for money the capture; (3) a proof that the shop took
itself counts while the server is not heard; (4) stopped, or on to the view; (5) what came of it is told.
"""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Any, Final

from django.core.cache import cache

from shopward.client import Decision, Fault
from shopward.contrib.django.guards import NOBODYS, OF_ACCOUNTS
from shopward.contrib.django.own_code import is_proved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

    from shopward.client import Client
    from shopward.contrib.django.guards import GuardedView
    from shopward.contrib.django.visit import Visit

_logger = logging.getLogger("shopward.django")
_QUIET_S: Final = 60
_NEW_PASSWORDS: Final = frozenset({"registration", "password_change", "password_reset"})


class Stopped(Exception):
    """An action does not go ahead. No ``PermissionDenied``: Django's ``authenticate`` would call it a wrong password.

    Attributes:
        decision: why.
        event: what was asked.
        user: whose account it is; ``None`` for visitors.
        backend: of a login that goes on once it is proved; empty for everything else.
    """

    def __init__(self, decision: Decision, event: Mapping[str, Any], user: Any, backend: str = "") -> None:
        super().__init__(decision.decision)
        self.decision = decision
        self.event = event
        self.user = user
        self.backend = backend


def login_decision(client: Client, visit: Visit, event: Mapping[str, Any], user: Any) -> Decision:
    """The decision on a login; a proof that the shop took counts while the server is not heard."""
    decision = client.decide(event, language=visit.language)
    decision = visit.decisions[event["type"]] = _with_own_proof(visit, decision, event["type"], user)
    return decision


def ask(
    client: Client, visit: Visit, guarded: GuardedView, kwargs: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Steps 1 to 4 for one guarded view; the event, or ``None`` where there is no account that could be changed.

    Raises:
        Stopped: it does not go ahead.
    """
    request = visit.request
    user: Any = None
    event: dict[str, Any]
    try:
        user = guarded.user(request, kwargs)
        event = visit.event(guarded.type, "attempted", user, **guarded.parts(request, kwargs))  # (1)
    except Exception as problem:  # noqa: BLE001 -- a reader of a shop's own objects; the table decides, the page goes on
        _note_unreadable(guarded.type, problem)
        event = {"id": "", "type": guarded.type}
        decision = client.fallback.decision(event, Fault("event_refused", "the request could not be read"))
    else:
        if "user" not in event and guarded.type not in NOBODYS:
            if guarded.type in OF_ACCOUNTS:
                return None
            event["user"] = {"id": f"guest:{visit.context['device_id']}"}
        if guarded.moves_money:
            decision = _captured(client, visit, event)
        else:
            decision = client.decide(event, language=visit.language)  # (2)
    decision = visit.decisions[guarded.type] = _with_own_proof(visit, decision, guarded.type, user)  # (3)
    if not decision.may_proceed:
        raise Stopped(decision, event, user)  # (4)
    return event


def tell(
    client: Client, visit: Visit, guarded: GuardedView, event: Mapping[str, Any], response: HttpResponse
) -> Decision | None:
    """Step 5: what came of it; where the answer tells a secret, also whether it may leave."""
    if not event["id"]:
        return None
    try:
        happened = guarded.outcome(visit.request, response)
    except Exception as problem:  # noqa: BLE001 -- as in step 1; what came of it stays unknown
        _note_unreadable(guarded.type, problem)
        return None
    if happened is None:
        return None
    kept = {
        name: event[name]
        for name in ("type", "user", "context", "session", "transaction", "changes")
        if name in event
    }
    status = "succeeded" if happened else "failed"
    told = visit.event(kept.pop("type"), status) | kept
    if happened and guarded.type in _NEW_PASSWORDS and visit.credentials:
        told["credential"] = next(iter(visit.credentials.values()))
    if not guarded.tells_secrets:
        client.record(told)
        return None
    decision = client.decide(told, language=visit.language)
    return None if decision.is_fallback else decision  # (2) spoke for the table already


def _note_unreadable(what: str, problem: Exception) -> None:
    """Log, once a minute, that a request could not be read: the kind of the problem and where, and no value of it."""
    if cache.add(f"shopward.unreadable.{what}", 1, _QUIET_S):
        where = "".join(
            f" {frame.name}:{frame.lineno}" for frame in traceback.extract_tb(problem.__traceback__)[-3:]
        )
        kind = type(problem).__name__
        _logger.warning(
            "shopward: a guard of %s could not read its request (%s at%s); the table decides",
            what,
            kind,
            where,
        )


def _captured(client: Client, visit: Visit, event: Mapping[str, Any]) -> Decision:
    """Both steps of a movement of money: what is not captured does not move."""
    authorization = client.authorize(event, language=visit.language)
    if not authorization.may_capture or authorization.decision.is_fallback:
        return authorization.decision
    captured = client.capture(authorization)
    if captured.may_move_money:
        return authorization.decision
    if captured.fault is not None and captured.fault.code != "not_captured":  # not heard in between
        return client.fallback.decision(event, captured.fault)
    return Decision(str(event["id"]), "deny", id=authorization.decision.id)  # an order overtook it


def _with_own_proof(visit: Visit, decision: Decision, type_: str, user: Any) -> Decision:
    if decision.is_fallback and decision.decision == "challenge" and is_proved(visit.request, type_, user):
        return Decision(decision.event_id, "allow", fault=decision.fault)
    return decision


def wants_json(request: HttpRequest) -> bool:
    """Whether a program asks, which a page would not help."""
    return not request.accepts("text/html") or request.headers.get("x-requested-with") == "XMLHttpRequest"
