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
from shopward.risk.features.compiled.jit import compiled, prefetch
from shopward.risk.features.compiled.memory import extend, give, take
from shopward.risk.features.compiled.slots import SLOT_WORDS, WORD, free, is_idle

if TYPE_CHECKING:
    from shopward.risk.features.compiled import Words

SEGMENTS: Final = 256
TABLE_WORDS: Final = 2 + 3 * SEGMENTS
_SMALLEST: Final = 3
"""A segment starts with ``2**3`` entries."""

# A family as the program describes it.
TABLE: Final = 0
ROW_WORDS: Final = 1
KEY_WORDS: Final = 2
SLOTS: Final = 3
FIRST_SLOT: Final = 4
LIFETIME: Final = 5
"""How long a row may stand idle at least before a look at it could drop it."""
FAMILY_WORDS: Final = 6


@compiled
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


@compiled
def ask_for_index(mem: Words, code: Words, family: int, digest: int) -> None:
    """Have the place of a hash in its index fetched."""
    segment = mem[code[family + TABLE] + 2 + 3 * ((digest >> 56) & (SEGMENTS - 1))]
    if segment:
        prefetch(mem, (segment >> 6) + ((digest >> 16) & LOW_32 & ((1 << (segment & 63)) - 1)))


@compiled
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


@compiled
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


@compiled
def _put(mem: Words, index: int, size: int, entry: int) -> None:
    mask = (1 << size) - 1
    place = (entry >> 32) & mask
    while mem[index + place]:
        place = (place + 1) & mask
    mem[index + place] = entry


@compiled
def _grow(mem: Words, code: Words, family: int, segment: int, at_ms: int) -> bool:
    """Give a segment an index that is at most half full, and drop its idle rows if the last time is long enough ago."""
    old, table = mem[segment], code[family + TABLE]
    index, length = old >> 6, (1 << (old & 63) if old else 0)
    is_sweeping = old != 0 and 2 * (at_ms - mem[segment + 2]) >= code[family + LIFETIME]
    live = mem[segment + 1]
    if is_sweeping:
        live -= _idle_rows(mem, code, family, index, length, at_ms)
    size = _SMALLEST
    while 2 * (live + 1) > 1 << size:
        size += 1
    fresh = take(mem, size)
    if fresh == 0:
        return False
    mem[table] -= mem[segment + 1] - live
    for place in range(index, index + length):
        entry = mem[place]
        if entry and is_sweeping and _row_is_idle(mem, code, family, entry & LOW_32, at_ms):
            _drop(mem, code, family, entry & LOW_32)
        elif entry:
            _put(mem, fresh, size, entry)
    if old:
        give(mem, index, old & 63)
    mem[segment], mem[segment + 1] = fresh << 6 | size, live
    if is_sweeping or old == 0:
        mem[segment + 2] = at_ms
    return True


@compiled
def _idle_rows(mem: Words, code: Words, family: int, index: int, length: int, at_ms: int) -> int:
    idle = 0
    for place in range(index, index + length):
        if mem[place] and _row_is_idle(mem, code, family, mem[place] & LOW_32, at_ms):
            idle += 1
    return idle


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
