"""Examples: rows to learn from, each as of its own event, and what was known about them at a time.

Promise: a row is what the model would have seen when the event was decided. A label counts from its own time on and
the last word on an event wins. ``known_at`` never looks past its time: it takes labels known by then, takes an event
that nobody labelled for genuine once it is older than the label delay, and leaves the others out.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

UNKNOWN: Final = -1


class Known(NamedTuple):
    """What was known at a time: rows by number, and whether each was fraud."""

    rows: Any
    is_fraud: Any


class Examples:
    """Rows of one model in the order of the stream.

    Args:
        columns: how many numbers a row has.
        baselines: names of the scores that are measured beside the model, kept with each row.
    """

    def __init__(self, columns: int, baselines: tuple[str, ...] = ()) -> None:
        self.columns = columns
        self.baselines = baselines
        self.types: list[str] = []
        self._numbers = array("d")
        self._beside = array("d")
        self._at_ms = array("q")
        self._weights = array("d")
        self._row_of: dict[str, int] = {}
        self._words: list[tuple[int, int, bool | None]] = []

    def __len__(self) -> int:
        return len(self._at_ms)

    def add(
        self,
        event_id: str,
        at_ms: int,
        type_: str,
        row: Sequence[float],
        *,
        beside: Sequence[float] = (),
        weight: float = 1.0,
    ) -> None:
        """Keep the row of an event; ``beside`` are the baselines' scores of it, ``weight`` how much it teaches."""
        self._weights.append(weight)
        self._row_of[event_id] = len(self._at_ms)
        self._at_ms.append(at_ms)
        self.types.append(type_)
        self._numbers.extend(row)
        self._beside.extend(beside)

    def label(self, event_id: str, *, known_ms: int | None, is_fraud: bool | None) -> None:
        """Note a label; ``None`` leaves its event out, as fraud of a kind that the model is not about.

        One without a time of its own is known as soon as its event is. Labels of other events are passed over.
        """
        row = self._row_of.get(event_id)
        if row is not None:
            self._words.append((self._at_ms[row] if known_ms is None else known_ms, row, is_fraud))

    def known_at(self, at_ms: int, *, delay_ms: int, since_ms: int = 0) -> Known:
        """The examples since a time that are known at ``at_ms``, in order."""
        import numpy as np  # noqa: PLC0415 -- an extra

        when = self.at_ms
        state = np.full(len(self), UNKNOWN, np.int8)
        state[when < at_ms - delay_ms] = 0
        for known_ms, row, is_fraud in sorted(self._words, key=lambda word: word[0]):
            if known_ms < at_ms and when[row] < at_ms:
                state[row] = UNKNOWN if is_fraud is None else is_fraud
        rows = np.flatnonzero((state != UNKNOWN) & (when >= since_ms))
        return Known(rows, state[rows] == 1)

    @property
    def at_ms(self) -> Any:
        """When each event was."""
        import numpy as np  # noqa: PLC0415 -- an extra

        return np.frombuffer(self._at_ms, np.int64)

    @property
    def weights(self) -> Any:
        """How much each row teaches."""
        import numpy as np  # noqa: PLC0415 -- an extra

        return np.frombuffer(self._weights, np.float64)

    @property
    def matrix(self) -> Any:
        """All rows, one beneath the other."""
        import numpy as np  # noqa: PLC0415 -- an extra

        return np.frombuffer(self._numbers, np.float64).reshape(len(self), self.columns)

    def beside(self, baseline: str) -> Any:
        """The scores of one baseline."""
        import numpy as np  # noqa: PLC0415 -- an extra

        every = np.frombuffer(self._beside, np.float64).reshape(len(self), len(self.baselines))
        return every[:, self.baselines.index(baseline)]
