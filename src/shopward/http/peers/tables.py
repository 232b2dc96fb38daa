"""Tables of fields: where a value of a peer's request goes in an event of ours, and as what.

Promise: a pure function from what was sent to the dictionary of an event. A value of a wrong type is an ``InvalidField``
with the peer's own path; nothing of the value is repeated. What a row may say under ``as``:

| word | gives |
|---|---|
| text | text or a number, as text, cut to what a field holds |
| id | the same, and never cut: two users must not become one |
| object | an object as it stands |
| email, phone, address | a keyed token of it, the same for the same value however it is written (case, spaces) |
| agent | the user agent, and its system, browser and kind of device in words |
| language | the first language of an Accept-Language |
| path | a URL without its query, which may hold secrets |
| utc | ``YYYY-MM-DD hh:mm:ss`` with or without a fraction, in UTC |
| address_or_none | an IP address; anything else is left out, as the peer does |
| instruments, ... | a word of the table of that name; a word that it does not have is left out |
"""

from __future__ import annotations

import ipaddress
import tomllib
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, field

from shopward.agents import described
from shopward.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Blind = Callable[[str, str], str]
    """A keyed token of a value, by domain: ``FactsMaker.blind``."""

WORD_MAX: Final = 128
AGENT_MAX: Final = 1024
_DOMAIN: Final = "peer_"
"""Not the domain of the shop's own tokens: a shop that sends some of its own later must not collide with these."""
_ADDRESS_PARTS: Final = ("line1", "line2", "city", "region_code", "postal_code", "country_code")


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    """One field: its path in the peer's request, the path in the event, and how it gets there."""

    source: str = field(name="from")
    target: str = field(name="to")
    how: str = field(name="as")


class Table(Struct, frozen=True, forbid_unknown_fields=True):
    """A peer's vocabulary: words for types and statuses, other words by name, and the fields."""

    types: dict[str, str]
    statuses: dict[str, str]
    rows: list[Row] = field(name="field")
    changes: dict[str, str] = {}
    transactions: dict[str, str] = {}
    instruments: dict[str, str] = {}
    factors: dict[str, str] = {}


@cache
def table_of(peer: str) -> Table:
    """The table that ships for a peer."""
    text = files("shopward.http.peers").joinpath(peer + ".toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), Table)


def mapped(given: Mapping[str, Any], table: Table, blind: Blind) -> dict[str, Any]:
    """The parts of an event that the rows fill; a later row does not overwrite an earlier one."""
    made: dict[str, Any] = {}
    for row in table.rows:
        value = at(given, row.source)
        if value is None or value == "":
            continue
        words = getattr(table, row.how, None)
        if isinstance(words, dict):
            converted: Any = words.get(text_of(value, row.source))
        else:
            converted = _CONVERSIONS[row.how](value, row.source, blind)
        if converted is not None:
            _put(made, row.target, converted)
    return made


def at(given: Mapping[str, Any], path: str) -> Any:
    """What stands at a path; ``None`` where nothing does. Names of headers match in any case."""
    value: Any = given
    walked: list[str] = []
    for name in path.split("."):
        if value is None:
            return None
        if not isinstance(value, dict):
            raise _wrong(".".join(walked), "an object")
        if walked and walked[-1] == "headers":
            value = next((each for header, each in value.items() if header.lower() == name), None)
            value = None if isinstance(value, bool) else value  # scrubbed by the peer's client library
        else:
            value = value.get(name)
        walked.append(name)
    return value


def text_of(value: Any, path: str) -> str:
    """Text, or a number as text; raises ``InvalidField`` for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise _wrong(path, "text")


def token_of(kind: str, value: Any, path: str, blind: Blind) -> str:
    """The keyed token of a personal value."""
    return blind(_DOMAIN + kind, "".join(text_of(value, path).split()).casefold())


def utc_of(value: Any, path: str) -> str | None:
    """A moment that is written without a zone and is meant in UTC, as RFC 3339; ``None`` where it is no moment."""
    try:
        moment = datetime.fromisoformat(text_of(value, path).strip())
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC).isoformat().replace("+00:00", "Z")


def _address(value: Any, path: str, blind: Blind) -> str:
    if not isinstance(value, dict):
        raise _wrong(path, "an object")
    parts = (
        [value["fingerprint"]] if value.get("fingerprint") else [value.get(part) for part in _ADDRESS_PARTS]
    )
    return token_of("address", "\x1f".join(text_of(part or "", path) for part in parts), path, blind)


def _agent(value: Any, path: str, _blind: Blind) -> dict[str, str]:
    agent = text_of(value, path)[:AGENT_MAX]
    return {"user_agent": agent, **described(agent)}


def _language(value: Any, path: str, _blind: Blind) -> str | None:
    first = text_of(value, path).partition(",")[0].partition(";")[0].strip().lower()[:35]
    return first if first.replace("-", "").isalnum() else None


def _ip_or_none(value: Any, path: str, _blind: Blind) -> str | None:
    try:
        return str(ipaddress.ip_address(text_of(value, path).strip()))
    except ValueError:
        return None


def _path(value: Any, path: str, _blind: Blind) -> str | None:
    try:
        return urlsplit(text_of(value, path)).path[:AGENT_MAX]
    except ValueError:  # a bracket that is never closed
        return None


def _object(value: Any, path: str, _blind: Blind) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(path, "an object")
    return value


_CONVERSIONS: Final[Mapping[str, Callable[[Any, str, Blind], Any]]] = {
    "text": lambda value, path, _blind: text_of(value, path)[:WORD_MAX],
    "id": lambda value, path, _blind: text_of(value, path),
    "object": _object,
    "email": lambda value, path, blind: token_of("email", value, path, blind),
    "phone": lambda value, path, blind: token_of("phone", value, path, blind),
    "address": _address,
    "agent": _agent,
    "language": _language,
    "path": _path,
    "utc": lambda value, path, _blind: utc_of(value, path),
    "address_or_none": _ip_or_none,
}


def _put(made: dict[str, Any], path: str, value: Any) -> None:
    *holders, name = path.split(".")
    holder = made
    for each in holders:
        holder = holder.setdefault(each, {})
    if isinstance(value, dict):
        holder[name] = {**value, **holder.get(name, {})}
    else:
        holder.setdefault(name, value)


def _wrong(path: str, expected: str) -> InvalidField:
    return InvalidField("a value of a wrong type", path=path, expected=expected, found="something else")
