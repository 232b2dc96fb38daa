"""Groups: events that are weighed, or taken back from the log, in one call of the kernel and one pass over columns.

Promise: the same records and the same state, bit by bit, as ``Engine.weigh`` and ``Engine.reapply`` give one by one
(``tests/flows/test_groups.py`` holds the two against each other). So a group is a matter of speed alone:

  (1) a policy whose features learn nothing from decisions (``columns.fits``), the compiled kernel, and no order ever in
      force: the kernel observes all events in one call, rules are asked over columns, and only where one may fire the
      engine concludes event by event (``columns``)
  (2) in every other case, and where there are few events: one by one

A policy that learns from decisions, as the default one does, needs each decision before the next event is read: it is
never weighed in groups. Taken back from the log in groups, sources that an earlier policy condemned are not kept: no feature
of a policy that fits reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from shopward.flows.recorded import facts_of_entry, reapply, record_of_entry
from shopward.risk.campaigns.book import NOTHING
from shopward.risk.features import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.events import Facts
    from shopward.flows.columns import ColumnTrial
    from shopward.flows.engine import DecisionRecord, Engine
    from shopward.ports import LogEntry
    from shopward.risk.features.compiled.many import Many
    from shopward.risk.policy import Policy

FEW: Final = 24
"""Below so many events the fixed cost of columns is more than they save."""
STRIDE: Final = 512
"""Events a time: so many records stay in the cache of a core."""
_ALLOWED: Final = Outcome("allow", 0)


class _Kind(Struct):
    """As much of a recorded decision as most of them need."""

    decision: str


_kind: Final = msgspec.json.Decoder(_Kind)


class Groups:
    """Weighs groups on one engine, which others may use between two calls.

    Args:
        engine: whose state it is.
        few: fewer events than these are weighed one by one.
    """

    def __init__(self, engine: Engine, *, few: int = FEW) -> None:
        self.engine = engine
        self._few = few
        self._policy: Policy | None = None
        self._trial: ColumnTrial | None = None
        self._blind: Many | None = None

    def weigh(self, facts: Sequence[Facts]) -> list[DecisionRecord]:
        """The records of new events whose times are stamped, in order, applied to the state."""
        engine = self.engine
        trial = self._columns() if len(facts) >= self._few else None
        if trial is None:
            return [engine.weigh(each) for each in facts]
        records: list[DecisionRecord] = []
        for start in range(0, len(facts), STRIDE):
            records += trial.judged(facts[start : start + STRIDE])
        self._pass(facts)
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
            self._pass(facts)

    def _pass(self, facts: Sequence[Facts]) -> None:
        """Campaigns are none in a policy that fits; their clock goes on."""
        settle = self.engine.campaigns.settle
        for each in facts:
            settle(each, _ALLOWED, NOTHING)

    def _columns(self) -> ColumnTrial | None:
        """What weighs in columns, where the policy, the kernel and the orders let it."""
        engine = self.engine
        if engine.orders.version:
            return None
        if self._policy is not engine.policy:
            self._policy = engine.policy
            self._trial, self._blind = self._made()
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
