"""Ways that take turns on the same events: CPU time of each round, and one line for each way, the median and the best round."""

from __future__ import annotations

import json
import statistics
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Taken = dict[str, list[float]]
"""By way, CPU microseconds an event of each round."""


def each(work: Callable[[Any], object], items: Sequence[Any]) -> None:
    """Do it for every item."""
    for item in items:
        work(item)


def timed(way: str, taken: Taken, events: int, work: Callable[[], object]) -> None:
    """Do it, and keep what it took for each of so many events."""
    began = time.process_time()
    work()
    taken.setdefault(way, []).append((time.process_time() - began) / events * 1e6)


def say(part: str, taken: Taken) -> dict[str, float]:
    """Print a line for each way; the best round of each."""
    best = {way: min(rounds) for way, rounds in taken.items()}
    for way, rounds in taken.items():
        figures = {"us_median": round(statistics.median(rounds), 2), "us_best": round(best[way], 2)}
        print(json.dumps({"part": part, "way": way} | figures), flush=True)
    return best
