"""What a decision waits for the recorder of campaigns: the copy of what changed, taken between two groups.

    python benchmarks/recorder.py [--seed 3] [--users 3000] [--days 45] [--group 16]

A simulated shop is decided under the default policy; after each group the copy is taken as the server takes it, and thrown
away. ``ratio`` is its CPU time over that of the decisions, in one run; ``worst_ms`` is the longest copy. Writing it down is
another thread's work and not measured here.
"""

from __future__ import annotations

import argparse
import json
import time

from shopward.adapters.process import tune_collector
from shopward.flows.record import MEMBERS_MAX
from shopward.flows.replay import Replay
from shopward.risk.policy import Policy, load_default_policy
from shopward.testing import ShopSimulator


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--users", type=int, default=3_000)
    parser.add_argument("--days", type=int, default=45)
    parser.add_argument("--group", type=int, default=16)
    arguments = parser.parse_args()
    shop = ShopSimulator(seed=arguments.seed, users=arguments.users, days=arguments.days)
    raws = [json.dumps(event).encode() for event, _label in shop.labelled()]
    run = Replay(Policy(load_default_policy()))
    tune_collector()
    copies: list[float] = []
    began = time.process_time()
    for start in range(0, len(raws), arguments.group):
        list(run.run(raws[start : start + arguments.group]))
        before = time.process_time()
        run.engine.campaigns.take(most=MEMBERS_MAX)
        copies.append(time.process_time() - before)
    decided_s = time.process_time() - began - sum(copies)
    print(json.dumps({
        "benchmark": "recorder", "events": len(raws), "copies": len(copies),
        "mean_us": round(1e6 * sum(copies) / len(copies), 1), "worst_ms": round(1e3 * max(copies), 3),
        "ratio": round(sum(copies) / decided_s, 4),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
