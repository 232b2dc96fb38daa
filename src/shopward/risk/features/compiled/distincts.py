"""Distinct counts in memory: ``series.DistinctRing`` in words.

Promise: equal to the reference for every window, values compared in all their 128 bits. The first value stands in the
slot; up to ten in a block that is searched from end to end; more in a hash table with, beside it, a ring of how many
values were last seen in each pane. Values that left the longest window give way to new ones. Reading changes nothing.

    4 words: [0, high, low, pane + 1]
         or  [block << 16 | size, values, 0, 0]                       few
         or  [table << 16 | ring size << 8 | 64 | size, ring << 32 | used, pane, total] many
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shopward.risk.features.compiled.counters import LOW_32
from shopward.risk.features.compiled.hashing import mixed
from shopward.risk.features.compiled.jit import compiled, inlined, prefetch
from shopward.risk.features.compiled.memory import give, take

if TYPE_CHECKING:
    from shopward.risk.features.compiled import Words

DISTINCT_WORDS: Final = 4
_MANY: Final = 64
_RING_SIZE: Final = 63 << 8
_FEW_SIZE: Final = 5
"""A block of few values has at most ``2**5`` words: ten values of three words."""
_TABLE_SIZE: Final = 7
"""The smallest table: ``2**7`` words, 32 values of four words."""


@inlined
def distinct_add(mem: Words, slot: int, pane: int, kept: int, high: int, low: int) -> bool:
    """See a value; false, and nothing changed that can be read, where memory is short."""
    meta = mem[slot]
    if meta & _MANY:
        return _many_add(mem, slot, pane, kept, high, low)
    if meta:
        return _few_add(mem, slot, pane, kept, high, low)
    last = mem[slot + 3] - 1
    if last < 0 or last <= pane - kept or (mem[slot + 1] == high and mem[slot + 2] == low):
        mem[slot + 1], mem[slot + 2], mem[slot + 3] = high, low, pane + 1
        return True
    block = take(mem, 3)
    if block == 0:
        return False
    mem[block], mem[block + 1], mem[block + 2] = mem[slot + 1], mem[slot + 2], last
    mem[block + 3], mem[block + 4], mem[block + 5] = high, low, pane
    mem[slot], mem[slot + 1], mem[slot + 2], mem[slot + 3] = block << 16 | 3, 2, 0, 0
    return True


@compiled
def _few_add(mem: Words, slot: int, pane: int, kept: int, high: int, low: int) -> bool:
    block, size, values = mem[slot] >> 16, mem[slot] & 63, mem[slot + 1]
    place = -1
    for entry in range(block, block + 3 * values, 3):
        if mem[entry] == high and mem[entry + 1] == low:
            mem[entry + 2] = pane
            return True
        if mem[entry + 2] <= pane - kept:
            place = entry
    if place < 0:
        if 3 * values + 3 > 1 << size:
            if size == _FEW_SIZE:
                return _few_to_many(mem, slot, pane, kept) and _many_add(mem, slot, pane, kept, high, low)
            larger = take(mem, size + 1)
            if larger == 0:
                return False
            for each in range(3 * values):
                mem[larger + each] = mem[block + each]
            give(mem, block, size)
            block = larger
            mem[slot] = block << 16 | (size + 1)
        place = block + 3 * values
        mem[slot + 1] = values + 1
    mem[place], mem[place + 1], mem[place + 2] = high, low, pane
    return True


@compiled
def _few_to_many(mem: Words, slot: int, pane: int, kept: int) -> bool:
    block, size, values = mem[slot] >> 16, mem[slot] & 63, mem[slot + 1]
    table = take(mem, _TABLE_SIZE)
    if table == 0:
        return False
    ring_size = _ring_size(kept)
    ring = take(mem, ring_size)
    if ring == 0:
        give(mem, table, _TABLE_SIZE)
        return False
    for entry in range(block, block + 3 * values, 3):  # none has left the window: else it had given way
        place = _place(mem, table, _TABLE_SIZE, mem[entry], mem[entry + 1])
        mem[place], mem[place + 1], mem[place + 2] = mem[entry], mem[entry + 1], mem[entry + 2] + 1
        mem[ring + (mem[entry + 2] & ((1 << ring_size) - 1))] += 1
    give(mem, block, size)
    mem[slot], mem[slot + 1] = table << 16 | ring_size << 8 | _MANY | _TABLE_SIZE, ring << 32 | values
    mem[slot + 2], mem[slot + 3] = pane, values
    return True


@compiled
def _many_add(mem: Words, slot: int, pane: int, kept: int, high: int, low: int) -> bool:
    used = mem[slot + 1] & LOW_32
    if 4 * (used + 1) > 3 << ((mem[slot] & 63) - 2):
        if not _rehash(mem, slot, pane, kept):
            return False
        used = mem[slot + 1] & LOW_32
    table, size, ring = mem[slot] >> 16, mem[slot] & 63, mem[slot + 1] >> 32
    mask = (1 << (mem[slot] >> 8 & 63)) - 1
    if pane != mem[slot + 2]:
        _advance(mem, slot, ring, mask, pane, kept)
    place = _place(mem, table, size, high, low)
    last = mem[place + 2] - 1
    if last == pane:
        return True
    if last < 0:
        mem[place], mem[place + 1] = high, low
        mem[slot + 1] = ring << 32 | (used + 1)
    if last > pane - kept and last >= 0:
        mem[ring + (last & mask)] -= 1
    else:
        mem[slot + 3] += 1
    mem[ring + (pane & mask)] += 1
    mem[place + 2] = pane + 1
    return True


@inlined
def _advance(mem: Words, slot: int, ring: int, mask: int, pane: int, kept: int) -> None:
    """Take the panes that left the window off the total, and empty those that came."""
    newest, total = mem[slot + 2], mem[slot + 3]
    if pane - newest >= kept:
        for each in range(ring, ring + mask + 1):
            mem[each] = 0
        total = 0
    else:
        for each in range(newest + 1, pane + 1):
            total -= mem[ring + ((each - kept) & mask)]
            mem[ring + (each & mask)] = 0
    mem[slot + 2], mem[slot + 3] = pane, total


@compiled
def _rehash(mem: Words, slot: int, pane: int, kept: int) -> bool:
    """A table without the values that left the window, at most half full."""
    table, size, ring = mem[slot] >> 16, mem[slot] & 63, mem[slot + 1] >> 32
    end = table + (1 << size)
    live = 0
    for entry in range(table, end, 4):
        if mem[entry + 2] - 1 > pane - kept and mem[entry + 2]:
            live += 1
    fitting = _TABLE_SIZE
    while 2 * (live + 1) > 1 << (fitting - 2):
        fitting += 1
    fresh = take(mem, fitting)
    if fresh == 0:
        return False
    for entry in range(table, end, 4):
        if mem[entry + 2] - 1 > pane - kept and mem[entry + 2]:
            place = _place(mem, fresh, fitting, mem[entry], mem[entry + 1])
            for word in range(3):
                mem[place + word] = mem[entry + word]
    give(mem, table, size)
    mem[slot], mem[slot + 1] = fresh << 16 | (mem[slot] & _RING_SIZE) | _MANY | fitting, ring << 32 | live
    return True


@inlined
def _place(mem: Words, table: int, size: int, high: int, low: int) -> int:
    """Where a value stands in a table, or the free place where it would."""
    mask = (1 << (size - 2)) - 1
    each = mixed(high, low) & mask
    while True:
        entry = table + 4 * each
        if mem[entry + 2] == 0 or (mem[entry] == high and mem[entry + 1] == low):
            return entry
        each = (each + 1) & mask


@inlined
def ask_for_value(mem: Words, slot: int, high: int, low: int) -> None:
    """Have the place of a value fetched, in a slot whose values stand outside its row."""
    meta = mem[slot]
    block = meta >> 16
    if meta & _MANY:
        prefetch(mem, block + 4 * (mixed(high, low) & ((1 << ((meta & 63) - 2)) - 1)))
        prefetch(mem, mem[slot + 1] >> 32)
    else:
        prefetch(mem, block)
        prefetch(mem, block + 8)


@inlined
def distinct_read(mem: Words, slot: int, pane: int, kept: int, panes: int) -> int:
    """How many different values the last ``panes`` panes saw."""
    meta, oldest = mem[slot], pane - panes
    if meta == 0:
        return 1 if mem[slot + 3] and mem[slot + 3] - 1 > oldest else 0
    total = 0
    if meta & _MANY == 0:
        block = meta >> 16
        for entry in range(block, block + 3 * mem[slot + 1], 3):
            if mem[entry + 2] > oldest:
                total += 1
        return total
    ring, newest = mem[slot + 1] >> 32, mem[slot + 2]
    if panes == kept and pane == newest:
        return mem[slot + 3]
    mask = (1 << (meta >> 8 & 63)) - 1
    for each in range(max(oldest, newest - kept) + 1, newest + 1):
        total += mem[ring + (each & mask)]
    return total


@inlined
def distinct_newest(mem: Words, slot: int) -> int:
    """The newest pane that saw a value, -1 for none."""
    meta = mem[slot]
    if meta == 0:
        return mem[slot + 3] - 1
    if meta & _MANY:
        return mem[slot + 2]
    newest = -1
    for entry in range(meta >> 16, (meta >> 16) + 3 * mem[slot + 1], 3):
        newest = max(newest, mem[entry + 2])
    return newest


@inlined
def distinct_free(mem: Words, slot: int) -> None:
    """Give back the blocks of a slot."""
    meta = mem[slot]
    if meta:
        give(mem, meta >> 16, meta & 63)
    if meta & _MANY:
        give(mem, mem[slot + 1] >> 32, meta >> 8 & 63)


@inlined
def _ring_size(kept: int) -> int:
    size = 1
    while 1 << size < kept:
        size += 1
    return size
