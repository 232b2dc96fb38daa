"""The layout: declared features compiled into families, slots and a plan for each kind of event.

Promise: features with the same key share one row, and features with the same key, filter, field and pane width
share one slot, kept as long as the longest of their windows. A ``Plan`` holds, for one event type and status, only
the families, updates and filters that can matter there. Nothing here holds state.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import msgspec

from shopward.risk.features.declare import FIELDS, SIGHTED, FeatureSpec, check_features
from shopward.risk.features.series import DistinctRing, Earned, LastValue, PaneCounter, Sightings
from shopward.risk.features.slots import (
    Change,
    Observe,
    Place,
    Reader,
    Write,
    alarm_reader,
    campaign_reader,
    condemned_reader,
    idler,
    key_function,
    key_source,
    observer,
    ratio_reader,
    readers,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

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
    """All features of one key: how long a row is and when it is idle."""

    def __init__(self, key: tuple[str, ...], *, per_currency: bool) -> None:
        self.key = key
        self.per_currency = per_currency
        self.structures: list[Any] = []
        self.width = 0
        self.key_source = key_source(key, per_currency=per_currency)
        self.key_of: Callable[[Facts], str | None] = key_function(key, per_currency=per_currency)

    def add(self, structure: Any) -> int:
        """Take in a structure; its number."""
        structure.at = self.width
        self.width += structure.CELLS
        self.structures.append(structure)
        return len(self.structures) - 1

    @cached_property
    def idle(self) -> Callable[[Mapping[str, list[Any]], int], list[str]]:
        """Which keys have rows whose every slot reads as empty, from now on."""
        return idler(self.structures)


class Plan(NamedTuple):
    """What one kind of event touches.

    Attributes:
        observe: what changes before the rules read.
        earned: ``(family, write, own)`` of pairs that good use makes known, where the event passed; ``own`` where
            the key has the user, and only the customer's own deeds count.
        late: ``(family, write, mark)`` of the other features of phase ``decision``.
        due: asks the filters of all that are ``late``, in that order: the lowest bit is the first one's.
    """

    observe: Observe
    earned: list[tuple[int, Write, bool]]
    late: list[tuple[int, Write, int]]
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
        self._writes: dict[tuple[int, int], Write] = {}

    @property
    def schema(self) -> str:
        """A digest of the declarations and of what rules condemn: a state fits exactly one schema."""
        declared = msgspec.json.encode([self.features, sorted(self.condemnable)])
        return hashlib.blake2b(declared, digest_size=16).hexdigest()

    @cached_property
    def stateless(self) -> dict[int, Reader]:
        """How features read that keep no slot of their own."""
        return {
            index: self._stateless(spec)
            for index, spec in enumerate(self.features)
            if self.places[index] is None
        }

    @cached_property
    def readers(self) -> list[Reader]:
        """How every feature reads from the rows of the plain kernel."""
        placed = [
            (index, spec, place)
            for index, (spec, place) in enumerate(zip(self.features, self.places, strict=True))
            if place is not None
        ]
        by_index = self.stateless | readers(placed, self.condemnable)
        return [by_index[index] for index in range(len(self.features))]

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
            structure = _structure(spec)
            place = self._slot_of[shared] = Place(number, family.add(structure), structure)
        elif spec.window:
            place.structure.panes_kept = max(place.structure.panes_kept, spec.panes + spec.offset_panes)
        return place

    def _make_plan(self, type_: str, status: str) -> Plan:
        before: dict[int, list[Change]] = {}
        earned: list[tuple[int, Write, bool]] = []
        late: list[tuple[int, Write, int]] = []
        tests: list[tuple[str | bool, int]] = []
        for bit, (spec, place) in enumerate(self.owners()):
            mask = 1 << bit if spec.measure in ("count", "sum") else 0
            if spec.phase == "event":
                test = self.filters.event_filter(spec, type_, status)
                if test is not False:
                    change = Change(spec, place.structure, None if test is True else test, mask)
                    before.setdefault(place.family, []).append(change)
                continue
            asked = self.filters.decision_filter(spec, type_, status)
            if spec.measure == "known" and asked is True:
                earned.append((place.family, self._write(spec, place), "user.id" in spec.key))
            elif asked is not False:
                tests.append((asked, 1 << len(late)))
                late.append((place.family, self._write(spec, place), mask))
        return Plan(
            observer((family, self.families[family], changes) for family, changes in sorted(before.items())),
            earned,
            late,
            self.filters.asked(tests),
        )

    def _write(self, spec: FeatureSpec, place: Place) -> Write:
        made = self._writes.get(place[:2])
        if made is None:
            made = self._writes[place[:2]] = write(spec, place.structure, self.condemnable)
        return made

    def owners(self) -> list[tuple[FeatureSpec, Place]]:
        """One declaration for each slot, in order."""
        seen: dict[tuple[int, int], tuple[FeatureSpec, Place]] = {}
        for spec, place in zip(self.features, self.places, strict=True):
            if place is not None:
                seen.setdefault((place.family, place.slot), (spec, place))
        return list(seen.values())

    def _stateless(self, spec: FeatureSpec) -> Reader:
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
