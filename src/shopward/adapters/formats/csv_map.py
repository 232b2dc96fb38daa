"""Rows of any CSV as events, by a map file (``csv_spec``).

Promise: one row is one event, or as many as its ``repeat`` column says (ids end in ``.1``, ``.2`` ... from the second
on), in the order of the file. A cell that is one of the map's ``absent`` words is absent, and so is a template with
such a cell in it. A word that a translation table does not have is a refusal unless it has a default. Text becomes
the number or truth value that the field asks for; an amount with ``minor_digits`` becomes whole minor units exactly.
An address must be one, unless the map says where to keep host names: then they get a stand-in (see ``rows``).

It does not join files, and looks at one row at a time.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from msgspec import UNSET
from msgspec.structs import replace

from shopward.adapters.formats.csv_rows import CsvRows
from shopward.adapters.formats.csv_spec import LINE_HOLE, CsvMap, Plain, Rule, filled, holes
from shopward.adapters.formats.rows import (
    Imported,
    Refusal,
    address_of_host,
    build_event,
    ip_of,
    parsed_ip,
    repeats_of,
)
from shopward.adapters.formats.times import moment_of, zone_of
from shopward.errors import BadInput, InvalidField

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shopward.adapters.formats.sources import Source
    from shopward.events.catalogue import Event

_IP: Final = "context.ip"
_HOST_CHARS_MAX: Final = 253
_AMOUNT_CHARS_MAX: Final = 40


def read_csv(source: Source, spec: CsvMap) -> Iterator[Imported | Refusal]:
    """The events of the CSV, each with its label; a row that is none is a refusal.

    Raises:
        MalformedInput: the header has not the map's columns, or the file is damaged (after the rows before).
    """
    rows = CsvRows(source, delimiter=spec.delimiter)
    places = rows.positions(spec.columns())
    mapper = _Mapper(spec)
    for row in rows:
        if isinstance(row, Refusal):
            yield row
            continue
        line, cells = row
        named = {name: cells[at].strip() for name, at in places.items()}
        named[LINE_HOLE] = str(line)
        try:
            event, times = mapper.event_of(named), mapper.times_of(named)
        except BadInput as refused:
            yield Refusal(line, refused)
            continue
        label = mapper.label_of(named)
        yield Imported(event, label, line)
        for number in range(1, times):
            yield Imported(replace(event, id=f"{event.id}.{number}"), label, line)


class _Mapper:
    """A map made ready: paths split, zone found."""

    def __init__(self, spec: CsvMap) -> None:
        self._spec = spec
        self._zone = zone_of(spec.time.zone)
        self._absent = frozenset(spec.absent)
        rules = {
            path: Rule(column=rule) if isinstance(rule, str) else rule for path, rule in spec.event.items()
        }
        rules.setdefault("id", Rule(template=f"{spec.name}-{{{LINE_HOLE}}}"))
        self._rules = [(path, path.split("."), rule) for path, rule in rules.items()]

    def event_of(self, cells: dict[str, str]) -> Event:
        """The event of a row; raises ``BadInput``."""
        when = self._spec.time
        shape: dict[str, Any] = {"time": moment_of(cells[when.column], when.formats, self._zone)}
        for path, parts, rule in self._rules:
            value = self._value(path, rule, cells)
            if value is None:
                continue
            if rule.hosts and isinstance(value, str) and parsed_ip(value) is None:
                _put(shape, rule.hosts.split("."), value)
                value = _stand_in(value)
            elif path == _IP:
                value = ip_of(str(value))
            _put(shape, parts, value)
        return build_event(shape, strict=False)

    def times_of(self, cells: dict[str, str]) -> int:
        """How many events the row stands for; raises ``BadInput``."""
        text = cells[self._spec.repeat] if self._spec.repeat else ""
        return 1 if text in self._absent else repeats_of(text)

    def label_of(self, cells: dict[str, str]) -> str:
        """The row's label, "" for none."""
        label = self._spec.label
        return "" if label is UNSET else label.values.get(cells[label.column], "")

    def _value(self, path: str, rule: Rule, cells: dict[str, str]) -> Plain | None:
        if rule.constant is not UNSET:
            return rule.constant
        if rule.template:
            used = holes(rule.template)
            return None if any(cells[name] in self._absent for name in used) else filled(rule.template, cells)
        text = cells[rule.column]
        if text in rule.values:
            return rule.values[text]
        if text in self._absent or rule.values:
            if rule.default is not UNSET:
                return rule.default
            if text in self._absent:
                return None
            raise InvalidField(
                "not in the map's table",
                path=path,
                expected=f"one of {', '.join(rule.values)} in column {rule.column}",
                found="another word",
                hint="add it to values, or give a default",
            )
        return text if rule.minor_digits is UNSET else _minor(text, rule.minor_digits, path)


def _put(shape: dict[str, Any], parts: list[str], value: Plain) -> None:
    *above, last = parts
    holder = shape
    for part in above:
        holder = holder.setdefault(part, {})
        if not isinstance(holder, dict):
            raise InvalidField(
                "two rules for one field", path=".".join(parts), expected="one of them", found="both"
            )
    holder[last] = value


def _stand_in(name: str) -> str:
    if len(name) > _HOST_CHARS_MAX:
        raise InvalidField(
            "not a host name",
            path=_IP,
            expected=f"at most {_HOST_CHARS_MAX} characters",
            found=f"{len(name)} characters",
        )
    return address_of_host(name)


def _minor(text: str, digits: int, path: str) -> int:
    try:
        amount = Decimal(text[:_AMOUNT_CHARS_MAX]).scaleb(digits)
        if (
            len(text) <= _AMOUNT_CHARS_MAX
            and amount.is_finite()
            and amount.adjusted() < 20
            and amount == int(amount)
        ):
            return int(amount)
    except (InvalidOperation, OverflowError):
        pass
    raise InvalidField(
        "not an amount", path=path, expected=f"a number with at most {digits} decimals", found="another text"
    )
