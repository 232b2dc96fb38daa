"""Small trees, scored all at once.

Promise: the same sum as ``Forest.margin``, some times faster in plain Python (``tests/screening/test_learned.py`` holds one against
the other). The way is QuickScorer's (Lucchese et al., SIGIR 2015): a question that is answered with no rules out the leaves on
its left; for each column the answers of all its questions are one look-up, and of what is left of a tree the first leaf is the
one that a walk would have reached. A tree has ``LEAVES_MAX`` leaves at most, so that what is left of it fits a byte.
"""

from __future__ import annotations

from bisect import bisect_left
from operator import getitem
from typing import TYPE_CHECKING, Final

from shopward.errors import ModelInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.forest import Forest

LEAVES_MAX: Final = 8


class Trees:
    """A checked forest, fit for use; safe to share between threads.

    Args:
        forest: raises ``ModelInvalid`` where a tree has more leaves.
        columns: of its rows.
    """

    def __init__(self, forest: Forest, columns: int) -> None:
        self._size = len(forest.roots)
        self._full = (1 << 8 * self._size) - 1
        asked: list[list[tuple[float, int]]] = [[] for _ in range(columns)]
        tables = []
        for number, root in enumerate(forest.roots):
            leaves: list[float] = []
            _grow(forest, root, leaves, asked, 8 * number)
            if len(leaves) > LEAVES_MAX:
                raise ModelInvalid(
                    "the trees of the bundle are too large",
                    path="model.json",
                    expected=f"{LEAVES_MAX} leaves",
                )
            tables.append(tuple(leaves[min(_lowest(left), len(leaves) - 1)] for left in range(256)))
        self._tables = tuple(tables)
        self._columns = tuple(self._answers(questions) for questions in asked)

    def margin(self, row: Sequence[float]) -> float:
        """The sum of the leaves that a row reaches."""
        left = self._full
        for (thresholds, answers), number in zip(self._columns, row, strict=True):
            left &= answers[bisect_left(thresholds, number)]
        return sum(map(getitem, self._tables, left.to_bytes(self._size, "little")))

    def _answers(self, questions: list[tuple[float, int]]) -> tuple[list[float], list[int]]:
        """The thresholds of a column, and what is left of all trees by how many of them a number exceeds."""
        questions.sort()
        answers = [self._full]
        for _, ruled_out in questions:
            answers.append(answers[-1] & ~ruled_out)
        return [threshold for threshold, _ in questions], answers


def _grow(
    forest: Forest, node: int, leaves: list[float], asked: list[list[tuple[float, int]]], shift: int
) -> int:
    """Note the leaves below a node from left to right, and what its questions rule out; the leaves, one bit each."""
    column = forest.column[node]
    if column < 0:
        leaves.append(forest.value[node])
        return 1 << shift + len(leaves) - 1
    left = _grow(forest, forest.left[node], leaves, asked, shift)
    asked[column].append((forest.threshold[node], left))
    return left | _grow(forest, forest.right[node], leaves, asked, shift)


def _lowest(left: int) -> int:
    """The number of the first bit that is set; a walk always leaves one."""
    return (left & -left).bit_length() - 1 if left else 0
