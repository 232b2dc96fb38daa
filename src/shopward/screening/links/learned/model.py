"""The learned model: a sum of whole numbers over the words of a link, and what such a sum means.

Promise: a score is the sum of the weights of the words that a link holds (``features``), as often as it holds them, so every part of it can be shown;
the two marks are the scores that one in a hundred and one in a thousand ordinary links of the evaluation reached. Reasons
speak of groups of words, never of single pieces; together they weigh what the score means, and each one raises it.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import repeat
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from shopward.screening.links.learned.features import path_words, words_of_host
from shopward.screening.verdict import DANGEROUS, SUSPICIOUS, Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from shopward.screening.links.address import Address

_WEIGHT_MAX: Final = 0.95
_FAINT: Final = 0.1
_EPSILON: Final = 1e-6
_ENDING: Final = "ending="
HOSTS_KEPT: Final = 16_384
"""Hosts whose sums are kept: a campaign's link is asked about many times."""


class Marks(Struct, frozen=True, forbid_unknown_fields=True):
    """Scores with a meaning, for bare hosts and for full links.

    Attributes:
        faint: one in twenty ordinary links reaches it; below it the model is silent.
        suspicious: one in a hundred.
        dangerous: one in a thousand.
    """

    faint: int
    suspicious: int
    dangerous: int

    def chance(self, score: int) -> float:
        """What a score weighs, 0 to 1: a line from mark to mark, so that the marks are the verdicts' own."""
        if score < self.faint:
            return 0.0
        low, high = SUSPICIOUS / 100 + _EPSILON, DANGEROUS / 100 + _EPSILON
        if score < self.suspicious:
            return (
                _FAINT
                + (low - _EPSILON - _FAINT)
                * (score - self.faint)
                / max(1, self.suspicious - self.faint)
                * 0.999
            )
        width = max(1, self.dangerous - self.suspicious)
        if score < self.dangerous:
            return low + (high - 2 * _EPSILON - low) * (score - self.suspicious) / width * 0.999
        return min(_WEIGHT_MAX, high + (_WEIGHT_MAX - high) * (score - self.dangerous) / (2 * width))


class Half(Struct, frozen=True, forbid_unknown_fields=True):
    """The weights of the words of one part of a link, in hundredths of a logit.

    Attributes:
        start: what every link with this part begins with.
        weights: by word; a word that is not here weighs nothing.
    """

    start: int
    weights: dict[str, int]


class LinkModel(Struct, frozen=True, forbid_unknown_fields=True):
    """Both halves, and the marks of bare hosts and of full links."""

    host: Half
    path: Half
    host_marks: Marks
    link_marks: Marks


class LinkScorer:
    """Scores addresses; safe to share between threads.

    Args:
        model: of a checked bundle.
        version: of that bundle.
    """

    def __init__(self, model: LinkModel, version: str) -> None:
        self.model = model
        self.version = version
        self._host = model.host.weights.get
        self._path = model.path.weights.get
        self._of_host = lru_cache(maxsize=HOSTS_KEPT)(self._host_totals)

    def score(self, address: Address) -> int:
        """The sum, in hundredths of a logit."""
        return self.host_score(address) + self.path_score(address)

    def host_score(self, address: Address) -> int:
        """The host's part of the sum."""
        pieces, named, _ending = self._of_host(address.kind, address.shown, address.suffix)
        return self.model.host.start + pieces + named

    def path_score(self, address: Address) -> int:
        """The path's part of the sum; nothing where there is no path."""
        pieces, named = path_words(address)
        return self.model.path.start + _total(self._path, pieces) + _total(self._path, named) if named else 0

    def findings(self, address: Address) -> Sequence[Finding]:
        """The reasons of an address that the model finds built like fraud; none where its score is ordinary."""
        of_pieces, of_named, of_ending = self._of_host(address.kind, address.shown, address.suffix)
        of_path = self.path_score(address)
        marks = self.model.link_marks if address.query or len(address.path) > 1 else self.model.host_marks
        chance = marks.chance(self.model.host.start + of_pieces + of_named + of_path)
        if not chance:
            return ()
        start, end = address.host_start, address.host_end
        groups = (
            ("learned_ending", of_ending, start, end),
            ("learned_name", of_named - of_ending, start, end),
            ("learned_host", of_pieces, start, end),
            ("learned_path", of_path, end, address.end),
        )
        whole = sum(value for _code, value, _start, _end in groups if value > 0)
        if not whole:  # the start alone
            return [Finding("learned_host", chance, start, end)]
        honest = 1.0 - chance
        return [
            Finding(code, 1.0 - honest ** (value / whole), at, to)
            for code, value, at, to in groups
            if value > 0
        ]

    def _host_totals(self, kind: str, shown: str, suffix: str) -> tuple[int, int, int]:
        """What the pieces, the named features, and of these the ending add."""
        pieces, named = words_of_host(kind, shown, suffix)
        return _total(self._host, pieces), _total(self._host, named), self._host(_ENDING + suffix, 0)


def _total(weight_of: Callable[[str, int], int], words: Iterable[str]) -> int:
    return sum(map(weight_of, words, repeat(0)))
