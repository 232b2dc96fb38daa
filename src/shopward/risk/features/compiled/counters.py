"""Pane counters in memory: ``series.PaneCounter`` in words.

Promise: equal to the reference for every window, in O(1) amortised. The newest panes stand in the slot itself; a queue of
panes, oldest first, is kept in a block once they do not fit. Reading changes nothing.

    count, 3 words: [0, older, newer]               or [block << 6 | size, total, head << 32 | length]
    sum,   4 words: [0, pane, low, high]            or [block << 6 | size, head << 32 | length, low, high]

An entry of a count is ``pane << 28 | count`` in one word; a pane whose count is full gets a second entry. An entry of a
sum is ``pane, low, high`` in four words: sums have 128 bits, so that none can overflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from shopward.risk.features.compiled.jit import compiled, inlined
from shopward.risk.features.compiled.memory import give, take

if TYPE_CHECKING:
    from shopward.risk.features.compiled import Words

COUNT_WORDS: Final = 3
SUM_WORDS: Final = 4
COUNT_BITS: Final = 28
COUNT_FULL: Final = (1 << COUNT_BITS) - 1
SIZE_BITS: Final = 6
SIZE_MASK: Final = (1 << SIZE_BITS) - 1
LOW_32: Final = 0xFFFF_FFFF


@inlined
def count_add(mem: Words, slot: int, pane: int, kept: int) -> bool:
    """Count one more event; false, and nothing changed, where memory is short."""
    meta = mem[slot]
    if meta:
        return _count_push(mem, slot, pane, kept)
    newer = mem[slot + 2]
    if newer and newer >> COUNT_BITS == pane and newer & COUNT_FULL < COUNT_FULL:
        mem[slot + 2] = newer + 1
        return True
    entry = pane << COUNT_BITS | 1
    older = mem[slot + 1]
    if newer == 0 or older == 0 or older >> COUNT_BITS <= pane - kept:
        mem[slot + 1] = newer
        mem[slot + 2] = entry
        return True
    block = take(mem, 2)
    if block == 0:
        return False
    mem[block], mem[block + 1], mem[block + 2] = older, newer, entry
    mem[slot] = block << SIZE_BITS | 2
    mem[slot + 1] = (older & COUNT_FULL) + (newer & COUNT_FULL) + 1
    mem[slot + 2] = 3
    return True


@compiled
def _count_push(mem: Words, slot: int, pane: int, kept: int) -> bool:
    block, size = mem[slot] >> SIZE_BITS, mem[slot] & SIZE_MASK
    mask = (1 << size) - 1
    total = mem[slot + 1]
    head, length = mem[slot + 2] >> 32, mem[slot + 2] & LOW_32
    if length:
        newest = block + ((head + length - 1) & mask)
        if mem[newest] >> COUNT_BITS == pane and mem[newest] & COUNT_FULL < COUNT_FULL:
            mem[newest] += 1
            mem[slot + 1] = total + 1
            return True
    while length and mem[block + head] >> COUNT_BITS <= pane - kept:
        total -= mem[block + head] & COUNT_FULL
        head = (head + 1) & mask
        length -= 1
    if length > mask:
        larger = take(mem, size + 1)
        if larger == 0:
            return False
        for each in range(length):
            mem[larger + each] = mem[block + ((head + each) & mask)]
        give(mem, block, size)
        block, head = larger, 0
        mask = 2 * mask + 1
        mem[slot] = block << SIZE_BITS | (size + 1)
    mem[block + ((head + length) & mask)] = pane << COUNT_BITS | 1
    mem[slot + 1] = total + 1
    mem[slot + 2] = head << 32 | (length + 1)
    return True


@inlined
def count_read(mem: Words, slot: int, pane: int, kept: int, panes: int, offset: int) -> int:
    """The count of the window of ``panes`` that ends ``offset`` panes ago."""
    newest = pane - offset
    oldest = newest - panes
    meta = mem[slot]
    if meta == 0:
        total = 0
        for entry in (mem[slot + 1], mem[slot + 2]):
            if oldest < entry >> COUNT_BITS <= newest:
                total += entry & COUNT_FULL
        return total
    block, mask = meta >> SIZE_BITS, (1 << (meta & SIZE_MASK)) - 1
    head, length = mem[slot + 2] >> 32, mem[slot + 2] & LOW_32
    if panes == kept and offset == 0:
        total = mem[slot + 1]
        for each in range(length):
            entry = mem[block + ((head + each) & mask)]
            if entry >> COUNT_BITS > oldest:
                break
            total -= entry & COUNT_FULL
        return total
    total = 0
    for each in range(length - 1, -1, -1):
        entry = mem[block + ((head + each) & mask)]
        if entry >> COUNT_BITS <= oldest:
            break
        if entry >> COUNT_BITS <= newest:
            total += entry & COUNT_FULL
    return total


@inlined
def count_newest(mem: Words, slot: int) -> int:
    """The newest pane that was counted, -1 for none."""
    meta = mem[slot]
    if meta == 0:
        return mem[slot + 2] >> COUNT_BITS if mem[slot + 2] else -1
    head, length = mem[slot + 2] >> 32, mem[slot + 2] & LOW_32
    mask = (1 << (meta & SIZE_MASK)) - 1
    return mem[(meta >> SIZE_BITS) + ((head + length - 1) & mask)] >> COUNT_BITS


@inlined
def sum_add(mem: Words, slot: int, pane: int, kept: int, amount: int) -> bool:
    """Add an amount; false, and nothing changed, where memory is short."""
    if mem[slot]:
        return _sum_push(mem, slot, pane, kept, amount)
    if mem[slot + 1] == pane + 1:
        add128(mem, slot + 2, amount, amount >> 63)
        return True
    if mem[slot + 1] == 0 or mem[slot + 1] - 1 <= pane - kept:
        mem[slot + 1], mem[slot + 2], mem[slot + 3] = pane + 1, amount, amount >> 63
        return True
    block = take(mem, 3)
    if block == 0:
        return False
    mem[block], mem[block + 1], mem[block + 2] = mem[slot + 1] - 1, mem[slot + 2], mem[slot + 3]
    mem[block + 4], mem[block + 5], mem[block + 6] = pane, amount, amount >> 63
    mem[slot], mem[slot + 1] = block << SIZE_BITS | 3, 2
    add128(mem, slot + 2, amount, amount >> 63)
    return True


@compiled
def _sum_push(mem: Words, slot: int, pane: int, kept: int, amount: int) -> bool:
    block, size = mem[slot] >> SIZE_BITS, mem[slot] & SIZE_MASK
    mask = (1 << (size - 2)) - 1
    head, length = mem[slot + 1] >> 32, mem[slot + 1] & LOW_32
    newest = block + 4 * ((head + length - 1) & mask)
    if mem[newest] == pane:
        add128(mem, newest + 1, amount, amount >> 63)
        add128(mem, slot + 2, amount, amount >> 63)
        return True
    if length > mask and mem[block + 4 * head] > pane - kept:
        larger = take(mem, size + 1)
        if larger == 0:
            return False
        for each in range(length):
            source = block + 4 * ((head + each) & mask)
            for word in range(3):
                mem[larger + 4 * each + word] = mem[source + word]
        give(mem, block, size)
        block, head = larger, 0
        mask = 2 * mask + 1
        mem[slot] = block << SIZE_BITS | (size + 1)
    while length and mem[block + 4 * head] <= pane - kept:
        _subtract128(mem, slot + 2, mem[block + 4 * head + 1], mem[block + 4 * head + 2])
        head = (head + 1) & mask
        length -= 1
    entry = block + 4 * ((head + length) & mask)
    mem[entry], mem[entry + 1], mem[entry + 2] = pane, amount, amount >> 63
    add128(mem, slot + 2, amount, amount >> 63)
    mem[slot + 1] = head << 32 | (length + 1)
    return True


@inlined
def sum_read(
    mem: Words, slot: int, pane: int, kept: int, panes: int, offset: int, out: Words, cell: int
) -> None:
    """The sum of the window of ``panes`` that ends ``offset`` panes ago, as two words of ``out``."""
    newest = pane - offset
    oldest = newest - panes
    out[cell] = out[cell + 1] = 0
    meta = mem[slot]
    if meta == 0:
        if oldest < mem[slot + 1] - 1 <= newest and mem[slot + 1]:
            out[cell], out[cell + 1] = mem[slot + 2], mem[slot + 3]
        return
    block, mask = meta >> SIZE_BITS, (1 << ((meta & SIZE_MASK) - 2)) - 1
    head, length = mem[slot + 1] >> 32, mem[slot + 1] & LOW_32
    if panes == kept and offset == 0:
        out[cell], out[cell + 1] = mem[slot + 2], mem[slot + 3]
        for each in range(length):
            entry = block + 4 * ((head + each) & mask)
            if mem[entry] > oldest:
                return
            _subtract128(out, cell, mem[entry + 1], mem[entry + 2])
        return
    for each in range(length - 1, -1, -1):
        entry = block + 4 * ((head + each) & mask)
        if mem[entry] <= oldest:
            return
        if mem[entry] <= newest:
            add128(out, cell, mem[entry + 1], mem[entry + 2])


@inlined
def sum_newest(mem: Words, slot: int) -> int:
    """The newest pane that was added to, -1 for none."""
    meta = mem[slot]
    if meta == 0:
        return mem[slot + 1] - 1
    head, length = mem[slot + 1] >> 32, mem[slot + 1] & LOW_32
    mask = (1 << ((meta & SIZE_MASK) - 2)) - 1
    return mem[(meta >> SIZE_BITS) + 4 * ((head + length - 1) & mask)]


@inlined
def add128(words: Words, at: int, low: int, high: int) -> None:
    """Add a number of two words to the one at ``at``."""
    before = np.uint64(words[at])
    after = before + np.uint64(low)
    words[at] = np.int64(after)  # type: ignore[assignment]
    words[at + 1] += high + (1 if after < before else 0)


@inlined
def _subtract128(words: Words, at: int, low: int, high: int) -> None:
    before = np.uint64(words[at])
    after = before - np.uint64(low)
    words[at] = np.int64(after)  # type: ignore[assignment]
    words[at + 1] -= high + (1 if after > before else 0)
