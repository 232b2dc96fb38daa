"""Succession: how a running desk changes over to another policy, between two groups.

Promise:
- the old policy decides until the new one knows everything that the log holds; then the next group is decided by the
  new one alone. No group is decided by two;
- where both keep the same state nothing is rebuilt and the change-over costs nothing; else the new policy's state is
  rebuilt from the log beside the old one, in small steps, and holds memory for both meanwhile;
- the change-over is an entry of the log, before the first event that the new policy decides. A start from the log finds
  the same state, since recorded decisions are never recomputed.

It decides nothing and makes no thread: whoever owns the desk calls ``advance`` until ``is_near``, and ``finish`` between
two groups.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shopward.flows.recorded import reapply
from shopward.risk.policy.difference import same_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.flows.decide import DecisionDesk
    from shopward.flows.engine import Engine, Recall
    from shopward.flows.publish import Edition

STEP: Final = 500
"""Entries that one step takes: some 20 ms, in which nobody else has this thread's turn."""


class Successor:
    """An edition on its way into force.

    Args:
        desk: that decides meanwhile, and will by it.
        edition: what comes into force.
        engine_of: makes an engine of it.

    Attributes:
        seq: up to where its state knows the log.
    """

    def __init__(self, desk: DecisionDesk, edition: Edition, engine_of: Callable[[Recall], Engine]) -> None:
        self.edition = edition
        self.seq = 0
        self._desk = desk
        self._engine_of = engine_of
        self._engine: Engine | None = None
        if not same_state(desk.engine.policy.spec, edition.policy.spec):
            self._engine = engine_of(desk.recall)
            self._engine.satisfied_for_ms = desk.engine.satisfied_for_ms  # until an entry says otherwise

    @property
    def is_near(self) -> bool:
        """Whether one more step is enough."""
        return self._engine is None or self.seq + STEP >= self._desk.log.last_seq()

    @property
    def progress(self) -> tuple[int, int]:
        """How much of the log is done, and how much there is."""
        return (self.seq, max(self._desk.seq, self.seq))

    def advance(self) -> None:
        """The next entries; raises ``StoreError`` where the log cannot be read, and may be called again."""
        if self._engine is None:
            return
        for entry in self._desk.log.read(after_seq=self.seq, limit=STEP):
            reapply(self._engine, entry)
            self.seq = entry.seq

    def finish(self) -> None:
        """The rest of the log; nothing may be appended meanwhile."""
        while self._engine is not None and self.seq < self._desk.log.last_seq():
            self.advance()

    def take_over(self) -> None:
        """Decide from the next group on."""
        self._desk.succeed(self.edition.policy, self.edition.mark, self._engine_of, self._engine)
