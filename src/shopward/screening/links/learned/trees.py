"""Small trees, scored all at once.

Promise: the same sum as ``Forest.margin``, some times faster in plain Python (``tests/screening/test_learned.py`` holds one against
the other), and in whole numbers, ``FINE`` to a logit, so that machine code (``compiled``) adds up the very same. The
way is QuickScorer's (Lucchese et al., SIGIR 2015): a question that is answered with no rules out the leaves on its left; for each
column the answers of all its questions are one look-up, and of what is left of a tree the first leaf is the one that a walk would
have reached. A tree has ``LEAVES_MAX`` leaves at most, so that what is left of it fits a byte.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from contextlib import suppress
from operator import getitem
from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.errors import ModelInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.forest import Forest

LEAVES_MAX: Final = 8
TREES_MAX: Final = 2_000
FINE: Final = 1 << 40
"""Units of a logit."""
_VALUE_MAX: Final = 1_000
"""Logits of a leaf; so many of so many trees stay below 63 bits."""


class Column(NamedTuple):
    """All questions about one number.

    Attributes:
        thresholds: in order, each once; rounded down, since all numbers are whole.
        answers: what is left of all trees where a number exceeds none of them, the first, the first two and so on.
    """

    thresholds: list[int]
    answers: list[int]


class Trees:
    """A checked forest, fit for use; safe to share between threads.

    Args:
        forest: raises ``ModelInvalid`` where a tree has more leaves.
        group_of: the group of each column, for ``moved``.
    """

    def __init__(self, forest: Forest, group_of: Sequence[str]) -> None:
        self.size = len(forest.roots)
        self.groups = tuple(dict.fromkeys(group_of))
        asked: list[dict[int, int]] = [{} for _ in group_of]
        self.leaves: list[list[Leaf]] = []
        is_small = self.size <= TREES_MAX
        with suppress(RecursionError):  # of a tree that is far too deep
            for number, root in enumerate(forest.roots if is_small else ()):
                leaves: list[Leaf] = []
                start = Leaf(0, dict.fromkeys(self.groups, 0))
                _grow(forest, root, start, group_of, leaves, asked, 8 * number)
                self.leaves.append(leaves)
        if len(self.leaves) < self.size or max(map(len, self.leaves), default=0) > LEAVES_MAX:
            raise ModelInvalid(
                "the trees of the bundle are too large",
                path="model.json",
                expected=f"{TREES_MAX} trees of {LEAVES_MAX} leaves",
            )
        tables = []
        moved: list[list[tuple[int, ...]]] = [[] for _ in self.groups]
        for leaves in self.leaves:
            reached = [leaves[min(lowest(left), len(leaves) - 1)] for left in range(256)]
            tables.append(tuple(leaf.value for leaf in reached))
            for group, of_tree in zip(self.groups, moved, strict=True):
                of_tree.append(tuple(leaf.moved[group] for leaf in reached))
        self._tables = tuple(tables)
        self._moved = tuple(map(tuple, moved))
        self._full = (1 << 8 * self.size) - 1
        self.columns = tuple(map(self._answers, asked))

    def whole(self, row: Sequence[int]) -> int:
        """The sum of the leaves that a row reaches, in ``FINE``."""
        return sum(map(getitem, self._tables, self._left(row)))

    def moved(self, row: Sequence[int]) -> tuple[int, ...]:
        """By how much the columns of each group moved the sum, as ``Forest.contributions`` has it of each column."""
        left = self._left(row)
        return tuple([sum(map(getitem, tables, left)) for tables in self._moved])

    def _left(self, row: Sequence[int]) -> bytes:
        """What a row leaves of each tree, one byte each."""
        left = self._full
        for (thresholds, answers), number in zip(self.columns, row, strict=True):
            left &= answers[bisect_left(thresholds, number)]
        return left.to_bytes(self.size, "little")

    def _answers(self, ruled_out: dict[int, int]) -> Column:
        """A column by what each of its thresholds rules out."""
        thresholds = sorted(ruled_out)
        answers = [self._full]
        for threshold in thresholds:
            answers.append(answers[-1] & ~ruled_out[threshold])
        return Column(thresholds, answers)


class Leaf(NamedTuple):
    """What a row has that reaches it, and what the groups of columns did to it on the way, in ``FINE``."""

    value: int
    moved: dict[str, int]


def lowest(left: int) -> int:
    """The number of the first bit that is set; a walk always leaves one."""
    return (left & -left).bit_length() - 1 if left else 0


def _grow(
    forest: Forest,
    node: int,
    way: Leaf,
    group_of: Sequence[str],
    leaves: list[Leaf],
    asked: list[dict[int, int]],
    shift: int,
) -> int:
    """Note the leaves below a node from left to right, and what its questions rule out; the leaves, one bit each."""
    column = forest.column[node]
    if column < 0:
        leaves.append(way._replace(value=_fine(forest.value[node])))
        return 1 << shift + len(leaves) - 1
    below = []
    for child in (forest.left[node], forest.right[node]):
        moved = {**way.moved}
        moved[group_of[column]] += _fine(forest.value[child]) - _fine(forest.value[node])
        below.append(_grow(forest, child, Leaf(0, moved), group_of, leaves, asked, shift))
    threshold = math.floor(forest.threshold[node])
    asked[column][threshold] = asked[column].get(threshold, 0) | below[0]
    return below[0] | below[1]


def _fine(value: float) -> int:
    if not abs(value) <= _VALUE_MAX:
        raise ModelInvalid(
            "a leaf of the bundle weighs too much", path="model.json", expected=f"{_VALUE_MAX} logits"
        )
    return round(value * FINE)
