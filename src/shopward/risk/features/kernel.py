"""The kernel: feature state as a pure function of the ordered log, in plain Python.

Promise:
- ``observe`` applies an event and hands out its ``Readings``; ``settle`` writes back what the decision teaches.
  The same facts and outcomes in the same order give the same state and readings, on every machine.
- Every update is exact (see ``series``); idle keys are dropped without changing any reading.
- A transaction counts once in every count and sum: ``attempted`` and then ``succeeded`` of one ``transaction.id``
  and type is one event there. Sums are per currency: the currency is part of their key.

This is the reference that any faster kernel has to equal. It does no I/O and knows no rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from shopward.errors import SnapshotInvalid
from shopward.risk.features.readings import NoCampaigns, Outcome, Readings
from shopward.risk.features.series import Row
from shopward.values import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.events.facts import Facts
    from shopward.risk.features.layout import Layout
    from shopward.risk.features.readings import Campaigns
    from shopward.risk.features.slots import Write

FORMAT: Final = "reference-2"
_SWEEP_FLOOR: Final = 20_000
_TRANSACTION_GENERATION_MS: Final = 7 * DAY_MS


class Kernel:
    """State of all declared features.

    Args:
        layout: the compiled declarations.

    Attributes:
        limits: how long each table may grow before idle keys are looked for.
    """

    name: Final = "reference"

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.readers: list[Callable[[Readings], Any]] = layout.readers
        self.seq = 0
        self.families: list[dict[str, Row]] = [{} for _ in layout.families]
        self.condemned: dict[str, dict[str, int]] = {}
        self.campaigns: Campaigns = NoCampaigns()
        self._widths = [family.width for family in layout.families]
        self.limits = [_SWEEP_FLOOR] * len(layout.families)
        self._transactions: tuple[dict[str, int], dict[str, int]] = ({}, {})
        self._generation = 0

    def observe(self, facts: Facts) -> Readings:
        """Apply an event before the decision; ``facts.at_ms`` never goes back."""
        self.seq += 1
        once = self._counted(facts) if facts.transaction else None
        readings = Readings(self, facts, once)
        readings.plan = plan = self.layout.plan(facts.type, facts.status)
        plan.observe(self, facts, readings.rows, once)
        return readings

    def settle(self, facts: Facts, readings: Readings, outcome: Outcome) -> None:
        """Write back what the decision teaches: earned pairs, features of phase ``decision``, condemned sources."""
        plan = readings.plan
        # All filters are asked before anything is written: none of them sees what another has just written.
        bits = plan.due(facts, readings, outcome) if plan.late else 0
        due = [late for position, late in enumerate(plan.late) if bits >> position & 1] if bits else ()
        if outcome.passed:
            is_own = facts.actor_type == "customer"
            for family, write, own in plan.earned:
                if is_own or not own:
                    self._write(facts, readings, outcome, family, write)
        once = readings.once
        for family, write, bit in due:
            if once is not None and bit:
                if once[0] & bit:
                    continue
                once[0] |= bit
            self._write(facts, readings, outcome, family, write)
        if once is not None and once[0]:
            self._transactions[0][facts.type + facts.transaction] = once[0]
        for path, token, until_ms in outcome.condemned:
            tokens = self.condemned.setdefault(path, {})
            tokens[token] = max(until_ms, tokens.get(token, 0))

    def _write(self, facts: Facts, readings: Readings, outcome: Outcome, family: int, write: Write) -> None:
        row = readings.row(family)
        if row is None:
            key = self.key(family, facts)
            if key is None:
                return
            row = readings.rows[family] = self.new_row(family, key, facts.at_ms)
        write(row, self, facts, outcome)

    def keys(self) -> int:
        """How many keys are held, over all families."""
        return sum(len(table) for table in self.families)

    def key(self, family: int, facts: Facts) -> str | None:
        """The event's key in a family, ``None`` where it has none."""
        return self.layout.families[family].key_of(facts)

    def dump(self) -> bytes:
        """The whole state as MessagePack."""
        return _encoder.encode(
            {
                "format": FORMAT,
                "seq": self.seq,
                "families": self.families,
                "condemned": self.condemned,
                "transactions": [
                    {key: f"{mask:x}" for key, mask in part.items()} for part in self._transactions
                ],
                "generation": self._generation,
            }
        )

    def load(self, data: bytes) -> None:
        """Take over a dumped state of the same layout; raises ``SnapshotInvalid`` and leaves the state as it was."""
        try:
            saved = _decoder.decode(data)
        except msgspec.MsgspecError as broken:
            raise SnapshotInvalid(
                "the saved state cannot be read", expected="MessagePack of a kernel"
            ) from broken
        if saved.format != FORMAT or len(saved.families) != len(self.families):
            raise SnapshotInvalid(
                "the saved state is of another kernel",
                expected=f"{FORMAT} of {len(self.families)} families",
                found=f"{saved.format} of {len(saved.families)}",
            )
        self.seq, self.families, self.condemned = saved.seq, saved.families, saved.condemned
        recent, older = ({key: int(mask, 16) for key, mask in part.items()} for part in saved.transactions)
        self._transactions, self._generation = (recent, older), saved.generation
        self.limits = [max(_SWEEP_FLOOR, 2 * len(table)) for table in self.families]

    def new_row(self, family: int, key: str, at_ms: int) -> Row:
        """An empty row for a key that has none."""
        table = self.families[family]
        if len(table) >= self.limits[family]:
            self.sweep(family, at_ms)
        row = table[key] = [None] * self._widths[family]
        return row

    def sweep(self, family: int, at_ms: int) -> None:
        """Drop keys whose every slot reads as empty; costs O(1) per new key, as the table has doubled since."""
        table = self.families[family]
        for key in self.layout.families[family].idle(table, at_ms):
            del table[key]
        self.limits[family] = max(_SWEEP_FLOOR, 2 * len(table))

    def _counted(self, facts: Facts) -> list[int]:
        """Which counters have counted this transaction before, as a bit mask; remembered for 7 to 14 days."""
        generation = facts.at_ms // _TRANSACTION_GENERATION_MS
        if generation != self._generation:
            kept = self._transactions[0] if generation == self._generation + 1 else {}
            self._transactions, self._generation = ({}, kept), generation
        key = facts.type + facts.transaction
        mask = self._transactions[0].get(key)
        return [self._transactions[1].get(key, 0) if mask is None else mask]


class _Saved(msgspec.Struct):
    format: str
    seq: int
    families: list[dict[str, Row]]
    condemned: dict[str, dict[str, int]]
    transactions: tuple[dict[str, str], dict[str, str]]
    generation: int


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(_Saved)
