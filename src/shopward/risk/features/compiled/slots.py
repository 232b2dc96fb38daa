"""Slots in memory: what each kind of slot does with an event, and what a feature reads from it.

Promise: ``apply`` and ``read`` equal the structures of ``series`` for every kind. What speaks of the event *before* the
current one (since, last) is read before the event is applied, so no slot keeps a second generation.

    sighted  [first + 1, last + 1]      known  [first good + 1, last good + 1]
    last     [high, low, (at + 1) << 1 | is_text]      place  [place, at + 1]

Times are kept one higher, so that a zeroed slot is one that was never written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shopward.risk.features.compiled.counters import (
    COUNT_WORDS,
    LOW_32,
    SIZE_BITS,
    SIZE_MASK,
    SUM_WORDS,
    count_add,
    count_newest,
    count_read,
    sum_add,
    sum_newest,
    sum_read,
)
from shopward.risk.features.compiled.distincts import (
    DISTINCT_WORDS,
    ask_for_value,
    distinct_add,
    distinct_free,
    distinct_newest,
    distinct_read,
)
from shopward.risk.features.compiled.jit import inlined, prefetch
from shopward.risk.features.compiled.memory import give
from shopward.risk.features.series import NEVER_S

if TYPE_CHECKING:
    from shopward.risk.features.compiled import Words

COUNT: Final = 0
SUM: Final = 1
DISTINCT: Final = 2
SIGHTED: Final = 3
KNOWN: Final = 4
LAST: Final = 5
PLACE: Final = 6
MARKS: Final = 7
"""What a transaction has been counted in: its generation, then a bit for each counter."""

WORDS_OF: Final = {
    COUNT: COUNT_WORDS, SUM: SUM_WORDS, DISTINCT: DISTINCT_WORDS, SIGHTED: 2, KNOWN: 2, LAST: 3, PLACE: 2,
}  # fmt: skip

# A slot as the program describes it.
KIND: Final = 0
WORD: Final = 1
WIDTH: Final = 2
KEPT: Final = 3
KEEP: Final = 4
RIPE: Final = 5
UNTIL: Final = 6
TEXT: Final = 7
PANE: Final = 8
SLOT_WORDS: Final = 9

READ_COUNT: Final = 0
READ_SUM: Final = 1
READ_DISTINCT: Final = 2
READ_FIRST_SEEN: Final = 3
READ_AGE: Final = 4
READ_LAST_SEEN: Final = 5
READ_SINCE: Final = 6
READ_KNOWN: Final = 7
READ_LAST: Final = 8
READ_PLACE: Final = 9


@inlined
def ask_for_block(mem: Words, at: int, code: Words, slot: int, record: Words, field: int) -> None:
    """Have the place outside the row fetched that an event will touch."""
    kind, meta = code[slot + KIND], mem[at]
    if kind == DISTINCT and meta:
        ask_for_value(mem, at, record[field], record[field + 1])
    elif kind <= SUM and meta:
        head, length = mem[at + 2 - kind] >> 32, mem[at + 2 - kind] & LOW_32
        mask = (1 << ((meta & SIZE_MASK) - 2 * kind)) - 1
        prefetch(mem, (meta >> SIZE_BITS) + (((head + length - 1) & mask) << 2 * kind))


@inlined
def apply(  # noqa: C901 -- one branch for each kind
    mem: Words, at: int, code: Words, slot: int, record: Words, base: int, field: int
) -> bool:
    """Apply the event of a record to the slot at ``at``; false, and nothing changed, where memory is short.

    The current pane of each width stands in scratch (``PANE``). The program describes the slot at ``slot``; the record stands at ``base``, its time first; ``field`` is the one that is
    summed, counted or kept, -1 for none.
    """
    kind, at_ms = code[slot + KIND], record[base]
    if kind == COUNT:
        return count_add(mem, at, record[code[slot + PANE]], code[slot + KEPT])
    if kind == SUM:
        amount = record[base + field] if field >= 0 else 1
        return sum_add(mem, at, record[code[slot + PANE]], code[slot + KEPT], amount)
    if kind == DISTINCT:
        high, low = record[base + field], record[base + field + 1]
        if high == 0 and low == 0:
            return True
        return distinct_add(mem, at, record[code[slot + PANE]], code[slot + KEPT], high, low)
    if kind == SIGHTED:
        if mem[at + 1] == 0 or at_ms + 1 - mem[at + 1] > code[slot + KEEP]:
            mem[at] = at_ms + 1
        mem[at + 1] = at_ms + 1
    elif kind == KNOWN:
        _earn(mem, at, at_ms, record[base + code[slot + UNTIL]], code[slot + KEEP])
    elif kind == LAST:
        text = record[base + code[slot + TEXT]]
        if text:
            mem[at], mem[at + 1] = text, 0
        else:
            mem[at], mem[at + 1] = record[base + field], record[base + field + 1]
        mem[at + 2] = (at_ms + 1) << 1 | (1 if text else 0)
    elif kind == PLACE and record[base + field]:
        mem[at], mem[at + 1] = record[base + field], at_ms + 1
    return True


@inlined
def _earn(mem: Words, at: int, at_ms: int, until: int, keep: int) -> None:
    if at_ms <= until:
        return
    if mem[at + 1] == 0 or mem[at] - 1 <= until or at_ms + 1 - mem[at + 1] > keep:
        mem[at] = at_ms + 1
    mem[at + 1] = at_ms + 1


@inlined
def read(mem: Words, at: int, code: Words, reading: int, record: Words, base: int) -> None:
    """Write what a feature reads from the slot at ``at`` into its cells of the record.

    ``at`` is 0 where the key has no row; the program describes the reading at ``reading``: ``[slot, measure, panes, offset,
    cell]``.
    """
    slot, measure, cell = code[reading], code[reading + 1], base + code[reading + 4]
    at_ms, keep = record[base], code[slot + KEEP]
    if measure <= READ_DISTINCT:
        _read_window(mem, at, code, reading, record, cell, record[code[slot + PANE]])
        return
    if measure == READ_LAST:
        record[cell] = record[cell + 1] = record[cell + 2] = 0
        if at and mem[at + 2] and at_ms + 1 - (mem[at + 2] >> 1) <= keep:
            record[cell], record[cell + 1] = mem[at], mem[at + 1]
            record[cell + 2] = 1 + (mem[at + 2] & 1)
        return
    last = mem[at + 1] - 1 if at else -1
    is_kept = last >= 0 and at_ms - last <= keep
    value = 0
    if measure == READ_PLACE:
        value = mem[at] if is_kept else 0
    elif measure == READ_KNOWN:
        first, until = mem[at] - 1, record[base + code[slot + UNTIL]]
        value = 1 if is_kept and first > until and at_ms - first >= code[slot + RIPE] else 0
    elif measure == READ_FIRST_SEEN:
        value = (mem[at] - 1) // 1000 if is_kept else 0
    elif measure == READ_AGE:
        value = (at_ms - mem[at] + 1) // 1000 if is_kept and mem[at] > 1 else 0
    elif measure == READ_LAST_SEEN:
        value = last // 1000 if is_kept else 0
    else:
        value = (at_ms - last) // 1000 if is_kept and last else NEVER_S
    record[cell] = value


@inlined
def _read_window(mem: Words, at: int, code: Words, reading: int, record: Words, cell: int, pane: int) -> None:
    slot, measure, panes = code[reading], code[reading + 1], code[reading + 2]
    kept, offset = code[slot + KEPT], code[reading + 3]
    if at == 0:
        record[cell] = 0
        if measure == READ_SUM:
            record[cell + 1] = 0
    elif measure == READ_COUNT:
        record[cell] = count_read(mem, at, pane, kept, panes, offset)
    elif measure == READ_SUM:
        sum_read(mem, at, pane, kept, panes, offset, record, cell)
    else:
        record[cell] = distinct_read(mem, at, pane, kept, panes)


@inlined
def is_idle(mem: Words, at: int, code: Words, slot: int, at_ms: int) -> bool:
    """Whether the slot reads as empty, from now on."""
    kind = code[slot + KIND]
    if kind == MARKS:
        return mem[at] < at_ms // code[slot + WIDTH] - 1
    if kind <= DISTINCT:
        if kind == COUNT:
            newest = count_newest(mem, at)
        elif kind == SUM:
            newest = sum_newest(mem, at)
        else:
            newest = distinct_newest(mem, at)
        return newest <= at_ms // code[slot + WIDTH] - code[slot + KEPT]
    last = mem[at + 2] >> 1 if kind == LAST else mem[at + 1]
    return last == 0 or at_ms + 1 - last > code[slot + KEEP]


@inlined
def free(mem: Words, at: int, code: Words, slot: int) -> None:
    """Give back what a slot holds outside its row."""
    kind = code[slot + KIND]
    if kind == DISTINCT:
        distinct_free(mem, at)
    elif kind <= SUM and mem[at]:
        give(mem, mem[at] >> SIZE_BITS, mem[at] & SIZE_MASK)
