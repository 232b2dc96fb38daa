"""Slots: how one is found, written and read.

Promise: each function here turns declarations into source that does just that much work for an event: the key of a row, the
update of a slot before the decision, the write after it, the reading of a feature. No state stands here, and what is made
holds nothing but names of our own tables and numbers of the declaration.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, Protocol

from shopward.events.facts import Facts
from shopward.risk.features.declare import FIELDS, SIGHTED, FeatureSpec
from shopward.risk.features.readings import UNREAD, Outcome, Readings, State
from shopward.risk.features.series import HELPERS, NEVER_S, Row, Sightings

_EARTH_RADIUS_KM: Final = 6371.0

Write = Callable[[Row, State, Facts, Outcome], None]
"""``(row, kernel, facts, outcome)``: the row is changed."""
Observe = Callable[[State, Facts, list["Row | None"], "list[int] | None"], None]
"""``(kernel, facts, rows, once)``: all that an event changes before the decision, and the rows of its keys."""
Reader = Callable[[Readings], Any]
KeyOf = Callable[[Facts], "str | None"]
"""The row's key for an event; ``None`` where a part is empty."""


class Place(NamedTuple):
    """Where a feature lives: its family, its slot in the row, the structure that keeps it."""

    family: int
    slot: int
    structure: Any


class Family(Protocol):
    """What an update needs of the features of one key."""

    key_source: str
    width: int


class Change(NamedTuple):
    """One update before the decision.

    Attributes:
        spec: the declaration, and the structure that keeps it.
        test: its filter, where type and status leave something to ask.
        mask: the bit of a count or sum that counts a transaction once; 0 for none.
    """

    spec: FeatureSpec
    structure: Any
    test: Callable[[Facts], bool] | None
    mask: int


def key_source(key: tuple[str, ...], *, per_currency: bool) -> str:
    """The row's key for an event ``e``, ``None`` where a part is empty; the whole shop has the key ``""``."""
    parts = [*key, "transaction.currency"] if per_currency else list(key)
    attributes = [f"e.{FIELDS[path].attribute}" for path in parts]
    if not attributes:
        return "''"
    if len(attributes) == 1 and FIELDS[parts[0]].kind != "int":
        return f"{attributes[0]} or None"
    joined = "\\x1f".join("{" + attribute + "}" for attribute in attributes)
    return f'f"{joined}" if {" and ".join(attributes)} else None'


def key_function(key: tuple[str, ...], *, per_currency: bool) -> KeyOf:
    """``key_source`` as a function."""
    source = key_source(key, per_currency=per_currency)
    return eval(f"lambda e: {source}", {"__builtins__": {}})  # type: ignore[no-any-return]  # noqa: S307 -- attribute names of our own table


def update(spec: FeatureSpec, structure: Any) -> list[str]:
    """How the row changes with a matching event ``e``."""
    if spec.measure == "distance_km":
        return ["if e.located:", *indented(structure.add("[e.lat_deg, e.lon_deg]"))]
    return structure.add(*_given(spec))  # type: ignore[no-any-return]


def _given(spec: FeatureSpec) -> list[str]:
    """What a structure is told of an event."""
    if spec.measure == "count":
        return ["1"]
    return [] if spec.measure in SIGHTED else [f"e.{FIELDS[spec.of].attribute}"]


def observer(families: Iterable[tuple[int, Family, list[Change]]]) -> Observe:
    """One function for all updates of a kind of event, family by family."""
    names: dict[str, Any] = {}
    body: list[str] = []
    widths: set[int] = set()
    for number, family, changes in families:
        widths |= {change.structure.width_ms for change in changes} - {0}
        body += [f"key = {family.key_source}", f"if key is None: rows[{number}] = None", "else:"]
        body += [f" table = families[{number}]", " row = table.get(key)"]
        body += indented(_changed(number, family, changes, names))
        body.append(f" rows[{number}] = row")
    lines = [
        "def observe(k, e, rows, once):",
        " at_ms = e.at_ms; seq = k.seq; families = k.families",
        " done = 0 if once is None else once[0]",
        *(f" pane_{width_ms} = at_ms // {width_ms}" for width_ms in sorted(widths)),
        *indented(body),
        " if once is not None: once[0] = done",
    ]
    return _made("observe", lines, names)  # type: ignore[no-any-return]


def _changed(number: int, family: Family, changes: list[Change], names: dict[str, Any]) -> list[str]:
    """All updates of one row, which is ``None`` where the key is new; as ``Kernel.new_row`` does, without a call."""
    room = f" if len(table) >= k.limits[{number}]: k.sweep({number}, at_ms)"
    make = ["if row is None:", room, f" row = table[key] = [None] * {family.width}"]
    masks = sum(change.mask for change in changes)
    lines: list[str] = []
    is_there = all(change.test is None and change.spec.measure != "distance_km" for change in changes)
    if is_there:  # a new row has all of it, unless the transaction was counted before
        cells = ["None"] * family.width
        for spec, structure, _test, _mask in changes:
            cells[structure.at : structure.at + structure.CELLS] = structure.fresh(*_given(spec))
        lines = [
            f"if row is None{f' and not done & {masks}' if masks else ''}:",
            room,
            f" row = table[key] = [{', '.join(cells)}]",
        ]
        lines += [f" done |= {masks}"] if masks else []
        lines.append("else:")
    updates: list[str] = [] if not is_there or not masks else list(make)
    for spec, structure, test, mask in changes:
        asked = [f"not done & {mask}"] if mask else []
        if test is not None:
            asked.insert(0, f"test_{len(names)}(e)")
            names[f"test_{len(names)}"] = test
        body = [] if is_there else list(make)
        body += ([f"done |= {mask}"] if mask else []) + update(spec, structure)
        updates += [f"if {' and '.join(asked)}:", *indented(body)] if asked else body
    return lines + indented(updates, len(lines) > 0)


def write(spec: FeatureSpec, structure: Any, condemnable: frozenset[str]) -> Write:
    """How the row changes once the decision is made."""
    names: dict[str, Any] = {}
    if spec.measure == "known":
        names["until_of"] = condemned_until(spec.key, condemnable)
        body = structure.add("until_of(k, e)")
    elif spec.of == "decision.score_centi":
        body = structure.add("o.score_centi")
    elif spec.of == "decision.kind":
        body = structure.add("o.kind")
    else:
        body = update(spec, structure)
    lines = ["def write(row, k, e, o):", " at_ms = e.at_ms; seq = k.seq"]
    if structure.width_ms:
        lines.append(f" pane_{structure.width_ms} = at_ms // {structure.width_ms}")
    lines += indented(body)
    return _made("write", lines, names)  # type: ignore[no-any-return]


def idler(structures: Iterable[Any]) -> Callable[[Mapping[str, Row], int], list[str]]:
    """Which keys of a table have rows whose every slot reads as empty, from now on."""
    asked = " and ".join(structure.idle for structure in structures)
    lines = ["def idle(table, at_ms):", f" return [key for key, row in table.items() if {asked}]"]
    return _made("idle", lines, {})  # type: ignore[no-any-return]


def condemned_until(key: tuple[str, ...], condemnable: frozenset[str]) -> Callable[[State, Facts], int]:
    """Until when any part of a key is or was condemned, 0 for never; looks at the parts that a rule can condemn only."""
    parts = [(path, FIELDS[path].attribute) for path in key if path in condemnable]

    def until(kernel: State, e: Facts) -> int:
        latest = 0
        for path, attribute in parts:
            tokens = kernel.condemned.get(path)
            if tokens is not None:
                latest = max(latest, tokens.get(getattr(e, attribute), 0))
        return latest

    return until if parts else lambda _kernel, _e: 0


def readers(
    placed: Iterable[tuple[int, FeatureSpec, Place]], condemnable: frozenset[str]
) -> dict[int, Reader]:
    """How each feature reads from its row; its empty value where there is no row or slot."""
    names: dict[str, Any] = {}
    lines: list[str] = []
    for index, spec, place in placed:
        names[f"until_{index}"] = condemned_until(spec.key, condemnable)
        lines += [
            f"def read_{index}(r):",
            f" row = r.rows[{place.family}]",
            f" if row is UNREAD: row = r.row({place.family})",
            f" if row is None or {place.structure.unwritten}: return {empty_reading(spec)!r}",
            " at_ms = r.at_ms; seq = r.seq",
            *indented(_value(spec, place.structure, f"until_{index}(r.kernel, r.facts)")),
        ]
    made = _made("", lines, names)
    return {index: made[f"read_{index}"] for index, _spec, _place in placed}


def empty_reading(spec: FeatureSpec) -> Any:
    """What a feature reads where nothing was ever seen."""
    if spec.measure == "since":
        return NEVER_S
    if spec.measure in ("known", "condemned"):
        return False
    if spec.measure == "ratio":
        return 0.0
    if spec.measure == "campaign":
        return "" if spec.of in ("id", "kind") else 0
    if spec.measure == "last":
        text = spec.of == "decision.kind" or (
            spec.of in FIELDS and FIELDS[spec.of].kind in ("string", "token")
        )
        return "" if text else False if spec.of in FIELDS and FIELDS[spec.of].kind == "bool" else 0
    return 0


def _value(spec: FeatureSpec, structure: Any, until: str) -> list[str]:
    """How a slot that was written reads at an event."""
    if spec.measure in SIGHTED:
        return _sighted(spec, structure)
    if spec.measure in ("count", "sum"):
        return structure.read(spec.panes, spec.offset_panes)  # type: ignore[no-any-return]
    if spec.measure == "distinct":
        return structure.read(spec.panes)  # type: ignore[no-any-return]
    if spec.measure == "known":
        return structure.read(until)  # type: ignore[no-any-return]
    if spec.measure == "distance_km":
        return [*structure.previous, "return distance_km(value, r.facts)"]
    return [*structure.previous, f"return {empty_reading(spec)!r} if value is None else value"]


def _sighted(spec: FeatureSpec, structure: Sightings) -> list[str]:
    """The four ways to read first and last sightings."""
    if spec.measure == "first_seen":
        return [f"return {structure.first_ms} // 1000"]
    if spec.measure == "age":
        return [f"first = {structure.first_ms}", "return (at_ms - first) // 1000 if first else 0"]
    if spec.measure == "last_seen":
        return [*structure.previous_ms, "return last // 1000"]
    return [*structure.previous_ms, f"return (at_ms - last) // 1000 if last else {NEVER_S}"]


def ratio_reader(index: dict[str, int], spec: FeatureSpec) -> Callable[[Readings], Any]:
    """How a ratio of two features reads."""
    numerator, denominator = index[spec.numerator], index[spec.denominator]
    return lambda readings: readings[numerator] / below if (below := readings[denominator]) else 0.0


def condemned_reader(spec: FeatureSpec, condemnable: frozenset[str]) -> Callable[[Readings], Any]:
    """How a condemnation of the key's part reads."""
    (path,) = spec.key
    if path not in condemnable:
        return lambda _readings: False
    attribute = FIELDS[path].attribute
    source = f"lambda r: {path!r} in (c := r.kernel.condemned) and c[{path!r}].get(r.facts.{attribute}, 0) >= r.at_ms > 0"
    return eval(source, {"__builtins__": {}})  # type: ignore[no-any-return]  # noqa: S307 -- names of our own tables


def campaign_reader(spec: FeatureSpec) -> Callable[[Readings], Any]:
    """How a part of the live campaign reads that the key's part belongs to."""
    (path,), part, empty = spec.key, spec.of, empty_reading(spec)
    attribute = FIELDS[path].attribute
    return lambda r: (
        r.kernel.campaigns.part_of(path, value, part) if (value := getattr(r.facts, attribute)) else empty
    )


def alarm_reader(spec: FeatureSpec) -> Callable[[Readings], Any]:
    """How the alarm of a rate reads."""
    rate = spec.of
    if not spec.key:
        return lambda r: r.kernel.campaigns.alarm_s(rate, "*", r.at_ms)
    attribute = FIELDS[spec.key[0]].attribute
    return lambda r: r.kernel.campaigns.alarm_s(rate, str(getattr(r.facts, attribute) or ""), r.at_ms)


def distance_km(before: list[int] | None, facts: Facts) -> int:
    """Haversine distance in whole kilometres between two places given in whole degrees."""
    if before is None or not facts.located:
        return 0
    lat1, lon1, lat2, lon2 = map(math.radians, (*before, facts.lat_deg, facts.lon_deg))
    half = (
        math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return round(2 * _EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, half))))


def indented(lines: Iterable[str], by: int = 1) -> list[str]:
    """Lines moved to the right."""
    return [" " * by + line for line in lines]


def _made(name: str, lines: list[str], names: dict[str, Any]) -> Any:
    """What these lines define under a name; all that they define for none."""
    names |= HELPERS | {"UNREAD": UNREAD, "distance_km": distance_km}
    exec("\n".join(lines), names)  # noqa: S102 -- names of our own tables and numbers
    return names[name] if name else names
