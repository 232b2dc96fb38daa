"""Slots: how one is found, written and read.

Promise: each function here turns one declaration into a closure that does just that much work for an event: the key of a
row, the update of a slot before the decision, the write after it, the reading of a feature. No state stands here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from shopward.events.facts import Facts
from shopward.risk.features.declare import FIELDS, SIGHTED, FeatureSpec
from shopward.risk.features.readings import UNREAD, Outcome, Readings, State
from shopward.risk.features.series import NEVER_S, Sightings

_EARTH_RADIUS_KM: Final = 6371.0

Update = Callable[[Any, int, Facts, int], Any]
"""``(slot, at_ms, facts, seq)`` to the new slot."""
Write = Callable[[Any, State, Facts, Outcome], Any]
"""``(slot, kernel, facts, outcome)`` to the new slot."""
KeyOf = Callable[[Facts], "str | None"]
"""The row's key for an event; ``None`` where a part is empty."""


class Place(NamedTuple):
    """Where a feature lives: its family, its slot in the row, the structure that keeps it."""

    family: int
    slot: int
    structure: Any


def key_function(key: tuple[str, ...], *, per_currency: bool) -> Callable[[Facts], str | None]:
    """The row's key for an event, ``None`` where a part is empty; the whole shop has the key ``""``."""
    parts = [*key, "transaction.currency"] if per_currency else list(key)
    attributes = [f"e.{FIELDS[path].attribute}" for path in parts]
    if not attributes:
        return lambda _facts: ""
    if len(attributes) == 1 and FIELDS[parts[0]].kind != "int":
        source = f"{attributes[0]} or None"
    else:
        joined = "\\x1f".join("{" + attribute + "}" for attribute in attributes)
        source = f'f"{joined}" if {" and ".join(attributes)} else None'
    return eval(f"lambda e: {source}", {"__builtins__": {}})  # type: ignore[no-any-return]  # noqa: S307 -- attribute names of our own table


def update(spec: FeatureSpec, structure: Any) -> Update:
    """How the slot changes with a matching event."""
    add = structure.add
    if spec.measure == "count":
        return lambda slot, at_ms, _facts, _seq: add(slot, at_ms, 0)
    if spec.measure in SIGHTED:
        return lambda slot, at_ms, _facts, seq: add(slot, at_ms, seq)
    if spec.measure == "distance_km":
        return lambda slot, at_ms, e, seq: (
            add(slot, at_ms, seq, [e.lat_deg, e.lon_deg]) if e.located else slot
        )
    attribute = FIELDS[spec.of].attribute
    if spec.measure == "sum":
        return lambda slot, at_ms, e, _seq: add(slot, at_ms, getattr(e, attribute))
    if spec.measure == "last":
        return lambda slot, at_ms, e, seq: add(slot, at_ms, seq, getattr(e, attribute))

    def distinct(slot: Any, at_ms: int, e: Facts, _seq: int) -> Any:
        value = getattr(e, attribute)
        return add(slot, at_ms, value) if value else slot

    return distinct


def write(spec: FeatureSpec, structure: Any, condemnable: frozenset[str]) -> Write:
    """How the slot changes once the decision is made."""
    if spec.measure == "known":
        until = condemned_until(spec.key, condemnable)
        return lambda slot, kernel, e, _outcome: structure.add(slot, e.at_ms, until(kernel, e))
    if spec.of == "decision.score_centi":
        return lambda slot, kernel, e, outcome: structure.add(slot, e.at_ms, kernel.seq, outcome.score_centi)
    if spec.of == "decision.kind":
        return lambda slot, kernel, e, outcome: structure.add(slot, e.at_ms, kernel.seq, outcome.kind)
    change = update(spec, structure)
    return lambda slot, kernel, e, _outcome: change(slot, e.at_ms, e, kernel.seq)


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


def reader(spec: FeatureSpec, place: Place, condemnable: frozenset[str]) -> Callable[[Readings], Any]:
    """How the feature reads from its row; its empty value where there is no row or slot."""
    family, number, structure = place
    empty = empty_reading(spec)
    value_of = _value(spec, structure, condemnable)

    def read(readings: Readings) -> Any:
        row = readings.rows[family]
        if row is UNREAD:
            row = readings.row(family)
        if row is None or (slot := row[number]) is None:
            return empty
        return value_of(slot, readings)

    return read


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


def _value(spec: FeatureSpec, structure: Any, condemnable: frozenset[str]) -> Callable[[Any, Readings], Any]:
    """How a slot that was written reads at an event."""
    if spec.measure in ("count", "sum"):
        part, panes, offset = (1 if spec.measure == "count" else 2), spec.panes, spec.offset_panes
        return lambda slot, r: structure.read(slot, r.at_ms, part, panes, offset)
    if spec.measure == "distinct":
        return lambda slot, r: structure.read(slot, r.at_ms, spec.panes)
    if spec.measure in SIGHTED:
        return _sighted(spec, structure)
    if spec.measure == "known":
        until = condemned_until(spec.key, condemnable)
        return lambda slot, r: structure.read(slot, r.at_ms, until(r.kernel, r.facts))
    if spec.measure == "distance_km":
        return lambda slot, r: distance_km(structure.previous(slot, r.at_ms, r.seq), r.facts)
    empty = empty_reading(spec)
    return lambda slot, r: empty if (value := structure.previous(slot, r.at_ms, r.seq)) is None else value


def _sighted(spec: FeatureSpec, structure: Sightings) -> Callable[[Any, Readings], Any]:
    """The four ways to read first and last sightings."""
    if spec.measure == "first_seen":
        return lambda slot, r: structure.first_ms(slot, r.at_ms) // 1000
    if spec.measure == "age":
        return lambda slot, r: (
            (r.at_ms - first) // 1000 if (first := structure.first_ms(slot, r.at_ms)) else 0
        )
    if spec.measure == "last_seen":
        return lambda slot, r: structure.previous_ms(slot, r.at_ms, r.seq) // 1000
    return lambda slot, r: (
        (r.at_ms - before) // 1000 if (before := structure.previous_ms(slot, r.at_ms, r.seq)) else NEVER_S
    )


def ratio_reader(index: dict[str, int], spec: FeatureSpec) -> Callable[[Readings], Any]:
    """How a ratio of two features reads."""
    numerator, denominator = index[spec.numerator], index[spec.denominator]
    return lambda readings: readings[numerator] / below if (below := readings[denominator]) else 0.0


def condemned_reader(spec: FeatureSpec, condemnable: frozenset[str]) -> Callable[[Readings], Any]:
    """How a condemnation of the key's part reads."""
    until = condemned_until(spec.key, condemnable)
    return lambda r: until(r.kernel, r.facts) >= r.at_ms > 0


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
