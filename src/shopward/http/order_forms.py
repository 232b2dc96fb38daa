"""Orders on pages: what a form says of one, read into the request that the API takes, and one as pages show it.

Promise: pure but for ``placed_once`` and ``let_out``. An amount is typed in the currency's own units and becomes minor ones exactly, or is refused; a form
that is sent twice, as by a double click, places one order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from shopward.errors import Conflict, InputTooLarge, InvalidField
from shopward.http.calls import decoded
from shopward.http.filters import minor_of, moment
from shopward.http.orders import ExceptionsAsked
from shopward.protection.operations import GROUPS
from shopward.protection.orders import RELEASE_CONDITIONS, OrderRequest
from shopward.protection.view import OrderView, explain, view
from shopward.values import DAY_MS, HOUR_MS, digest16, to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shopward.access import Caller
    from shopward.flows.protect import ProtectionDesk
    from shopward.protection.orders import Order

HOURS: Final = (1, 6, 24, 72, 168)
"""How long an order from a form lasts."""
KINDS: Final = ("freeze", "limit", "step_up", "revoke", "reset")
SCOPES: Final = tuple(GROUPS)
TARGETS: Final = ("everyone", "predicate", "victim_set")
_UNSCOPED: Final = frozenset({"revoke", "reset"})
_DAY_S: Final = DAY_MS // 1000
_ASSURANCE: Final = 2
"""Of a step-up: something that only the customer has."""


def request_of(form: Mapping[str, str], *, at_ms: int) -> OrderRequest:
    """The dry run of an order about many; raises ``InvalidField``."""
    kind, target = form.get("kind", ""), form.get("target", "")
    if kind not in KINDS or target not in TARGETS:
        raise _wrong("kind", "a kind and a target of the form")
    asked: dict[str, Any] = {
        "kind": kind, "reason": form.get("reason", ""), "incident": form.get("incident", "").strip(), "dry_run": True,
        "ends_at": to_rfc3339(at_ms + hours_of(form) * HOUR_MS), "target": _target(target, form),
        "release": [each for each in RELEASE_CONDITIONS if form.get(f"release_{each}")],
    }  # fmt: skip
    if kind not in _UNSCOPED:
        asked["scope"] = [form.get("scope", "")]
    if kind == "limit":
        asked["limit"] = limit_of(form)
    if kind == "step_up":
        asked["assurance"] = _ASSURANCE
    return request_from(asked)


def request_from(asked: dict[str, Any]) -> OrderRequest:
    """The request; raises ``InvalidField``, which names what does not fit."""
    try:
        return decoded(msgspec.json.encode(asked), OrderRequest)
    except InputTooLarge as refused:
        raise _wrong(refused.path or "order", refused.expected or "less") from None


def let_out(desk: ProtectionDesk, caller: Caller, order_id: str, *, user: str, evidence: str) -> None:
    """One user out of an order on the caller's word, in the shape that the API asks for; raises ``InvalidField``."""
    try:
        asked = msgspec.convert(
            {"users": [user.strip()], "cause": "staff_release", "evidence": evidence.strip()}, ExceptionsAsked
        )
    except msgspec.ValidationError:
        raise _wrong("users", "the id of a user, and the number of a case") from None
    desk.exempt(caller, order_id, asked.users, cause=asked.cause, evidence=asked.evidence)


def hours_of(form: Mapping[str, str]) -> int:
    """How long it lasts."""
    given = form.get("hours", "")
    if given not in {str(each) for each in HOURS}:
        raise _wrong("hours", "one of " + ", ".join(map(str, HOURS)))
    return int(given)


def limit_of(form: Mapping[str, str]) -> dict[str, Any]:
    """At most so much a day."""
    currency = form.get("currency", "").strip().upper()
    minor = minor_of(form.get("amount", ""), currency)
    if minor is None:
        raise _wrong("amount", "an amount such as 500000 or 12.50")
    return {"amount_minor": minor, "currency": currency, "window_s": _DAY_S}


def placed_once(
    desk: ProtectionDesk, caller: Caller, request: OrderRequest, form: Mapping[str, str]
) -> Order | None:
    """The order; nothing where this very form placed it before. One that was changed and sent again is another."""
    key = digest16(msgspec.json.encode(sorted(form.items()))).hex() if form.get("once") else None
    try:
        return desk.place(caller, request, key)
    except Conflict as refused:
        if refused.code == "idempotency_key_reused":
            return None
        raise


def shown_order(order: Order, spoken: str, *, at_ms: int, **more: Any) -> OrderView:
    """An order as the API shows it, with the times of its sentences as pages write them."""
    shown = view(order, language=spoken, at_ms=at_ms, **more)
    told = explain(order, spoken, moment=lambda moment_ms: f"{moment(moment_ms)} UTC")
    return msgspec.structs.replace(shown, explanation=told)


def _target(target: str, form: Mapping[str, str]) -> dict[str, Any]:
    if target == "everyone":
        return {"everyone": True}
    if target == "predicate":
        return {"predicate": form.get("predicate", "").strip()}
    lines = (each.strip() for each in form.get("users", "").splitlines())
    return {"victim_set": [each for each in lines if each]}


def _wrong(path: str, expected: str) -> InvalidField:
    return InvalidField("the order is not complete", path=path, expected=expected, found="otherwise")
