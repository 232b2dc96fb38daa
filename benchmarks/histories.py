"""Random histories of the ledger with crashes, each step held against a dictionary and against the verification of the books.

    .venv/bin/python benchmarks/histories.py [--histories 10000]

The state machine is that of tests/ledger/test_histories.py: movements, groups, endings and calls that are lost before their commit.
One line of JSON now and then and one at the end; it ends in an error, with the history, at the first book that does not sum to zero.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

sys.path[0] = str(Path(__file__).parents[1] / "tests")  # in place of this folder, which has a ledger.py

from ledger.test_histories import Histories  # type: ignore[import-not-found] # noqa: E402 -- found by the line above

EVERY = 100
STEPS = 30


class Counted(Histories):  # type: ignore[misc] # tests have no types
    """Says how far it is."""

    done: ClassVar[Counter[str]] = Counter()

    def teardown(self) -> None:
        """One more that agreed to its end."""
        self.done["histories"] += 1
        self.done["transfers"] += len(getattr(self, "made", ()))
        if not self.done["histories"] % EVERY:
            print(json.dumps(self.done), flush=True)
        super().teardown()


def main() -> None:
    """Run them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=10_000)
    asked = parser.parse_args()
    began = time.process_time()
    run_state_machine_as_test(
        Counted,
        settings=settings(
            max_examples=asked.histories, stateful_step_count=STEPS, deadline=None, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    spent = round(time.process_time() - began)
    print(json.dumps(Counted.done | {"every_book_sums_to_zero": True, "cpu_s": spent}), flush=True)


if __name__ == "__main__":
    main()
