"""Map files: which column of a CSV is which field of an event, in TOML (docs/importing.md).

Promise: a map is checked before the first row is read: unknown keys, fields that the event does not have, rules that
say two things at once and unreadable zones are ``Misconfigured`` with the path inside the map. The maps that are
shipped (``maps/*.toml``) are found by name; anything with a slash or a dot in it is a path.

A map only moves and translates cells. It computes nothing and runs nothing.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, get_args

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from shopward.adapters.formats.times import ISO, zone_of
from shopward.errors import Misconfigured
from shopward.events import Event
from shopward.events.intake import refusal_of

Plain = str | bool | int | float
_HOLE: Final = re.compile(r"\{([^{}]*)\}")
LINE_HOLE: Final = "@line"


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """One field: exactly one of ``column``, ``constant`` and ``template``; the rest is for columns."""

    column: str = ""
    constant: Plain | UnsetType = UNSET
    template: str = ""
    values: dict[str, Plain] = {}
    default: Plain | UnsetType = UNSET
    hosts: str = ""
    minor_digits: Annotated[int, Meta(ge=0, le=8)] | UnsetType = UNSET


class TimeRule(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the time stands and how it is written."""

    column: str
    formats: Annotated[tuple[str, ...], Meta(min_length=1)] = (ISO,)
    zone: str = "UTC"


class LabelRule(Struct, frozen=True, forbid_unknown_fields=True):
    """A column whose words are labels; a word that ``values`` has not is no label."""

    column: str
    values: dict[str, str]


class CsvMap(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole map file."""

    time: TimeRule
    event: dict[str, str | Rule]
    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,40}\Z")] = "csv"
    about: str = ""
    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] = ","
    absent: tuple[str, ...] = ("", "-")
    repeat: str = ""
    label: LabelRule | UnsetType = UNSET

    def columns(self) -> list[str]:
        """Every column that the map names, once."""
        named = [self.time.column, self.repeat]
        named += [] if self.label is UNSET else [self.label.column]
        for rule in self.event.values():
            named += [rule] if isinstance(rule, str) else [rule.column, *holes(rule.template)]
        return [name for name in dict.fromkeys(named) if name and name != LINE_HOLE]


def holes(template: str) -> list[str]:
    """The names in braces of a template."""
    return _HOLE.findall(template)


def filled(template: str, cells: dict[str, str]) -> str:
    """The template with its holes filled."""
    return _HOLE.sub(lambda hole: cells[hole[1]], template)


def shipped_maps() -> list[str]:
    """The names of the maps that come with Shopward."""
    folder = files("shopward.adapters.formats") / "maps"
    return sorted(
        entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")
    )


def load_map(name: str) -> CsvMap:
    """A shipped map by its name, or a map file by its path.

    Raises:
        Misconfigured: there is none, or it is not a valid map.
    """
    shipped = shipped_maps()
    if name in shipped:
        text = (files("shopward.adapters.formats") / "maps" / f"{name}.toml").read_bytes()
    else:
        try:
            text = Path(name).read_bytes()
        except (OSError, ValueError):
            raise Misconfigured(
                "there is no such map", path="--map", expected="a TOML file, or one of " + ", ".join(shipped)
            ) from None
    return parse_map(text)


def parse_map(text: bytes) -> CsvMap:
    """The map that a TOML text says; raises ``Misconfigured``."""
    try:
        made = msgspec.convert(tomllib.loads(text.decode()), CsvMap)
    except msgspec.ValidationError as invalid:
        refused = refusal_of(str(invalid), b"")
        raise _wrong(refused.path or "", refused.expected or refused.message, refused.found) from None
    except (ValueError, RecursionError) as broken:
        found = str(broken)[:80] if isinstance(broken, tomllib.TOMLDecodeError) else "other bytes"
        raise _wrong("(the map)", "TOML in UTF-8", found) from None
    zone_of(made.time.zone)
    known = _fields_of(Event)
    for path, rule in made.event.items():
        _check_path(path, known)
        if isinstance(rule, Rule):
            _check_rule(path, rule, known)
    for needed in ("type", "status"):
        if needed not in made.event:
            raise _wrong(f"event.{needed}", "a rule: every event has one", "nothing")
    return made


def _check_path(path: str, known: frozenset[str]) -> None:
    if path == "time":
        raise _wrong("event.time", "the table [time]", "a rule")
    if path not in known and not re.fullmatch(r"properties(\.[^.]{1,128}){1,4}", path):
        near = difflib.get_close_matches(path, known, n=1)
        raise _wrong(f"event.{path[:64]}", "a field of the event", "no such field", near[0] if near else None)


def _check_rule(path: str, rule: Rule, known: frozenset[str]) -> None:
    where = f"event.{path}"
    if (rule.column != "") + (rule.template != "") + (rule.constant is not UNSET) != 1:
        raise _wrong(where, "exactly one of column, constant and template", "none or several")
    if not rule.column and (
        rule.values or rule.hosts or rule.default is not UNSET or rule.minor_digits is not UNSET
    ):
        raise _wrong(where, "values, default, hosts and minor_digits only beside a column", "no column")
    if rule.hosts:
        if path != "context.ip":
            raise _wrong(f"{where}.hosts", "it at context.ip alone", "another field")
        _check_path(rule.hosts, known)


def _fields_of(shape: type[Struct]) -> frozenset[str]:
    """The dotted names of the fields that hold one plain value."""
    named: set[str] = set()
    for field in msgspec.structs.fields(shape):
        inner = [kind for kind in (field.type, *get_args(field.type)) if isinstance(kind, type)]
        below = next((kind for kind in inner if issubclass(kind, Struct)), None)
        if below is not None:
            named |= {f"{field.encode_name}.{name}" for name in _fields_of(below)}
        elif field.encode_name not in {"changes", "properties"}:
            named.add(field.encode_name)
    return frozenset(named)


def _wrong(path: str, expected: str, found: str | None, near: str | None = None) -> Misconfigured:
    hint = f"did you mean {near}?" if near else None
    return Misconfigured(
        "the map cannot be used", code="map_invalid", path=path, expected=expected, found=found, hint=hint
    )
