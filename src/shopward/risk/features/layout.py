"""The layout: declared features compiled into families, slots and a plan for each kind of event.

Promise: features with the same key share one row, and features with the same key, filter, field and pane width
share one slot, kept as long as the longest of their windows. A ``Plan`` holds, for one event type and status, only
the families, updates and filters that can matter there. Nothing here holds state.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import msgspec

from shopward.risk.features.declare import FIELDS, SIGHTED, FeatureSpec, check_features
from shopward.risk.features.series import DistinctRing, Earned, LastValue, PaneCounter, Sightings
from shopward.risk.features.slots import (
    KeyOf,
    Place,
    Update,
    Write,
    alarm_reader,
    campaign_reader,
    condemned_reader,
    key_function,
    ratio_reader,
    reader,
    update,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from shopward.events.facts import Facts
    from shopward.risk.features.readings import Outcome, Readings

STATELESS: Final = frozenset({"ratio", "condemned", "campaign", "alarm", "derived"})
"""Measures that keep no slot of their own."""
CURRENCY_FIELDS: Final = ("transaction.amount_minor", "transaction.balance_before_minor")
"""Sums of these are kept per currency."""


class Asked(Protocol):
    """Tests of a decided event, asked together: the bits of those that hold."""

    def __call__(self, facts: Facts, readings: dict[int, Any], outcome: Outcome, /) -> int:
        """Ask them; changes nothing."""
        ...


class FilterCompiler(Protocol):
    """Turns filters of the policy language into Python tests for one kind of event."""

    def event_filter(self, spec: FeatureSpec, type_: str, status: str) -> Callable[[Facts], bool] | bool:
        """A test of the facts, or a constant where the type and status decide it."""
        ...

    def decision_filter(self, spec: FeatureSpec, type_: str, status: str) -> str | bool:
        """A test of facts, readings and outcome for ``asked``, or a constant."""
        ...

    def event_paths(self, spec: FeatureSpec) -> frozenset[tuple[str, ...]]:
        """Paths of the event that the filter of a feature asks for."""
        ...

    def asked(self, tests: Iterable[tuple[str | bool, int]]) -> Asked:
        """One function for tests, each with its bits."""
        ...

    def derived(self, spec: FeatureSpec) -> Callable[[Readings], Any]:
        """The value of a derived feature."""
        ...


class Family:
    """All features of one key: how wide a row is and when it is idle."""

    def __init__(self, key: tuple[str, ...], *, per_currency: bool) -> None:
        self.key = key
        self.per_currency = per_currency
        self.structures: list[Any] = []
        self.key_of: Callable[[Facts], str | None] = key_function(key, per_currency=per_currency)

    @property
    def width(self) -> int:
        """Slots in a row."""
        return len(self.structures)

    def idle(self, row: list[Any], at_ms: int) -> bool:
        """Whether every slot of the row reads as empty, from now on."""
        for slot, structure in zip(row, self.structures, strict=True):
            if slot is not None and not structure.idle(slot, at_ms):
                return False
        return True


class Plan(NamedTuple):
    """What one kind of event touches.

    Attributes:
        before: ``(family, key, [(slot, update, filter, bit)])``, before the rules read.
        earned: ``(family, slot, write, own)`` of pairs that good use makes known, where the event passed; ``own`` where
            the key has the user, and only the customer's own deeds count.
        late: ``(family, slot, write, mark)`` of the other features of phase ``decision``.
        due: asks the filters of all that are ``late``, in that order: the lowest bit is the first one's.
    """

    before: list[tuple[int, KeyOf, list[tuple[int, Update, Callable[[Facts], bool] | None, int]]]]
    earned: list[tuple[int, int, Write, bool]]
    late: list[tuple[int, int, Write, int]]
    due: Asked


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
        self.filters = filters
        self.condemnable = condemnable
        self._plans: dict[tuple[str, str], Plan] = {}
        self._family_of: dict[tuple[tuple[str, ...], bool], int] = {}
        self._slot_of: dict[tuple[Any, ...], Place] = {}
        self.places = [None if spec.measure in STATELESS else self._place(spec) for spec in features]
        self.readers = [self._reader(spec, place) for spec, place in zip(features, self.places, strict=True)]

    @property
    def schema(self) -> str:
        """A digest of the declarations and of what rules condemn: a state fits exactly one schema."""
        declared = msgspec.json.encode([self.features, sorted(self.condemnable)])
        return hashlib.blake2b(declared, digest_size=16).hexdigest()

    @property
    def attributes(self) -> frozenset[str]:
        """What a kernel asks of the facts of an event to observe it: its keys, its values, its filters, its transaction."""
        paths = {path for spec in self.features for path in (*spec.key, spec.of)}
        paths |= {".".join(path) for spec in self.features for path in self.filters.event_paths(spec)}
        named = {FIELDS[path].attribute for path in paths if path in FIELDS}
        return frozenset({*named, "transaction", "currency", "located", "lat_deg", "lon_deg"})

    def plan(self, type_: str, status: str) -> Plan:
        """What an event of this type and status touches; made once and kept."""
        plan = self._plans.get((type_, status))
        if plan is None:
            plan = self._plans[type_, status] = self._make_plan(type_, status)
        return plan

    def _place(self, spec: FeatureSpec) -> Place:
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
            place = self._slot_of[shared] = Place(number, family.width, _structure(spec))
            family.structures.append(place.structure)
        elif spec.window:
            place.structure.panes_kept = max(place.structure.panes_kept, spec.panes + spec.offset_panes)
        return place

    def _make_plan(self, type_: str, status: str) -> Plan:
        before: dict[int, list[tuple[int, Update, Callable[[Facts], bool] | None, int]]] = {}
        earned: list[tuple[int, int, Write, bool]] = []
        late: list[tuple[int, int, Write, int]] = []
        tests: list[tuple[str | bool, int]] = []
        for bit, (spec, place) in enumerate(self.owners()):
            mask = 1 << bit if spec.measure in ("count", "sum") else 0
            if spec.phase == "event":
                test = self.filters.event_filter(spec, type_, status)
                if test is not False:
                    change = update(spec, place.structure)
                    before.setdefault(place.family, []).append(
                        (place.slot, change, None if test is True else test, mask)
                    )
                continue
            asked = self.filters.decision_filter(spec, type_, status)
            settle = write(spec, place.structure, self.condemnable)
            if spec.measure == "known" and asked is True:
                earned.append((place.family, place.slot, settle, "user.id" in spec.key))
            elif asked is not False:
                tests.append((asked, 1 << len(late)))
                late.append((place.family, place.slot, settle, mask))
        return Plan(
            [(family, self.families[family].key_of, updates) for family, updates in sorted(before.items())],
            earned,
            late,
            self.filters.asked(tests),
        )

    def owners(self) -> list[tuple[FeatureSpec, Place]]:
        """One declaration for each slot, in order."""
        seen: dict[tuple[int, int], tuple[FeatureSpec, Place]] = {}
        for spec, place in zip(self.features, self.places, strict=True):
            if place is not None:
                seen.setdefault((place.family, place.slot), (spec, place))
        return list(seen.values())

    def _reader(self, spec: FeatureSpec, place: Place | None) -> Callable[[Readings], Any]:
        if place is not None:
            return reader(spec, place, self.condemnable)
        if spec.measure == "derived":
            return self.filters.derived(spec)
        if spec.measure in ("campaign", "alarm"):
            return campaign_reader(spec) if spec.measure == "campaign" else alarm_reader(spec)
        return (
            ratio_reader(self.index, spec)
            if spec.measure == "ratio"
            else condemned_reader(spec, self.condemnable)
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
