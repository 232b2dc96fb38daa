"""Castle's Risk, Filter and Log calls as events, and our decision as Castle's verdict.

Promise: pure; time and the id of an event that brings none are handed in. What Castle's documentation names and we can
use is used; what we cannot is named in docs/migrating.md. Three differences matter to a shop:

- Castle has no id of an event. A request token is good for one request, so an event that has one gets an id made of its
  body (without ``sent_at``): the same call again hears the same decision. Without a token every call is a new event.
- a request token is not opened: it is Castle's, and we fingerprint no browsers. The device is ``context.client_id``.
- our score is one number. It is ``risk`` and ``scores.account_takeover``; there is none for bots.

Sources: docs.castle.io (activities, anonymous actions, authentication method, out-of-band actions) and the types of
Castle's own client library for Node 3, both read in November 2026.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from shopward.errors import InvalidField
from shopward.events import decode_event
from shopward.flows.wording import Decision
from shopward.http.peers.tables import at, mapped, table_of, text_of, token_of
from shopward.values import digest16, minor_digits, to_rfc3339

if TYPE_CHECKING:
    from shopward.events import Event, EventLimits
    from shopward.http.peers.tables import Blind

FILTER: Final = "/v1/filter"
RISK: Final = "/v1/risk"
LOG: Final = "/v1/log"
CHANGES_MAX: Final = 32
_CHARS_MAX: Final = 40
_table: Final = table_of("castle")
_encoder: Final = msgspec.json.Encoder(order="deterministic")
_USERLESS: Final = frozenset({"login", "password_reset_request"})
_NAMES: Final = ("email", "phone", "username")


class Score(Struct, frozen=True):
    """From 0 to 1."""

    score: float


class Scores(Struct, frozen=True):
    """Castle's scores, of which we have one."""

    account_takeover: Score


class RiskPolicy(Struct, frozen=True):
    """What decided, and what to do: ``allow``, ``challenge`` or ``deny``; our ``review`` lets it go ahead: ``allow``."""

    id: str
    revision_id: str
    name: str
    action: str


class Device(Struct, frozen=True):
    """The device that the caller named."""

    token: str


class CastleVerdict(Struct, frozen=True, omit_defaults=True):
    """Castle's answer; ``signals`` are our reasons' codes, ``shopward`` is our whole decision."""

    risk: float
    scores: Scores
    policy: RiskPolicy
    signals: dict[str, dict[str, Any]]
    shopward: Decision
    device: Device | None = None


class CastleError(Struct, frozen=True):
    """Castle's shape of an error; ``type`` is our code."""

    type: str
    message: str


def castle_event(
    given: dict[str, Any], *, call: str, blind: Blind, limits: EventLimits, now_ms: int, new_id: str
) -> Event:
    """The event that a call says.

    Args:
        given: the body.
        call: its path.
        blind: makes tokens of personal values.
        limits: of an event.
        now_ms: when it happened, where it does not say.
        new_id: its id, where it has no request token.

    Raises:
        BadInput: it says none.
    """
    type_ = _word(given, "type" if given.get("event") is None else "event", _table.types)
    made = mapped(given, _table, blind)
    made["type"] = type_ if type_ not in ("profile_update", "payment") else _finer(type_, given)
    made["status"] = _status(given, type_)
    made["id"] = _id_of(given, call) or new_id
    made["time"] = given.get("created_at") or to_rfc3339(now_ms)
    user = made.setdefault("user", {})
    if call == FILTER:
        _visitor(user, given, made, blind)
    elif call == RISK and not user.get("id"):
        raise InvalidField("missing field", path="user.id", expected="the user's id", found="nothing")
    changes = _changes(given, blind)
    if changes:
        made["changes"] = changes
    if isinstance(made.get("transaction"), dict) or given.get("transaction") is not None:
        made.setdefault("transaction", {}).update(_amount(given))
    _method(given, made)
    return decode_event(msgspec.json.encode(made), limits=limits)


def castle_verdict(decision: Decision, device_id: str) -> CastleVerdict:
    """A decision in Castle's shape."""
    name, _, version = decision.policy.partition("@")
    risk = round(decision.score / 100, 4)
    return CastleVerdict(
        risk=risk,
        scores=Scores(Score(risk)),
        policy=RiskPolicy(name, version, decision.policy, _action(decision.decision)),
        signals={reason.code: {} for reason in decision.reasons},
        shopward=decision,
        device=Device(device_id) if device_id else None,
    )


def _action(decision: str) -> str:
    return "allow" if decision == "review" else decision


def _word(given: dict[str, Any], path: str, words: dict[str, str]) -> str:
    found = given.get(path)
    if not isinstance(found, str) or found not in words:
        raise InvalidField(
            "not in the vocabulary",
            code="unknown_word",
            path=path,
            expected="one of " + ", ".join(words),
            found="nothing" if found is None else "another word",
        )
    return words[found]


def _status(given: dict[str, Any], type_: str) -> str:
    """A ``$custom`` event has no status: it has happened."""
    if given.get("status") is None and type_ == "custom":
        return "succeeded"
    return _word(given, "status", _table.statuses)


def _finer(type_: str, given: dict[str, Any]) -> str:
    """What was changed, or which way money goes, makes another type of ours."""
    if type_ == "payment":
        kind = at(given, "transaction.type")
        return _table.transactions.get(kind, type_) if isinstance(kind, str) else type_
    changeset = at(given, "changeset")
    named = changeset if isinstance(changeset, dict) else {}
    method = named.get("authentication_method.type")
    if isinstance(method, dict) and not any(name in named for name in _table.changes):
        return "mfa_remove" if method.get("to") is None else "mfa_enroll"
    return next((finer for name, finer in _table.changes.items() if name in named), type_)


def _id_of(given: dict[str, Any], call: str) -> str | None:
    if not given.get("request_token"):
        return None
    told = {name: value for name, value in given.items() if name != "sent_at"}
    return "castle-" + digest16(call.encode() + b"\x1f" + _encoder.encode(told)).hex()


def _visitor(user: dict[str, Any], given: dict[str, Any], made: dict[str, Any], blind: Blind) -> None:
    """Who a call of /v1/filter is about: nobody is signed in, and perhaps no such account exists.

    Our types that need a user get one made of what the visitor typed, so that what is tried for one name is counted.
    """
    if user.get("id"):
        return
    if made["status"] == "failed":
        user["known"] = False
    if made["type"] in _USERLESS:
        return
    typed = next((name for name in _NAMES if at(given, "params." + name)), None)
    if typed is not None:
        path = "params." + typed
        user["id"] = "visitor-" + token_of(typed, at(given, path), path, blind)
        user["known"] = False


def _changes(given: dict[str, Any], blind: Blind) -> list[dict[str, str]]:
    changeset = at(given, "changeset")
    if changeset is None:
        return []
    if not isinstance(changeset, dict) or len(changeset) > CHANGES_MAX:
        raise InvalidField(
            "not a changeset", path="changeset", expected=f"an object of at most {CHANGES_MAX} attributes"
        )
    return [_change(name, change, blind) for name, change in changeset.items()]


def _change(name: str, change: Any, blind: Blind) -> dict[str, str]:
    made = {"field": name}
    for side, token in (("from", "old_token"), ("to", "new_token")):
        value = change.get(side) if isinstance(change, dict) else None
        if value is not None:
            kind = name if name in ("email", "phone") else "change"
            made[token] = token_of(kind, value, f"changeset.{name}.{side}", blind)
    return made


def _amount(given: dict[str, Any]) -> dict[str, Any]:
    """Minor units of a currency; an amount of something that is no currency is left out."""
    amount = at(given, "transaction.amount")
    if amount is None or at(given, "transaction.amount.type") == "$crypto":
        return {}
    text = text_of(at(given, "transaction.amount.value"), "transaction.amount.value")
    currency = text_of(at(given, "transaction.amount.currency"), "transaction.amount.currency").upper()
    try:
        units = Decimal(text[:_CHARS_MAX]).scaleb(minor_digits(currency))
        exact = int(units) if len(text) <= _CHARS_MAX and units == int(units) else None
    except (InvalidOperation, ValueError, OverflowError):
        exact = None
    if exact is None:
        raise InvalidField(
            "not an amount", path="transaction.amount.value", expected="a decimal number that the currency can express"
        )  # fmt: skip
    return {"amount_minor": exact, "currency": currency}


def _method(given: dict[str, Any], made: dict[str, Any]) -> None:
    """How somebody proved to be the customer: a factor of a challenge, or another company's sign-in."""
    kind, variant = at(given, "authentication_method.type"), at(given, "authentication_method.variant")
    if made["type"] == "challenge" and isinstance(kind, str) and kind in _table.factors:
        made["challenge"] = {"factor": _table.factors[kind]}
    if kind == "$social" and isinstance(variant, str):
        made.setdefault("transaction", {}).setdefault("identity_provider", variant[:_CHARS_MAX])
