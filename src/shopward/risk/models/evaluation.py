"""Evaluation: how well scores tell fraud from genuine events that came after the learning.

Promise: every measure is the usual one and counts ties as half; each score is measured on the same rows. ``measure``
orders, it does not tune. A detector's figures on a simulated shop are no promise about a real one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from shopward.risk.models.scale import Line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FALSE_POSITIVE_RATES: Final = (0.001, 0.01, 0.05)
_NEWTON_STEPS: Final = 50
_RIDGE: Final = 1e-3
_SLOPE_MIN: Final = 1e-3


class Figures(Struct, frozen=True):
    """How one score did.

    Attributes:
        auc: the chance that a fraud stands above a genuine event.
        average_precision: the mean precision over the frauds.
        caught: the share of frauds above the threshold that a share of genuine events exceeds, by that share.
    """

    auc: float
    average_precision: float
    caught: dict[str, float]


class Evaluation(Struct, frozen=True):
    """The later part of the examples, scored by what had learnt from the earlier part.

    Attributes:
        split_ms: where the later part begins.
        learnt_from: frauds in the earlier part.
        figures: by score: the model's and each baseline's, over the events that it speaks of.
        by_type: the model's, by event type, where a type has frauds.
    """

    split_ms: int
    learnt_from: int
    rows: int
    frauds: int
    figures: dict[str, Figures]
    by_type: dict[str, Figures]


def measure(
    scores: Mapping[str, Any], is_fraud: Any, types: Sequence[str], *, split_ms: int, learnt_from: int
) -> Evaluation:
    """Figures of each score; ``scores`` holds the model's under ``model``, and a score is NaN where it does not speak."""
    import numpy as np  # noqa: PLC0415 -- an extra

    by_type = {}
    kinds = np.array(types)
    for type_ in sorted(set(types)):
        chosen = kinds == type_
        if 0 < is_fraud[chosen].sum() < chosen.sum():
            by_type[type_] = figures(scores["model"][chosen], is_fraud[chosen])
    return Evaluation(
        split_ms,
        learnt_from,
        len(is_fraud),
        int(is_fraud.sum()),
        {
            name: figures(each[speaks], is_fraud[speaks])
            for name, each in scores.items()
            if 0 < is_fraud[speaks := ~np.isnan(each)].sum() < speaks.sum()
        },
        by_type,
    )


def figures(scores: Any, is_fraud: Any) -> Figures:
    """Figures of one score; there is at least one event of either kind."""
    import numpy as np  # noqa: PLC0415 -- an extra

    levels, at_level = np.unique(-np.asarray(scores), return_inverse=True)
    frauds = np.bincount(at_level, weights=is_fraud, minlength=len(levels))
    genuine = np.bincount(at_level, weights=~is_fraud, minlength=len(levels))
    caught, passed = np.cumsum(frauds), np.cumsum(genuine)
    below = passed[-1] - passed
    auc = float((frauds * (below + genuine / 2)).sum() / (caught[-1] * passed[-1]))
    average_precision = float((frauds * caught / (caught + passed)).sum() / caught[-1])
    shares = {}
    for rate in FALSE_POSITIVE_RATES:
        above = int(np.searchsorted(passed, rate * passed[-1], side="right"))
        shares[f"{rate:.1%}"] = round(float(caught[above - 1] / caught[-1]) if above else 0.0, 4)
    return Figures(round(auc, 4), round(average_precision, 4), shares)


def logistic_line(x: Any, is_fraud: Any, weights: Any = 1.0) -> Line:
    """The line whose logistic fits best (Newton's method, a little drawn to 0); its slope is never below a small one."""
    import numpy as np  # noqa: PLC0415 -- an extra

    design = np.column_stack([np.ones(len(x)), x])
    line = np.array([np.log((is_fraud.sum() + 1.0) / ((~is_fraud).sum() + 1.0)), 0.0])
    for _ in range(_NEWTON_STEPS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ line, -30.0, 30.0)))
        slope = design.T @ (weights * (chance - is_fraud)) + _RIDGE * line
        bend = (design * (weights * chance * (1.0 - chance))[:, None]).T @ design + _RIDGE * np.eye(2)
        step = np.linalg.solve(bend, slope)
        line = line - np.clip(step, -5.0, 5.0)
        if np.abs(step).max() < 1e-9:
            break
    return Line(float(line[0]), float(max(line[1], _SLOPE_MIN)))
