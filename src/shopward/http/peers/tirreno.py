"""tirreno's sensor as events: a form of fields in, nothing or a word about the address out.

Promise: pure; time and the id of an event that has no time of its own are handed in. As in tirreno a field that cannot
be read is left out and the rest is kept; only what an event cannot do without is refused. Two differences matter:

- tirreno has no id of an event; its time has milliseconds, so the same form twice is the same event.
- tirreno answers no decision. Where ``blacklisting`` is asked for, ``blacklisted`` is true where we deny.

Sources: the API page of tirreno.com and the sensor and trackers of tirreno 0.10, read in November 2026.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from shopward.errors import InputTooLarge, InvalidField
from shopward.events import decode_event
from shopward.http.peers.tables import mapped, table_of, token_of, utc_of
from shopward.values import digest16, to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shopward.events import Event, EventLimits
    from shopward.http.peers.tables import Blind

FIELDS_MAX: Final = 200
CHANGES_MAX: Final = 32
NAME_MAX: Final = 100
_NOBODY: Final = frozenset({"login"})
_table: Final = table_of("tirreno")
_BRACKETED: Final = re.compile(r"(payload|fieldHistory)((?:\[[A-Za-z0-9_]{0,40}\]){1,2})")


class Blacklisted(Struct, frozen=True):
    """What is answered where ``blacklisting`` is asked for."""

    value: str
    blacklisted: bool


def form_of(raw: bytes) -> dict[str, Any]:
    """The fields of a form; ``payload`` and ``fieldHistory`` as JSON or in PHP's brackets become what they say.

    Raises:
        InputTooLarge: more fields than any event has.
    """
    try:
        pairs = parse_qsl(
            raw.decode("utf-8", "replace"), keep_blank_values=False, errors="replace", max_num_fields=FIELDS_MAX
        )  # fmt: skip
    except ValueError:
        raise InputTooLarge("too many fields", expected=f"at most {FIELDS_MAX} fields") from None
    given: dict[str, Any] = {}
    for name, value in pairs:
        bracketed = _BRACKETED.fullmatch(name)
        if bracketed:
            _put(given, bracketed[1], bracketed[2][1:-1].split("]["), value)
        elif name in ("payload", "fieldHistory"):
            given[name] = _json(value)
        else:
            given[name] = value
    return given


def tirreno_event(
    given: Mapping[str, Any], raw: bytes, *, blind: Blind, limits: EventLimits, now_ms: int, new_id: str
) -> Event:
    """The event that a form says.

    Args:
        given: its fields.
        raw: the form as sent.
        blind: makes tokens of personal values.
        limits: of an event.
        now_ms: when it happened, where its time cannot be read.
        new_id: its id, in that case.

    Raises:
        BadInput: it says none.
    """
    word = _word(given)
    told = {**given, "eventType": word, "userName": str(given.get("userName", ""))[:NAME_MAX]}
    made = mapped(told, _table, blind)
    made["type"], made["status"] = _table.types[word], _table.statuses.get(word, "succeeded")
    moment = utc_of(given.get("eventTime", ""), "eventTime")
    made["id"] = "tirreno-" + digest16(raw).hex() if moment else new_id
    made["time"] = moment or to_rfc3339(now_ms)
    user = made.setdefault("user", {})
    if not user.get("id"):
        _unnamed(user, given, made["type"], blind)
    changes = _changes(given, word, blind)
    if changes:
        made["changes"] = changes
    return decode_event(msgspec.json.encode(made), limits=limits)


def wants_blacklisting(given: Mapping[str, Any]) -> bool:
    """Whether the caller waits for a word about the address."""
    return str(given.get("blacklisting", "")).lower() in ("1", "true", "on", "yes")


def _word(given: Mapping[str, Any]) -> str:
    """The event's type in tirreno's words; a form without one is a page view, or an error page."""
    word = given.get("eventType")
    if word is None:
        code = str(given.get("httpCode", ""))
        return "page_error" if code.isdecimal() and int(code[:4]) >= 400 else "page_view"
    if word not in _table.types:
        raise InvalidField(
            "not in the vocabulary",
            code="unknown_word",
            path="eventType",
            expected="one of " + ", ".join(_table.types),
            found="another word",
        )
    return str(word)


def _unnamed(user: dict[str, Any], given: Mapping[str, Any], type_: str, blind: Blind) -> None:
    """Without a name the address of the mail stands for the user, as in tirreno; a login may have neither."""
    if type_ in _NOBODY and not given.get("emailAddress"):
        user["known"] = False
    elif given.get("emailAddress"):
        user["id"] = "mail-" + token_of("email", given["emailAddress"], "emailAddress", blind)
    else:
        raise InvalidField("missing field", path="userName", expected="a value", found="nothing")


def _changes(given: Mapping[str, Any], word: str, blind: Blind) -> list[dict[str, str]]:
    if word == "account_email_change":
        payload = given.get("payload")
        return [_change("email", payload, blind)] if isinstance(payload, dict) else []
    if word != "field_edit":
        return []
    history = given.get("fieldHistory")
    rows = list(history.values()) if isinstance(history, dict) else history
    if not isinstance(rows, list):
        return []
    named = [row for row in rows[:CHANGES_MAX] if isinstance(row, dict) and row.get("field_id")]
    return [_change(str(row["field_id"])[:NAME_MAX], row, blind) for row in named]


def _change(name: str, row: Mapping[str, Any], blind: Blind) -> dict[str, str]:
    made = {"field": name}
    for side, token in (("old_value", "old_token"), ("new_value", "new_token")):
        value = row.get(side)
        if isinstance(value, str | int | float) and value != "":
            made[token] = token_of("email" if name == "email" else "change", str(value), side, blind)
    return made


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None


def _put(given: dict[str, Any], name: str, keys: list[str], value: str) -> None:
    holder = given.setdefault(name, {})
    if not isinstance(holder, dict):
        return
    if len(keys) == 2:
        holder = holder.setdefault(keys[0], {})
        if not isinstance(holder, dict):
            return
    holder[keys[-1]] = value
