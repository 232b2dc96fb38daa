"""Groups: events that are weighed, or taken back from the log, in one call of the kernel and one pass over columns.

Promise: the same records and the same state, bit by bit, as ``Engine.weigh`` and ``Engine.reapply`` give one by one
(``tests/backtest/test_groups.py`` holds the two against each other). So a group is a matter of speed alone:

  (1) a policy whose features learn nothing from decisions (``columns.fits``), the compiled kernel, and no order ever in
      force: the kernel observes all events in one call; where they are many, rules are asked over columns, and only where
      one may fire the engine concludes event by event (``columns``)
  (2) in every other case, and where there are few events: one by one

A policy that learns from decisions, as the default one does, needs each decision before the next event is read: it is
never weighed in groups. Taken back from the log in groups, sources that an earlier policy condemned are not kept: no feature
of a policy that fits reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from shopward.events.facts import reader_of
from shopward.flows.recorded import facts_of_entry, reapply, record_of_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.events import Facts
    from shopward.flows.columns import ColumnTrial
    from shopward.flows.engine import DecisionRecord, Engine
    from shopward.ports import LogEntry, Span
    from shopward.risk.features.compiled.many import Many
    from shopward.risk.policy import Policy

FEW: Final = 4
"""Below so many events one call costs more than it saves."""
MANY: Final = 200
"""From so many events on the rules are asked over columns: a column costs as much for one event as for a hundred."""
STRIDE: Final = 512
"""Events a time: so many records stay in the cache of a core."""
SPAN_MAX: Final = 64
"""Events that a span of a log may have; longer ones are taken entry by entry."""


class _Kind(Struct):
    """As much of a recorded decision as most of them need."""

    decision: str


_kind: Final = msgspec.json.Decoder(_Kind)


def plain(span: Span) -> bool:
    """Whether a span has events alone, none of which asked for a challenge or answered one."""
    return (
        span.is_events
        and span.last_seq - span.first_seq < SPAN_MAX
        and '"decision":"challenge"' not in span.decisions
        and '"type":"challenge"' not in span.facts
    )


class Groups:
    """Weighs groups on one engine, which others may use between two calls.

    Args:
        engine: whose state it is.
        few: fewer events than these are weighed one by one.
        many: so many have their rules asked over columns.
    """

    def __init__(self, engine: Engine, *, few: int = FEW, many: int = MANY) -> None:
        self.engine = engine
        self._few = few
        self._many = many
        self._policy: Policy | None = None
        self._trial: ColumnTrial | None = None
        self._blind: Many | None = None
        self._read: Callable[[str], list[Any]] | None = None

    def weigh(self, facts: Sequence[Facts]) -> list[DecisionRecord]:
        """The records of new events whose times are stamped, in order, applied to the state."""
        engine = self.engine
        trial = self._columns() if len(facts) >= self._few else None
        if trial is None:
            return [engine.weigh(each) for each in facts]
        records: list[DecisionRecord] = []
        for start in range(0, len(facts), STRIDE):
            part = facts[start : start + STRIDE]
            records += trial.judged(part, are_many=len(part) >= self._many)
        if facts:
            engine.campaigns.let_pass(facts)
        return records

    def reapply(self, entries: Sequence[LogEntry]) -> None:
        """Take recorded events and their decisions into the state, in order."""
        engine = self.engine
        if self._columns() is None or self._blind is None:
            for entry in entries:
                reapply(engine, entry)
            return
        for start in range(0, len(entries), STRIDE):
            stride = entries[start : start + STRIDE]
            facts = [facts_of_entry(entry) for entry in stride]
            engine.latest_ms = max(engine.latest_ms, facts[-1].at_ms)
            self._blind.observe(facts)
            for each, entry in zip(facts, stride, strict=True):
                if each.type == "challenge" or _kind.decode(entry.decision).decision == "challenge":
                    engine.note_challenge(each, record_of_entry(entry))
            engine.campaigns.let_pass(facts)

    @property
    def takes_spans(self) -> bool:
        """Whether ``reapply_spans`` may be asked."""
        return self._columns() is not None

    def reapply_spans(self, spans: Sequence[Span]) -> None:
        """Take spans that are ``plain`` into the state, of which no more is read than the features ask for."""
        engine, read = self.engine, self._read
        if self._blind is None or read is None:
            raise ValueError("this engine takes no spans")
        facts: list[Any] = []
        for span in spans:
            facts += read(span.facts)
            if len(facts) > STRIDE - SPAN_MAX or span is spans[-1]:
                self._blind.observe(facts)
                engine.latest_ms = max(engine.latest_ms, facts[-1].at_ms)
                engine.campaigns.let_pass(facts)
                facts = []

    def _columns(self) -> ColumnTrial | None:
        """What weighs in columns, where the policy, the kernel and the orders let it."""
        engine = self.engine
        if engine.orders.version:
            return None
        if self._policy is not engine.policy:
            self._policy = engine.policy
            self._trial, self._blind = self._made()
            self._read = reader_of(engine.policy.layout.attributes)
        return self._trial

    def _made(self) -> tuple[ColumnTrial | None, Many | None]:
        many = getattr(self.engine.kernel, "many", None)
        if many is None:
            return None, None
        from shopward.flows.columns import ColumnTrial, fits  # noqa: PLC0415 -- needs numpy, which the compiled kernel brings

        policy = self.engine.policy
        if not fits(policy) or any(rule.condemns for rule in policy.rules):
            return None, None
        trial = ColumnTrial(self.engine, stride=STRIDE, named=True)
        return (trial, many(frozenset(), STRIDE)) if trial.in_one_call else (None, None)
