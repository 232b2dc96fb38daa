"""Many events in one call of the machine: for backtests of features that learn nothing from decisions.

Promise: the state changes and every wanted feature reads as if the events had been observed one by one and allowed. What the
machine read stays in the records until the next events are observed, so a reading may be asked for later. Kinds of events
may be mixed; filters are asked in Python as ever.

Not here: features of phase ``decision``, ``known`` and ``condemned``, which need each decision before the next event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from shopward.risk.features.compiled.readings import CompiledReadings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.events.facts import Facts
    from shopward.risk.features.compiled.columns import Record
    from shopward.risk.features.compiled.kernel import CompiledKernel
    from shopward.risk.features.compiled.program import Plan, Program

Array = npt.NDArray[np.int64]


class Many:
    """Room for some events.

    Args:
        kernel: whose state it is.
        program: where everything stands in a record.
        record: room for the records.
        wanted: features that readings may be asked for, with those that a ratio among them is made of.
        run: observes records that are filled.
    """

    def __init__(
        self,
        kernel: CompiledKernel,
        program: Program,
        record: Record,
        wanted: frozenset[int],
        run: Callable[[Record, Sequence[Facts], Sequence[Plan]], None],
    ) -> None:
        self._kernel = kernel
        self._program = program
        self._record = record
        self._wanted = wanted
        self._run = run
        self._words = program.fields.words
        self._rows: Array = record.io[record.at :].reshape(-1, self._words)
        self._texts = sorted(program.kept_texts.values())
        self._plans: dict[tuple[str, str], Plan] = {}
        self._facts: Sequence[Facts] = ()
        self._used: list[Plan] = []
        self._rows_of: list[tuple[Plan, Any]] = []

    def observe(self, facts: Sequence[Facts]) -> None:
        """Observe events, in order; not more than there is room for."""
        self._facts, self._used = facts, []
        if self._texts:
            self._rows[: len(facts), self._texts] = 0
        buffer, plans, used = self._record.bytes, self._plans, self._used
        at, step = 8 * self._record.at, 8 * self._words
        for each in facts:
            kind = (each.type, each.status)
            plan = plans.get(kind)
            if plan is None:
                plan = plans[kind] = self._program.plan(*kind, self._wanted)
            plan.fill(each, buffer, at)
            used.append(plan)
            at += step
        self._run(self._record, facts, used)
        self._rows_of = []

    def column(self, index: int) -> Array | None:
        """What a feature read, event by event; ``None`` where it is not one whole number of 64 bits everywhere."""
        cells = self._rows[: len(self._facts), self._program.fields.cells_at :]
        column = np.empty(len(self._facts), np.int64)
        self._rows_of = self._rows_of or _sorted_out(self._used)
        for plan, rows in self._rows_of:
            cell = dict(plan.sums).get(index)
            if cell is None:
                if index not in plan.plain:
                    return None
                column[rows] = cells[rows, plan.plain.index(index)]
                continue
            low = cells[rows, cell]
            if np.any(cells[rows, cell + 1] != low >> 63):
                return None
            column[rows] = low
        return column

    def readings(self, row: int) -> Any:
        """The readings of one event."""
        plan = self._used[row]
        cells = self._rows[row, self._program.fields.cells_at :][: plan.cells].tolist()
        return CompiledReadings(self._kernel, self._facts[row], plan, cells)


def _sorted_out(used: list[Plan]) -> list[tuple[Plan, Any]]:
    """Each plan with its rows; all rows, where there is one plan, need not be picked."""
    if len(set(map(id, used))) == 1:
        return [(used[0], slice(None))]
    by_plan: dict[int, list[int]] = {}
    for row, plan in enumerate(used):
        by_plan.setdefault(id(plan), []).append(row)
    return [(used[rows[0]], np.array(rows)) for rows in by_plan.values()]
