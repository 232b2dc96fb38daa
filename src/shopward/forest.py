"""A forest of decision trees as flat columns, walked one row at a time.

Promise: ``margin`` equals what LightGBM says for the same row, to the last digits of a sum of floats
(``tests/models/test_forest.py`` holds it to that on random rows); with numba a walk is compiled, without it plain
Python walks the same columns. Trees compare numbers with ``<=`` alone: there is no missing value and no category.

``contributions`` is the difference that each step of each path makes to the expected value, added up by column. It
is exact in its sum and cheap; unlike SHAP it does not average over the order of the questions.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from shopward.errors import ModelInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Forest(Struct, frozen=True):
    """All trees in common columns, one entry a node; a leaf asks no column (-1).

    Attributes:
        roots: the first node of each tree.
        column, threshold: what a node asks: whether the row's number is at most the threshold.
        left, right: the nodes for yes and no.
        value: the expected margin at a node, inner nodes included.
    """

    roots: list[int]
    column: list[int]
    threshold: list[float]
    left: list[int]
    right: list[int]
    value: list[float]

    def check(self, columns: int) -> None:
        """Refuse what is no forest over that many columns: every walk must end at a leaf. Raises ``ModelInvalid``."""
        nodes = len(self.column)
        parts = (self.threshold, self.left, self.right, self.value)
        is_sound = all(len(part) == nodes for part in parts) and all(0 <= root < nodes for root in self.roots)
        for node in range(nodes) if is_sound else ():
            asks = self.column[node]
            # Children stand after their parent, so no walk can go round.
            ends = asks == -1 or (
                0 <= asks < columns and node < self.left[node] < nodes and node < self.right[node] < nodes
            )
            is_sound = is_sound and ends
        if not is_sound:
            raise ModelInvalid(
                "the trees of the bundle are no trees",
                path="model.json",
                expected="nodes that lead to leaves",
            )

    def margin(self, row: Sequence[float]) -> float:
        """The sum of the leaves that a row reaches, in plain Python."""
        column, threshold, left, right = self.column, self.threshold, self.left, self.right
        total = 0.0
        for root in self.roots:
            node = root
            while (asks := column[node]) >= 0:
                node = left[node] if row[asks] <= threshold[node] else right[node]
            total += self.value[node]
        return total

    def contributions(self, row: Sequence[float], columns: int) -> list[float]:
        """What each column moved the margin by, away from what is expected of any row."""
        moved = [0.0] * columns
        for root in self.roots:
            node = root
            while (asks := self.column[node]) >= 0:
                child = self.left[node] if row[asks] <= self.threshold[node] else self.right[node]
                moved[asks] += self.value[child] - self.value[node]
                node = child
        return moved


def walker(forest: Forest) -> Callable[[Sequence[float]], float]:
    """The fastest walk that this machine has: compiled where numba is installed, else plain Python."""
    try:
        import numpy as np  # noqa: PLC0415 -- an extra

        from shopward.machine_code import code_folder, compiled_in  # noqa: PLC0415 -- an extra
    except ImportError:
        return forest.margin
    columns = [
        np.array(part, dtype)
        for part, dtype in (
            (forest.roots, np.int32), (forest.column, np.int32), (forest.threshold, np.float64),
            (forest.left, np.int32), (forest.right, np.int32), (forest.value, np.float64),
        )
    ]  # fmt: skip
    compiled = compiled_in(code_folder("forest", [Path(__file__)]), _walk)
    row = np.zeros(max(forest.column, default=0) + 1 or 1, np.float64)
    width = len(row)

    def margin(values: Sequence[float]) -> float:
        row[:] = values[:width]
        return float(compiled(row, *columns))

    margin(
        [0.0] * width
    )  # compiles now, or takes what an earlier start compiled, and not with the first event
    return margin


def _walk(row: Any, roots: Any, column: Any, threshold: Any, left: Any, right: Any, value: Any) -> Any:
    total = 0.0
    for root in roots:
        node = root
        while column[node] >= 0:
            node = left[node] if row[column[node]] <= threshold[node] else right[node]
        total += value[node]
    return total


def forest_of(dump: dict[str, Any]) -> Forest:
    """LightGBM's own description of its trees as a ``Forest``."""
    forest = Forest([], [], [], [], [], [])
    for tree in dump["tree_info"]:
        forest.roots.append(_grow(forest, tree["tree_structure"]))
    return forest


def _grow(forest: Forest, node: dict[str, Any]) -> int:
    """Append a node and what is below it; its number. A tree is no deeper than it has leaves, 255 at most."""
    number = len(forest.column)
    is_leaf = "split_feature" not in node
    forest.column.append(-1 if is_leaf else node["split_feature"])
    forest.threshold.append(0.0 if is_leaf else node["threshold"])
    forest.value.append(node["leaf_value"] if is_leaf else node["internal_value"])
    forest.left.append(number)
    forest.right.append(number)
    if not is_leaf:
        forest.left[number] = _grow(forest, node["left_child"])
        forest.right[number] = _grow(forest, node["right_child"])
    return number


def margins_of(forest: Forest, rows: Any) -> Any:
    """The margins of many rows at once: every row takes one step down each tree until all stand on leaves."""
    import numpy as np  # noqa: PLC0415 -- an extra

    column, threshold = np.array(forest.column), np.array(forest.threshold)
    left, right, value = np.array(forest.left), np.array(forest.right), np.array(forest.value)
    every, total = np.arange(len(rows)), np.zeros(len(rows))
    for root in forest.roots:
        node = np.full(len(rows), root)
        while (asks := column[node]).max(initial=-1) >= 0:
            says_yes = rows[every, np.maximum(asks, 0)] <= threshold[node]
            node = np.where(asks < 0, node, np.where(says_yes, left[node], right[node]))
        total += value[node]
    return total
