"""Training the learned part of message screening from labelled messages.

Promise: the same messages give the same bundle; what is learnt is small: a few thousand strings of letters, chosen by how much
they tell, and corrections of the rules' weights, which stay what they were where the data is silent (they are the prior mean).
Held-out groups judge it: near-duplicates share a group and never stand on both sides. Needs numpy and scipy (extra ``models``).

The steps: (1) features of each message; (2) a first fit over all strings of 1 to 5 letters that several messages have;
(3) the strings that carry most of it; (4) the fit over those and the rules; (5) the bias, so that of honest messages one in
two hundred reaches "suspicious" by wording and rules alone.
"""

from __future__ import annotations

import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from shopward.screening.messages.check import text_odds
from shopward.screening.messages.extract import things_in
from shopward.screening.messages.intents import ALL_CODES, BIAS, WEIGHTS, fired
from shopward.screening.messages.learned import FORMAT, Bundle, MessageModel, plain_wording
from shopward.screening.messages.lexicon import hits_in, squeeze
from shopward.screening.messages.normalise import MESSAGE_MAX, normalise
from shopward.screening.verdict import SUSPICIOUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CUES: Final = 8_000
CUE_LETTERS: Final = 5
SEEN_MIN: Final = 3
_HONEST_FLAGGED: Final = 0.005
_RIDGE_CUES: Final = 0.05
_RIDGE_RULES: Final = 0.1


class Labelled(NamedTuple):
    """A message for training: its text, whether it is fraud, and the group of its near-duplicates."""

    text: str
    is_fraud: bool
    group: str = ""


class Featured(NamedTuple):
    """A message as the trainer sees it: plain wording, and the rules that hold."""

    wording: str
    rules: frozenset[str]


def featured(text: str) -> Featured:
    """What the trainer sees of a message (1)."""
    given = text[:MESSAGE_MAX]
    normal = normalise(given)
    things, masked = things_in(normal.text, given, normal.places)
    rules = fired(normal.text, things, hits_in(squeeze(masked)))
    return Featured(plain_wording(masked), frozenset(rule.code for rule in rules))


def train(messages: Sequence[Labelled], *, about: dict[str, Any], cues: int = CUES) -> Bundle:
    """A bundle from labelled messages; ``about`` goes into it as it is, with their number."""
    features = [featured(each.text) for each in messages]
    labels = np.array([each.is_fraud for each in messages], dtype=bool)
    offset = np.array([_prior(each) for each in features])
    names = _candidates(features)
    rarity = _rarities(features, names)
    grams = _grams(features, names, rarity)
    weights, _ = _fit(grams, offset, labels, np.full(grams.shape[1], _RIDGE_CUES))  # (2)
    told = np.abs(weights) * np.sqrt(np.asarray(grams.astype(bool).sum(axis=0)).ravel())
    kept = np.sort(np.argsort(-told, kind="stable")[:cues])  # (3)
    chosen, rarity = [names[each] for each in kept], rarity[kept]
    grams = _grams(features, chosen, rarity)
    rules = _rules(features)
    ridge = np.concatenate((np.full(len(chosen), _RIDGE_CUES), np.full(len(ALL_CODES), _RIDGE_RULES)))
    weights, bias = _fit(sparse.hstack((grams, rules)).tocsr(), offset, labels, ridge)  # (4)
    scores = offset + grams @ weights[: len(chosen)] + rules @ weights[len(chosen) :]
    bias = _settled_bias(scores[~labels], bias)  # (5)
    learnt = {
        code: round(float(each), 3) for code, each in zip(ALL_CODES, weights[len(chosen) :], strict=True)
    }
    return Bundle(
        FORMAT,
        {**about, "messages": len(messages), "frauds": int(labels.sum())},
        round(float(bias - BIAS), 3),
        {code: each for code, each in learnt.items() if each},
        {
            cue: (round(float(each), 3), round(float(rare), 2))
            for cue, each, rare in zip(chosen, weights, rarity, strict=False)
        },
    )


def judged_on(bundle: Bundle, messages: Sequence[Labelled]) -> dict[str, Any]:
    """How a bundle ranks messages that it was not trained on, by wording and rules alone.

    ``recall_at_*``: the part of the frauds above the score that so many in a thousand honest ones reach; ``average_precision`` is the
    area under the curve of precision and recall.
    """
    model = MessageModel(bundle)
    scores = np.array([text_odds(each.text, model) for each in messages])
    labels = np.array([each.is_fraud for each in messages], dtype=bool)
    return figures(scores, labels)


def figures(scores: Any, labels: Any) -> dict[str, Any]:
    """See ``judged_on``."""
    if labels.all() or not labels.any():
        return {"messages": len(labels), "frauds": int(labels.sum())}
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order])
    ranked = hits / np.arange(1, len(labels) + 1)
    honest = np.sort(scores[~labels])[::-1]
    found: dict[str, Any] = {
        "messages": len(labels),
        "frauds": int(labels.sum()),
        "average_precision": round(float(ranked[labels[order]].mean()), 4),
    }
    for name, part in (("recall_at_1_in_1000", 0.001), ("recall_at_10_in_1000", 0.01)):
        found[name] = round(float((scores[labels] > honest[int(part * len(honest))]).mean()), 4)
    return found


def groups_apart(messages: Iterable[Labelled], *, folds: int) -> list[int]:
    """The fold of each message, by its group alone."""
    return [zlib.crc32((each.group or each.text).encode("utf-8", "replace")) % folds for each in messages]


def read_labelled(raw: bytes) -> list[Labelled]:
    """Messages of NDJSON lines: ``text``, ``label`` (``fraud`` or any other word), ``group`` where there is one."""
    rows = [msgspec.json.decode(line, type=dict[str, Any]) for line in raw.splitlines() if line.strip()]
    return [
        Labelled(str(row["text"]), row.get("label") == "fraud", str(row.get("group", ""))) for row in rows
    ]


def _prior(message: Featured) -> float:
    return BIAS + sum(WEIGHTS[code] for code in message.rules)


def _strings(wording: str) -> set[str]:
    size = len(wording)
    return {wording[at : at + n] for n in range(1, CUE_LETTERS + 1) for at in range(size - n + 1)}


def _candidates(features: Sequence[Featured]) -> list[str]:
    seen: Counter[str] = Counter()
    for each in features:
        seen.update(_strings(each.wording))
    return sorted(
        cue for cue, times in seen.items() if times >= SEEN_MIN and not (cue.isascii() and len(cue) < 2)
    )


def _rarities(features: Sequence[Featured], names: Sequence[str]) -> Any:
    """The inverse document frequency of each string, smoothed."""
    column = {name: number for number, name in enumerate(names)}
    seen = np.zeros(len(names))
    for each in features:
        seen[[column[cue] for cue in _strings(each.wording) if cue in column]] += 1
    return np.log((1 + len(features)) / (1 + seen)) + 1.0


def _grams(features: Sequence[Featured], names: Sequence[str], rarity: Any) -> Any:
    """Which strings each message has, by their rarity, each message of length 1."""
    column = {name: number for number, name in enumerate(names)}
    indices: list[int] = []
    starts = [0]
    values: list[float] = []
    for each in features:
        own = sorted(column[cue] for cue in _strings(each.wording) if cue in column)
        rare = rarity[own]
        indices += own
        values += (rare / max(float(np.sqrt((rare * rare).sum())), 1e-9)).tolist()
        starts.append(len(indices))
    return sparse.csr_matrix((values, indices, starts), shape=(len(features), len(names)))


def _rules(features: Sequence[Featured]) -> Any:
    return sparse.csr_matrix([[float(code in each.rules) for code in ALL_CODES] for each in features])


def _fit(features: Any, offset: Any, labels: Any, ridge: Any) -> tuple[Any, float]:
    """Weights and bias of a logistic regression with an offset: the rules' own weights; ridge on what is added."""
    signs = np.where(labels, 1.0, -1.0)
    across = features.T.tocsr()

    def loss(point: Any) -> tuple[float, Any]:
        margin = signs * (features @ point[:-1] + offset + point[-1])
        pull = -signs / (1.0 + np.exp(np.clip(margin, -500, 500)))
        value = np.logaddexp(0.0, -margin).sum() + 0.5 * (ridge * point[:-1] ** 2).sum()
        return float(value), np.append(across @ pull + ridge * point[:-1], pull.sum())

    found = minimize(
        loss, np.zeros(features.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 300}
    )
    return found.x[:-1], float(found.x[-1] + BIAS)


def _settled_bias(honest: Any, bias: float) -> float:
    """The bias with which so many honest messages reach "suspicious" as shall, and no higher than the fitted one."""
    line = float(np.log(SUSPICIOUS / (100.0 - SUSPICIOUS)))
    reached = float(np.quantile(honest, 1.0 - _HONEST_FLAGGED)) - BIAS
    return min(bias, line - reached)
