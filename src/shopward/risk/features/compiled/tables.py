"""Tables in memory: where the row of a key stands.

Promise: a key is found by all its bits; the hash only says where to look. A row never moves. Each family's index is cut
into 256 segments that grow one at a time, so that no insert ever waits for a whole table. Where time moved on since, a
segment drops the rows that read as empty before it grows, which changes no reading.

A family in memory: ``[rows, first free row, segment 0: index << 6 | size, used, last sweep, segment 1: ...]``. An entry of an index is
``32 bits of the hash << 32 | row``; a row begins with its key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shopward.risk.features.compiled.counters import LOW_32
from shopward.risk.features.compiled.jit import compiled, inlined, prefetch
from shopward.risk.features.compiled.memory import extend, give, take
from shopward.risk.features.compiled.slots import SLOT_WORDS, WORD, free, is_idle

if TYPE_CHECKING:
    from shopward.risk.features.compiled import Words

SEGMENTS: Final = 256
TABLE_WORDS: Final = 2 + 3 * SEGMENTS
_SMALLEST: Final = 3
"""A segment starts with ``2**3`` entries."""
_SWEPT_AHEAD: Final = 8

# A family as the program describes it.
TABLE: Final = 0
ROW_WORDS: Final = 1
KEY_WORDS: Final = 2
SLOTS: Final = 3
FIRST_SLOT: Final = 4
LIFETIME: Final = 5
"""How long a row may stand idle at least before a look at it could drop it."""
FAMILY_WORDS: Final = 6


@inlined
def find(mem: Words, code: Words, family: int, keys: Words, key: int, digest: int) -> int:
    """The row of the key at ``key``, 0 where there is none."""
    segment = mem[code[family + TABLE] + 2 + 3 * ((digest >> 56) & (SEGMENTS - 1))]
    if segment == 0:
        return 0
    index, mask = segment >> 6, (1 << (segment & 63)) - 1
    mark = (digest >> 16) & LOW_32
    length = code[family + KEY_WORDS]
    place = mark & mask
    while True:
        entry = mem[index + place]
        if entry == 0:
            return 0
        if (entry >> 32) & LOW_32 == mark:
            row = entry & LOW_32
            if _is_same(mem, row, keys, key, length):
                return row
        place = (place + 1) & mask


@inlined
def ask_for_index(mem: Words, code: Words, family: int, digest: int) -> None:
    """Have the place of a hash in its index fetched."""
    segment = mem[code[family + TABLE] + 2 + 3 * ((digest >> 56) & (SEGMENTS - 1))]
    if segment:
        prefetch(mem, (segment >> 6) + ((digest >> 16) & LOW_32 & ((1 << (segment & 63)) - 1)))


@inlined
def ask_for_row(mem: Words, code: Words, family: int, digest: int) -> int:
    """Have the row fetched that the hash points at, which is nearly always the key's; 0 where there is none."""
    segment = mem[code[family + TABLE] + 2 + 3 * ((digest >> 56) & (SEGMENTS - 1))]
    if segment == 0:
        return 0
    index, mask = segment >> 6, (1 << (segment & 63)) - 1
    mark = (digest >> 16) & LOW_32
    place = mark & mask
    while True:
        entry = mem[index + place]
        if entry == 0:
            return 0
        if (entry >> 32) & LOW_32 == mark:
            row = entry & LOW_32
            for line in range(row, row + code[family + ROW_WORDS] + 7, 8):
                prefetch(mem, line)
            return row
        place = (place + 1) & mask


@inlined
def _is_same(mem: Words, row: int, keys: Words, key: int, length: int) -> bool:
    different = 0
    for each in range(length):
        different |= mem[row + each] ^ keys[key + each]
    return different == 0


@compiled
def insert(mem: Words, code: Words, family: int, keys: Words, key: int, digest: int, at_ms: int) -> int:
    """A new zeroed row for a key that has none; 0, and nothing changed that can be read, where memory is short."""
    table = code[family + TABLE]
    segment = table + 2 + 3 * ((digest >> 56) & (SEGMENTS - 1))
    if (mem[segment] == 0 or 4 * (mem[segment + 1] + 1) > 3 << (mem[segment] & 63)) and not _grow(
        mem, code, family, segment, at_ms
    ):
        return 0
    row = mem[table + 1]
    length = code[family + ROW_WORDS]
    if row:
        mem[table + 1] = mem[row]
        for each in range(row, row + length):
            mem[each] = 0
    else:
        row = extend(mem, length)
        if row == 0:
            return 0
    for each in range(code[family + KEY_WORDS]):
        mem[row + each] = keys[key + each]
    _put(mem, mem[segment] >> 6, mem[segment] & 63, ((digest >> 16) & LOW_32) << 32 | row)
    mem[segment + 1] += 1
    mem[table] += 1
    return row


@inlined
def _put(mem: Words, index: int, size: int, entry: int) -> None:
    mask = (1 << size) - 1
    place = (entry >> 32) & mask
    while mem[index + place]:
        place = (place + 1) & mask
    mem[index + place] = entry


@compiled
def _grow(mem: Words, code: Words, family: int, segment: int, at_ms: int) -> bool:
    """Give a segment an index that is at most half full, and drop its idle rows if the last time is long enough ago."""
    old = mem[segment]
    if old == 0:
        mem[segment + 2] = at_ms
    elif 2 * (at_ms - mem[segment + 2]) >= code[family + LIFETIME]:
        _sweep(mem, code, family, segment, at_ms)
        mem[segment + 2] = at_ms
    size = _SMALLEST
    while 2 * (mem[segment + 1] + 1) > 1 << size:
        size += 1
    if old and size == old & 63:
        return True
    fresh = take(mem, size)
    if fresh == 0:
        return False
    if old:
        index = old >> 6
        for place in range(index, index + (1 << (old & 63))):
            if mem[place]:
                _put(mem, fresh, size, mem[place])
        give(mem, index, old & 63)
    mem[segment] = fresh << 6 | size
    return True


@compiled
def _sweep(mem: Words, code: Words, family: int, segment: int, at_ms: int) -> None:
    """Drop the idle rows of a segment; the rows that are looked at next are fetched meanwhile."""
    index, mask = mem[segment] >> 6, (1 << (mem[segment] & 63)) - 1
    place = 0
    while place <= mask:
        prefetch(mem, mem[index + ((place + _SWEPT_AHEAD) & mask)] & LOW_32)
        row = mem[index + place] & LOW_32
        if row and _row_is_idle(mem, code, family, row, at_ms):
            _drop(mem, code, family, row)
            _close(mem, index, mask, place)
            mem[segment + 1] -= 1
            mem[code[family + TABLE]] -= 1
        else:
            place += 1


@inlined
def _close(mem: Words, index: int, mask: int, hole: int) -> None:
    """Empty a place: what stands behind it and belongs before moves up, so that no search ends too early."""
    place = (hole + 1) & mask
    while mem[index + place]:
        first = (mem[index + place] >> 32) & mask
        if (place - first) & mask >= (place - hole) & mask:
            mem[index + hole] = mem[index + place]
            hole = place
        place = (place + 1) & mask
    mem[index + hole] = 0


@compiled
def _row_is_idle(mem: Words, code: Words, family: int, row: int, at_ms: int) -> bool:
    first = code[family + FIRST_SLOT]
    for slot in range(first, first + SLOT_WORDS * code[family + SLOTS], SLOT_WORDS):
        if not is_idle(mem, row + code[slot + WORD], code, slot, at_ms):
            return False
    return True


@compiled
def _drop(mem: Words, code: Words, family: int, row: int) -> None:
    first = code[family + FIRST_SLOT]
    for slot in range(first, first + SLOT_WORDS * code[family + SLOTS], SLOT_WORDS):
        free(mem, row + code[slot + WORD], code, slot)
    table = code[family + TABLE]
    mem[row] = mem[table + 1]
    mem[table + 1] = row
