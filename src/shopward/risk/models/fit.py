"""Fitting: boosted trees learn from examples, and are measured on what came after.

Promise: the same examples, settings and versions give the same model. The story of a training:
  (1) a first model learns from what was known when the last quarter of the examples began
  (2) it scores that last quarter, which it never saw: this is the evaluation, beside the baselines
  (3) those scores turn margins into probabilities (a logistic line, so no order changes)
  (4) the model that is handed out learns from everything known at the end, with the same settings

Nothing is tuned here: settings stand in the policy. LightGBM (extra ``models``) is needed here and nowhere else.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from shopward.errors import InvalidField, Misconfigured
from shopward.forest import Forest, forest_of, margins_of
from shopward.risk.models.evaluation import Evaluation, logistic_line, measure
from shopward.risk.models.scale import LINE_AS_IS, Line

if TYPE_CHECKING:
    from shopward.risk.models.examples import Examples, Known
    from shopward.risk.policy.inputs import Inputs
    from shopward.risk.policy.spec import ModelSpec

LEARNING_PART: Final = 0.75
FRAUDS_MIN: Final = 20
"""Fewer labelled frauds than this teach chance."""
TYPE_ROWS_MIN: Final = 100
"""An event type with fewer examples is not scored: the rules go on speaking for it."""


class Trained(NamedTuple):
    """What a training gives.

    Attributes:
        start: the line over the rules' points that boosting started from; flat where it started from nothing.
        calibration: the line from a margin to log-odds.
        types: event types that it may score.
        frauds, genuine: how many examples it learnt from.
        evaluation: ``None`` where the last quarter holds too few labels to measure.
    """

    forest: Forest
    start: Line
    calibration: Line
    types: tuple[str, ...]
    from_ms: int
    frauds: int
    genuine: int
    evaluation: Evaluation | None


def train(examples: Examples, inputs: Inputs, *, until_ms: int) -> Trained:
    """A model of what was known at ``until_ms``.

    Raises:
        InvalidField: there are too few labelled frauds, or nothing genuine.
        Misconfigured: LightGBM is not installed.
    """
    spec, points = inputs.spec, examples.beside("rules")
    since_ms = until_ms - inputs.history_ms
    known = examples.known_at(until_ms, delay_ms=inputs.delay_ms, since_ms=since_ms)
    frauds, genuine = int(known.is_fraud.sum()), int((~known.is_fraud).sum())
    if frauds < FRAUDS_MIN or not genuine:
        raise InvalidField(
            "too few labels to learn from", path="labels",
            expected=f"at least {FRAUDS_MIN} frauds and something genuine", found=f"{frauds} and {genuine}",
            hint="an event without a label counts as genuine only once it is older than the label delay",
        )  # fmt: skip
    when = examples.at_ms[known.rows]
    evaluation, calibration = None, LINE_AS_IS
    split_ms = int(when[0] + (when[-1] - when[0]) * LEARNING_PART)
    before = examples.known_at(split_ms, delay_ms=inputs.delay_ms, since_ms=since_ms)
    measured = (when >= split_ms) & (examples.weights[known.rows] == 1.0)
    later, is_fraud = known.rows[measured], known.is_fraud[measured]
    if before.is_fraud.sum() >= FRAUDS_MIN and is_fraud.sum() >= FRAUDS_MIN:
        forest, start = _boosted(examples, before, spec, points)  # (1)
        margins = start.at(points[later]) + margins_of(forest, examples.matrix[later])
        calibration = logistic_line(margins, is_fraud)  # (3)
        evaluation = measure(  # (2)
            {"model": margins, **{name: examples.beside(name)[later] for name in examples.baselines}},
            is_fraud,
            [examples.types[row] for row in later],
            split_ms=split_ms,
            learnt_from=int(before.is_fraud.sum()),
        )
    forest, start = _boosted(examples, known, spec, points)  # (4)
    counts = dict.fromkeys(spec.types, 0)
    for row in known.rows:
        counts[examples.types[row]] += 1
    types = tuple(type_ for type_, count in counts.items() if count >= TYPE_ROWS_MIN)
    return Trained(forest, start, calibration, types, int(when[0]), frauds, genuine, evaluation)


def _boosted(examples: Examples, known: Known, spec: ModelSpec, points: Any) -> tuple[Forest, Line]:
    lightgbm, trainer = _lightgbm(), spec.trainer
    weights = examples.weights[known.rows]
    start = Line(0.0, 0.0)
    if trainer.from_points:
        start = logistic_line(points[known.rows], known.is_fraud, weights)
    data = lightgbm.Dataset(
        examples.matrix[known.rows],
        known.is_fraud.astype(float),
        weight=weights,
        init_score=start.at(points[known.rows]) if trainer.from_points else None,
    )
    settings = {
        "objective": "binary",
        "num_leaves": trainer.leaves,
        "learning_rate": trainer.learning_rate,
        "min_data_in_leaf": trainer.leaf_rows_min,
        "lambda_l2": trainer.l2,
        "feature_fraction": trainer.input_share,
        "bagging_fraction": trainer.row_share,
        "bagging_freq": 1,
        "use_missing": False,  # a row has no gaps: trees compare numbers alone
        "seed": spec.seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
    booster = lightgbm.train(settings, data, num_boost_round=trainer.rounds)
    return forest_of(booster.dump_model()), start


def _lightgbm() -> Any:
    try:
        return importlib.import_module("lightgbm")
    except ImportError:
        raise Misconfigured(
            "training needs LightGBM", code="missing_extra", hint="pip install 'shopward[models]'"
        ) from None
