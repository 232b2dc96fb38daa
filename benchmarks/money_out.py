"""Money out on simulated shops: how often the default policy stops, holds or warns of honest transfers, and of thieves'.

    python benchmarks/money_out.py [--seeds 21 22] [--users 3000] [--days 45] [--since-day 31]

Transfers, withdrawals and new payees of ``ShopSimulator``, whose customers send money to friends, at times to somebody
new, and change phones and passwords; scored on the days from ``--since-day`` on. One JSON line a seed; rules by how many
honest and how many harmful events they fired on. ``by_type`` holds transfers beside every other way that value leaves:
how many succeeded, which part of them was challenged or denied, and which part was held besides.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from datetime import timedelta
from typing import Any

from shopward.adapters.process import tune_collector
from shopward.errors import ShopwardError
from shopward.flows.replay import Replay
from shopward.risk.policy import Policy, load_default_policy
from shopward.testing import ShopSimulator
from shopward.testing.simulator import DEFAULT_START

MONEY_OUT = {"wallet_transfer", "withdrawal", "payee_add"}
VALUE = {"wallet_transfer", "withdrawal", "payment", "gift_card_redeem", "points_redeem"}
RULES = (
    "cooling_after_strange_change",
    "cooling_after_strange_factor",
    "cooling_after_contact_change",
    "cooling_after_credential_change",
    "first_transfer_to_payee",
    "transfer_to_stranger",
    "large_transfer_to_stranger",
    "transfer_from_strange_device",
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[21, 22])
    parser.add_argument("--users", type=int, default=3_000)
    parser.add_argument("--days", type=int, default=45)
    parser.add_argument("--since-day", type=int, default=31)
    arguments = parser.parse_args()
    policy = Policy(load_default_policy())
    tune_collector()
    for seed in arguments.seeds:
        shop = ShopSimulator(seed=seed, users=arguments.users, days=arguments.days)
        since = (DEFAULT_START + timedelta(days=arguments.since_day)).isoformat().replace("+00:00", "Z")
        print(json.dumps({"benchmark": "money_out", "seed": seed, **score(policy, shop, since)}), flush=True)


def score(policy: Policy, shop: ShopSimulator, since: str) -> dict[str, Any]:
    """Replay one shop and count from a time on."""
    run = Replay(policy)
    events: Counter[str] = Counter()
    stopped: Counter[str] = Counter()
    by_type: dict[str, Counter[str]] = {"honest": Counter(), "harmful": Counter()}
    held_by_type: dict[str, Counter[str]] = {"honest": Counter(), "harmful": Counter()}
    stopped_by_type: dict[str, Counter[str]] = {"honest": Counter(), "harmful": Counter()}
    fired: dict[str, Counter[str]] = {"honest": Counter(), "harmful": Counter()}
    for event, label in shop.labelled():
        (result,) = run.run([json.dumps(event).encode()])
        if isinstance(result, ShopwardError):
            raise result
        if event["time"] < since:
            continue
        record, whose = result[1], "honest" if label is None else "harmful"
        if event["type"] in VALUE and event["status"] == "succeeded":
            by_type[whose][event["type"]] += 1
            is_stopped = record.decision in ("challenge", "deny")
            stopped_by_type[whose][event["type"]] += is_stopped
            held_by_type[whose][event["type"]] += not is_stopped and any(
                action.type == "hold" for action in record.actions
            )
        if event["type"] not in MONEY_OUT:
            continue
        events[whose] += 1
        stopped[whose] += record.decision in ("challenge", "deny")
        fired[whose].update(reason.code for reason in record.reasons if reason.code in RULES)
    return {
        whose: {
            "events": events[whose],
            "stopped": round(stopped[whose] / max(1, events[whose]), 4),
            "rules": dict(sorted(fired[whose].items())),
            "by_type": {
                name: {
                    "events": count,
                    "stopped": round(stopped_by_type[whose][name] / count, 3),
                    "held": round(held_by_type[whose][name] / count, 3),
                }
                for name, count in sorted(by_type[whose].items())
            },
        }
        for whose in ("honest", "harmful")
    }


if __name__ == "__main__":
    main()
