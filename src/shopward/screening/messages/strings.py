"""Strings with weights, looked for in a text: what the learned part of messages consists of.

Promise: the score is the sum of what the strings of a text weigh, each once, over the root of the sum of their squared rarities
(TF-IDF with cosine norm, without counts). Sums are whole numbers, so that machine code (``onepass``) adds up the very same.
"""

from __future__ import annotations

import math
from itertools import accumulate
from operator import floordiv
from typing import TYPE_CHECKING, Final

import ahocorasick

if TYPE_CHECKING:
    from collections.abc import Mapping

FINE: Final = 1 << 30
"""Units of a weight; of the largest that a bundle may hold, all strings together stay below 63 bits."""


class Strings:
    """Strings by an automaton; safe to share between threads.

    Args:
        cues: weight and rarity by string.
    """

    def __init__(self, cues: Mapping[str, tuple[float, float]]) -> None:
        self.weights = tuple(round(FINE * weight * rarity) for weight, rarity in cues.values())
        self.squares = tuple(round(FINE * rarity * rarity) for _, rarity in cues.values())
        self._sizes = tuple(map(len, cues))
        self._each_letter = tuple(map(floordiv, self.weights, self._sizes))
        self._automaton = ahocorasick.Automaton()
        for number, cue in enumerate(cues):
            self._automaton.add_word(cue, number)
        if cues:
            self._automaton.make_automaton()

    def score(self, text: str) -> float:
        """The sum of what the strings of a text weigh, over its length as a vector."""
        return ratio(*self._sums(text)) if self.weights else 0.0

    def rises(self, text: str) -> list[int]:
        """What each character of a text adds, by the strings that it is in, as often as they stand there; in ``FINE``."""
        steps = [0] * (len(text) + 1)
        if not self.weights:
            return steps[:-1]
        sizes, each_letter = self._sizes, self._each_letter
        for end, number in self._automaton.iter(text):
            weight = each_letter[number]
            steps[end + 1 - sizes[number]] += weight
            steps[end + 1] -= weight
        return list(accumulate(steps))[:-1]

    def heaviest(self, text: str) -> tuple[int, int]:
        """The part of a text that adds most: where it begins and ends."""
        return heaviest(self.rises(text))

    def _sums(self, text: str) -> tuple[int, int]:
        """What the strings of a text weigh, and the sum of their squared rarities, in ``FINE``."""
        found = {number for _, number in self._automaton.iter(text)}
        return sum(map(self.weights.__getitem__, found)), sum(map(self.squares.__getitem__, found))


def ratio(weight: int, square: int) -> float:
    """A score by its sums; 0 where nothing was found."""
    return weight / FINE / math.sqrt(square / FINE) if square > 0 else 0.0


def heaviest(weights: list[int]) -> tuple[int, int]:
    """The part with the largest sum (Kadane's algorithm)."""
    best, best_start, best_end = 0, 0, len(weights)
    total, start = 0, 0
    for place, weight in enumerate(weights):
        if total <= 0:
            total, start = 0, place
        total += weight
        if total > best or not place:
            best, best_start, best_end = total, start, place + 1
    return best_start, best_end
