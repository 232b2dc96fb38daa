"""Machine code over the bytes of a host or path: its words, its numbers and its trees in one pass. Needs the extra ``fast``.

Promise: what ``features`` and ``trees`` say of an ASCII text, to the unit; all numbers are whole, so that the order of sums does
not matter. Pieces and sounds are their own keys; of words the key is 63 bits of FNV-1a. ``compiled`` makes the tables, and answers
for texts that are not ASCII.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from shopward.screening.hashing import compiled, fnv, place_of, word_key
from shopward.screening.links.learned.features import (
    HEARD_MIN,
    HOST_COLUMNS,
    HOST_WORDS,
    PATH_COLUMNS,
    PATH_MAX,
    PATH_WORDS,
    REST_MAX,
    SIZE,
    SUB_LABELS,
    UNHEARD,
)
from shopward.screening.links.learned.model import GROUPS, UNIT
from shopward.screening.links.learned.trees import FINE, LEAVES_MAX, lowest

_FILE_MIN, _FILE_MAX = 2, 5
_WORD_MIN: Final = 2
PIECE_BIT, SOUND_BIT = np.uint64(1 << 32), np.uint64(1 << 33)
_FIRST, _ONE_LESS, _LAST_OF_PIECE, _LAST_OF_SOUND = map(np.uint64, (0, 8, 24, 16))
_BYTE: Final = 8
_DOT, _HYPHEN, _ENDS = ord("."), ord("-"), ord("$")
_PARTS: Final = 5
"""Of ``Tables``; their lengths stand before them."""
_SOUND_START: Final = np.uint64(ord("^") << 8 | ord("^") << 16)
_ALL: Final = 0xFF
_HOST_WIDTH, _PATH_WIDTH = len(HOST_COLUMNS), len(PATH_COLUMNS)
_HOST_PIECES: Final = 4
_PATH_PIECES: Final = 5
_SUMS_OF_HOST: Final = 1 + len(GROUPS)
_SUMS_OF_PATH: Final = 2
_LOWEST: Final = np.array([min(lowest(left), LEAVES_MAX - 1) for left in range(_ALL + 1)], np.uint8)
_NO_FILE: Final = np.frombuffer(b"-", np.uint8)


_SUB_FRONT, _WORD_FRONT = fnv(b"sub="), fnv(b"word=")
_PATH_WORD_FRONT, _PATH_FILE_FRONT = fnv(b"p.word="), fnv(b"p.file=")


class Tables(NamedTuple):
    """A half of a model in machine code, all of it words of 64 bits.

    Attributes:
        known: keys of words and what they weigh, by turns, by open addressing; a key of 0 is an empty place.
        firsts: where the thresholds of each column begin, and behind the last where they end.
        thresholds: of ``trees.Column``, of one column after the other.
        answers: of ``trees.Column``, a row each.
        leaves: what each leaf of each tree weighs, and behind it what it moves, group by group.
    """

    known: Any
    firsts: Any
    thresholds: Any
    answers: Any
    leaves: Any


@compiled
def _opened(words: Any, groups: int) -> Tables:
    """The parts of one array."""
    known = _PARTS + words[0]
    firsts = known + words[1]
    thresholds = firsts + words[2]
    answers = thresholds + words[3]
    return Tables(
        words[_PARTS : known], words[known:firsts], words[firsts:thresholds],
        words[thresholds:answers].reshape(words[2] + words[1] - 1, words[3] // (words[2] + words[1] - 1)),
        words[answers:].reshape(words[4] // (LEAVES_MAX * groups), LEAVES_MAX, groups),
    )  # fmt: skip


@compiled
def _sums_of(row: Any, tables: Any, sums: Any) -> int:
    """What all trees say of a row, in hundredths of a logit; ``sums`` has it in ``FINE``, and behind it what groups moved."""
    width = tables.answers.shape[1]
    left = np.full(width, -1, np.int64)
    for column in range(len(row)):
        first, last = tables.firsts[column], tables.firsts[column + 1]
        low, number = first, row[column]
        while low < last:  # how many thresholds it exceeds
            middle = (low + last) >> 1
            if tables.thresholds[middle] < number:
                low = middle + 1
            else:
                last = middle
        answers = tables.answers[low + column]
        for at in range(width):
            left[at] &= answers[at]
    for tree in range(tables.leaves.shape[0]):
        leaf = tables.leaves[tree, _LOWEST[left[tree >> 3] >> ((tree & 7) << 3) & _ALL]]
        for group in range(len(sums)):
            sums[group] += leaf[group]
    score: int = np.int64(np.rint(UNIT * sums[0] / FINE))  # type: ignore[assignment]
    return score


@compiled
def _pieces_of(text: Any, first: int, last: int, row: Any, at: int, tables: Any) -> int:
    """The weights of the pieces of a part of a text into four columns; how many pieces are known."""
    total = highest = lowest = 0
    known = 0
    key = _FIRST
    for place in range(first, last):
        key = (key >> _ONE_LESS) | (np.uint64(text[place]) << _LAST_OF_PIECE)
        if place - first >= SIZE - 1:
            weight = tables.known[place_of(key | PIECE_BIT, tables.known) + 1]
            if weight:
                total += weight
                highest = weight if not known else max(highest, weight)
                lowest = weight if not known else min(lowest, weight)
                known += 1
    row[at], row[at + 1], row[at + 2] = total, highest, lowest
    return known


@compiled
def _is_letter(letter: int) -> bool:
    return 97 <= letter <= 122


@compiled
def _is_digit(letter: int) -> bool:
    return 48 <= letter <= 57


@compiled
def _weigh(text: Any, first: int, last: int, begun: int, tables: Any) -> int:
    """What a word of a text weighs, behind what it begins with."""
    weight: int = tables.known[place_of(word_key(text, first, last, begun), tables.known) + 1]
    return weight


@compiled
def host_seen(
    text: Any, ending: int, odds: int, suffix_size: int, suffix_labels: int, kind: int, words: Any
) -> tuple[int, int, int, int]:
    """The score of ``^own$`` and what each group moved it by: ``features.host_row`` and its trees."""
    tables = _opened(words, _SUMS_OF_HOST)
    row = np.zeros(_HOST_WIDTH, np.int64)
    end = len(text) - 1
    dot, labels, hyphens, sub_digits, digits = 0, 0, 0, 0, 0
    for at in range(1, end):
        hyphens += text[at] == _HYPHEN
        digits += _is_digit(text[at])
        if text[at] == _DOT:
            dot, labels, sub_digits = at, labels + 1, digits
    size = end - dot - 1
    named, named_known, named_sum = _named_of(text, dot, end, tables)
    named_known += ending != 0
    named_sum += ending
    vowels, longest, distinct, punycode = _looks_of(text, dot + 1, end)
    known = _pieces_of(text, 0, end + 1, row, _HOST_PIECES, tables)
    pieces, highest, lowest = row[_HOST_PIECES], row[_HOST_PIECES + 1], row[_HOST_PIECES + 2]
    row[:] = (
        pieces + named_sum, pieces, named_sum, ending, highest, lowest, 100 * known // max(1, end + 2 - SIZE),
        100 * named_known // (1 + named), end - 1, size, max(0, dot - 1), labels, hyphens, digits - sub_digits,
        100 * vowels // max(1, size), longest, distinct, suffix_size, suffix_labels, _sound_of(text, dot + 1, end, tables),
        sub_digits, punycode, kind, odds,
    )  # fmt: skip
    sums = np.zeros(_SUMS_OF_HOST, np.int64)
    return _sums_of(row, tables, sums), sums[1], sums[2], sums[3]


@compiled
def _named_of(text: Any, dot: int, end: int, tables: Any) -> tuple[int, int, int]:
    """The words of a host and the labels before its name: how many, how many of them known, what they weigh."""
    words, subs, known, total = 0, 0, 0, 0
    begins = 1
    for at in range(1, end + 1):
        if at < end and _is_letter(text[at]):
            continue
        if at - begins >= _WORD_MIN and words < HOST_WORDS:
            weight = _weigh(text, begins, at, _WORD_FRONT, tables)
            words += 1
            total += weight
            known += weight != 0
        begins = at + 1
    begins = 1
    for at in range(1, dot + 1 if dot > 1 else 0):
        if text[at] == _DOT and subs < SUB_LABELS:
            weight = _weigh(text, begins, at, _SUB_FRONT, tables)
            subs += 1
            total += weight
            known += weight != 0
            begins = at + 1
    return words + subs, known, total


@compiled
def _looks_of(text: Any, first: int, end: int) -> tuple[int, int, int, int]:
    """A name's vowels, its longest run of consonants, its different letters, and whether it is punycode."""
    vowels, run, longest, distinct, punycode = 0, 0, 0, 0, 0
    seen = np.zeros(128, np.uint8)
    for at in range(first, end):
        letter = text[at]
        distinct += 1 - seen[letter]
        seen[letter] = 1
        is_vowel = letter in (97, 101, 105, 111, 117)  # a, e, i, o, u
        vowels += is_vowel
        run = (
            0 if is_vowel or letter in (121, _HYPHEN, _DOT, 95) or _is_digit(letter) else run + 1
        )  # y and _, too
        longest = max(longest, run)
        if at + 3 < end and letter == 120 and text[at + 1] == 110 and text[at + 2] == text[at + 3] == _HYPHEN:
            punycode = 1
    return vowels, longest, distinct, punycode


@compiled
def _sound_of(text: Any, first: int, end: int, tables: Any) -> int:
    """How common three letters of a word in a row are, on average; a sign that ends it is the last of them."""
    heard, key = 0, _SOUND_START
    for at in range(first, end + 1):
        key = (key >> _ONE_LESS) | (np.uint64(text[at] if at < end else _ENDS) << _LAST_OF_SOUND)
        place = place_of(key | SOUND_BIT, tables.known)
        heard += tables.known[place + 1] if tables.known[place] != 0 else UNHEARD
    return heard // (end - first + 1)


@compiled
def path_score(
    path: Any,
    query: Any,
    before: int,
    odds: int,
    host_size: int,
    host_dots: int,
    suffix_size: int,
    words: Any,
) -> int:
    """What follows a host adds to its score: ``features.path_row`` and its trees."""
    tables = _opened(words, _SUMS_OF_PATH)
    row = np.zeros(_PATH_WIDTH, np.int64)
    size, whole = len(path), len(path) + len(query)
    text = np.zeros(max(whole, REST_MAX) + 1, np.uint8)
    depth, fields, digits, capitals, escapes = 0, 0, 0, 0, 0
    for at in range(whole):
        letter = path[at] if at < size else query[at - size]
        text[at] = letter + 32 if 65 <= letter <= 90 else letter
        depth += at < size and letter == 47
        fields += at >= size and letter == 61
        digits += _is_digit(letter)
        capitals += at < REST_MAX and 65 <= letter <= 90
        escapes += letter == 37
    longest, counted, oddest, plainest = _words_in(text, min(whole, REST_MAX), tables)
    file = _file_of(text, size, tables)
    cut = min(whole, PATH_MAX)
    named, named_known, named_sum = _different_of(text, cut, tables)
    named_known += file != 0
    named_sum += file
    text[cut] = _ENDS  # of pieces
    known = _pieces_of(text, 0, cut + 1, row, _PATH_PIECES, tables)
    pieces, highest, lowest = row[_PATH_PIECES], row[_PATH_PIECES + 1], row[_PATH_PIECES + 2]
    row[:] = (
        before, pieces + named_sum, pieces, named_sum, file, highest, lowest, 100 * known // max(1, cut + 2 - SIZE),
        100 * named_known // (1 + named), size, depth, whole - size, fields, digits, capitals, escapes, longest, counted, odds,
        oddest, plainest, host_size, host_dots, suffix_size,
    )  # fmt: skip
    return _sums_of(row, tables, np.zeros(1, np.int64))


@compiled
def _words_in(text: Any, end: int, tables: Any) -> tuple[int, int, int, int]:
    """The longest word, how many there are, and how the oddest and the plainest of them sound."""
    words, longest, begins = 0, 0, 0
    heard, oddest, plainest = 0, 0, 0
    for at in range(end + 1):
        if at < end and _is_letter(text[at]):
            continue
        size = at - begins
        if size >= _WORD_MIN:
            words += 1
            longest = max(longest, size)
        if size >= HEARD_MIN:
            sound = _sound_of(text, begins, at, tables)
            oddest = sound if not heard else min(oddest, sound)
            plainest = sound if not heard else max(plainest, sound)
            heard += 1
        begins = at + 1
    return longest, words, oddest, plainest


@compiled
def _different_of(text: Any, end: int, tables: Any) -> tuple[int, int, int]:
    """The first words, each once: how many, how many of them known, what they weigh."""
    seen = np.zeros(PATH_WORDS, np.uint64)
    found, different, known, total, begins = 0, 0, 0, 0, 0
    for at in range(end + 1):
        if at < end and _is_letter(text[at]):
            continue
        if at - begins >= _WORD_MIN and found < PATH_WORDS:
            found += 1
            key = word_key(text, begins, at, _PATH_WORD_FRONT)
            if key not in seen[:different]:
                seen[different] = key
                different += 1
                weight = tables.known[place_of(key, tables.known) + 1]
                total += weight
                known += weight != 0
        begins = at + 1
    return different, known, total


@compiled
def _file_of(text: Any, size: int, tables: Any) -> int:
    """What the ending of a path weighs that looks like a file's."""
    first = size
    while (
        first > 0
        and size - first <= _FILE_MAX
        and (_is_letter(text[first - 1]) or _is_digit(text[first - 1]))
    ):
        first -= 1
    if first > 0 and text[first - 1] == _DOT and _FILE_MIN <= size - first <= _FILE_MAX:
        return _weigh(text, first, size, _PATH_FILE_FRONT, tables)
    return _weigh(_NO_FILE, 0, 1, _PATH_FILE_FRONT, tables)
