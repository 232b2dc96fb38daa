"""The structures that remember, as the plain kernel keeps them: pane counters, distinct rings, first and last sightings.

Promise: each structure is exact for the windows declared of it, costs O(1) amortised per event and holds plain
lists, dicts, strings and whole numbers only, so that a snapshot is the state itself.

Pane semantics, written once and tested against a naive recomputation:
- Time is cut into panes of ``width_ms`` aligned to the epoch: ``pane = at_ms // width_ms``.
- A window of ``n`` panes at time ``t`` is the panes ``pane(t) - n + 1 .. pane(t)``: the current pane is counted
  although it is not over, so the window covers between ``n - 1`` and ``n`` widths, and it includes the event itself.
- An offset of ``o`` panes moves the window back: ``pane(t) - o - n + 1 .. pane(t) - o``.
- A distinct count over a window is the number of values whose *last* sighting lies in it, which equals the number
  of different values seen in it as long as the window ends now; therefore distinct counts take no offset.
- ``since``, ``last_seen`` and ``last`` speak of the matching event *before* the current one; ``age`` and
  ``first_seen`` include the current one.

All structures of a key share one flat list, its row: each has ``CELLS`` of it from ``at`` on, which are ``None`` until it is first
written. Most keys are seen once or in one pane only, and what they need stands in the row itself. A structure says how it
is written and read as source, over ``row``, ``at_ms``, ``seq`` and ``pane_WIDTH``, from which one function an event, a reading or a
table is made (``slots``); ``fresh`` is what its cells are where the key is new, ``None`` where that is not known before. What is
rare is a function below. Times never go back: the log stamps the largest time seen.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

NEVER_S: Final = 10 * 365 * 24 * 3600
"""What ``since`` reads where nothing was ever seen: ten years, long ago for every rule."""

Row = list[Any]


class Structure:
    """What all have.

    Attributes:
        at: its first cell.
        width_ms: of its panes, 0 for none.
        marker: the cell that is ``None`` until it is first written, counted from ``at``.
    """

    CELLS: ClassVar[int]
    marker: ClassVar[int] = 0

    def __init__(self) -> None:
        self.at = 0
        self.width_ms = 0

    def cell(self, number: int) -> str:
        """The source of one of its cells."""
        return f"row[{self.at + number}]"

    @property
    def unwritten(self) -> str:
        """The source of whether it was never written."""
        return f"{self.cell(self.marker)} is None"


class PaneCounter(Structure):
    """A count or a sum by pane; cells ``newest pane, total over the panes kept, [pane, amount, ...] or None for one pane``."""

    CELLS = 3

    def __init__(self, width_ms: int, panes_kept: int) -> None:
        super().__init__()
        self.width_ms = width_ms
        self.panes_kept = panes_kept

    def fresh(self, amount: str) -> list[str]:
        """Its cells after one event of an amount."""
        return [f"pane_{self.width_ms}", amount, "None"]

    def add(self, amount: str) -> list[str]:
        """One more event of an amount, which is an atom."""
        newest, total, panes = map(self.cell, range(3))
        pane = f"pane_{self.width_ms}"
        return [
            f"last = {newest}",
            f"if last == {pane}:",
            f" {total} += {amount}",
            f" if {panes} is not None: {panes}[-1] += {amount}",
            f"elif last is None or last <= {pane} - {self.panes_kept}:",
            f" {newest} = {pane}; {total} = {amount}; {panes} = None",
            f"else: next_pane(row, {self.at}, {pane}, {amount}, {self.panes_kept})",
        ]

    def read(self, panes: int, offset: int) -> list[str]:
        """The count or sum of the window of ``panes`` that ends ``offset`` panes ago."""
        newest, total, kept = map(self.cell, range(3))
        return [
            f"pane = at_ms // {self.width_ms} - {offset}",
            f"if {kept} is None: return {total} if pane - {panes} < {newest} <= pane else 0",
            f"return in_window(row, {self.at}, pane, {panes}, {offset}, {self.panes_kept})",
        ]

    @property
    def idle(self) -> str:
        """Whether it reads as if it were empty, from now on."""
        return f"({self.unwritten} or {self.cell(0)} <= at_ms // {self.width_ms} - {self.panes_kept})"


class DistinctRing(Structure):
    """Different values by the pane of their last sighting; cells ``value, pane`` of one, or ``{value: pane}, [pane, values, ...]``.

    The dict is kept in the order of the last sighting, so that expiry takes from its front.
    """

    CELLS = 2
    marker = 1

    def __init__(self, width_ms: int, panes_kept: int) -> None:
        super().__init__()
        self.width_ms = width_ms
        self.panes_kept = panes_kept

    def fresh(self, value: str) -> list[str]:
        """Its cells after one sighting of a value."""
        return [f"{value} or None", f"pane_{self.width_ms} if {value} else None"]

    def add(self, value: str) -> list[str]:
        """One more sighting of a value, where it is not empty."""
        held, last, pane = self.cell(0), self.cell(1), f"pane_{self.width_ms}"
        return [
            f"value = {value}",
            "if value:",
            f" if {self.unwritten}: {held} = value; {last} = {pane}",
            f" elif {held} == value: {last} = {pane}",
            f" else: one_more(row, {self.at}, {pane}, value, {self.panes_kept})",
        ]

    def read(self, panes: int) -> list[str]:
        """How many different values the last ``panes`` panes saw."""
        return [
            f"pane = at_ms // {self.width_ms}",
            f"last = {self.cell(1)}",
            f"if last.__class__ is int: return 1 if last > pane - {panes} else 0",
            f"return how_many(row, {self.at}, pane, {panes}, {self.panes_kept})",
        ]

    @property
    def idle(self) -> str:
        """Whether it reads as if it were empty, from now on."""
        return (
            f"({self.unwritten} or newest_of({self.cell(1)}) <= at_ms // {self.width_ms} - {self.panes_kept})"
        )


class Sightings(Structure):
    """First and last matching event; cells ``first_ms, last_ms, previous_ms, seq``, forgotten ``keep_ms`` after the last."""

    CELLS = 4

    def __init__(self, keep_ms: int) -> None:
        super().__init__()
        self.keep_ms = keep_ms

    def fresh(self) -> list[str]:
        """Its cells after one sighting."""
        return ["at_ms", "at_ms", "0", "seq"]

    def add(self) -> list[str]:
        """One more sighting, by the event at position ``seq``."""
        first, last, previous, seq = map(self.cell, range(4))
        return [
            f"if {first} is None or at_ms - {last} > {self.keep_ms}: {first} = at_ms; {previous} = 0",
            f"else: {previous} = {last}",
            f"{last} = at_ms; {seq} = seq",
        ]

    @property
    def first_ms(self) -> str:
        """When it was first seen, 0 for never."""
        return f"(0 if at_ms - {self.cell(1)} > {self.keep_ms} else {self.cell(0)})"

    @property
    def previous_ms(self) -> list[str]:
        """``last``: when it was last seen before the event at ``seq``, 0 for never."""
        return [
            f"last = {self.cell(2)} if {self.cell(3)} == seq else {self.cell(1)}",
            f"if at_ms - last > {self.keep_ms}: last = 0",
        ]

    @property
    def idle(self) -> str:
        """Whether it reads as if it were empty, from now on."""
        return f"({self.unwritten} or at_ms - {self.cell(1)} > {self.keep_ms})"


class LastValue(Structure):
    """The value of a field at the last matching event; cells ``value, previous, at_ms, previous_at_ms, seq``."""

    CELLS = 5
    marker = 2

    def __init__(self, keep_ms: int) -> None:
        super().__init__()
        self.keep_ms = keep_ms

    def fresh(self, value: str) -> list[str]:
        """Its cells after a first value."""
        return [value, "None", "at_ms", "0", "seq"]

    def add(self, value: str) -> list[str]:
        """A new last value, by the event at position ``seq``."""
        held, previous, when, before, seq = map(self.cell, range(5))
        return [
            f"if {when} is None: {before} = 0",
            f"else: {previous} = {held}; {before} = {when}",
            f"{held} = {value}; {when} = at_ms; {seq} = seq",
        ]

    @property
    def previous(self) -> list[str]:
        """``value``: the last one before the event at ``seq``, ``None`` for none."""
        held, previous, when, before, seq = map(self.cell, range(5))
        return [
            f"if {seq} == seq: value = None if at_ms - {before} > {self.keep_ms} else {previous}",
            f"else: value = None if at_ms - {when} > {self.keep_ms} else {held}",
        ]

    @property
    def idle(self) -> str:
        """Whether it reads as if it were empty, from now on."""
        return f"({self.unwritten} or at_ms - {self.cell(2)} > {self.keep_ms})"


class Earned(Structure):
    """Since when a pair was used well; cells ``first_good_ms, last_good_ms``.

    Use counts when it succeeded, was not challenged or denied, and happened after every condemnation of any part
    of the key had ended. It makes the pair *known* once it is ``ripe_ms`` old, so that nobody teaches it in a day.
    """

    CELLS = 2

    def __init__(self, ripe_ms: int, keep_ms: int) -> None:
        super().__init__()
        self.ripe_ms = ripe_ms
        self.keep_ms = keep_ms

    def add(self, until: str) -> list[str]:
        """One more good use; nothing changes while a part of the key is condemned, which is ``until`` when."""
        first, last = self.cell(0), self.cell(1)
        return [
            f"until = {until}",
            "if at_ms > until:",
            f" if {first} is None or {first} <= until or at_ms - {last} > {self.keep_ms}: {first} = at_ms",
            f" {last} = at_ms",
        ]

    def read(self, until: str) -> list[str]:
        """Whether the pair is known."""
        first, last = self.cell(0), self.cell(1)
        return [
            f"return {first} > {until} and at_ms - {first} >= {self.ripe_ms} and at_ms - {last} <= {self.keep_ms}"
        ]

    @property
    def idle(self) -> str:
        """Whether it reads as if it were empty, from now on."""
        return f"({self.unwritten} or at_ms - {self.cell(1)} > {self.keep_ms})"


def next_pane(row: Row, at: int, pane: int, amount: int, panes_kept: int) -> None:
    """A counter moves on to another pane while an earlier one still counts."""
    kept = row[at + 2]
    if kept is None:
        kept = row[at + 2] = [row[at], row[at + 1]]
    elif kept[0] <= pane - panes_kept:
        _expire(row, at, pane - panes_kept)
    row[at] = pane
    row[at + 1] += amount
    kept += (pane, amount)


def in_window(row: Row, at: int, pane: int, panes: int, offset: int, panes_kept: int) -> int:
    """What a counter of several panes has in the ``panes`` that end at ``pane``, which is ``offset`` panes ago."""
    kept = row[at + 2]
    if kept[0] <= pane + offset - panes_kept:
        _expire(row, at, pane + offset - panes_kept)
    if panes == panes_kept and not offset:
        return row[at + 1]  # type: ignore[no-any-return]
    oldest, total = pane - panes, 0
    for position in range(len(kept) - 2, -1, -2):
        each = kept[position]
        if each <= oldest:
            break
        if each <= pane:
            total += kept[position + 1]
    return total


def _expire(row: Row, at: int, oldest: int) -> None:
    kept, gone = row[at + 2], 0
    while gone < len(kept) and kept[gone] <= oldest:
        row[at + 1] -= kept[gone + 1]
        gone += 2
    del kept[:gone]
    if not kept:  # as if it had one pane, long ago
        row[at + 2] = None


def one_more(row: Row, at: int, pane: int, value: str | int, panes_kept: int) -> None:
    """A ring sees a value that is not the only one of late."""
    values, ring = row[at], row[at + 1]
    oldest = pane - panes_kept
    if ring.__class__ is int:
        if ring <= oldest:
            row[at], row[at + 1] = value, pane
        else:
            row[at] = {values: ring, value: pane}
            row[at + 1] = [pane, 2] if ring == pane else [ring, 1, pane, 1]
        return
    if ring and ring[0] <= oldest:
        _forget(values, ring, oldest)
    last = values.get(value)
    if last == pane:
        return
    if last is not None:
        del values[value]
        for position in range(len(ring) - 2, -1, -2):
            if ring[position] == last:
                ring[position + 1] -= 1
                break
    values[value] = pane
    if ring and ring[-2] == pane:
        ring[-1] += 1
    else:
        ring += (pane, 1)


def how_many(row: Row, at: int, pane: int, panes: int, panes_kept: int) -> int:
    """How many values of a ring of several were last seen in the newest ``panes``."""
    values, ring = row[at], row[at + 1]
    if ring and ring[0] <= pane - panes_kept:
        _forget(values, ring, pane - panes_kept)
    if panes == panes_kept:
        return len(values)
    oldest, total = pane - panes, 0
    for position in range(len(ring) - 2, -1, -2):
        if ring[position] <= oldest:
            break
        total += ring[position + 1]
    return total


def newest_of(last: int | list[int]) -> int:
    """The newest pane of a ring; before all panes where it has forgotten everything."""
    if isinstance(last, int):
        return last
    return last[-2] if last else -1


def _forget(values: dict[Any, int], ring: list[int], oldest: int) -> None:
    gone = 0
    while gone < len(ring) and ring[gone] <= oldest:
        gone += 2
    del ring[:gone]
    stale = []
    for value, last in values.items():
        if last > oldest:
            break
        stale.append(value)
    for value in stale:
        del values[value]


HELPERS: Final[dict[str, Any]] = {
    helper.__name__: helper for helper in (next_pane, in_window, one_more, how_many, newest_of)
}
"""What generated code calls where something is rare."""
