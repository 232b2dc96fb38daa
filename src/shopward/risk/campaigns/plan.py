"""Plans: declarations of ``campaigns.toml`` compiled for each kind of event.

Promise: everything that can be wrong is found here, before the policy is in force. For an event type and status a plan
holds only what can matter there; for most events it is empty. Nothing here holds state.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import msgspec

from shopward.risk.campaigns.rates import Rate
from shopward.risk.campaigns.spec import CampaignsSpec, KindSpec, Titles, check_campaigns
from shopward.risk.features.declare import FIELDS
from shopward.values import parse_duration_ms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shopward.events.facts import Facts
    from shopward.risk.features import Asked
    from shopward.risk.vocabulary import CelFilters

ValueOf = Callable[["Facts"], str]
ValuesOf = Callable[["Facts"], "tuple[str, ...]"]


Found = TypeVar("Found")


class Link(NamedTuple):
    """What two suspicious accounts may share."""

    path: str
    value_of: ValueOf
    accounts: int
    share: float
    within_ms: int
    same_hand: bool


class Kind(NamedTuple):
    """A kind of campaign, compiled."""

    name: str
    title: Titles
    links: tuple[Link, ...]
    tokens: ValuesOf
    rates: tuple[tuple[str, ValueOf], ...]
    explained_by: ValueOf | None
    settles_ms: int
    accounts: int
    window_ms: int
    quiet_ms: int


class Plan(NamedTuple):
    """What one kind of event may mean.

    Attributes:
        holds: asks the filters of rates, traces and entries, each of which has a bit; ``None`` where there are none.
        does: asks the filters of deeds, which are asked of members alone; ``None`` where there are none.
        rates: ``(bit, name, key)`` of the rates that may count it.
        traces: ``(bit, kind)``: where one of its filters holds it is a trace.
        deeds: ``(bit, kind)``: where it holds, what is done on a member is the campaign's doing.
        entries: ``(bit, kind)``: where it holds, a success is remembered for its sources.
    """

    holds: Asked | None
    does: Asked | None
    rates: tuple[tuple[int, str, ValueOf], ...]
    traces: tuple[tuple[int, int], ...]
    deeds: tuple[tuple[int, int], ...]
    entries: tuple[tuple[int, int], ...]


class CampaignPlans:
    """Compiled ``campaigns.toml``.

    Args:
        spec: as written.
        filters: compiles the filters, which may name the event, its features and its decision.

    Raises:
        PolicyInvalid: something in it is wrong.
    """

    def __init__(self, spec: CampaignsSpec, filters: CelFilters) -> None:
        check_campaigns(spec)
        self.spec = spec
        self._filters = filters
        self._plans: dict[tuple[str, str], Plan] = {}
        self.kinds = tuple(self._kind(name, kind) for name, kind in spec.campaign.items())
        for place, where in self._filters_written():
            filters.check_decided(where, f"campaigns.toml: {place}")

    @property
    def schema(self) -> str:
        """A digest of the declarations; a state fits exactly one."""
        return hashlib.blake2b(msgspec.json.encode(self.spec), digest_size=16).hexdigest()

    def rates(self) -> dict[str, Rate]:
        """Fresh rates, by name."""
        return {
            name: Rate(
                rise=rate.rise,
                arl_ms=parse_duration_ms(rate.arl, path="arl"),
                usual_per_day=rate.usual_per_day,
                warm_up_ms=parse_duration_ms(rate.warm_up, path="warm_up"),
            )
            for name, rate in self.spec.rate.items()
        }

    def plan(self, type_: str, status: str) -> Plan:
        """What an event of this type and status may mean; made once and kept."""
        plan = self._plans.get((type_, status))
        if plan is None:
            plan = self._plans[type_, status] = self._plan(type_, status)
        return plan

    def _plan(self, type_: str, status: str) -> Plan:
        asked: list[tuple[str | bool, int]] = []
        done: list[tuple[str | bool, int]] = []

        def bits(where: str, tests: list[tuple[str | bool, int]] = asked) -> list[int]:
            """The bit of a filter, none where it can never hold."""
            test = self._filters.decided(where, type_, status)
            if test is False:
                return []
            tests.append((test, 1 << len(tests)))
            return [tests[-1][1]]

        kinds = list(enumerate(self.spec.campaign.values()))
        rates = tuple(
            (bit, name, value_of(rate.per))
            for name, rate in self.spec.rate.items()
            for bit in bits(rate.where)
        )
        traces = tuple(
            (bit, number) for number, kind in kinds for where in kind.traces for bit in bits(where)
        )
        deeds = tuple((bit, number) for number, kind in kinds for bit in bits(kind.deeds, done))
        entries = tuple(
            (bit, number) for number, kind in kinds if status == "succeeded" for bit in bits(kind.entries)
        )
        return Plan(self._asks(asked), self._asks(done), rates, traces, deeds, entries)

    def _asks(self, tests: list[tuple[str | bool, int]]) -> Asked | None:
        return self._filters.asked(tests) if tests else None

    def _kind(self, name: str, kind: KindSpec) -> Kind:
        return Kind(
            name,
            kind.title,
            tuple(
                Link(
                    link.key,
                    value_of(link.key),
                    link.accounts,
                    link.share,
                    parse_duration_ms(link.within or kind.window, path="within"),
                    link.same_hand,
                )
                for link in kind.links
            ),
            values_of([link.key for link in kind.links]),
            tuple((rate, value_of(self.spec.rate[rate].per)) for rate in kind.rates),
            value_of(kind.explained_by) if kind.explained_by else None,
            parse_duration_ms(kind.settles, path="settles"),
            kind.accounts,
            parse_duration_ms(kind.window, path="window"),
            parse_duration_ms(kind.quiet, path="quiet"),
        )

    def _filters_written(self) -> list[tuple[str, str]]:
        rates = [(f"rate.{name}.where", rate.where) for name, rate in self.spec.rate.items()]
        traces = [
            (f"campaign.{name}.traces", where)
            for name, kind in self.spec.campaign.items()
            for where in kind.traces
        ]
        others = [
            (f"campaign.{name}.{part}", where)
            for name, kind in self.spec.campaign.items()
            for part, where in (("deeds", kind.deeds), ("entries", kind.entries))
        ]
        return rates + traces + others


def value_of(path: str) -> ValueOf:
    """How an event's value of a path is read, as text and empty for none; the whole shop has the value ``*``."""
    return eval(f"lambda e: {_source(path)}", _NOTHING)  # type: ignore[no-any-return]  # noqa: S307 -- attribute names of our own table


def values_of(paths: Sequence[str]) -> ValuesOf:
    """How the values of several paths are read at once."""
    return eval(f"lambda e: ({''.join(_source(path) + ', ' for path in paths)})", _NOTHING)  # type: ignore[no-any-return]  # noqa: S307 -- as above


def finder_of(tables: Sequence[tuple[str, Mapping[str, Found]]]) -> Callable[[Facts], list[Found]]:
    """How all that stands in tables under an event's values is found: one function, which reads each path once.

    Args:
        tables: the path whose values they are by, and the table.
    """
    lines = ["def find(e):", " found = []"]
    for path in dict.fromkeys(path for path, _table in tables):
        lines.append(f" value = {_source(path)}")
        for number, (of, _table) in enumerate(tables):
            if of == path:
                lines.append(f" if value in T_{number}: found.append(T_{number}[value])")
    names: dict[str, Any] = {f"T_{number}": table for number, (_path, table) in enumerate(tables)}
    names |= _NOTHING
    exec("\n".join([*lines, " return found"]), names)  # noqa: S102 -- attribute names of our own table
    return names["find"]  # type: ignore[no-any-return]


def _source(path: str) -> str:
    if not path:
        return "'*'"
    attribute = f"e.{FIELDS[path].attribute}"
    return f"(str({attribute}) if {attribute} else '')" if FIELDS[path].kind == "int" else attribute


_NOTHING: Final[dict[str, Any]] = {"__builtins__": {"str": str}}
