"""Campaigns: found as how many, with which part of their accounts and which honest ones, stopped after how many tries; and
what they cost.

    python benchmarks/campaigns.py [--seeds 11 12 13] [--users 20000] [--days 60] [--since-day 31]
    python benchmarks/campaigns.py --events events.ndjson.gz --labels labels.csv [--since 2026-02-05]

For each true campaign of the labels that begins after ``--since``: the found campaign that holds most of its accounts, the
part of them that it holds, the part of its own accounts that no attacker touched, and at which of its events the first was
stopped. ``campaigns_part`` is the CPU time of the book of campaigns (asking, settling, what features read of it, the copy for the
recorder) over that of a whole decision with it, from checked event to record: what reads, makes and scores the stream is in neither.
One JSON line a true campaign, one a stream.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import time
from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shopward.adapters.process import tune_collector
from shopward.errors import ShopwardError
from shopward.flows.found import Found
from shopward.flows.replay import Replay
from shopward.risk.policy import Policy, load_default_policy
from shopward.testing import ShopSimulator
from shopward.testing.simulator import DEFAULT_START

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TAKE_EVERY = 1_000
CALIBRATION = 200_000
Labelled = tuple[bytes, str, str]
"""An event, its label and its campaign; both empty for an honest one."""


class Stopwatch:
    """Adds up the CPU time of the calls it wraps.

    Attributes:
        whole_s: what watching a call costs whoever makes it.
    """

    def __init__(self) -> None:
        self.spent_s = self._own_s = 0.0
        self.calls = 0
        nothing, began = self.around(lambda: None), time.thread_time()
        for _ in range(CALIBRATION):
            nothing()
        self.whole_s = (time.thread_time() - began) / CALIBRATION
        self._own_s, self.spent_s, self.calls = self.spent_s / CALIBRATION, 0.0, 0

    def around(self, call: Any) -> Any:
        """The call, timed."""

        def timed(*arguments: Any) -> Any:
            started = time.thread_time()
            try:
                return call(*arguments)
            finally:
                self.spent_s += time.thread_time() - started - self._own_s
                self.calls += 1

        return timed


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--since-day", type=int, default=31)
    parser.add_argument("--events", type=Path)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--since", default="2026-02-05")
    arguments = parser.parse_args()
    tune_collector()
    if arguments.events:
        measure(arguments.events.name, _recorded(arguments.events, arguments.labels), arguments.since)
        return
    since = (DEFAULT_START + timedelta(days=arguments.since_day)).isoformat().replace("+00:00", "Z")
    for seed in arguments.seeds:
        shop = ShopSimulator(seed=seed, users=arguments.users, days=arguments.days)
        measure(f"seed {seed}", _simulated(shop), since)


def measure(name: str, stream: Iterable[Labelled], since: str) -> None:
    """Replay one stream and print what was found."""
    run, found, watch, whole = Replay(Policy(load_default_policy())), Found(), Stopwatch(), Stopwatch()
    book = run.engine.campaigns
    for call in ("ask", "settle", "part_of", "alarm_s", "take"):
        setattr(book, call, watch.around(getattr(book, call)))
    run.engine.decide = whole.around(run.engine.decide)  # type: ignore[method-assign] # timed
    truth: dict[str, list[tuple[str, str, bool, str]]] = defaultdict(list)
    attacked: set[str] = set()
    user_of: dict[str, str] = {}
    events = 0
    for raw, label, campaign in stream:
        (result,) = run.run([raw])
        if isinstance(result, ShopwardError):
            raise result
        facts, record = result
        events += 1
        user_of[facts.id] = facts.user
        if label:
            attacked.add(facts.user)
            stopped = record.decision in ("challenge", "deny")
            truth[campaign].append((json.loads(raw)["time"], facts.user, stopped, label))
        if not events % TAKE_EVERY:
            found.take(whole.around(book.take)())
    decided_s = whole.spent_s - watch.calls * watch.whole_s
    found.take(book.take())
    reported = {
        row["id"]: {user_of[each["event_id"]] for each in row["members"]}
        for row in found.rows()
        if not row["heir"]
    }
    for campaign, deeds in sorted(truth.items()):
        if deeds[0][0] >= since:
            print(json.dumps(_scored(name, campaign, deeds, reported, attacked)), flush=True)
    report = {
        "benchmark": "campaigns",
        "stream": name,
        "events": events,
        "reported": len(reported),
        "findings": len(found.findings),
        "findings_right": sum(each.user in attacked for each in found.findings),
        "decision_us": round(decided_s / events * 1e6, 1),
        "campaigns_part": round(watch.spent_s / decided_s, 3),
    }
    print(json.dumps(report), flush=True)


def _scored(
    name: str,
    campaign: str,
    deeds: list[tuple[str, str, bool, str]],
    reported: dict[str, set[str]],
    attacked: set[str],
) -> dict[str, Any]:
    accounts = {user for _time, user, _stopped, _label in deeds}
    best = max(reported, key=lambda each: len(reported[each] & accounts), default="")
    members = reported.get(best, set())
    pieces = [each for each in reported.values() if len(each & accounts) * 20 >= len(accounts)]
    tries = [stopped for _time, _user, stopped, _label in deeds]
    return {
        "benchmark": "campaigns",
        "stream": name,
        "campaign": campaign,
        "accounts": len(accounts),
        "found_as": len(pieces),
        "of_accounts": round(len(members & accounts) / len(accounts), 3),
        "honest": round(len(members - attacked) / max(1, len(members)), 3),
        "events": len(tries),
        "first_stopped": next((at for at, stopped in enumerate(tries, start=1) if stopped), None),
        "stopped_from_there": round(_stopped_after(tries), 3),
    }


def _stopped_after(tries: list[bool]) -> float:
    first = next((at for at, stopped in enumerate(tries) if stopped), len(tries))
    rest = tries[first:]
    return sum(rest) / max(1, len(rest))


def _simulated(shop: ShopSimulator) -> Iterator[Labelled]:
    for event, label in shop.labelled():
        yield (
            json.dumps(event).encode(),
            "" if label is None else label.label,
            "" if label is None else label.campaign,
        )


def _recorded(events: Path, labels: Path) -> Iterator[Labelled]:
    with labels.open(encoding="utf-8") as file:
        known = {row["event_id"]: (row["label"], row["campaign"]) for row in csv.DictReader(file)}
    with gzip.open(events) if events.suffix == ".gz" else events.open("rb") as stream:
        for line in stream:
            if line.strip():
                yield (line, *known.get(json.loads(line)["id"], ("", "")))


if __name__ == "__main__":
    main()
