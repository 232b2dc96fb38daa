"""Detection on simulated shops: how much is caught at which false-positive rate, by campaign.

    python benchmarks/detection.py [--seeds 11 12 13] [--users 20000] [--days 60] [--since-day 31]

For each seed a shop is simulated, replayed under the default policy, and scored on the days from ``--since-day`` on, as
``score_shop`` in the project's shared tools does: units are succeeded logins, payments, gift-card redemptions, phone
changes, new addresses and codes. Nothing is learnt here: rules and points are those of the files. One JSON line a seed.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from datetime import timedelta
from typing import Any

from shopward.adapters.process import tune_collector
from shopward.errors import ShopwardError
from shopward.flows.replay import Replay
from shopward.risk.policy import Policy, load_default_policy
from shopward.testing import ShopSimulator
from shopward.testing.simulator import DEFAULT_START

UNITS = {"login", "payment", "gift_card_redeem", "phone_change", "address_add", "otp"}
POSITIVE = {"ato", "stuffing_hit", "linked_drain"}
FPR = 0.01


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--since-day", type=int, default=31)
    arguments = parser.parse_args()
    policy = Policy(load_default_policy())
    tune_collector()
    for seed in arguments.seeds:
        shop = ShopSimulator(seed=seed, users=arguments.users, days=arguments.days)
        since = (DEFAULT_START + timedelta(days=arguments.since_day)).isoformat().replace("+00:00", "Z")
        print(json.dumps({"benchmark": "detection", "seed": seed, **score(policy, shop, since)}), flush=True)


def score(policy: Policy, shop: ShopSimulator, since: str) -> dict[str, Any]:
    """Replay one shop and score it from a time on."""
    run = Replay(policy)
    honest: list[tuple[float, bool]] = []
    bad: list[tuple[float, bool]] = []
    campaigns: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    staff: dict[str, bool] = {}
    for event, label in shop.labelled():
        (result,) = run.run([json.dumps(event).encode()])
        if isinstance(result, ShopwardError):
            raise result
        if event["time"] < since:
            continue
        record = result[1]
        stopped = record.decision in ("challenge", "deny")
        if label is not None:
            campaigns[label.campaign].append((stopped, label.label != "stuffing"))
        if event["type"] == "pii_view" and (label is not None or stopped):
            actor = event["actor"]["id"]
            staff[actor] = staff.get(actor, False) or label is not None
        if event["type"] in UNITS and event["status"] == "succeeded":
            (bad if label is not None and label.label in POSITIVE else honest).append((record.score, stopped))
    threshold = sorted(points for points, _ in honest)[int(len(honest) * (1 - FPR))]
    return {
        "units": len(honest) + len(bad),
        "positives": len(bad),
        "tpr_at_1pct_fpr": round(sum(points > threshold for points, _ in bad) / max(1, len(bad)), 3),
        "positives_stopped": round(sum(stopped for _, stopped in bad) / max(1, len(bad)), 3),
        "honest_stopped": round(sum(stopped for _, stopped in honest) / max(1, len(honest)), 4),
        "honest_staff_stopped": sum(not is_bad for is_bad in staff.values()),
        "campaigns": {name: _campaign(events) for name, events in sorted(campaigns.items())},
    }


def _campaign(events: list[tuple[bool, bool]]) -> dict[str, float | None]:
    first = next((position for position, (stopped, _) in enumerate(events, start=1) if stopped), None)
    harmful = [stopped for stopped, harms in events if harms]
    return {
        "events": len(events),
        "first_stopped": first,
        "harmful_stopped": round(sum(harmful) / max(1, len(harmful)), 2),
    }


if __name__ == "__main__":
    main()
