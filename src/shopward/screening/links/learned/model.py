"""The learned model: weights of words, trees over numbers about them, and what their sum means.

Promise: the words of a link weigh whole numbers, as often as it holds them; what they add up to and what else is counted
(``features``) goes into small trees, whose sum is the score: the host's first, then the path's on top of it. Three marks are the
scores that one in twenty, in a hundred and in a thousand ordinary links of the evaluation reached. Reasons speak of groups of
numbers, never of single pieces, by how far each group moved the score; together they weigh what the score means, and each one
raises it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from shopward.forest import Forest
from shopward.screening.links.learned.features import (
    HOST_COLUMNS,
    PATH_COLUMNS,
    has_path,
    host_of,
    host_row,
    host_words,
    path_row,
    path_words,
)
from shopward.screening.links.learned.trees import Trees
from shopward.screening.verdict import DANGEROUS, SUSPICIOUS, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.screening.links.address import Address

_WEIGHT_MAX: Final = 0.95
_FAINT: Final = 0.1
_EPSILON: Final = 1e-6
UNIT: Final = 100.0
"""Scores are kept in hundredths of a logit."""
_GROUP_OF: Final = dict.fromkeys(
    ("ending", "ending_odds", "suffix_size", "suffix_labels"), "learned_ending"
) | dict.fromkeys(("name_size", "digits", "vowels", "run", "distinct", "sound", "hyphens"), "learned_name")
"""What a number is about, for reasons; the others speak of the host as a whole."""
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
    """What was learnt about one part of a link.

    Attributes:
        weights: of words, in hundredths of a logit; a word that is not here weighs nothing.
        endings: how much oftener than others an ending is used for fraud, in hundredths of a logit.
        forest: over the numbers of the part, in logits.
    """

    weights: dict[str, int]
    endings: dict[str, int]
    forest: Forest


class LinkModel(Struct, frozen=True, forbid_unknown_fields=True):
    """Both halves, and the marks of bare hosts and of full links.

    Attributes:
        sounds: how common three letters in a row are in words, in hundredths of a logarithm.
    """

    host: Half
    path: Half
    sounds: dict[str, int]
    host_marks: Marks
    link_marks: Marks


class LinkScorer:
    """Scores addresses; safe to share between threads. Raises ``ModelInvalid`` where the trees are none.

    Args:
        model: of a bundle.
        version: of that bundle.
    """

    def __init__(self, model: LinkModel, version: str) -> None:
        self.model = model
        self.version = version
        for half, columns in ((model.host, HOST_COLUMNS), (model.path, PATH_COLUMNS)):
            half.forest.check(len(columns))
        groups = [_GROUP_OF.get(name, "learned_host") for name in HOST_COLUMNS]
        self._host_trees = Trees(model.host.forest, groups)
        self._path_trees = Trees(model.path.forest, ["learned_path"] * len(PATH_COLUMNS))
        self._of_host = lru_cache(maxsize=HOSTS_KEPT)(self._host_seen)

    def score(self, address: Address) -> int:
        """What speaks against a link, in hundredths of a logit."""
        host = self.host_score(address)
        return host + self._path_score(self._path_row(address, host)) if has_path(address) else host

    def host_score(self, address: Address) -> int:
        """What speaks against a host."""
        return self._of_host(address.kind, address.shown, address.suffix)[0]

    def findings(self, address: Address) -> Sequence[Finding]:
        """The reasons of an address that the model finds built like fraud; none where its score is ordinary."""
        host, seen = self._of_host(address.kind, address.shown, address.suffix)
        score = host
        path_row: list[int] = []
        marks = self.model.host_marks
        if has_path(address):
            marks, path_row = self.model.link_marks, self._path_row(address, host)
            score += self._path_score(path_row)
        chance = marks.chance(score)
        if not chance:
            return ()
        groups = self._host_trees.moved(seen)
        groups["learned_path"] = (score - host) / UNIT
        whole = sum(value for value in groups.values() if value > 0.0)
        start, end = address.host_start, address.host_end
        if not whole:  # what every link begins with
            return [Finding("learned_host", chance, start, end)]
        return [
            Finding(
                code,
                1.0 - (1.0 - chance) ** (value / whole),
                *((end, address.end) if code == "learned_path" else (start, end)),
            )
            for code, value in groups.items()
            if value > 0.0
        ]

    def _host_seen(self, kind: str, shown: str, suffix: str) -> tuple[int, list[int]]:
        """The score of a host, and the numbers that it comes from."""
        host, half = host_of(kind, shown, suffix), self.model.host
        row = host_row(host, host_words(host), half.weights, half.endings, self.model.sounds)
        return round(UNIT * self._host_trees.margin(row)), row

    def _path_row(self, address: Address, before: int) -> list[int]:
        half = self.model.path
        return path_row(address, path_words(address), before, half.weights, half.endings)

    def _path_score(self, row: list[int]) -> int:
        return round(UNIT * self._path_trees.margin(row))
