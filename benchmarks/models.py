"""Learned scores: what one prediction costs, and how far a takeover model carries to a shop that it never saw.

    python benchmarks/models.py [--learn 101] [--score 102] [--users 5000] [--days 45]

A shop is simulated under one seed and learnt from, with its labels as a CSV would hold them; another seed is simulated and
scored by rules alone and with the model, from day 10 on: the share of succeeded logins, payments, redemptions, phone
changes, new addresses and codes of attackers above the score that 1 % of the honest ones exceed. Then the cost of a score:
microseconds of CPU a row, for the walk in use, plain Python, and LightGBM's own single-row predict as the yardstick in the
same run. One JSON line each.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import TYPE_CHECKING, Any

import lightgbm
import numpy as np

from shopward.adapters.process import tune_collector
from shopward.errors import ShopwardError
from shopward.flows.replay import Replay
from shopward.flows.train import Collector, bundle_of, gather, labelled
from shopward.forest import walker
from shopward.risk.models import Scorer, Scorers
from shopward.risk.models.evaluation import figures
from shopward.risk.policy import Policy, load_default_policy
from shopward.testing import ShopSimulator
from shopward.testing.simulator import DEFAULT_START
from shopward.values import DAY_MS, to_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

UNITS = {"login", "payment", "gift_card_redeem", "phone_change", "address_add", "otp"}
ROWS = 2_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--learn", type=int, default=101)
    parser.add_argument("--score", type=int, default=102)
    parser.add_argument("--users", type=int, default=5_000)
    parser.add_argument("--days", type=int, default=45)
    arguments = parser.parse_args()
    tune_collector()
    policy = Policy(load_default_policy())
    learnt = list(ShopSimulator(seed=arguments.learn, users=arguments.users, days=arguments.days).labelled())
    collector, until_ms = gather(
        policy, "takeover", (json.dumps(event).encode() for event, _label in learnt), on_refused=_refuse
    )
    labelled(collector, [(event["id"], label.label, None) for event, label in learnt if label is not None])
    bundle = bundle_of(policy, collector, until_ms=until_ms)
    scorers = Scorers([Scorer(bundle, policy.inputs["takeover"])])
    other = list(ShopSimulator(seed=arguments.score, users=arguments.users, days=arguments.days).labelled())
    for name, standing in (("rules", None), ("model", scorers)):
        policy.scorers = standing
        made = _scored(policy, other)
        print(
            json.dumps({
                "benchmark": "models", "score": name, "learnt_seed": arguments.learn, "scored_seed": arguments.score,
                "auc": made.auc, "average_precision": made.average_precision, "caught": made.caught,
            }),
            flush=True,
        )  # fmt: skip
    print(json.dumps({"benchmark": "model_cost", **_cost(collector, bundle)}), flush=True)


def _scored(policy: Policy, shop: list[Any]) -> Any:
    since_ms = to_ms(DEFAULT_START) + 10 * DAY_MS
    scores, is_fraud = [], []
    results = Replay(policy).run(json.dumps(event).encode() for event, _label in shop)
    for (event, label), result in zip(shop, results, strict=True):
        if isinstance(result, ShopwardError):
            raise result
        facts, record = result
        if facts.type in UNITS and facts.status == "succeeded" and facts.at_ms >= since_ms:
            scores.append(record.score)
            is_fraud.append(label is not None and event["type"] in UNITS)
    return figures(np.array(scores), np.array(is_fraud))


def _cost(collector: Collector, bundle: Any) -> dict[str, Any]:
    """Microseconds of CPU for one margin."""
    rows = [tuple(map(float, row)) for row in collector.examples.matrix[-ROWS:]]
    known = collector.examples.matrix[-20_000:]
    trainer = bundle.head.trainer
    booster = lightgbm.train(
        {"objective": "binary", "num_leaves": trainer.leaves, "verbose": -1, "num_threads": 1},
        lightgbm.Dataset(known, (known[:, 0] > np.median(known[:, 0])).astype(float)),
        trainer.rounds,
    )
    fast = walker(bundle.forest)
    return {
        "trees": len(bundle.forest.roots),
        "columns": len(bundle.head.columns),
        "walk_us": _us(fast, rows),
        "compiled": fast != bundle.forest.margin,
        "plain_python_us": _us(bundle.forest.margin, rows),
        "contributions_us": _us(lambda row: bundle.forest.contributions(row, len(row)), rows[:200]),
        "lightgbm_us": _us(lambda row: booster.predict(np.array([row]), raw_score=True), rows[:200]),
    }


def _us(score: Callable[[Sequence[float]], Any], rows: list[tuple[float, ...]]) -> float:
    started = time.process_time()
    for row in rows:
        score(row)
    return round((time.process_time() - started) / len(rows) * 1e6, 2)


def _refuse(error: ShopwardError) -> None:
    raise error


if __name__ == "__main__":
    main()
