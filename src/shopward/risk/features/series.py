"""The structures that remember: pane counters, distinct rings, first and last sightings.

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

A slot is ``None`` until it is first written. Times never go back: the log stamps the largest time seen.
"""

from __future__ import annotations

from typing import Any, Final

NEVER_S: Final = 10 * 365 * 24 * 3600
"""What ``since`` reads where nothing was ever seen: ten years, long ago for every rule."""

Slot = list[Any]


class PaneCounter:
    """Count and sum by pane; slot ``[count, sum, [[pane, count, sum], ...]]`` over the panes kept."""

    def __init__(self, width_ms: int, panes_kept: int) -> None:
        self.width_ms = width_ms
        self.panes_kept = panes_kept

    def add(self, slot: Slot | None, at_ms: int, amount: int) -> Slot:
        """The slot with one more event."""
        pane = at_ms // self.width_ms
        if slot is None:
            return [1, amount, [[pane, 1, amount]]]
        slot[0] += 1
        slot[1] += amount
        panes = slot[2]
        if panes and panes[-1][0] == pane:
            newest = panes[-1]
            newest[1] += 1
            newest[2] += amount
        else:
            panes.append([pane, 1, amount])
            if panes[0][0] <= pane - self.panes_kept:
                self._expire(slot, pane)
        return slot

    def read(self, slot: Slot, at_ms: int, part: int, panes: int, offset: int) -> int:
        """Count (``part`` 1) or sum (``part`` 2) of the window of ``panes`` that ends ``offset`` panes ago."""
        pane = at_ms // self.width_ms
        kept = slot[2]
        if kept and kept[0][0] <= pane - self.panes_kept:
            self._expire(slot, pane)
        if panes == self.panes_kept and not offset:
            return slot[part - 1]  # type: ignore[no-any-return]
        newest = pane - offset
        oldest = newest - panes
        total = 0
        for entry in reversed(kept):
            if entry[0] <= oldest:
                break
            if entry[0] <= newest:
                total += entry[part]
        return total

    def idle(self, slot: Slot, at_ms: int) -> bool:
        """Whether the slot reads as if it were empty, from now on."""
        panes = slot[2]
        return not panes or panes[-1][0] <= at_ms // self.width_ms - self.panes_kept

    def _expire(self, slot: Slot, pane: int) -> None:
        panes, oldest, gone = slot[2], pane - self.panes_kept, 0
        for entry in panes:
            if entry[0] > oldest:
                break
            gone += 1
            slot[0] -= entry[1]
            slot[1] -= entry[2]
        del panes[:gone]


class DistinctRing:
    """Different values by the pane of their last sighting; slot ``[total, {value: pane}, [[pane, values], ...]]``.

    The dict is kept in the order of the last sighting, so that expiry takes from its front.
    """

    def __init__(self, width_ms: int, panes_kept: int) -> None:
        self.width_ms = width_ms
        self.panes_kept = panes_kept

    def add(self, slot: Slot | None, at_ms: int, value: str | int) -> Slot:
        """The slot with one more sighting of ``value``."""
        pane = at_ms // self.width_ms
        if slot is None:
            return [1, {value: pane}, [[pane, 1]]]
        ring = slot[2]
        if ring and ring[0][0] <= pane - self.panes_kept:
            self._expire(slot, pane)
        last = slot[1].get(value)
        if last == pane:
            return slot
        if last is None:
            slot[0] += 1
        else:
            del slot[1][value]
            for entry in reversed(ring):
                if entry[0] == last:
                    entry[1] -= 1
                    break
        slot[1][value] = pane
        if ring and ring[-1][0] == pane:
            ring[-1][1] += 1
        else:
            ring.append([pane, 1])
        return slot

    def read(self, slot: Slot, at_ms: int, panes: int) -> int:
        """How many different values the last ``panes`` panes saw."""
        pane = at_ms // self.width_ms
        ring = slot[2]
        if ring and ring[0][0] <= pane - self.panes_kept:
            self._expire(slot, pane)
        if panes == self.panes_kept:
            return slot[0]  # type: ignore[no-any-return]
        oldest, total = pane - panes, 0
        for entry in reversed(ring):
            if entry[0] <= oldest:
                break
            total += entry[1]
        return total

    def idle(self, slot: Slot, at_ms: int) -> bool:
        """Whether the slot reads as if it were empty, from now on."""
        ring = slot[2]
        return not ring or ring[-1][0] <= at_ms // self.width_ms - self.panes_kept

    def _expire(self, slot: Slot, pane: int) -> None:
        total, values, ring = slot
        oldest, gone = pane - self.panes_kept, 0
        for entry in ring:
            if entry[0] > oldest:
                break
            gone += 1
            total -= entry[1]
        del ring[:gone]
        stale = []
        for value, last in values.items():
            if last > oldest:
                break
            stale.append(value)
        for value in stale:
            del values[value]
        slot[0] = total


class Sightings:
    """First and last matching event; slot ``[first_ms, last_ms, previous_ms, seq]``, forgotten ``keep_ms`` after the last."""

    def __init__(self, keep_ms: int) -> None:
        self.keep_ms = keep_ms

    def add(self, slot: Slot | None, at_ms: int, seq: int) -> Slot:
        """The slot with one more sighting, by the event at position ``seq``."""
        if slot is None or at_ms - slot[1] > self.keep_ms:
            return [at_ms, at_ms, 0, seq]
        slot[2], slot[1], slot[3] = slot[1], at_ms, seq
        return slot

    def first_ms(self, slot: Slot, at_ms: int) -> int:
        """When it was first seen, 0 for never."""
        return 0 if at_ms - slot[1] > self.keep_ms else slot[0]

    def previous_ms(self, slot: Slot, at_ms: int, seq: int) -> int:
        """When it was last seen before the event at ``seq``, 0 for never."""
        last: int = slot[2] if slot[3] == seq else slot[1]
        return 0 if at_ms - last > self.keep_ms else last

    def idle(self, slot: Slot, at_ms: int) -> bool:
        """Whether the slot reads as if it were empty, from now on."""
        return bool(at_ms - slot[1] > self.keep_ms)


class LastValue:
    """The value of a field at the last matching event; slot ``[value, previous, at_ms, previous_at_ms, seq]``."""

    def __init__(self, keep_ms: int) -> None:
        self.keep_ms = keep_ms

    def add(self, slot: Slot | None, at_ms: int, seq: int, value: Any) -> Slot:
        """The slot with a new last value, by the event at position ``seq``."""
        if slot is None:
            return [value, None, at_ms, 0, seq]
        slot[1], slot[3] = slot[0], slot[2]
        slot[0], slot[2], slot[4] = value, at_ms, seq
        return slot

    def previous(self, slot: Slot, at_ms: int, seq: int) -> Any:
        """The last value before the event at ``seq``, ``None`` for none."""
        value, when = (slot[1], slot[3]) if slot[4] == seq else (slot[0], slot[2])
        return None if at_ms - when > self.keep_ms else value

    def idle(self, slot: Slot, at_ms: int) -> bool:
        """Whether the slot reads as if it were empty, from now on."""
        return bool(at_ms - slot[2] > self.keep_ms)


class Earned:
    """Since when a pair was used well; slot ``[first_good_ms, last_good_ms]``.

    Use counts when it succeeded, was not challenged or denied, and happened after every condemnation of any part
    of the key had ended. It makes the pair *known* once it is ``ripe_ms`` old, so that nobody teaches it in a day.
    """

    def __init__(self, ripe_ms: int, keep_ms: int) -> None:
        self.ripe_ms = ripe_ms
        self.keep_ms = keep_ms

    def add(self, slot: Slot | None, at_ms: int, condemned_until_ms: int) -> Slot | None:
        """The slot with one more good use; unchanged while a part of the key is condemned."""
        if at_ms <= condemned_until_ms:
            return slot
        if slot is None or slot[0] <= condemned_until_ms or at_ms - slot[1] > self.keep_ms:
            return [at_ms, at_ms]
        slot[1] = at_ms
        return slot

    def read(self, slot: Slot, at_ms: int, condemned_until_ms: int) -> bool:
        """Whether the pair is known."""
        return bool(
            slot[0] > condemned_until_ms
            and at_ms - slot[0] >= self.ripe_ms
            and at_ms - slot[1] <= self.keep_ms
        )

    def idle(self, slot: Slot, at_ms: int) -> bool:
        """Whether the slot reads as if it were empty, from now on."""
        return bool(at_ms - slot[1] > self.keep_ms)
