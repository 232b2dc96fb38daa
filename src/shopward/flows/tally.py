"""The tally: what a policy did to a stream, counted event by event, and held against the labels at the end.

Promise: a pure account. Nothing of a person is kept: users are hashes, and only the shop's own ids of events that a rule
touched are kept as text, for examples. How labels count and what memory it takes stands in ``units``.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.events.catalogue import EVENT_TYPES
from shopward.flows.account import Alerts, Change, Report, RuleAlerts
from shopward.flows.units import Units
from shopward.risk.policy import STRENGTH
from shopward.values import DAY_MS, SECOND_MS, to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from shopward.events import Facts
    from shopward.flows.engine import DecisionRecord
    from shopward.flows.units import Known

EXAMPLES_MAX: Final = 5
OVERLAP_MAX: Final = 5
_KINDS: Final = tuple(STRENGTH)


class RuleName(NamedTuple):
    """What a report says of a rule besides its figures."""

    name: str
    decision: str
    shadow: bool
    types: tuple[str, ...]


class _Touched(NamedTuple):
    """An event that some rule of either policy touched; rules are bits."""

    unit: int
    type: int
    user: int
    event_id: str
    kind: int
    before: int
    fired: int
    deciding: int
    fired_before: int


class Tally:
    """Counts one pass over a stream.

    Args:
        rules: of the policy on trial.
        since_ms: events before it are not counted.
        until_ms: nor from it on; labels count wherever they stand.
    """

    def __init__(self, rules: Iterable[RuleName], *, since_ms: int, until_ms: int) -> None:
        self.rules = tuple(rules)
        self.units = Units()
        self._since_ms, self._until_ms = since_ms, until_ms
        self._bit = {rule.name: 1 << position for position, rule in enumerate(self.rules)}
        self._bit_before: dict[str, int] = {}
        self._touched: list[_Touched] = []
        self._kinds = [0, 0, 0, 0]
        self._latest_ms = 0
        self._held_by_orders = self._differs = 0

    def note(
        self, facts: Facts, record: DecisionRecord, before: DecisionRecord | None, *, held: bool = False
    ) -> None:
        """Count one event.

        Args:
            facts: of the event, as stamped.
            record: what the policy on trial says.
            before: what the policy compared with says, or said when it was recorded.
            held: whether an order had a say on the recorded decision, so that it stays.
        """
        self._latest_ms = max(self._latest_ms, facts.at_ms)
        if facts.type == "label":
            is_fraud = facts.status == "fraud"
            self.units.label(event_id=facts.labelled, transaction=facts.transaction, is_fraud=is_fraud)
        elif self._since_ms <= facts.time_ms < self._until_ms:
            row = self.units.add(facts)
            kind = STRENGTH[record.decision]
            self._kinds[kind] += 1
            self._held_by_orders += held
            compared = None if held else before
            if compared is not None and not _same(record, compared):
                self._differs += 1
            kind_before = kind if compared is None else STRENGTH[compared.decision]
            if record.reasons or record.shadow or kind or kind_before:
                self._touch(row, facts, record, before, kind_before)

    def report(self, policy: str, *, compared_with: str, label_delay_ms: int) -> Report:
        """The account, with what is known at the end of the stream."""
        known = self.units.known(at_ms=self._latest_ms, delay_ms=label_delay_ms)
        first_s, last_s = (self.units.at_s[0], self.units.at_s[-1]) if self.units.at_s else (0, 0)
        days = max((last_s - first_s) * SECOND_MS / DAY_MS, 1.0)
        return Report(
            policy,
            compared_with,
            to_rfc3339(first_s * SECOND_MS),
            to_rfc3339(last_s * SECOND_MS),
            round(days, 3),
            len(self.units.units),
            *known.counts(self.units.units),
            self._held_by_orders,
            self._differs if compared_with else None,
            dict(zip(_KINDS, self._kinds, strict=True)),
            _alerts([touched for touched in self._touched if touched.kind], known, days, ()),
            self._changes(known) if compared_with else [],
            [self._rule(rule, known, days, is_compared=bool(compared_with)) for rule in self.rules],
        )

    def _touch(
        self, row: int, facts: Facts, record: DecisionRecord, before: DecisionRecord | None, kind_before: int
    ) -> None:
        fired_before = 0
        for reason in before.reasons if before is not None else ():
            fired_before |= self._bit_before.setdefault(reason.code, 1 << len(self._bit_before))
        self._touched.append(
            _Touched(
                self.units.units[row],
                self.units.types[row],
                hash(facts.user or facts.actor or facts.id),
                facts.id,
                STRENGTH[record.decision],
                kind_before,
                self._mask(reason.code for reason in record.reasons) | self._mask(record.shadow),
                self._mask(record.deciding),
                fired_before,
            )
        )

    def _mask(self, names: Iterable[str]) -> int:
        mask = 0
        for name in names:
            mask |= self._bit.get(name, 0)  # what is no rule: the score
        return mask

    def _rule(self, rule: RuleName, known: Known, days: float, *, is_compared: bool) -> RuleAlerts:
        bit = self._bit[rule.name]
        mine = [touched for touched in self._touched if touched.fired & bit]
        masks = Counter(touched.fired_before for touched in mine)
        overlap = Counter({
            name: sum(count for mask, count in masks.items() if mask & other)
            for name, other in self._bit_before.items()
        })  # fmt: skip
        return RuleAlerts(
            rule.name,
            rule.decision,
            rule.shadow,
            _alerts(mine, known, days, rule.types),
            sum(1 for touched in mine if touched.deciding & bit),
            sum(1 for touched in mine if touched.fired == bit),
            sum(1 for touched in mine if not touched.before) if is_compared else None,
            {name: count for name, count in overlap.most_common(OVERLAP_MAX) if count},
        )

    def _changes(self, known: Known) -> list[Change]:
        pairs: dict[tuple[int, int], list[_Touched]] = {}
        for touched in self._touched:
            if touched.kind != touched.before:
                pairs.setdefault((touched.before, touched.kind), []).append(touched)
        return [
            Change(
                _KINDS[before],
                _KINDS[after],
                len(rows),
                len({touched.user for touched in rows}),
                dict(Counter(EVENT_TYPES[touched.type] for touched in rows).most_common()),
                *known.counts(touched.unit for touched in rows),
                _examples(rows),
            )
            for (before, after), rows in sorted(pairs.items(), key=lambda item: -len(item[1]))
        ]


def _alerts(touched: list[_Touched], known: Known, days: float, types: Collection[str]) -> Alerts:
    """The figures of some touched events, with recall among the fraud of these event types; of all where empty."""
    fraud, genuine, unknown = known.counts(each.unit for each in touched)
    of = known.frauds_of(types)
    return Alerts(
        len(touched),
        round(len(touched) / days, 2),
        len({each.user for each in touched}),
        fraud,
        genuine,
        unknown,
        round(fraud / (fraud + genuine), 4) if fraud + genuine else None,
        round(fraud / of, 4) if of else None,
        _examples(touched),
    )


def _examples(touched: list[_Touched]) -> list[str]:
    """Ids of the first events, each of another user as far as there are several."""
    first: dict[int, str] = {}
    for each in touched:
        first.setdefault(each.user, each.event_id)
        if len(first) == EXAMPLES_MAX:
            return list(first.values())
    shown = set(first.values())
    others = [each.event_id for each in touched[: 2 * EXAMPLES_MAX] if each.event_id not in shown]
    return [*first.values(), *others[: EXAMPLES_MAX - len(first)]]


def _same(record: DecisionRecord, before: DecisionRecord) -> bool:
    if record.decision != before.decision or record.score != before.score:
        return False
    if not record.reasons and not before.reasons:  # the usual case
        return True
    return [reason.code for reason in record.reasons] == [reason.code for reason in before.reasons]
