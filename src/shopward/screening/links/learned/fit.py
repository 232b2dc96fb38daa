"""Training: weights of words and trees over them, evaluated on registered domains that were held out.

Promise: the same links in the same order give the same model; what is told of its quality was measured on links whose
registered domain had no part in the words and trees of that half (four folds, and three within for the trees). One leak is left:
the path's half stands on host scores whose trees may have seen the judged fold, so that the figures of whole links are a little
too good. The host's half is learnt from hosts, each once; the path's half from links that have a path on both sides, on top of
the host's score, so that having a path at all is no sign of fraud. Needs the extra ``models`` (numpy, scipy, LightGBM); scoring needs none of them.

The steps, for each half: (1) weights of words by a ridge logistic regression, for every fold and every two folds left out;
(2) the numbers of each link by weights that never saw its domain; (3) trees for every fold left out, and their held-out scores;
(4) weights from all links, and trees from all rows of (2).
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import lightgbm
import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from shopward.errors import ModelInvalid
from shopward.forest import forest_of, margins_of
from shopward.screening.links.learned.bundle import Measured
from shopward.screening.links.learned.features import (
    has_path,
    host_of,
    host_row,
    host_words,
    path_row,
    path_words,
)
from shopward.screening.links.learned.model import UNIT, Half, LinkModel, Marks
from shopward.screening.links.learned.trees import LEAVES_MAX
from shopward.screening.words import ordinary_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shopward.screening.links.address import Address
    from shopward.screening.links.learned.features import Part

    Row = Callable[[int, Mapping[str, int], Mapping[str, int]], list[int]]

FOLDS: Final = 4
SEEN_MIN: Final = 3
"""A word counts from so many links on."""
PENALTY: Final = {"host": 0.03, "path": 0.1}
"""Inverse strength of the ridge; chosen on domains on which nothing is reported, flat for hosts from 0.015 to 0.1."""
STEPS_MAX: Final = 60
KEPT_MAX: Final = 60_000
"""Words that are kept of each half, those that move scores most."""
PER_DOMAIN_MAX: Final = 3
"""Links of one registered domain that teach about paths."""
EXAMPLES_MIN: Final = 200
ROUNDS: Final = {"host": 300, "path": 150}
"""Trees of each half."""
_TREES: Final = {
    "objective": "binary",
    "num_leaves": LEAVES_MAX,
    "learning_rate": 0.06,
    "min_data_in_leaf": 40,
    "lambda_l2": 5.0,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "use_missing": False,
    "seed": 1,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}
_UNHEARD_FROM: Final = (0.05, 2.0)
"""What is added to the count of three letters, and of the two that they begin with."""


class Example(NamedTuple):
    """A link and whether it was fraud."""

    address: Address
    is_fraud: bool


class Trained(NamedTuple):
    """A model and how well it did on held-out domains.

    Attributes:
        held_out: of each host, the held-out scores of its name alone and of the link that stands for it, in logits.
    """

    model: LinkModel
    measured: tuple[Measured, ...]
    held_out: dict[str, tuple[float, float]]


def train_links(examples: Sequence[Example], told: Callable[[str], None] = lambda _text: None) -> Trained:
    """The model of these links; raises ``ModelInvalid`` where they are too few to learn from.

    Args:
        examples: any order; the first link of a host stands for it.
        told: hears what is being done.
    """
    hosts = list({each.address.host: each for each in reversed(examples)}.values())[::-1]
    links = _spread(examples, {id(each) for each in hosts})
    for rows in (hosts, links):
        frauds = sum(each.is_fraud for each in rows)
        if min(frauds, len(rows) - frauds) < EXAMPLES_MIN:
            raise ModelInvalid(
                "too few links to learn from", expected=f"{EXAMPLES_MIN} hosts and {EXAMPLES_MIN} paths of each kind",
                found=f"{frauds} of fraud and {len(rows) - frauds} ordinary",
            )  # fmt: skip
    told("hosts")
    sounds = sounds_of(ordinary_words())
    host, host_scores = _of_hosts(hosts, sounds)
    told("paths")
    by_host = {each.address.host: score for each, score in zip(hosts, host_scores, strict=True)}
    path, path_scores = _of_paths(links, np.array([by_host[each.address.host] for each in links]), sounds)
    whole = dict(zip(map(id, links), path_scores, strict=True))
    link_scores = np.array(
        [whole.get(id(each), score) for each, score in zip(hosts, host_scores, strict=True)]
    )
    host_marks, host_measured = _measured("host", hosts, host_scores)
    link_marks, link_measured = _measured("link", hosts, link_scores)
    with_path, _ = _measured("link", links, path_scores)
    marks = Marks(
        *(max(getattr(link_marks, name), getattr(with_path, name)) for name in Marks.__struct_fields__)
    )
    scores = {
        each.address.host: (float(of_host), float(of_link))
        for each, of_host, of_link in zip(hosts, host_scores, link_scores, strict=True)
    }
    return Trained(LinkModel(host, path, sounds, host_marks, marks), (host_measured, link_measured), scores)


def sounds_of(words: frozenset[str]) -> dict[str, int]:
    """How common three letters in a row are in words, in hundredths of a logarithm."""
    three, two = Counter[str](), Counter[str]()
    for word in words:
        if word.isascii() and word.isalpha():
            letters = f"^^{word}$"
            for at in range(len(letters) - 2):
                three[letters[at : at + 3]] += 1
                two[letters[at : at + 2]] += 1
    more, most = _UNHEARD_FROM
    return {
        letters: round(UNIT * math.log((times + more) / (two[letters[:2]] + most)))
        for letters, times in sorted(three.items())
    }


def _of_hosts(hosts: Sequence[Example], sounds: Mapping[str, int]) -> tuple[Half, Any]:
    seen = [host_of(each.address.kind, each.address.shown, each.address.suffix) for each in hosts]
    parts = [host_words(host) for host in seen]

    def row(number: int, weights: Mapping[str, int], endings: Mapping[str, int]) -> list[int]:
        return host_row(seen[number], parts[number], weights, endings, sounds)

    return _learnt(hosts, parts, row, np.zeros(len(hosts)), "host")


def _of_paths(links: Sequence[Example], before: Any, sounds: Mapping[str, int]) -> tuple[Half, Any]:
    parts = [path_words(each.address) for each in links]
    hundredths = [round(score * UNIT) for score in before]

    def row(number: int, weights: Mapping[str, int], endings: Mapping[str, int]) -> list[int]:
        return path_row(links[number].address, parts[number], hundredths[number], weights, endings, sounds)

    return _learnt(links, parts, row, before, "path")


def _learnt(
    rows: Sequence[Example], parts: Sequence[Part], row: Row, before: Any, half: str
) -> tuple[Half, Any]:
    """A half, and the held-out scores of its rows in logits, on top of ``before``."""
    words, rounds = _Words(rows, parts, PENALTY[half]), ROUNDS[half]
    fold = np.array([_fold(each.address) for each in rows])
    all_folds = range(FOLDS)
    left_out = {
        frozenset(folds): words.learnt(~np.isin(fold, folds), before)
        for folds in (*((each,) for each in all_folds), *combinations(all_folds, 2))
    }  # (1)

    def numbers(of: Any, without: int | None) -> Any:  # (2)
        return np.array(
            [
                row(int(number), *left_out[frozenset({int(fold[number])} | ({without} if without is not None else set()))])
                for number in np.flatnonzero(of)
            ],
            dtype=float,
        )  # fmt: skip

    everything = numbers(fold >= 0, None)
    scores = np.zeros(len(rows))
    for each in all_folds:  # (3)
        held_out = fold == each
        trees = _grown(numbers(~held_out, each), words.is_fraud[~held_out], before[~held_out], rounds)
        scores[held_out] = before[held_out] + margins_of(trees, everything[held_out])
    weights, endings = words.learnt(fold >= 0, before)
    return Half(weights, endings, _grown(everything, words.is_fraud, before, rounds)), scores  # (4)


class _Words:
    """Which words each row holds.

    Args:
        rows: links.
        parts: their words.
        penalty: of their weights.
    """

    def __init__(self, rows: Sequence[Example], parts: Sequence[Part], penalty: float) -> None:
        self._penalty = penalty
        self.is_fraud = np.array([each.is_fraud for each in rows])
        self._endings = [each.address.suffix for each in rows]
        held = [[*part.pieces, *part.named] for part in parts]
        seen = Counter(word for words in held for word in set(words))
        self.names = sorted(word for word, times in seen.items() if times >= SEEN_MIN)
        column = {word: at for at, word in enumerate(self.names)}
        columns, ends = [], [0]
        for words in held:
            columns += [column[word] for word in words if word in column]
            ends.append(len(columns))
        self._matrix = sparse.csr_matrix(
            (np.ones(len(columns)), np.array(columns, dtype=np.int32), np.array(ends)),
            shape=(len(rows), len(self.names)),
        )
        self._matrix.sum_duplicates()

    def learnt(self, of: Any, before: Any) -> tuple[dict[str, int], dict[str, int]]:
        """Weights of words and of endings, in hundredths of a logit, from some of the rows."""
        matrix, is_fraud = self._matrix[of], self.is_fraud[of]
        weights = _fitted(matrix, is_fraud.astype(float), before[of], self._penalty)[:-1]
        moved = np.abs(weights) * np.sqrt(np.asarray(matrix.sum(axis=0)).ravel())
        if len(moved) > KEPT_MAX:
            weights[moved < np.partition(moved, -KEPT_MAX)[-KEPT_MAX]] = 0.0
        hundredths = np.round(weights * UNIT).astype(int)
        frauds, others = Counter[str](), Counter[str]()
        for number in np.flatnonzero(of):
            (frauds if self.is_fraud[number] else others)[self._endings[number]] += 1
        level = math.log((frauds.total() + 1) / (others.total() + 1))
        endings = {
            ending: round(UNIT * (math.log((frauds[ending] + 1) / (others[ending] + 1)) - level))
            for ending in sorted(frauds | others)
            if frauds[ending] + others[ending] >= SEEN_MIN
        }
        return {self.names[at]: int(hundredths[at]) for at in np.flatnonzero(hundredths)}, endings


def _fitted(matrix: Any, fraud: Any, before: Any, penalty: float) -> Any:
    """Weights and start of a ridge logistic regression in which both kinds count alike."""
    sign = 2 * fraud - 1
    weight = _alike(fraud)
    transposed = matrix.T.tocsr()

    def loss(theta: Any) -> tuple[float, Any]:
        margin = sign * (matrix @ theta[:-1] + theta[-1] + before)
        slope = -sign * weight / (1 + np.exp(np.clip(margin, -500, 500)))
        value = float((weight * np.logaddexp(0, -margin)).sum() + 0.5 / penalty * (theta[:-1] @ theta[:-1]))
        return value, np.append(transposed @ slope + theta[:-1] / penalty, slope.sum())

    found = minimize(
        loss, np.zeros(matrix.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": STEPS_MAX}
    )
    return found.x


def _alike(fraud: Any) -> Any:
    """Weights of rows by which both kinds count alike."""
    return np.where(fraud == 1, 1.0, fraud.sum() / max(1.0, (1 - fraud).sum()))


def _grown(numbers: Any, is_fraud: Any, before: Any, rounds: int) -> Any:
    """Trees over the numbers of links, on top of what was said before."""
    fraud = is_fraud.astype(float)
    data = lightgbm.Dataset(
        numbers, fraud, weight=_alike(fraud), init_score=before if before.any() else None, free_raw_data=True
    )
    return forest_of(lightgbm.train(_TREES, data, num_boost_round=rounds).dump_model())


def _measured(what: str, rows: Sequence[Example], scores: Any) -> tuple[Marks, Measured]:
    fraud = np.array([each.is_fraud for each in rows])
    ordinary = np.sort(scores[~fraud])[::-1]
    faint, suspicious, dangerous = (
        float(ordinary[int(len(ordinary) * share)]) for share in (0.05, 0.01, 0.001)
    )
    recalls = [round(float((scores[fraud] > mark).mean()), 4) for mark in (dangerous, suspicious)]
    marks = Marks(*(int(np.floor(mark * UNIT)) + 1 for mark in (faint, suspicious, dangerous)))
    return marks, Measured(what, int(fraud.sum()), len(ordinary), *recalls)


def _fold(address: Address) -> int:
    return zlib.crc32((address.registered or address.host).encode()) % FOLDS


def _spread(examples: Sequence[Example], hosts: set[int]) -> list[Example]:
    """Links with a path: those that stand for their hosts, and of each registered domain a few others."""
    kept: list[Example] = []
    seen: set[tuple[str, str]] = set()
    of_domain: Counter[str] = Counter()
    for each in examples:
        key, domain = (each.address.host, each.address.path), each.address.registered or each.address.host
        is_host = id(each) in hosts
        if has_path(each.address) and (is_host or (key not in seen and of_domain[domain] < PER_DOMAIN_MAX)):
            seen.add(key)
            of_domain[domain] += not is_host
            kept.append(each)
    return kept
