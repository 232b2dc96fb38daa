"""The learned model: weights of words, trees over numbers about them, and what their sum means.

Promise: the words of a link weigh whole numbers, as often as it holds them; what they add up to and what else is counted
(``features``) goes into small trees, whose sum is the score: the host's first, then the path's on top of it. Three marks are the
scores that one in twenty, in a hundred and in a thousand ordinary links of the evaluation reached. Reasons speak of groups of
numbers, never of single pieces, by how far each group moved the score; together they weigh what the score means, and each one
raises it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct

from shopward.forest import Forest
from shopward.screening.links.learned.features import (
    HOST_COLUMNS,
    PATH_COLUMNS,
    Host,
    has_path,
    host_of,
    host_row,
    host_words,
    path_row,
    path_words,
)
from shopward.screening.links.learned.trees import FINE, Trees
from shopward.screening.verdict import DANGEROUS, SUSPICIOUS, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.screening.links.address import Address

_WEIGHT_MAX: Final = 0.95
_FAINT: Final = 0.1
_EPSILON: Final = 1e-6
UNIT: Final = 100.0
"""Scores are kept in hundredths of a logit."""
GROUPS: Final = ("learned_host", "learned_ending", "learned_name")
"""What the numbers of a host are about, for reasons: first the host as a whole, by its first column."""
_GROUP_OF: Final = dict.fromkeys(
    ("ending", "ending_odds", "suffix_size", "suffix_labels"), GROUPS[1]
) | dict.fromkeys(("name_size", "digits", "vowels", "run", "distinct", "sound", "hyphens"), GROUPS[2])
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


class Seen(NamedTuple):
    """What the trees of a host said.

    Attributes:
        score: in hundredths of a logit.
        moved: by how much each of ``GROUPS`` moved it, in ``FINE``; ``None`` where nobody looked yet.
        row: the numbers that it comes from; empty where machine code looked at them.
    """

    score: int
    moved: tuple[int, ...] | None
    row: list[int]


class Reader:
    """Reads links by a model, in plain Python. Raises ``ModelInvalid`` where the trees are none.

    Args:
        model: of a bundle.
    """

    def __init__(self, model: LinkModel) -> None:
        self.model = model
        for half, columns in ((model.host, HOST_COLUMNS), (model.path, PATH_COLUMNS)):
            half.forest.check(len(columns))
        self.host_trees = Trees(model.host.forest, [_GROUP_OF.get(name, GROUPS[0]) for name in HOST_COLUMNS])
        self.path_trees = Trees(model.path.forest, ["learned_path"] * len(PATH_COLUMNS))

    def host(self, host: Host) -> Seen:
        """What speaks against a host."""
        half = self.model.host
        row = host_row(host, host_words(host), half.weights, half.endings, self.model.sounds)
        return Seen(in_units(self.host_trees.whole(row)), None, row)

    def moved(self, seen: Seen) -> tuple[int, ...]:
        """What each of ``GROUPS`` moved."""
        return self.host_trees.moved(seen.row) if seen.moved is None else seen.moved

    def path(self, address: Address, before: int) -> int:
        """What the path of a link adds to what its host scored, in hundredths of a logit."""
        half = self.model.path
        row = path_row(address, path_words(address), before, half.weights, half.endings, self.model.sounds)
        return in_units(self.path_trees.whole(row))


class LinkScorer:
    """Scores addresses; safe to share between threads.

    Args:
        reader: of a model.
        version: of its bundle.
    """

    def __init__(self, reader: Reader, version: str) -> None:
        self.model = reader.model
        self.version = version
        self._reader = reader
        self._of_host = lru_cache(maxsize=HOSTS_KEPT)(self._host_seen)

    def score(self, address: Address) -> int:
        """What speaks against a link, in hundredths of a logit."""
        host = self.host_score(address)
        return host + self._reader.path(address, host) if has_path(address) else host

    def host_score(self, address: Address) -> int:
        """What speaks against a host."""
        return self._of_host(address.kind, address.shown, address.suffix).score

    def findings(self, address: Address) -> Sequence[Finding]:
        """The reasons of an address that the model finds built like fraud; none where its score is ordinary."""
        seen = self._of_host(address.kind, address.shown, address.suffix)
        by_path, marks = 0, self.model.host_marks
        if has_path(address):
            by_path, marks = self._reader.path(address, seen.score), self.model.link_marks
        score = seen.score + by_path
        if score < marks.faint:
            return ()
        chance = marks.chance(score)
        start, end = address.host_start, address.host_end
        groups = [(code, by) for code, by in zip(GROUPS, self._reader.moved(seen), strict=True) if by > 0]
        whole = sum([by for _code, by in groups]) / FINE + max(by_path, 0) / UNIT
        if not whole:  # what every link begins with
            return [Finding(GROUPS[0], chance, start, end)]
        honest, share = 1.0 - chance, 1.0 / (FINE * whole)
        findings = [Finding(code, 1.0 - honest ** (by * share), start, end) for code, by in groups]
        if by_path > 0:
            findings.append(
                Finding("learned_path", 1.0 - honest ** (by_path / UNIT / whole), end, address.end)
            )
        return findings

    def _host_seen(self, kind: str, shown: str, suffix: str) -> Seen:
        return self._reader.host(host_of(kind, shown, suffix))


def in_units(fine: int) -> int:
    """A sum of ``FINE`` in hundredths of a logit."""
    return round(UNIT * fine / FINE)
