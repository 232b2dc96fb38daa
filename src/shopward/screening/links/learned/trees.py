"""Small trees, scored all at once.

Promise: the same sum as ``Forest.margin``, some times faster in plain Python (``tests/screening/test_learned.py`` holds one against
the other). The way is QuickScorer's (Lucchese et al., SIGIR 2015): a question that is answered with no rules out the leaves on
its left; for each column the answers of all its questions are one look-up, and of what is left of a tree the first leaf is the
one that a walk would have reached. A tree has ``LEAVES_MAX`` leaves at most, so that what is left of it fits a byte.
"""

from __future__ import annotations

from bisect import bisect_left
from operator import getitem
from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.errors import ModelInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.forest import Forest

LEAVES_MAX: Final = 8


class Trees:
    """A checked forest, fit for use; safe to share between threads.

    Args:
        forest: raises ``ModelInvalid`` where a tree has more leaves.
        group_of: the group of each column, for ``moved``.
    """

    def __init__(self, forest: Forest, group_of: Sequence[str]) -> None:
        self._size = len(forest.roots)
        self._full = (1 << 8 * self._size) - 1
        self.groups = tuple(dict.fromkeys(group_of))
        asked: list[list[tuple[float, int]]] = [[] for _ in group_of]
        tables, moved = [], []
        for number, root in enumerate(forest.roots):
            leaves: list[_Leaf] = []
            _grow(
                forest, root, _Leaf(0.0, dict.fromkeys(self.groups, 0.0)), group_of, leaves, asked, 8 * number
            )
            if len(leaves) > LEAVES_MAX:
                raise ModelInvalid(
                    "the trees of the bundle are too large",
                    path="model.json",
                    expected=f"{LEAVES_MAX} leaves",
                )
            reached = [leaves[min(_lowest(left), len(leaves) - 1)] for left in range(256)]
            tables.append(tuple(leaf.value for leaf in reached))
            moved.append([tuple(leaf.moved[group] for leaf in reached) for group in self.groups])
        self._tables = tuple(tables)
        self._moved = tuple(zip(*moved, strict=True)) if moved else ((),) * len(self.groups)
        self._columns = tuple(self._answers(questions) for questions in asked)

    def margin(self, row: Sequence[float]) -> float:
        """The sum of the leaves that a row reaches."""
        return sum(map(getitem, self._tables, self._left(row)))

    def moved(self, row: Sequence[float]) -> dict[str, float]:
        """By how much the columns of each group moved the sum, as ``Forest.contributions`` has it of each column."""
        left = self._left(row)
        return {
            group: sum(map(getitem, tables, left))
            for group, tables in zip(self.groups, self._moved, strict=True)
        }

    def _left(self, row: Sequence[float]) -> bytes:
        """What a row leaves of each tree, one byte each."""
        left = self._full
        for (thresholds, answers), number in zip(self._columns, row, strict=True):
            left &= answers[bisect_left(thresholds, number)]
        return left.to_bytes(self._size, "little")

    def _answers(self, questions: list[tuple[float, int]]) -> tuple[list[float], list[int]]:
        """The thresholds of a column, and what is left of all trees by how many of them a number exceeds."""
        questions.sort()
        answers = [self._full]
        for _, ruled_out in questions:
            answers.append(answers[-1] & ~ruled_out)
        return [threshold for threshold, _ in questions], answers


class _Leaf(NamedTuple):
    """What a row has that reaches it, and what the groups of columns did to it on the way."""

    value: float
    moved: dict[str, float]


def _grow(
    forest: Forest,
    node: int,
    way: _Leaf,
    group_of: Sequence[str],
    leaves: list[_Leaf],
    asked: list[list[tuple[float, int]]],
    shift: int,
) -> int:
    """Note the leaves below a node from left to right, and what its questions rule out; the leaves, one bit each."""
    column, value = forest.column[node], forest.value[node]
    if column < 0:
        leaves.append(way._replace(value=value))
        return 1 << shift + len(leaves) - 1
    below = []
    for child in (forest.left[node], forest.right[node]):
        moved = {**way.moved}
        moved[group_of[column]] += forest.value[child] - value
        below.append(_grow(forest, child, _Leaf(0.0, moved), group_of, leaves, asked, shift))
    asked[column].append((forest.threshold[node], below[0]))
    return below[0] | below[1]


def _lowest(left: int) -> int:
    """The number of the first bit that is set; a walk always leaves one."""
    return (left & -left).bit_length() - 1 if left else 0
