"""Card fraud with late labels: a payment model retrained each week, on a stream such as the Fraud Detection Handbook's.

    python benchmarks/payments.py EVENTS... --train-weeks 2018-07-18 2018-07-25 [--frauds CSV] [--scores DIR] [--policy DIR]

One pass of the live code path. For each train week (7 days of it, 7 days for the labels to come in) the model learns, at
the end of those 14 days, from everything known by then, is put in force, and scores the 7 days that follow. Labels are
the stream's own ``label`` events. Prints one JSON line a week: AUC, average precision and card precision at 100 as the
Handbook defines them (cards whose fraud is known on a day are left out). What is fraud for the measure comes from
``--frauds`` (column ``event_id``), which is never learnt from; without it from all label events of the stream, whose last
week then has none. With ``--scores`` the scores of each week are kept as NDJSON for another scorer.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from shopward.adapters.formats.streams import read_events
from shopward.adapters.process import tune_collector
from shopward.errors import ShopwardError
from shopward.flows.replay import Replay
from shopward.flows.train import Collector, bundle_of
from shopward.risk.models import Scorer, Scorers
from shopward.risk.models.evaluation import figures
from shopward.risk.policy import Policy, load_default_policy, load_policy
from shopward.values import DAY_MS, to_ms

CARDS_A_DAY = 100
WEEK = timedelta(days=7)


class Payment(NamedTuple):
    """A payment of a test week."""

    event_id: str
    user: str
    day: int
    score: float


class InForce:
    """The collector always learns; from the first training on, the newest model speaks."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self.names: tuple[str, ...] = ("payment",)
        self.models: Scorers | None = None

    def score(self, facts: Any, readings: Any, points: float) -> Any:
        """What the newest model says."""
        self.collector.score(facts, readings, points)
        return None if self.models is None else self.models.score(facts, readings, points)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("events", nargs="+")
    parser.add_argument("--train-weeks", nargs="+", type=date.fromisoformat, required=True)
    parser.add_argument("--frauds", type=Path)
    parser.add_argument("--scores", type=Path)
    parser.add_argument("--policy", type=Path)
    arguments = parser.parse_args()
    policy = Policy(load_policy(arguments.policy) if arguments.policy else load_default_policy())
    tune_collector()
    tested, users_of, frauds, reports = _pass(policy, arguments.events, sorted(arguments.train_weeks))
    if arguments.frauds:
        with arguments.frauds.open(encoding="utf-8") as file:
            frauds = {row["event_id"] for row in csv.DictReader(file)}
    for week in sorted(tested):
        payments = tested[week]
        if arguments.scores:
            arguments.scores.mkdir(parents=True, exist_ok=True)
            lines = (json.dumps({"event_id": each.event_id, "score": each.score}) for each in payments)
            (arguments.scores / f"{week}.ndjson").write_text("\n".join(lines) + "\n")
        print(json.dumps({"benchmark": "payments", "train_week": str(week), **reports[week],
                          **handbook(week, payments, users_of, frauds)}), flush=True)  # fmt: skip


def _pass(policy: Policy, files: list[str], weeks: list[date]) -> Any:
    """Scores of the test weeks, who paid each payment on which day, the frauds, and what each training learnt from."""
    collector = Collector(policy.inputs["payment"])
    standing = InForce(collector)
    policy.scorers = standing
    starts = {_ms(week + 2 * WEEK): week for week in weeks}
    due, run = sorted(starts), Replay(policy)
    tested: dict[date, list[Payment]] = defaultdict(list)
    users_of: dict[str, tuple[str, int]] = {}
    frauds: set[str] = set()
    reports: dict[date, dict[str, Any]] = {}
    current: date | None = None
    for file in files:
        for result in run.run(read_events(file)):
            if isinstance(result, ShopwardError):
                raise result
            facts, record = result
            if facts.type == "label":
                collector.examples.label(
                    facts.labelled, known_ms=facts.at_ms, is_fraud=facts.status == "fraud"
                )
                frauds |= {facts.labelled} if facts.status == "fraud" else set()
                continue
            users_of[facts.id] = facts.user, facts.at_ms // DAY_MS
            if due and facts.at_ms >= due[0]:
                at_ms = due.pop(0)
                current = starts[at_ms]
                started = time.process_time()
                bundle = bundle_of(policy, collector, until_ms=at_ms)
                standing.models = Scorers([Scorer(bundle, collector.inputs)])
                reports[current] = {
                    "learnt_from": {"frauds": bundle.head.frauds, "genuine": bundle.head.genuine},
                    "training_cpu_s": round(time.process_time() - started, 1),
                }
            elif current and facts.type == "payment" and facts.at_ms < _ms(current + 3 * WEEK):
                # The event that a model comes into force with was scored by what stood before it: not tested.
                tested[current].append(Payment(facts.id, facts.user, facts.at_ms // DAY_MS, record.score))
    return tested, users_of, frauds, reports


def handbook(
    week: date, payments: list[Payment], users_of: dict[str, tuple[str, int]], frauds: set[str]
) -> dict[str, Any]:
    """AUC, average precision and card precision at 100 of one test week."""
    first = _ms(week) // DAY_MS
    caught_on: dict[int, set[str]] = defaultdict(set)
    for event_id in frauds:
        if event_id in users_of:
            user, day = users_of[event_id]
            caught_on[day].add(user)
    known = set().union(*(caught_on[first + n] for n in range(7)))
    kept: list[Payment] = []
    found: set[str] = set()
    precision = []
    for n in range(7):
        known |= caught_on[first + 7 + n - 1]
        today = [each for each in payments if each.day == first + 14 + n and each.user not in known]
        kept += today
        cards: dict[str, tuple[float, bool]] = {}
        for each in today:
            if each.user not in found:
                score, is_bad = cards.get(each.user, (-1.0, False))
                cards[each.user] = max(score, each.score), is_bad or each.event_id in frauds
        top = sorted(cards.items(), key=lambda card: -card[1][0])[:CARDS_A_DAY]
        hit = {user for user, (_score, is_bad) in top if is_bad}
        precision.append(len(hit) / CARDS_A_DAY)
        found |= hit
    is_fraud = np.array([each.event_id in frauds for each in kept])
    made = figures(np.array([each.score for each in kept]), is_fraud)
    return {
        "payments": len(kept),
        "frauds": int(is_fraud.sum()),
        "auc": made.auc,
        "average_precision": made.average_precision,
        "card_precision_100": round(sum(precision) / len(precision), 4),
    }


def _ms(day: date) -> int:
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=UTC))


if __name__ == "__main__":
    main()
