"""Training the learned part of message screening from labelled messages.

Promise: the same messages give the same bundle; what is learnt is small: some thousand strings of letters, chosen by how much
they tell, and corrections of the rules' weights. Held-out groups judge it: near-duplicates share a group and never stand on both
sides. Needs numpy and scipy (extra ``models``).

The steps: (1) both readings of each message, and of a part of them under a disguise (``disguises``); (2) a first fit over all
strings of 1 to 5 letters that several messages have; (3) the strings that carry most of it; (4) the fit over those and the
rules; (5) the bias, so that of honest messages one in two hundred reaches "suspicious" by wording and rules alone.

Where the rules' own weights come from is asked: with ``keep_rules`` they stay, and only what the strings leave open is learnt;
without it they are learnt like strings, kept small, and never change their sign. On large sets of real messages the second finds
more; the first is for data that knows less than the rules do.
"""

from __future__ import annotations

import zlib
from array import array
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from shopward.screening.messages.check import text_odds
from shopward.screening.messages.disguises import disguised
from shopward.screening.messages.extract import things_in
from shopward.screening.messages.intents import ALL_CODES, BIAS, WEIGHTS, fired
from shopward.screening.messages.learned import FORMAT, Bundle, MessageModel, letters_of, plain_wording
from shopward.screening.messages.lexicon import hits_in, squeeze
from shopward.screening.messages.normalise import MESSAGE_MAX, normalise
from shopward.screening.verdict import SUSPICIOUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CUES: Final = 20_000
"""Strings of each reading; what they leave out moves held-out figures less than their noise."""
CUE_LETTERS: Final = 5
SHORTEST_LATIN: Final = 2
SEEN_MIN: Final = 3
_HONEST_FLAGGED: Final = 0.005
_RIDGE_WORDING: Final = 0.1
_RIDGE_LETTERS: Final = 0.025
_RIDGE_RULES: Final = 2.0
_RIDGE_KEPT_RULES: Final = 0.1
"""Of what is added to rules that keep their own weights."""
_STEPS_MAX: Final = 120
_WITHIN: Final = 20.0
"""No rule learns to weigh more."""


class Labelled(NamedTuple):
    """A message for training: its text, whether it is fraud, and the group of its near-duplicates."""

    text: str
    is_fraud: bool
    group: str = ""


class Featured(NamedTuple):
    """A message as the trainer sees it: both readings, and the rules that hold."""

    wording: str
    letters: str
    rules: frozenset[str]


def featured(text: str) -> Featured:
    """What the trainer sees of a message (1)."""
    given = text[:MESSAGE_MAX]
    normal = normalise(given)
    things, masked = things_in(normal.text, given, normal.places)
    rules = fired(normal.text, things, hits_in(squeeze(masked)))
    return Featured(plain_wording(masked), letters_of(given, normal), frozenset(rule.code for rule in rules))


def train(
    messages: Sequence[Labelled], *, about: dict[str, Any], cues: int = CUES, keep_rules: bool = False
) -> Bundle:
    """A bundle from labelled messages; ``about`` goes into it as it is, with their number.

    Args:
        messages: of both kinds.
        about: what they are.
        cues: strings to keep of each reading.
        keep_rules: see the module.
    """
    more = [Labelled(disguised(each.text), each.is_fraud) for each in messages if is_disguised_too(each)]
    features = [featured(each.text) for each in (*messages, *more)]  # (1)
    labels = np.array([each.is_fraud for each in (*messages, *more)], dtype=bool)
    own = np.array([BIAS + sum(WEIGHTS[code] for code in each.rules) for each in features])
    offset = own if keep_rules else np.full(len(features), BIAS)
    readings = [
        _Reading([each.wording for each in features], _RIDGE_WORDING),
        _Reading([each.letters for each in features], _RIDGE_LETTERS),
    ]
    weights, _ = _fit(*_together(readings), offset, labels)  # (2)
    wording, letters = (
        reading.best(part, cues) for reading, part in zip(readings, _parts(weights, readings), strict=True)
    )  # (3)
    readings = [wording, letters]
    rules = _rules(features)
    ridge = _RIDGE_KEPT_RULES if keep_rules else _RIDGE_RULES
    bounds = [_within(WEIGHTS[code], keep_rules=keep_rules) for code in ALL_CODES]
    weights, bias = _fit(*_together(readings, rules, ridge), offset, labels, bounds)  # (4)
    of_wording, of_letters, of_rules = _parts(weights, readings)
    scores = offset + wording.grams @ of_wording + letters.grams @ of_letters + rules @ of_rules
    bias = _settled_bias(scores[~labels], bias)  # (5)
    if not keep_rules:
        of_rules = of_rules - np.array([WEIGHTS[code] for code in ALL_CODES])
    learnt = {code: round(float(each), 3) for code, each in zip(ALL_CODES, of_rules, strict=True)}
    return Bundle(
        FORMAT,
        {**about, "messages": len(messages), "frauds": sum(each.is_fraud for each in messages)},
        round(float(bias - BIAS), 3),
        {code: each for code, each in learnt.items() if each},
        wording.told(of_wording),
        letters.told(of_letters),
    )


def is_disguised_too(message: Labelled) -> bool:
    """Whether training sees a message a second time, under a disguise: every second fraud, every twentieth other one."""
    return _number(message.text) % (2 if message.is_fraud else 20) == 0


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
    return [_number(each.group or each.text) % folds for each in messages]


def read_labelled(raw: bytes) -> list[Labelled]:
    """Messages of NDJSON lines: ``text``, ``label`` (``fraud`` or any other word), ``group`` where there is one."""
    rows = [msgspec.json.decode(line, type=dict[str, Any]) for line in raw.splitlines() if line.strip()]
    return [
        Labelled(str(row["text"]), row.get("label") == "fraud", str(row.get("group", ""))) for row in rows
    ]


def _number(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "replace"))


class _Reading:
    """The strings of one reading of all messages.

    Attributes:
        names: the strings, one a column.
        rarity: of each, its inverse document frequency, smoothed.
        grams: which message has which, by rarity, each message of length 1.
    """

    def __init__(self, texts: Sequence[str], ridge: float) -> None:
        column: dict[str, int] = {}
        indices, ends = array("i"), array("q", (0,))
        for text in texts:
            indices.extend([column.setdefault(cue, len(column)) for cue in _strings(text)])
            ends.append(len(indices))
        shape = (len(texts), len(column))
        has = sparse.csr_matrix((np.ones(len(indices)), np.array(indices), np.array(ends)), shape=shape)
        seen = np.asarray(has.sum(axis=0)).ravel()
        names = list(column)
        kept = [
            number for number in np.flatnonzero(seen >= SEEN_MIN).tolist()
            if not (names[number].isascii() and len(names[number]) < SHORTEST_LATIN)
        ]  # fmt: skip
        kept.sort(key=names.__getitem__)
        self.ridge = ridge
        self._take(has, names, np.log((1 + len(texts)) / (1 + seen)) + 1.0, kept)

    def best(self, weights: Any, count: int) -> _Reading:
        """The reading with the strings alone that move scores most."""
        moved = np.abs(weights) * np.sqrt(np.asarray(self._has.sum(axis=0)).ravel())
        chosen = _Reading.__new__(_Reading)
        chosen.ridge = self.ridge
        kept = sorted(np.argsort(-moved, kind="stable")[:count].tolist())
        chosen._take(self._has, self.names, self.rarity, kept)  # noqa: SLF001 -- its own kind
        return chosen

    def told(self, weights: Any) -> dict[str, tuple[float, float]]:
        """Weight and rarity of each string, as a bundle holds them."""
        return {
            cue: (round(float(weight), 3), round(float(rare), 2))
            for cue, weight, rare in zip(self.names, weights, self.rarity, strict=True)
        }

    def _take(self, has: Any, names: Sequence[str], rarity: Any, kept: Sequence[int]) -> None:
        self._has = has[:, kept]
        self.names = [names[number] for number in kept]
        self.rarity = rarity[kept]
        grams = self._has.multiply(self.rarity[None, :]).tocsr()
        lengths = np.sqrt(np.asarray(grams.multiply(grams).sum(axis=1)).ravel())
        self.grams = sparse.diags(1.0 / np.maximum(lengths, 1e-9)) @ grams


def _strings(text: str) -> set[str]:
    size = len(text)
    return {text[at : at + n] for n in range(1, CUE_LETTERS + 1) for at in range(size - n + 1)}


def _together(readings: Sequence[_Reading], rules: Any = None, ridge: float = 0.0) -> tuple[Any, Any]:
    """All columns side by side, and the ridge of each; that of the rules is ``ridge``."""
    blocks = [each.grams for each in readings]
    ridges = [np.full(len(each.names), each.ridge) for each in readings]
    if rules is not None:
        blocks.append(rules)
        ridges.append(np.full(rules.shape[1], ridge))
    return sparse.hstack(blocks).tocsr(), np.concatenate(ridges)


def _parts(weights: Any, readings: Sequence[_Reading]) -> list[Any]:
    """Weights by the reading that they are of; what is left is of the rules."""
    ends = np.cumsum([len(each.names) for each in readings])
    parts: list[Any] = np.split(weights, ends)
    return parts if len(parts[-1]) else parts[:-1]


def _rules(features: Sequence[Featured]) -> Any:
    return sparse.csr_matrix([[float(code in each.rules) for code in ALL_CODES] for each in features])


def _within(own: float, *, keep_rules: bool) -> tuple[float, float]:
    """What may be learnt of a rule: its sign stays, and a rule that speaks for a message is never weakened.

    Frauds that warn are rare in any set, and a shop's own warnings are what must not be flagged.
    """
    if own < 0.0:
        return -_WITHIN, 0.0
    return (-own if keep_rules else 0.0), _WITHIN


def _fit(
    features: Any, ridge: Any, offset: Any, labels: Any, of_rules: Sequence[tuple[float, float]] = ()
) -> tuple[Any, float]:
    """Weights and bias of a logistic regression with an offset; ridge on what is added.

    Args:
        features: a row for each message.
        ridge: of each column.
        offset: log odds that a message has before.
        labels: whether it is fraud.
        of_rules: the least and the most of the last columns.
    """
    signs = np.where(labels, 1.0, -1.0)
    across = features.T.tocsr()

    def loss(point: Any) -> tuple[float, Any]:
        margin = signs * (features @ point[:-1] + offset + point[-1])
        pull = -signs / (1.0 + np.exp(np.clip(margin, -500, 500)))
        value = np.logaddexp(0.0, -margin).sum() + 0.5 * (ridge * point[:-1] ** 2).sum()
        return float(value), np.append(across @ pull + ridge * point[:-1], pull.sum())

    free = [(None, None)] * (features.shape[1] - len(of_rules))
    found = minimize(
        loss,
        np.zeros(features.shape[1] + 1),
        jac=True,
        method="L-BFGS-B",
        bounds=[*free, *of_rules, (None, None)] if of_rules else None,
        options={"maxiter": _STEPS_MAX},
    )
    return found.x[:-1], float(found.x[-1] + BIAS)


def _settled_bias(honest: Any, bias: float) -> float:
    """The bias with which so many honest messages reach "suspicious" as shall, and no higher than the fitted one."""
    line = float(np.log(SUSPICIOUS / (100.0 - SUSPICIOUS)))
    reached = float(np.quantile(honest, 1.0 - _HONEST_FLAGGED)) - BIAS
    return min(bias, line - reached)
