"""What each step of a decision costs: CPU microseconds an event, in groups, as the server does it.

Run: ``python benchmarks/decision_steps.py [--policy DIR] [--load shop|reference] [--groups 60] [--lines 500] [--single]``. JSON
lines: one a step with the median and the best of all groups, their sum with the part of it that is the campaigns', and ``yardstick``, one unkeyed BLAKE2b of 600
bytes, which tells a busy machine from a slow program: divide by it to compare two runs. Steps that C code does without
Python's lock are counted too. The store is SQLite in ``--dir``. ``--single`` takes groups of 64, as 128 connections make them.
Where the policy lets a group be weighed at once (``flows/groups.py``), features to record are one step. HTTP and the gate are
no part of this: ``rungs.py`` has what they add.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from http_decisions import shop_events
from reference_load import reference_events

from shopward.adapters.process import tune_collector
from shopward.config import Settings
from shopward.events import canonical_bytes, decode_event
from shopward.flows.columns import fits
from shopward.flows.decide import Group
from shopward.flows.groups import Groups
from shopward.flows.shadow import ShadowBook
from shopward.http.activity import Activity
from shopward.http.metrics import Metrics
from shopward.ports import LogEntry
from shopward.risk.verdict import judge
from shopward.service import Shopward
from shopward.values import digest16

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.events import Facts
    from shopward.flows.engine import DecisionRecord
    from shopward.risk.features import Readings

encode = msgspec.json.Encoder().encode
YARDSTICK = b"x" * 600
CALIBRATION = 100_000
SINGLES = 64
"""Events of a group where 128 connections send one each: half of them wait for the group before."""
WARM_GROUPS = 5
"""Not counted: functions are generated and machine code is loaded."""


class Steps:
    """Times by step, one a group."""

    def __init__(self) -> None:
        self.taken: dict[str, list[float]] = {}

    def each(self, step: str, do: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        """Do it for every item of a group."""
        return self.group(step, len(items), lambda: [do(item) for item in items])  # type: ignore[no-any-return]

    def group(self, step: str, events: int, do: Callable[[], Any]) -> Any:
        """Do it once for a whole group."""
        began = time.process_time()
        result = do()
        self.add(step, (time.process_time() - began) / events)
        return result

    def add(self, step: str, seconds_each: float) -> None:
        """What one group took, for one event."""
        self.taken.setdefault(step, []).append(seconds_each * 1e6)

    def say(self) -> None:
        """Print them."""
        sums = [0.0, 0.0]
        for step, taken in self.taken.items():
            counted = taken[WARM_GROUPS:]
            median, best = statistics.median(counted), min(counted)
            if step != "yardstick":
                sums = [sums[0] + median, sums[1] + best]
            print(json.dumps({"step": step, "us_median": round(median, 2), "us_best": round(best, 2)}))
        said: dict[str, Any] = {"step": "sum", "us_median": round(sums[0], 1), "us_best": round(sums[1], 1)}
        if campaigns := self.taken.get("campaigns", [])[WARM_GROUPS:]:
            part = [statistics.median(campaigns) / sums[0], min(campaigns) / sums[1]]
            said["campaigns_part"] = [round(each, 3) for each in part]
        print(json.dumps(said))


class Bench:
    """An open Shopward, and the groups that go through it."""

    def __init__(self, shop: Shopward) -> None:
        self.steps = Steps()
        self._shop = shop
        self._policy = shop.policy
        self._engine = shop.desk.engine
        self._groups = Groups(self._engine) if fits(shop.policy) else None
        self._keeper = shop.vault.keeper
        self._metrics = Metrics()
        self._activity = Activity(shop.clock, self._metrics)
        self._shadows = ShadowBook(lambda: shop.policy)
        self._seq = 0
        began = time.process_time()
        for _ in range(CALIBRATION):
            time.process_time()
        self._clock_s = (time.process_time() - began) / CALIBRATION

    def run(self, raws: Sequence[bytes]) -> None:
        """One group through all steps."""
        steps, lines = self.steps, len(raws)
        steps.each("yardstick", lambda _raw: hashlib.blake2b(YARDSTICK).digest(), raws)
        events = steps.each("decode and check", decode_event, raws)
        ids = [event.id for event in events]
        steps.group("look up ids", lines, lambda: self._shop.log.find(ids))
        bodies = steps.each("canonical bytes", canonical_bytes, events)
        digests = steps.each("digest", digest16, bodies)
        facts = steps.each("facts and tokens", self._engine.maker.make, events)
        records = self._weighed(facts)
        known = steps.each("facts as JSON", encode, facts)
        self._keeper.turn()
        sealed = steps.group(
            "seal",
            lines,
            lambda: [
                self._keeper.seal(each.user, each.id, body) for each, body in zip(facts, bodies, strict=True)
            ],
        )
        answers = steps.each("record as JSON", encode, records)
        entries = steps.group("entries", lines, lambda: self._entries(facts, digests, known, sealed, answers))
        steps.group("append to the log", lines, lambda: self._shop.log.append(entries))
        decided = [(each.type, record) for each, record in zip(facts, records, strict=True)]
        steps.group("who hears of it", lines, lambda: self._tell(Group(entries, [], decided)))
        wording = self._shop.wording
        given = steps.each("wording", lambda record: wording.decision(record, "en"), records)
        steps.each("answer as JSON", encode, given)

    def _tell(self, group: Group) -> None:
        """What the server does with a group that is recorded (``http.app``)."""
        self._activity.take(group)
        self._shadows.take(group)
        self._shop.recorder.offer(self._engine.campaigns, group.entries[-1].seq)
        self._shop.follower.overheard(group.entries)

    def _weighed(self, facts: Sequence[Facts]) -> list[DecisionRecord]:
        """The records; of a whole group at once where the policy lets it."""
        groups = self._groups
        if groups is None:
            return self._weigh(facts)
        for each in facts:
            self._engine.take_in(each)
        records: list[DecisionRecord] = self.steps.group(
            "features to record", len(facts), lambda: groups.weigh(facts)
        )
        return records

    def _weigh(self, all_facts: Sequence[Facts]) -> list[DecisionRecord]:
        """The engine's own steps, event by event, since each event sees what the last one has taught."""
        engine, clock = self._engine, time.process_time
        spent = dict.fromkeys(("features", "rules and verdict", "record", "settle"), 0.0)
        campaigns = 0.0
        records = []
        for facts in all_facts:
            engine.latest_ms = facts.at_ms = max(engine.latest_ms, facts.time_ms)
            times = [clock()]
            readings = engine.kernel.observe(facts)
            times.append(clock())
            verdict = judge(self._policy, facts, readings, engine.challenges.satisfied(facts))
            times.append(clock())
            record = engine._record(facts, verdict)  # noqa: SLF001 -- a step of the engine's
            times.append(clock())
            campaigns += self._settle(facts, readings, record)
            times.append(clock())
            records.append(record)
            for name, begin, end in zip(spent, times, times[1:], strict=False):
                spent[name] += end - begin
        spent["settle"] -= campaigns + 4 * len(all_facts) * self._clock_s
        for name, seconds in (*spent.items(), ("campaigns", campaigns)):
            self.steps.add(name, seconds / len(all_facts))
        return records

    def _settle(self, facts: Facts, readings: Readings, record: DecisionRecord) -> float:
        """``Engine._settle``, where no order is in force; what the campaigns took of it."""
        engine, clock, outcome = self._engine, time.process_time, record.outcome
        times = [clock()]
        meaning = engine.campaigns.ask(facts, readings, outcome)
        times.append(clock())
        engine.kernel.settle(facts, readings, outcome)
        engine.note_challenge(facts, record)
        times.append(clock())
        engine.campaigns.settle(facts, outcome, meaning)
        times.append(clock())
        return times[1] - times[0] + times[3] - times[2] - 2 * self._clock_s

    def _entries(
        self,
        all_facts: Sequence[Facts],
        digests: list[bytes],
        facts_json: list[bytes],
        bodies: list[bytes],
        records_json: list[bytes],
    ) -> list[LogEntry]:
        first = self._seq + 1
        self._seq += len(all_facts)
        return [
            LogEntry(
                seq, "event", facts.id, facts.at_ms, facts.at_ms, digest, facts.user, known, body, record
            )
            for seq, (facts, digest, known, body, record) in enumerate(
                zip(all_facts, digests, facts_json, bodies, records_json, strict=True), start=first
            )
        ]


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dir", type=Path, default=Path())
    parser.add_argument("--policy", default="")
    parser.add_argument("--load", choices=("shop", "reference"), default="shop")
    parser.add_argument("--groups", type=int, default=60)
    parser.add_argument("--lines", type=int, default=500)
    parser.add_argument("--single", action="store_true", help="groups of 64, as single decisions make them")
    asked = parser.parse_args()
    source = reference_events() if asked.load == "reference" else shop_events()
    lines = SINGLES if asked.single else asked.lines
    raws = list(islice(source, (asked.groups + WARM_GROUPS) * lines))
    with (
        tempfile.TemporaryDirectory(dir=asked.dir) as name,
        Shopward.open(Settings(data=f"{name}/data", policy=asked.policy)) as shop,
    ):
        tune_collector()
        bench = Bench(shop)
        for start in range(0, len(raws), lines):
            bench.run(raws[start : start + lines])
        bench.steps.say()


if __name__ == "__main__":
    main()
