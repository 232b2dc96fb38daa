"""Strings with weights in machine code: all that stand in a text in one pass over its letters. Needs the extra ``fast``.

Promise: the same score as ``Strings``, to the last bit (``tests/screening/test_compiled.py``). The table holds the beginnings of the
strings, too, so that a look stops where no string goes on; a bundle in which two of them have one key is left to plain Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from shopward.screening.hashing import PRIME, START, WORD_BIT, compiled, place_of, table_of, word_key
from shopward.screening.messages.strings import Strings

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEAD: Final = 1
_BEGINNING: Final = 0
"""Of no string, the number; strings are numbered from 1."""


class CompiledStrings(Strings):
    """Strings by a table; safe to share between threads.

    Args:
        cues: weight and rarity by string.
    """

    def __init__(self, cues: Mapping[str, tuple[float, float]]) -> None:
        super().__init__(cues)
        self._words = _words_of(cues, self.weights, self.squares)
        self.score("a")  # compiles now, not with the first message
        self.heaviest("a")

    def _sums(self, text: str) -> tuple[int, int]:
        if self._words is None:
            return super()._sums(text)
        weight, square = _sums_of(_letters(text), self._words)
        return weight, square

    def heaviest(self, text: str) -> tuple[int, int]:
        """The part of a text that adds most."""
        if self._words is None:
            return super().heaviest(text)
        start, end = _heaviest_of(_rises_of(_letters(text), self._words))
        return start, end


def _letters(text: str) -> Any:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _words_of(
    cues: Mapping[str, tuple[float, float]], weights: tuple[int, ...], squares: tuple[int, ...]
) -> Any:
    """The strings as one array: how many, weights, squares, and the table of numbers; ``None`` where two have one key."""
    beginnings = {cue[:size] for cue in cues for size in range(1, len(cue))}
    numbers = dict.fromkeys(sorted(beginnings), _BEGINNING) | {
        cue: number for number, cue in enumerate(cues, 1)
    }
    table: dict[int, int] = {}
    for text, number in numbers.items():
        letters = _letters(text)
        table[int(word_key(letters, 0, len(letters), START))] = number
    if len(table) < len(numbers):
        return None
    return np.concatenate([[len(cues)], weights, squares, table_of(table)]).astype(np.int64)


@compiled
def _sums_of(letters: Any, words: Any) -> tuple[int, int]:
    """What the strings of a text weigh, each once, and the sum of their squares."""
    count = words[0]
    weights, squares, table = (
        words[_HEAD : _HEAD + count],
        words[_HEAD + count : _HEAD + 2 * count],
        words[_HEAD + 2 * count :],
    )
    seen = np.zeros(count, np.uint8)
    weight, square = 0, 0
    for start in range(len(letters)):
        key = START
        for at in range(start, len(letters)):
            key = (key ^ np.uint64(letters[at])) * PRIME
            place = place_of(key | WORD_BIT, table)
            if table[place] == 0:
                break
            number = table[place + 1] - 1
            if number >= 0 and not seen[number]:
                seen[number] = 1
                weight += weights[number]
                square += squares[number]
    return weight, square


@compiled
def _rises_of(letters: Any, words: Any) -> Any:
    """What each letter of a text adds, by the strings that it is in, as often as they stand there."""
    count = words[0]
    weights, table = words[_HEAD : _HEAD + count], words[_HEAD + 2 * count :]
    rises = np.zeros(len(letters) + 1, np.int64)
    for start in range(len(letters)):
        key = START
        for at in range(start, len(letters)):
            key = (key ^ np.uint64(letters[at])) * PRIME
            place = place_of(key | WORD_BIT, table)
            if table[place] == 0:
                break
            number = table[place + 1] - 1
            if number >= 0:
                weight = weights[number] // (at - start + 1)
                rises[start] += weight
                rises[at + 1] -= weight
    return np.cumsum(rises)[:-1]


@compiled
def _heaviest_of(rises: Any) -> tuple[int, int]:
    """As ``strings.heaviest``."""
    best, best_start, best_end = np.int64(0), 0, len(rises)
    total, start = np.int64(0), 0
    for place in range(len(rises)):
        if total <= 0:
            total, start = np.int64(0), place
        total += rises[place]
        if total > best or not place:
            best, best_start, best_end = total, start, place + 1
    return best_start, best_end
