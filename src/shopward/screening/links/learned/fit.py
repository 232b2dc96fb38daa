"""Training: logistic regression over the words of links, evaluated on registered domains that were held out.

Promise: the same links in the same order give the same model; what is told of its quality was measured on links whose
registered domain had no part in the weights that scored them (five folds). The host's half is learnt from hosts, each once;
the path's half from links that have a path on both sides, on top of the host's score, so that having a path at all is no
sign of fraud. Needs the extra ``models`` (numpy, scipy); scoring needs neither.
"""

from __future__ import annotations

import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from shopward.errors import ModelInvalid
from shopward.screening.links.learned.bundle import Measured
from shopward.screening.links.learned.features import host_words, path_words
from shopward.screening.links.learned.model import Half, LinkModel, Marks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.screening.links.address import Address

    Words = Callable[[Address], tuple[list[str], list[str]]]

FOLDS: Final = 5
SEEN_MIN: Final = 3
"""A word counts from so many links on."""
PENALTY: Final = 0.03
"""Inverse strength of the ridge; measured on held-out domains, flat from 0.015 to 0.1."""
STEPS_MAX: Final = 80
KEPT_MAX: Final = 60_000
"""Words that are kept of each half, those that move scores most."""
PER_DOMAIN_MAX: Final = 3
"""Links of one registered domain that teach about paths."""
EXAMPLES_MIN: Final = 200
_UNIT: Final = 100.0


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
    host, host_scores = _learnt(hosts, host_words, np.zeros(len(hosts)))
    told("paths")
    by_host = {each.address.host: score for each, score in zip(hosts, host_scores, strict=True)}
    before = np.array([by_host[each.address.host] for each in links])
    path, path_scores = _learnt(links, path_words, before)
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
    return Trained(LinkModel(host, path, host_marks, marks), (host_measured, link_measured), scores)


def _learnt(rows: Sequence[Example], words: Words, before: Any) -> tuple[Half, Any]:
    """A half, and the held-out scores of its rows in logits, on top of ``before``."""
    matrix, vocabulary = _matrix(rows, words)
    fraud = np.array([each.is_fraud for each in rows], dtype=float)
    folds = np.array([_fold(each.address) for each in rows])
    scores = np.zeros(len(rows))
    for fold in range(FOLDS):
        held_out = folds == fold
        theta = _rounded(_fitted(matrix[~held_out], fraud[~held_out], before[~held_out]), matrix[~held_out])
        scores[held_out] = matrix[held_out] @ theta[:-1] + theta[-1] + before[held_out]
    theta = _rounded(_fitted(matrix, fraud, before), matrix)
    weights = {word: round(theta[at] * _UNIT) for word, at in vocabulary.items() if theta[at]}
    return Half(round(theta[-1] * _UNIT), dict(sorted(weights.items()))), scores


def _matrix(rows: Sequence[Example], words: Words) -> tuple[Any, dict[str, int]]:
    """Which words each row holds, and which column each word is."""
    seen: Counter[str] = Counter()
    held: list[list[str]] = []
    for each in rows:
        pieces, named = words(each.address)
        held.append(pieces + named)
        seen.update(set(held[-1]))
    vocabulary = {
        word: at for at, word in enumerate(sorted(word for word, times in seen.items() if times >= SEEN_MIN))
    }
    columns, ends = [], [0]
    for found in held:
        columns += sorted(vocabulary[word] for word in found if word in vocabulary)
        ends.append(len(columns))
    shape = (len(rows), len(vocabulary))
    matrix = sparse.csr_matrix(
        (np.ones(len(columns)), np.array(columns, dtype=np.int32), np.array(ends)), shape=shape
    )
    matrix.sum_duplicates()
    return matrix, vocabulary


def _fitted(matrix: Any, fraud: Any, before: Any) -> Any:
    """Weights and start of a ridge logistic regression in which both kinds count alike."""
    sign = 2 * fraud - 1
    weight = np.where(fraud == 1, 1.0, fraud.sum() / max(1.0, (1 - fraud).sum()))
    transposed = matrix.T.tocsr()

    def loss(theta: Any) -> tuple[float, Any]:
        margin = sign * (matrix @ theta[:-1] + theta[-1] + before)
        slope = -sign * weight / (1 + np.exp(np.clip(margin, -500, 500)))
        value = float((weight * np.logaddexp(0, -margin)).sum() + 0.5 / PENALTY * (theta[:-1] @ theta[:-1]))
        return value, np.append(transposed @ slope + theta[:-1] / PENALTY, slope.sum())

    found = minimize(
        loss, np.zeros(matrix.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": STEPS_MAX}
    )
    return found.x


def _rounded(theta: Any, matrix: Any) -> Any:
    """Weights as they are kept: hundredths, and of the words that move scores most."""
    times = np.asarray(matrix.sum(axis=0)).ravel()
    moved = np.abs(theta[:-1]) * np.sqrt(times)
    if len(moved) > KEPT_MAX:
        least = np.partition(moved, -KEPT_MAX)[-KEPT_MAX]
        theta[:-1][moved < least] = 0.0
    return np.round(theta * _UNIT) / _UNIT


def _measured(what: str, rows: Sequence[Example], scores: Any) -> tuple[Marks, Measured]:
    fraud = np.array([each.is_fraud for each in rows])
    ordinary = np.sort(scores[~fraud])[::-1]
    faint, suspicious, dangerous = (
        float(ordinary[int(len(ordinary) * share)]) for share in (0.05, 0.01, 0.001)
    )
    recalls = [round(float((scores[fraud] > mark).mean()), 4) for mark in (dangerous, suspicious)]
    marks = Marks(*(int(np.floor(mark * _UNIT)) + 1 for mark in (faint, suspicious, dangerous)))
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
        if path_words(each.address)[1] and (
            is_host or (key not in seen and of_domain[domain] < PER_DOMAIN_MAX)
        ):
            seen.add(key)
            of_domain[domain] += not is_host
            kept.append(each)
    return kept
