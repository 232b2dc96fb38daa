"""Whether the compiled kernel reads what the reference reads, feature by feature, on whole files of events.

    python benchmarks/kernels_agree.py FILE... [--policy FOLDER]

The reference decides; both kernels observe and settle the same facts and outcomes, and every feature of every event is read
from both. Prints one JSON line a file, ends with 1 at the first difference. In mid-file the compiled kernel is dumped and loaded.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from shopward.adapters.process import tune_collector
from shopward.flows.replay import Replay
from shopward.risk.features import Kernel
from shopward.risk.features.compiled.kernel import CompiledKernel
from shopward.risk.policy import Policy, load_default_policy, load_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shopward.events import Facts
    from shopward.risk.features import Outcome, Readings
    from shopward.risk.features.readings import Campaigns


class Pair:
    """Both kernels behind the one that the engine uses."""

    name = "both"

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.reference = Kernel(policy.layout)
        self.compiled = CompiledKernel(policy.layout)
        self.compared = 0
        self.differences: list[str] = []

    @property
    def campaigns(self) -> Campaigns:
        """What both read campaigns from."""
        return self.reference.campaigns

    @campaigns.setter
    def campaigns(self, campaigns: Campaigns) -> None:
        self.reference.campaigns = self.compiled.campaigns = campaigns

    def observe(self, facts: Facts) -> Readings:
        """Both observe; every feature is compared."""
        readings = self.reference.observe(facts)
        self._others = others = self.compiled.observe(facts)
        for index, spec in enumerate(self.policy.layout.features):
            expected, found = readings[index], others[index]
            if expected != found or type(expected) is not type(found):
                self.differences.append(f"event {self.reference.seq}: {spec.name} {expected!r} {found!r}")
        self.compared += len(self.policy.layout.features)
        return readings

    def settle(self, facts: Facts, readings: Readings, outcome: Outcome) -> None:
        """Both settle."""
        self.reference.settle(facts, readings, outcome)
        self.compiled.settle(facts, self._others, outcome)

    def keys(self) -> int:
        """As many as the reference holds."""
        return self.reference.keys()

    def dump(self) -> bytes:
        """The reference's."""
        return self.reference.dump()

    def load(self, data: bytes) -> None:
        """Into the reference."""
        self.reference.load(data)


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("files", type=Path, nargs="+", help="NDJSON, plain or .gz")
    parser.add_argument("--policy", type=Path, help="folder of a policy; the default one where it is missing")
    arguments = parser.parse_args()
    policy = Policy(load_policy(arguments.policy) if arguments.policy else load_default_policy())
    tune_collector()
    differences = 0
    for path in arguments.files:
        started = time.process_time()
        run = Replay(policy)
        pair = Pair(policy)
        pair.campaigns = run.engine.campaigns
        run.engine.kernel = pair
        events = 0
        for _each in run.run(_lines(path)):
            events += 1
            if events % 100_000 == 0:
                other = CompiledKernel(policy.layout)
                other.load(pair.compiled.dump())
                other.campaigns = pair.campaigns
                pair.compiled = other
            if pair.differences:
                break
        report = {
            "benchmark": "kernels_agree",
            "file": path.name,
            "events": events,
            "readings_compared": pair.compared,
            "differences": len(pair.differences),
            "first": pair.differences[:3],
            "keys": [pair.reference.keys(), pair.compiled.keys()],
            "bytes_per_key": round(pair.compiled.state_bytes() / max(1, pair.compiled.keys())),
            "cpu_s": round(time.process_time() - started, 1),
        }
        print(json.dumps(report), flush=True)
        differences += len(pair.differences)
    sys.exit(1 if differences else 0)


def _lines(path: Path) -> Iterator[bytes]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        yield from (line for line in stream if line.strip())


if __name__ == "__main__":
    main()
