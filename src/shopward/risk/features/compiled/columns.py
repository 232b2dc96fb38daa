"""Records as arrays: one for an event at a time, many as columns for replays, backtests and benchmarks.

Promise: events given as columns change the state and read as they would one by one. It is for events whose filters type and
status decide and whose decisions teach nothing: what asks Python for each event has no use for columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from shopward.risk.features.compiled import machine

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.risk.features.compiled.program import Plan, Program

Array = npt.NDArray[np.int64]


class Record:
    """Scratch and some records, as words and as bytes.

    Attributes:
        has_untils: whether condemnations of an earlier event may stand in it.
    """

    def __init__(self, program: Program, count: int = 1) -> None:
        self.io: Array = np.zeros(program.scratch_words + count * program.fields.words, np.int64)
        program.set_widths(self.io)
        self.address = self.io.ctypes.data
        self.words: memoryview[int] = memoryview(self.io)  # type: ignore[arg-type]
        self.bytes = self.words.cast("B")
        self.at = program.scratch_words
        self.cells_at = self.at + program.fields.cells_at
        self.has_untils = False


class Columns:
    """Many events of one kind.

    Args:
        program: where everything stands in a record.
        plan: what the kind does.
        record: room for the records.
        observe: has them observed.

    Raises:
        ValueError: the plan asks Python something for each event.

    Attributes:
        at_ms: effective times, which never go back.
    """

    def __init__(
        self, program: Program, plan: Plan, record: Record, observe: Callable[[Record, int], Any]
    ) -> None:
        if plan.has_late or any(plan.earned) or plan.has_filters:
            raise ValueError("columns take no events whose filters or decisions are asked one by one")
        self._program, self._plan, self._record, self._observe = program, plan, record, observe
        self._rows = record.io[record.at :].reshape(-1, program.fields.words)
        self._rows[:, machine.PLAN] = plan.number
        self._rows[:, machine.TEXT_LENGTH] = machine.COLUMNS
        self.at_ms: Array = self._rows[:, machine.AT]

    def field(self, path: str) -> Array:
        """The two words of a field, event by event: 128 bits of a token, or a number and zero."""
        at = self._program.fields.at[path]
        return self._rows[:, at : at + 2]

    def observe(self, count: int) -> None:
        """Observe the first ``count`` events."""
        self._observe(self._record, count)

    def readings(self, name: str) -> Array:
        """What a count, a distinct count, a time or a sum below 2**63 read, event by event."""
        index = self._program.layout.index[name]
        cell = dict(self._plan.sums).get(index)
        if cell is None:
            cell = self._plan.plain.index(index)
        return self._rows[:, self._program.fields.cells_at + cell]
