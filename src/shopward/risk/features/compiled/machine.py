"""The machine: runs the program of a layout over records of events, in one call for an event or for thousands.

Promise: families, updates and readings happen in the order of the reference. A step that finds memory short changes
nothing; the call returns, the caller grows the memory and calls again, and what was done is not done twice. A record whose
tokens cannot be read is refused before anything is changed.

``io`` is scratch, then records: ``[at, plan, text length, bits, ..., fields, numbers, text, cells]``. The program (``program``)
says where each stands. Keys of all families are looked up before any is touched, so that the waits for memory overlap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from shopward.risk.features.compiled.hashing import hash_of
from shopward.risk.features.compiled.jit import compiled, inlined, words_at
from shopward.risk.features.compiled.slots import WIDTH, WORD, apply, ask_for_block, read
from shopward.risk.features.compiled.tables import (
    FAMILY_WORDS,
    FIRST_SLOT,
    TABLE_WORDS,
    ask_for_index,
    ask_for_row,
    find,
    insert,
)

if TYPE_CHECKING:
    from shopward.risk.features.compiled import Words

# The head of a program.
FAMILIES_AT: Final = 0
MARK_FAMILY: Final = 1
MARK_WORDS: Final = 2
MARKS_AT: Final = 3
ROWS_AT: Final = 4
KEYS_AT: Final = 5
RECORDS_AT: Final = 6
RECORD_WORDS: Final = 7
BITS_AT: Final = 8
LATE_BITS_AT: Final = 9
NUMBERS_AT: Final = 10
TEXT_AT: Final = 11
PANES_AT: Final = 12
PANES: Final = 13
KEYS_WORDS: Final = 14
HEAD_WORDS: Final = 16

# Scratch.
DONE: Final = 0
STATUS: Final = 1
HAS_MARKS: Final = 2
MARK_ROW: Final = 3
IS_FINAL: Final = 4
AHEAD_AT: Final = 8
SCRATCH_WORDS: Final = 16

# A record.
AT: Final = 0
PLAN: Final = 1
TEXT_LENGTH: Final = 2
RECORD_HEAD: Final = 3

SHORT: Final = 1
NO_TOKENS: Final = 2

SPELLED: Final = -1
"""Instead of the length of a record's text: its tokens stand in their fields already."""
COLUMNS: Final = -2
"""All its fields do."""

KEY_WORDS_MAX: Final = 8
IS_WHOLE: Final = KEY_WORDS_MAX + 1
GUESS: Final = KEY_WORDS_MAX + 2
KEY_STRIDE: Final = KEY_WORDS_MAX + 3
"""The words of a key, its hash, whether no part of it is empty, and the row that the hash points at."""
AHEAD: Final = 8
"""So many events have their keys looked for before the first of them is touched."""
TOKEN_CHARACTERS: Final = 22
BITS_A_WORD: Final = 62
_NEWLINE: Final = 10


def _base64_values() -> npt.NDArray[np.int64]:
    values = np.full(256, -1, np.int64)
    for value, character in enumerate(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"):
        values[character] = value
    return values


_BASE64: Final = _base64_values()


@compiled
def observe(memory: int, program: int, records: int, first: int, end: int) -> int:
    """Observe records from ``first`` on; where it stopped: at ``end``, or before, and then ``io[STATUS]`` says why.

    ``memory``, ``program`` and ``records`` are the addresses of the memory, of the code and of ``io``.
    """
    mem, code, io = words_at(memory), words_at(program), words_at(records)
    for block in range(first, end, AHEAD):
        stop = min(end, block + AHEAD)
        _look_ahead(mem, code, io, block, stop)
        for each in range(block, stop):
            base = code[RECORDS_AT] + each * code[RECORD_WORDS]
            status = _observe_one(mem, code, io, base, each - block)
            if status:
                io[STATUS] = status
                return each
            io[DONE] = 0
    return end


@inlined
def _look_ahead(mem: Words, code: Words, io: Words, first: int, end: int) -> None:
    """Fields and keys of some records; their rows are fetched all at once, so that the waits for memory overlap."""
    for each in range(first, end):
        base, ahead = code[RECORDS_AT] + each * code[RECORD_WORDS], each - first
        at = _read_fields(code, io, base)
        io[AHEAD_AT + ahead] = at
        if at >= 0:
            _make_keys(mem, code, io, base, at, code[KEYS_AT] + ahead * code[KEYS_WORDS])
    for each in range(first, end):
        at, keys = io[AHEAD_AT + each - first], code[KEYS_AT] + (each - first) * code[KEYS_WORDS]
        if at < 0:
            continue
        families = code[at + 2]
        at += 3
        for _each in range(families):
            key = keys + KEY_STRIDE * code[at]
            if io[key + IS_WHOLE]:
                family = code[FAMILIES_AT] + FAMILY_WORDS * code[at]
                io[key + GUESS] = ask_for_row(mem, code, family, io[key + KEY_WORDS_MAX])
            at = _next_family(code, at)
    for each in range(first, end):
        at, keys = io[AHEAD_AT + each - first], code[KEYS_AT] + (each - first) * code[KEYS_WORDS]
        if at >= 0:
            base = code[RECORDS_AT] + each * code[RECORD_WORDS]
            _ask_for_blocks(mem, code, io, base, at, keys)


@inlined
def _ask_for_blocks(mem: Words, code: Words, io: Words, base: int, at: int, keys: int) -> None:
    """Have the blocks fetched that the operations of a record will touch."""
    families = code[at + 2]
    at += 3
    for _each in range(families):
        row = io[keys + KEY_STRIDE * code[at] + GUESS]
        counts = at + 2 + code[at + 1]
        first = counts + 3 + 5 * code[counts]
        if row:
            for operation in range(first, first + 4 * code[counts + 1], 4):
                slot = code[operation]
                ask_for_block(mem, row + code[slot + WORD], code, slot, io, base + code[operation + 1])
        at = _next_family(code, at)


@inlined
def _make_keys(mem: Words, code: Words, io: Words, base: int, at: int, keys: int) -> None:
    """The key of each family of a plan with its hash, whose place in the index is fetched."""
    families = code[at + 2]
    at += 3
    for _each in range(families):
        number, parts = code[at], code[at + 1]
        key = keys + KEY_STRIDE * number
        is_whole = 1
        for part in range(parts):
            field = base + code[at + 2 + part]
            high, low = io[field], io[field + 1]
            if high == 0 and low == 0:
                is_whole = 0
            io[key + 2 * part], io[key + 2 * part + 1] = high, low
        io[key + IS_WHOLE], io[key + GUESS] = is_whole, 0
        if is_whole:
            digest = hash_of(io, key, 2 * parts)
            io[key + KEY_WORDS_MAX] = digest
            ask_for_index(mem, code, code[FAMILIES_AT] + FAMILY_WORDS * number, digest)
        at = _next_family(code, at)


@inlined
def _next_family(code: Words, at: int) -> int:
    at += 2 + code[at + 1]
    return at + 3 + 5 * code[at] + 4 * code[at + 1] + 5 * code[at + 2]


@inlined
def _observe_one(mem: Words, code: Words, io: Words, base: int, ahead: int) -> int:
    at, keys = io[AHEAD_AT + ahead], code[KEYS_AT] + ahead * code[KEYS_WORDS]
    if at < 0:
        return NO_TOKENS
    if io[DONE] == 0:
        _load_marks(mem, code, io, base, at)
    _turn_panes(code, io, io[base + AT])
    families = code[at + 2]
    at += 3
    _find_rows(mem, code, io, at, families, keys)
    step = 0
    for _each in range(families):
        number = code[at]
        at += 2 + code[at + 1]
        row = io[code[ROWS_AT] + number]
        before, operations, after = code[at], code[at + 1], code[at + 2]
        at += 3
        if io[DONE] <= step:
            _read_all(mem, code, io, base, at, before, row)
        at += 5 * before
        for operation in range(at, at + 4 * operations, 4):
            step += 1
            is_due = step > io[DONE] and _is_due(code, io, base + code[BITS_AT], operation)
            if is_due and not _write(mem, code, io, base, number, operation, keys):
                io[DONE] = step - 1
                return SHORT
        at += 4 * operations
        _read_all(mem, code, io, base, at, after, io[code[ROWS_AT] + number])
        at += 5 * after
    if io[IS_FINAL] and not _save_marks(mem, code, io, base):
        io[DONE] = step
        return SHORT
    return 0


@compiled
def settle(memory: int, program: int, records: int) -> bool:
    """Write what the first record's decision teaches; false where memory is short."""
    mem, code, io = words_at(memory), words_at(program), words_at(records)
    base = code[RECORDS_AT]
    at = _skip_fields(code, io[base + PLAN])
    families = code[at + 2]
    at += 3
    for _each in range(families):
        at = _next_family(code, at)
    step = 0
    for operation in range(at + 1, at + 1 + 5 * code[at], 5):
        step += 1
        is_due = step > io[DONE] and _is_due(code, io, base + code[LATE_BITS_AT], operation)
        if is_due and not _write(mem, code, io, base, code[operation + 4], operation, code[KEYS_AT]):
            io[DONE] = step - 1
            return False
    if not _save_marks(mem, code, io, base):
        io[DONE] = step
        return False
    io[DONE] = 0
    return True


@inlined
def _skip_fields(code: Words, plan: int) -> int:
    """Where the transaction stands in a plan, behind its tokens and numbers."""
    at = plan + 1 + code[plan]
    return at + 1 + code[at]


@compiled
def _read_fields(code: Words, io: Words, base: int) -> int:
    """Tokens and numbers of a record into its fields; where the plan goes on, -1 where a token is none."""
    plan = io[base + PLAN]
    tokens = code[plan]
    end = io[base + TEXT_LENGTH]
    if end >= 0 and tokens:
        text, character = base + code[TEXT_AT], 0
        for each in range(tokens):
            field = base + code[plan + 1 + each]
            if character == end or _byte(io, text, character) == _NEWLINE:
                io[field] = io[field + 1] = 0
            elif character + TOKEN_CHARACTERS > end or not _decode(io, text, character, field):
                return -1
            else:
                character += TOKEN_CHARACTERS
            if each < tokens - 1 and (character == end or _byte(io, text, character) != _NEWLINE):
                return -1
            character += 1
        if character != end + 1:
            return -1
    at = plan + 1 + tokens
    if end != COLUMNS:
        numbers = base + code[NUMBERS_AT]
        for each in range(code[at]):
            io[base + code[at + 1 + each]] = io[numbers + each]
    return at + 1 + code[at]


@inlined
def _byte(io: Words, text: int, character: int) -> int:
    return (io[text + (character >> 3)] >> ((character & 7) << 3)) & 255


@compiled
def _decode(io: Words, text: int, character: int, field: int) -> bool:
    """22 characters of base64url as 128 bits; false where they are not the one way to write 128 bits.

    All zeros are refused too: in a record they mean that the field is empty.
    """
    high = low = faults = 0
    for each in range(character, character + 10):
        value = _BASE64[_byte(io, text, each)]
        faults |= value
        high = high << 6 | value
    middle = _BASE64[_byte(io, text, character + 10)]
    for each in range(character + 11, character + 21):
        value = _BASE64[_byte(io, text, each)]
        faults |= value
        low = low << 6 | value
    last = _BASE64[_byte(io, text, character + 21)]
    faults |= middle | last
    if faults < 0 or last & 15:
        return False
    io[field] = high << 4 | middle >> 2
    io[field + 1] = (middle & 3) << 62 | low << 2 | last >> 4
    return io[field] != 0 or io[field + 1] != 0


@inlined
def _find_rows(mem: Words, code: Words, io: Words, at: int, families: int, keys: int) -> None:
    """The row of each family of a plan: 0 where the key has none, -1 where a part of the key is empty."""
    for _each in range(families):
        number = code[at]
        key = keys + KEY_STRIDE * number
        row = -1
        if io[key + IS_WHOLE]:
            family = code[FAMILIES_AT] + FAMILY_WORDS * number
            row = find(mem, code, family, io, key, io[key + KEY_WORDS_MAX])
        io[code[ROWS_AT] + number] = row
        at = _next_family(code, at)


@inlined
def _turn_panes(code: Words, io: Words, at_ms: int) -> None:
    """The current pane of each width, ``[width, first millisecond, pane]``; a division only where a pane is over."""
    first = code[PANES_AT]
    for each in range(first, first + 3 * code[PANES], 3):
        if at_ms - io[each + 1] >= io[each] or at_ms < io[each + 1]:
            io[each + 2] = at_ms // io[each]
            io[each + 1] = io[each + 2] * io[each]


@inlined
def _is_due(code: Words, io: Words, bits: int, operation: int) -> bool:
    """Whether an operation ``[slot, field, bit, mark]`` has its filter's leave and has not counted this transaction."""
    bit, mark = code[operation + 2], code[operation + 3]
    if bit >= 0 and not io[bits + bit // BITS_A_WORD] >> bit % BITS_A_WORD & 1:
        return False
    if mark < 0 or io[HAS_MARKS] == 0:
        return True
    return not io[code[MARKS_AT] + mark // BITS_A_WORD] >> mark % BITS_A_WORD & 1


@inlined
def _write(mem: Words, code: Words, io: Words, base: int, number: int, operation: int, keys: int) -> bool:
    """Apply one operation to its row, which is made where there is none; false where memory is short."""
    row = io[code[ROWS_AT] + number]
    if row < 0:
        return True
    if row == 0:
        family = code[FAMILIES_AT] + FAMILY_WORDS * number
        key = keys + KEY_STRIDE * number
        row = insert(mem, code, family, io, key, io[key + KEY_WORDS_MAX], io[base + AT])
        if row == 0:
            return False
        io[code[ROWS_AT] + number] = row
    slot = code[operation]
    if not apply(mem, row + code[slot + WORD], code, slot, io, base, code[operation + 1]):
        return False
    mark = code[operation + 3]
    if mark >= 0 and io[HAS_MARKS]:
        io[code[MARKS_AT] + mark // BITS_A_WORD] |= 1 << mark % BITS_A_WORD
    return True


@inlined
def _read_all(mem: Words, code: Words, io: Words, base: int, at: int, count: int, row: int) -> None:
    for reading in range(at, at + 5 * count, 5):
        read(mem, row + code[code[reading] + WORD] if row > 0 else 0, code, reading, io, base)


@compiled
def _load_marks(mem: Words, code: Words, io: Words, base: int, at: int) -> None:
    """Which counters have counted the record's transaction before."""
    field = code[at]
    io[HAS_MARKS] = 0
    if field < 0 or (io[base + field] == 0 and io[base + field + 1] == 0):
        return
    family = code[FAMILIES_AT] + FAMILY_WORDS * code[MARK_FAMILY]
    key = code[KEYS_AT] + KEY_STRIDE * code[MARK_FAMILY]
    io[key], io[key + 1], io[key + 2] = code[at + 1], io[base + field], io[base + field + 1]
    io[key + KEY_WORDS_MAX] = hash_of(io, key, 3)
    row = find(mem, code, family, io, key, io[key + KEY_WORDS_MAX])
    slot = code[family + FIRST_SLOT]
    is_remembered = row and mem[row + code[slot + WORD]] >= io[base + AT] // code[slot + WIDTH] - 1
    for each in range(code[MARK_WORDS]):
        io[code[MARKS_AT] + each] = mem[row + code[slot + WORD] + 1 + each] if is_remembered else 0
    io[MARK_ROW], io[HAS_MARKS] = row, 1


@compiled
def _save_marks(mem: Words, code: Words, io: Words, base: int) -> bool:
    """Remember in what the record's transaction has been counted; false where memory is short."""
    marked = 0
    for each in range(code[MARK_WORDS]):
        marked |= io[code[MARKS_AT] + each]
    if io[HAS_MARKS] == 0 or marked == 0:
        return True
    family = code[FAMILIES_AT] + FAMILY_WORDS * code[MARK_FAMILY]
    row = io[MARK_ROW]
    if row == 0:
        key = code[KEYS_AT] + KEY_STRIDE * code[MARK_FAMILY]
        row = insert(mem, code, family, io, key, io[key + KEY_WORDS_MAX], io[base + AT])
        if row == 0:
            return False
    slot = code[family + FIRST_SLOT]
    at = row + code[slot + WORD]
    mem[at] = io[base + AT] // code[slot + WIDTH]
    for each in range(code[MARK_WORDS]):
        mem[at + 1 + each] = io[code[MARKS_AT] + each]
    io[HAS_MARKS] = 0
    return True


@compiled
def texts_in_use(memory: int, program: int, family: int, slot: int, marks: int) -> None:
    """Mark, in the words at ``marks``, the texts that a ``last`` of some family holds."""
    mem, code, used = words_at(memory), words_at(program), words_at(marks)
    table = code[family]
    for segment in range(table + 2, table + TABLE_WORDS, 3):
        index = mem[segment] >> 6
        length = 1 << (mem[segment] & 63) if mem[segment] else 0
        for place in range(index, index + length):
            if mem[place]:
                at = (mem[place] & 0xFFFF_FFFF) + code[slot + WORD]
                if mem[at + 2] & 1:
                    used[mem[at]] = 1
