"""The layout: declared features compiled into families, slots and a plan for each kind of event.

Promise: features with the same key share one row, and features with the same key, filter, field and pane width
share one slot, kept as long as the longest of their windows. A ``Plan`` holds, for one event type and status, only
the families, updates and filters that can matter there. Nothing here holds state.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import msgspec

from shopward.events.facts import Facts
from shopward.risk.features.declare import FIELDS, SIGHTED, FeatureSpec, check_features
from shopward.risk.features.series import NEVER_S, DistinctRing, Earned, LastValue, PaneCounter, Sightings

if TYPE_CHECKING:
    from shopward.risk.features.kernel import Kernel, Outcome, Readings

STATELESS: Final = frozenset({"ratio", "condemned", "derived"})
"""Measures that keep no slot of their own."""
CURRENCY_FIELDS: Final = ("transaction.amount_minor", "transaction.balance_before_minor")
"""Sums of these are kept per currency."""
_EARTH_RADIUS_KM: Final = 6371.0


class FilterCompiler(Protocol):
    """Turns a filter of the policy language into a Python test for one kind of event."""

    def event_filter(self, spec: FeatureSpec, type_: str, status: str) -> Callable[[Facts], bool] | bool:
        """A test of the facts, or a constant where the type and status decide it."""
        ...

    def decision_filter(
        self, spec: FeatureSpec, type_: str, status: str
    ) -> Callable[[Facts, Readings, Outcome], bool] | bool:
        """A test of facts, readings and outcome, or a constant."""
        ...

    def derived(self, spec: FeatureSpec) -> Callable[[Readings], Any]:
        """The value of a derived feature."""
        ...

    def reads(self, spec: FeatureSpec) -> frozenset[str]:
        """Names of the features that a filter or derived value reads."""
        ...


class Family:
    """All features of one key: how wide a row is and when it is idle."""

    def __init__(self, key: tuple[str, ...], *, per_currency: bool) -> None:
        self.key = key
        self.per_currency = per_currency
        self.structures: list[Any] = []
        self.key_of: Callable[[Facts], str | None] = _key_function(key, per_currency=per_currency)

    @property
    def width(self) -> int:
        """Slots in a row."""
        return len(self.structures)

    def idle(self, row: list[Any], at_ms: int) -> bool:
        """Whether every slot of the row reads as empty, from now on."""
        return all(
            slot is None or structure.idle(slot, at_ms)
            for slot, structure in zip(row, self.structures, strict=True)
        )


Update = Callable[[Any, int, Facts, int], Any]
"""``(slot, at_ms, facts, seq)`` to the new slot."""
Write = Callable[[Any, "Kernel", Facts, "Outcome"], Any]
"""``(slot, kernel, facts, outcome)`` to the new slot."""
KeyOf = Callable[[Facts], "str | None"]
"""The row's key for an event; ``None`` where a part is empty."""


class Plan(NamedTuple):
    """What one kind of event touches.

    Attributes:
        before: ``(family, key, [(slot, update, filter, bit)])``, before the rules read.
        earned: ``(family, slot, write)`` of pairs that good use makes known, where the event passed.
        late: ``(family, slot, write, filter, bit)`` of the other features of phase ``decision``.
    """

    before: list[tuple[int, KeyOf, list[tuple[int, Update, Callable[[Facts], bool] | None, int]]]]
    earned: list[tuple[int, int, Write]]
    late: list[tuple[int, int, Write, Callable[[Facts, Readings, Outcome], bool] | None, int]]


class _Place(NamedTuple):
    family: int
    slot: int
    structure: Any


class Layout:
    """Compiled feature declarations.

    Args:
        features: declarations in their order.
        filters: compiles ``where``.
        condemnable: paths of the sources that some rule may condemn.
    """

    def __init__(
        self,
        features: tuple[FeatureSpec, ...],
        filters: FilterCompiler,
        *,
        condemnable: frozenset[str] = frozenset(),
    ) -> None:
        check_features(features)
        self.features = features
        self.index = {spec.name: position for position, spec in enumerate(features)}
        self.families: list[Family] = []
        self._filters = filters
        self._condemnable = condemnable
        self._plans: dict[tuple[str, str], Plan] = {}
        self._family_of: dict[tuple[tuple[str, ...], bool], int] = {}
        self._slot_of: dict[tuple[Any, ...], _Place] = {}
        self._places = [None if spec.measure in STATELESS else self._place(spec) for spec in features]
        self.readers = [self._reader(spec, place) for spec, place in zip(features, self._places, strict=True)]

    @property
    def schema(self) -> str:
        """A digest of the declarations: a state fits exactly one schema."""
        return hashlib.blake2b(msgspec.json.encode(self.features), digest_size=16).hexdigest()

    def plan(self, type_: str, status: str) -> Plan:
        """What an event of this type and status touches; made once and kept."""
        plan = self._plans.get((type_, status))
        if plan is None:
            plan = self._plans[type_, status] = self._make_plan(type_, status)
        return plan

    def _place(self, spec: FeatureSpec) -> _Place:
        """The family and slot of a feature, shared with others where they keep the same."""
        per_currency = spec.measure == "sum" and spec.of in CURRENCY_FIELDS
        family_key = (spec.key, per_currency)
        if family_key not in self._family_of:
            self._family_of[family_key] = len(self.families)
            self.families.append(Family(spec.key, per_currency=per_currency))
        number = self._family_of[family_key]
        shared = (
            number,
            _kind(spec),
            spec.where,
            spec.of,
            spec.phase,
            spec.width_ms if spec.window else (spec.keep, spec.ripe),
        )
        place = self._slot_of.get(shared)
        if place is None:
            family = self.families[number]
            place = self._slot_of[shared] = _Place(number, family.width, _structure(spec))
            family.structures.append(place.structure)
        elif spec.window:
            place.structure.panes_kept = max(place.structure.panes_kept, spec.panes + spec.offset_panes)
        return place

    def _make_plan(self, type_: str, status: str) -> Plan:
        before: dict[int, list[tuple[int, Update, Callable[[Facts], bool] | None, int]]] = {}
        plan = Plan([], [], [])
        for bit, (spec, place) in enumerate(self._owners()):
            mask = 1 << bit if spec.measure in ("count", "sum") else 0
            if spec.phase == "event":
                test = self._filters.event_filter(spec, type_, status)
                if test is not False:
                    update = _update(spec, place.structure)
                    before.setdefault(place.family, []).append(
                        (place.slot, update, None if test is True else test, mask)
                    )
                continue
            late = self._filters.decision_filter(spec, type_, status)
            write = _write(spec, place.structure, self._condemnable)
            if spec.measure == "known" and late is True:
                plan.earned.append((place.family, place.slot, write))
            elif late is not False:
                plan.late.append((place.family, place.slot, write, None if late is True else late, mask))
        plan.before.extend(
            (family, self.families[family].key_of, updates) for family, updates in sorted(before.items())
        )
        return plan

    def _owners(self) -> list[tuple[FeatureSpec, _Place]]:
        """One declaration for each slot, in order."""
        seen: dict[tuple[int, int], tuple[FeatureSpec, _Place]] = {}
        for spec, place in zip(self.features, self._places, strict=True):
            if place is not None:
                seen.setdefault((place.family, place.slot), (spec, place))
        return list(seen.values())

    def _reader(self, spec: FeatureSpec, place: _Place | None) -> Callable[[Readings], Any]:
        if place is not None:
            return _reader(spec, place, self._condemnable)
        if spec.measure == "derived":
            return self._filters.derived(spec)
        return (
            _ratio_reader(self.index, spec)
            if spec.measure == "ratio"
            else _condemned_reader(spec, self._condemnable)
        )


def _kind(spec: FeatureSpec) -> str:
    """Measures that one slot can answer share a kind."""
    if spec.measure in ("count", "sum"):
        return spec.measure
    return "sighted" if spec.measure in SIGHTED else spec.measure


def _structure(spec: FeatureSpec) -> Any:
    if spec.measure in ("count", "sum"):
        return PaneCounter(spec.width_ms, spec.panes + spec.offset_panes)
    if spec.measure == "distinct":
        return DistinctRing(spec.width_ms, spec.panes)
    if spec.measure in SIGHTED:
        return Sightings(spec.keep_ms)
    if spec.measure == "known":
        return Earned(spec.ripe_ms, spec.keep_ms)
    return LastValue(spec.keep_ms)


def _key_function(key: tuple[str, ...], *, per_currency: bool) -> Callable[[Facts], str | None]:
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


def _update(spec: FeatureSpec, structure: Any) -> Update:
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


def _write(spec: FeatureSpec, structure: Any, condemnable: frozenset[str]) -> Write:
    """How the slot changes once the decision is made."""
    if spec.measure == "known":
        until = condemned_until(spec.key, condemnable)
        return lambda slot, kernel, e, _outcome: structure.add(slot, e.at_ms, until(kernel, e))
    if spec.of == "decision.score_centi":
        return lambda slot, kernel, e, outcome: structure.add(slot, e.at_ms, kernel.seq, outcome.score_centi)
    if spec.of == "decision.kind":
        return lambda slot, kernel, e, outcome: structure.add(slot, e.at_ms, kernel.seq, outcome.kind)
    update = _update(spec, structure)
    return lambda slot, kernel, e, _outcome: update(slot, e.at_ms, e, kernel.seq)


def condemned_until(key: tuple[str, ...], condemnable: frozenset[str]) -> Callable[[Kernel, Facts], int]:
    """Until when any part of a key is or was condemned, 0 for never; looks at the parts that a rule can condemn only."""
    parts = [(path, FIELDS[path].attribute) for path in key if path in condemnable]

    def until(kernel: Kernel, e: Facts) -> int:
        latest = 0
        for path, attribute in parts:
            tokens = kernel.condemned.get(path)
            if tokens is not None:
                latest = max(latest, tokens.get(getattr(e, attribute), 0))
        return latest

    return until if parts else lambda _kernel, _e: 0


def _reader(spec: FeatureSpec, place: _Place, condemnable: frozenset[str]) -> Callable[[Readings], Any]:
    """How the feature reads from its row; its empty value where there is no row or slot."""
    family, number, structure = place
    empty = empty_reading(spec)
    value_of = _value(spec, structure, condemnable)

    def read(readings: Readings) -> Any:
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
        return lambda slot, r: _distance(structure.previous(slot, r.at_ms, r.seq), r.facts)
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


def _ratio_reader(index: dict[str, int], spec: FeatureSpec) -> Callable[[Readings], Any]:
    numerator, denominator = index[spec.numerator], index[spec.denominator]
    return lambda readings: readings[numerator] / below if (below := readings[denominator]) else 0.0


def _condemned_reader(spec: FeatureSpec, condemnable: frozenset[str]) -> Callable[[Readings], Any]:
    until = condemned_until(spec.key, condemnable)
    return lambda r: until(r.kernel, r.facts) >= r.at_ms > 0


def _distance(before: list[int] | None, facts: Facts) -> int:
    """Haversine distance in whole kilometres between two places given in whole degrees."""
    if before is None or not facts.located:
        return 0
    lat1, lon1, lat2, lon2 = map(math.radians, (*before, facts.lat_deg, facts.lon_deg))
    half = (
        math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return round(2 * _EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, half))))
