"""Fairness: whether honest customers of some country or device class are stopped more often than others.

Promise: rates are over what customers did themselves, over units that are genuine by the labels of the stream (see
``units``); where a stream has no label at all, over everything, and the report says so. A group of fewer than 50 different
customers is not shown but counted with the other small ones, so that no row speaks of somebody. It judges nothing: a
difference is a reason to look, not a proof.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct

from shopward.flows.units import Units

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shopward.events import Facts
    from shopward.flows.engine import DecisionRecord

USERS_MIN: Final = 50
SMALL: Final = "(small groups)"
UNSAID: Final = "(not said)"
DIMENSIONS: Final = ("country", "device")
_Z_95: Final = 1.96


class Group(Struct, frozen=True):
    """One country or device class.

    Attributes:
        events: genuine events of its customers.
        challenged, denied: the shares of them.
        stopped_low, stopped_high: 95 % interval of the share that was either (Wilson).
        against_all: that share against the share of everybody; ``None`` where nobody was stopped.
    """

    dimension: str
    value: str
    events: int
    users: int
    challenged: float
    denied: float
    stopped_low: float
    stopped_high: float
    against_all: float | None


class Fairness(Struct, frozen=True):
    """The report.

    Attributes:
        labelled: whether the stream had labels, so that only genuine events are counted.
        left_out: customers' events that were fraud, or too young to tell.
    """

    events: int
    users: int
    labelled: bool
    left_out: int
    challenged: float
    denied: float
    groups: list[Group]


class _Row(NamedTuple):
    """A customer's event: its place among the units, whose it is, what it says of country and device, its decision."""

    number: int
    user: str
    said: tuple[str, str]
    decision: str


class FairnessTally:
    """Counts decided events by country and device class.

    Args:
        since_ms: events before this time are applied and not counted.
    """

    def __init__(self, *, since_ms: int = 0) -> None:
        self.units = Units()
        self._since_ms = since_ms
        self._latest_ms = 0
        self._labels = 0
        self._rows: list[_Row] = []

    def note(self, facts: Facts, record: DecisionRecord) -> None:
        """Take one event and its decision."""
        self._latest_ms = max(self._latest_ms, facts.at_ms)
        if facts.type == "label":
            self.label(facts.labelled, facts.transaction, is_fraud=facts.status == "fraud")
        elif facts.actor_type == "customer" and facts.user and facts.at_ms >= self._since_ms:
            row = self.units.add(facts)
            said = facts.country or UNSAID, facts.device_type or UNSAID
            self._rows.append(_Row(row, facts.user, said, record.decision))

    def label(self, event_id: str, transaction: str = "", *, is_fraud: bool) -> None:
        """Take a label, of the stream or from outside it."""
        self._labels += 1
        self.units.label(event_id=event_id, transaction=transaction, is_fraud=is_fraud)

    def report(self, *, label_delay_ms: int) -> Fairness:
        """The rates, with what is known at the end of the stream."""
        rows = self._rows
        if self._labels:
            known = self.units.known(at_ms=self._latest_ms, delay_ms=label_delay_ms)
            rows = [row for row in rows if known.is_genuine(self.units.units[row.number])]
        everybody = _group("all", "all", [(row.user, row.decision) for row in rows], None)
        groups: list[Group] = []
        for place, dimension in enumerate(DIMENSIONS):
            members: dict[str, list[tuple[str, str]]] = {}
            for row in rows:
                members.setdefault(row.said[place], []).append((row.user, row.decision))
            small = [name for name, each in members.items() if len({user for user, _ in each}) < USERS_MIN]
            merged = [each for name in small for each in members.pop(name)]
            if len({user for user, _ in merged}) >= USERS_MIN:
                members[SMALL] = merged
            groups += sorted(
                (_group(dimension, name, each, everybody) for name, each in members.items()),
                key=lambda group: -group.events,
            )
        return Fairness(
            everybody.events, everybody.users, bool(self._labels), len(self._rows) - len(rows),
            everybody.challenged, everybody.denied, groups,
        )  # fmt: skip


def _group(dimension: str, value: str, members: Iterable[tuple[str, str]], everybody: Group | None) -> Group:
    decided = list(members)
    count = len(decided)
    challenged = sum(decision == "challenge" for _user, decision in decided)
    denied = sum(decision == "deny" for _user, decision in decided)
    low, high = _wilson(challenged + denied, count)
    of_all = 0.0 if everybody is None else everybody.challenged + everybody.denied
    share = (challenged + denied) / max(1, count)
    return Group(
        dimension,
        value,
        count,
        len({user for user, _decision in decided}),
        round(challenged / max(1, count), 6),
        round(denied / max(1, count), 6),
        low,
        high,
        round(share / of_all, 3) if of_all else None,
    )


def _wilson(hits: int, count: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927)."""
    if not count:
        return 0.0, 1.0
    share, square = hits / count, _Z_95 * _Z_95 / count
    middle = (share + square / 2) / (1 + square)
    half = _Z_95 * math.sqrt(share * (1 - share) / count + square / count / 4) / (1 + square)
    return round(max(0.0, middle - half), 6), round(min(1.0, middle + half), 6)
