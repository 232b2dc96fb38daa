"""Replay rate: decisions a second on one core, plain Python, default policy.

    python benchmarks/replay.py [--events FILE] [--runs 3]

Without a file it replays a simulated shop. Prints one JSON line a run: decisions a second by CPU time and by the wall,
beside the yardstick of the same run: ``json.loads`` of the same lines by the standard library.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from pathlib import Path

from shopward.adapters.process import tune_collector
from shopward.flows.replay import Replay
from shopward.risk.policy import Policy, load_default_policy
from shopward.testing import ShopSimulator


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--events", type=Path, help="NDJSON, plain or .gz")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    lines = _lines(arguments.events)
    policy = Policy(load_default_policy())
    tune_collector()
    for _ in range(arguments.runs):
        started, wall = time.process_time(), time.perf_counter()
        for line in lines:
            json.loads(line)
        yardstick = len(lines) / (time.process_time() - started)
        run = Replay(policy)
        started, wall = time.process_time(), time.perf_counter()
        decided = sum(1 for _decision in run.run(lines))
        cpu, wall = time.process_time() - started, time.perf_counter() - wall
        report = {
            "benchmark": "replay",
            "events": decided,
            "decisions_per_cpu_s": round(decided / cpu),
            "decisions_per_s": round(decided / wall),
            "json_loads_per_cpu_s": round(yardstick),
            "ratio": round(decided / cpu / yardstick, 4),
            "keys": run.engine.kernel.keys(),
        }
        print(json.dumps(report), flush=True)


def _lines(path: Path | None) -> list[bytes]:
    if path is None:
        return [json.dumps(event).encode() for event in ShopSimulator(seed=5, users=5_000, days=30)]
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        return [line for line in stream if line.strip()]


if __name__ == "__main__":
    main()
