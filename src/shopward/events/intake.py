"""Intake: bytes of a stranger become an ``Event`` or a refusal that says where and why.

Promise:
- nothing but ``BadInput`` (and its children) leaves ``decode_event``, whatever the bytes;
- every refusal names the path, what was expected and what was found, and never repeats a value;
- limits on bytes, depth, lengths and counts are checked before anything is kept.

It does not record, and does not know whether the id was used before.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import UNSET, Struct

from shopward.errors import BadInput, InputTooLarge, InvalidField, MalformedInput
from shopward.events.catalogue import (
    ACTOR_TYPES,
    COUNTRY_PATTERN,
    CURRENCY_PATTERN,
    EVENT_TYPES,
    INSTRUMENTS,
    LABEL_STATUSES,
    STATUSES,
    USER_OPTIONAL_TYPES,
    Context,
    Event,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class EventLimits(Struct, frozen=True):
    """How much one caller may send; beyond it 413."""

    event_bytes_max: int = 65_536
    batch_bytes_max: int = 16 * 1024 * 1024
    batch_lines_max: int = 10_000
    properties_depth_max: int = 4
    properties_values_max: int = 128
    property_chars_max: int = 1024


DEFAULT_LIMITS: Final = EventLimits()

_decoder: Final = msgspec.json.Decoder(Event)
_countries: Final[set[str]] = set()
_currencies: Final[set[str]] = set()
_encoder: Final = msgspec.json.Encoder(order="deterministic")
_AT: Final = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_EXPECTED_GOT: Final = re.compile(
    r"^Expected `(?P<expected>[^`]*)`(?P<bound>.*?)(?:, got `(?P<found>[^`]*)`)?$", re.DOTALL
)
_FIELD: Final = re.compile(r"`(?P<name>[^`]*)`")
_VOCABULARIES: Final = {
    "type": EVENT_TYPES,
    "status": STATUSES,
    "actor.type": ACTOR_TYPES,
    "transaction.instrument": INSTRUMENTS,
}


def decode_event(raw: bytes, *, limits: EventLimits = DEFAULT_LIMITS) -> Event:
    """The event that ``raw`` (one JSON object, UTF-8) says.

    Raises:
        MalformedInput: not JSON, not UTF-8, truncated.
        InvalidField: a field missing, unknown, of a wrong type or outside its vocabulary or range.
        InputTooLarge: a limit was passed.
    """
    if len(raw) > limits.event_bytes_max:
        raise InputTooLarge(
            "event too large", expected=f"at most {limits.event_bytes_max} bytes", found=f"{len(raw)} bytes"
        )
    try:
        event = _decoder.decode(raw)
    except msgspec.ValidationError as refusal:
        raise refusal_of(str(refusal), raw) from None
    except RecursionError:
        raise InputTooLarge("event nested too deeply", expected="a depth that an event needs") from None
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as broken:
        raise MalformedInput(
            "not a JSON event", expected="one JSON object in UTF-8", found=_where(broken)
        ) from None
    if b"\\" in raw and b"\\u0000" in raw and holds_nul(msgspec.to_builtins(event)):
        raise InvalidField(
            "a NUL character", path="(the event)", expected="text without U+0000, which no database keeps"
        )
    check_event(event, limits=limits)
    return event


def check_event(event: Event, *, limits: EventLimits = DEFAULT_LIMITS) -> None:
    """What the shapes alone cannot say; raises ``InvalidField`` or ``InputTooLarge``."""
    if event.type not in USER_OPTIONAL_TYPES and (event.user is UNSET or not event.user.id):
        raise InvalidField(
            "the user is missing",
            path="user.id",
            expected=f"the user's id: a {event.type} has one",
            found="nothing",
        )
    if (event.type == "label") != (event.status in LABEL_STATUSES):
        expected = (
            "fraud or genuine for a label" if event.type == "label" else "fraud and genuine only for a label"
        )
        raise InvalidField(
            "status does not fit the type", path="status", expected=expected, found="another status"
        )
    if event.type == "label" and (
        event.label is UNSET or not (event.label.event_id or event.label.transaction_id)
    ):
        raise InvalidField(
            "the label names nothing", path="label.event_id", expected="the id of the event", found="nothing"
        )
    context, money = event.context, event.transaction
    if context is not UNSET:
        check_context(context)
    if money is not UNSET:
        if money.currency is UNSET:
            if money.amount_minor:
                raise InvalidField(
                    "an amount without currency",
                    path="transaction.currency",
                    expected="an ISO 4217 code",
                    found="nothing",
                )
        elif money.currency not in _currencies:
            _check_code("transaction.currency", money.currency, CURRENCY_PATTERN, _currencies)
    if event.properties is not UNSET:
        _check_properties(event.properties, limits)


def check_context(context: Context) -> None:
    """What the shape leaves open of a context; for those that come without an event of the shop.

    Raises:
        InvalidField: a country that is none of ISO 3166-1 by its form.
    """
    if context.country not in _countries:
        _check_code("context.country", context.country, COUNTRY_PATTERN, _countries)


def _check_code(path: str, code: str, pattern: str, seen: set[str]) -> None:
    """Keep a code that fits its pattern, of which there are few thousand; refuse another."""
    if re.fullmatch(pattern, code) is None:
        raise InvalidField(
            "wrong type or range", path=path, expected=f"str matching regex '{pattern}'", found="another text"
        )
    seen.add(code)


def canonical_bytes(event: Event) -> bytes:
    """The event as JSON in one fixed order of fields: equal events give equal bytes, however they were written."""
    return _encoder.encode(event)


def split_lines(body: bytes, *, limits: EventLimits = DEFAULT_LIMITS) -> Iterator[bytes]:
    """The non-empty lines of an NDJSON body; raises ``InputTooLarge`` before the first one if there are too many."""
    lines = [line for line in body.split(b"\n") if line.strip()]
    if len(lines) > limits.batch_lines_max:
        raise InputTooLarge(
            "too many lines", expected=f"at most {limits.batch_lines_max} lines", found=f"{len(lines)} lines"
        )
    return iter(lines)


def _check_properties(properties: dict[str, Any], limits: EventLimits) -> None:
    layer: list[tuple[str, Any]] = [("properties", properties)]
    values, depth = 0, 1
    while layer:
        if depth > limits.properties_depth_max:
            raise InputTooLarge(
                "properties nested too deeply",
                path=layer[0][0],
                expected=f"a depth of at most {limits.properties_depth_max}",
            )
        below: list[tuple[str, Any]] = []
        for path, holder in layer:
            items: Iterable[tuple[object, Any]] = (
                holder.items() if isinstance(holder, dict) else enumerate(holder)
            )
            for name, value in items:
                values += 1
                if values > limits.properties_values_max:
                    raise InputTooLarge(
                        "too many properties",
                        path="properties",
                        expected=f"at most {limits.properties_values_max} values",
                    )
                _check_property(path, name, value, limits)
                if isinstance(value, dict | list):
                    below.append((f"{path}.{name}", value))
        layer, depth = below, depth + 1


def _check_property(path: str, name: object, value: object, limits: EventLimits) -> None:
    for text in (name, value):
        if isinstance(text, str) and len(text) > limits.property_chars_max:
            raise InputTooLarge(
                "a property too long",
                path=path,
                expected=f"at most {limits.property_chars_max} characters",
                found=f"{len(text)} characters",
            )


def refusal_of(message: str, raw: bytes) -> BadInput:
    """A msgspec validation message as our refusal: path, expected and found, without any value of the input."""
    parts = _AT.match(message)
    what = parts["what"] if parts else message
    path = ((parts["path"] if parts else None) or "$").removeprefix("$").removeprefix(".") or "(the event)"
    if what.startswith("Object contains unknown field"):
        name = _named(what)
        full = name if path == "(the event)" else f"{path}.{name}"
        return InvalidField(
            "unknown field", code="unknown_field", path=full[:128], expected="a field of the catalogue", found="an unknown field",
            hint="free data goes into properties",
        )  # fmt: skip
    if what.startswith("Object missing required field"):
        name = _named(what)
        full = name if path == "(the event)" else f"{path}.{name}"
        return InvalidField("missing field", path=full, expected="a value", found="nothing")
    if what.startswith("Invalid enum value"):
        return _not_in_vocabulary(path, what)
    got = _EXPECTED_GOT.match(what)
    if got is None:
        return InvalidField(
            "invalid value", path=path, expected=what.removeprefix("Invalid ")[:80], found="something else"
        )
    expected = (got["expected"] + got["bound"]).strip()
    if "length <=" in expected:
        return InputTooLarge("too long", path=path, expected=expected, found="more")
    found = got["found"] or _range_found(raw)
    return InvalidField("wrong type or range", path=path, expected=expected, found=found)


def _not_in_vocabulary(path: str, what: str) -> InvalidField:
    words = _VOCABULARIES.get(path, ())
    quoted = re.search(r"'(.*)'", what, re.DOTALL)
    near = difflib.get_close_matches(quoted[1][:40], words, n=1) if quoted else []
    return InvalidField(
        "not in the vocabulary",
        code="unknown_word",
        path=path,
        expected="one of " + ", ".join(words) if words else "a word of the vocabulary",
        found="another word",
        hint=f"did you mean {near[0]}?" if near else None,
    )


def _named(what: str) -> str:
    name = _FIELD.search(what)
    return name["name"][:64] if name else "?"


def _range_found(raw: bytes) -> str:
    return f"a value outside it, in an event of {len(raw)} bytes"


def holds_nul(value: object) -> bool:
    """Whether a decoded value has a NUL character in any text."""
    if isinstance(value, dict):
        return any(holds_nul(part) for item in value.items() for part in item)
    if isinstance(value, list):
        return any(holds_nul(part) for part in value)
    return isinstance(value, str) and "\x00" in value


def _where(broken: Exception) -> str:
    text = str(broken)
    position = re.search(r"byte (\d+)", text)
    if position:
        return f"an error at byte {position[1]}"
    if "truncated" in text:
        return "truncated input"
    return "invalid UTF-8" if "utf-8" in text.lower() else "malformed JSON"
