"""Backtest rate: a log of the reference load, its policy and fifty rules more, event by event and over columns.

    python benchmarks/backtest.py [--events 200000] [--rules 50]

Writes a log with the reference policy in a scratch folder, then runs the policy with fifty more rules of five terms each
over it, both ways. One JSON line each: events a second of this process's CPU time, what ten million take at that rate, the
ratio to the yardstick of the same run (``json.loads`` of the same facts by the standard library), and how many of the
recorded decisions differ under the policy that wrote them, which must be 0.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from reference_load import reference_events

from shopward.adapters.process import tune_collector
from shopward.config import Settings
from shopward.flows.backtest import over_log, over_log_by_columns, rule_names, stretches_of
from shopward.flows.tally import Tally
from shopward.risk.policy import Policy, load_policy
from shopward.service import Shopward, open_log_to_read
from shopward.values import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shopward.adapters.sql import SqlEventLog
    from shopward.ports import LogEntry

REFERENCE = Path(__file__).parent / "reference_policy"
TEN_MILLION = 10_000_000
_LATER_MS = 4_000_000_000_000
_GROUP = 500


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rules", type=int, default=50, help="how many beside the reference policy's twenty")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=folder, policy=str(REFERENCE))
        _write(settings, arguments.events)
        tune_collector()
        reference = load_policy(REFERENCE)
        policy = Policy(_with_more(reference, arguments.rules))
        same = Policy(reference)
        for how in ("live", "columns"):
            log = open_log_to_read(settings)
            by_columns = how == "columns"
            yardstick, count = _yardstick(log)
            started = time.process_time()
            _report(policy, log, by_columns=by_columns)
            cpu_s = time.process_time() - started
            differs = _report(same, log, by_columns=by_columns)
            log.close()
            print(
                json.dumps(
                    {
                        "benchmark": "backtest",
                        "how": how,
                        "events": count,
                        "rules": len(policy.rules),
                        "events_per_cpu_s": round(count / cpu_s),
                        "ten_million_s": round(TEN_MILLION * cpu_s / count),
                        "ratio": round(count / cpu_s / yardstick, 4),
                        "differs": differs,
                    }
                ),
                flush=True,
            )


def _write(settings: Settings, count: int) -> None:
    """Decide the load under the reference policy."""
    with Shopward.open(settings, clock=ManualClock(_LATER_MS)) as shopward:
        group: list[bytes] = []
        for event in islice(reference_events(), count):
            group.append(event)
            if len(group) == _GROUP:
                shopward.desk.decide(group)
                group = []
        shopward.desk.decide(group)


def _report(policy: Policy, log: SqlEventLog, *, by_columns: bool) -> int | None:
    """One whole backtest; how many recorded decisions differ."""
    tally = Tally(rule_names(policy), since_ms=0, until_ms=2**62)
    trials = (
        over_log_by_columns(policy, stretches_of(log, last=log.last_seq()))
        if by_columns
        else over_log(policy, _entries(log))
    )
    for trial in trials:
        tally.note(trial.facts, trial.record, trial.before, held=trial.held)
    return tally.report(policy.version, compared_with="the log", label_delay_ms=0).differs


def _entries(log: SqlEventLog) -> Iterator[LogEntry]:
    after = 0
    while page := log.read(after_seq=after, limit=2_000):
        yield from page
        after = page[-1].seq


def _yardstick(log: SqlEventLog) -> tuple[float, int]:
    facts = [entry.facts for entry in _entries(log)]
    started = time.process_time()
    for each in facts:
        json.loads(each)
    return len(facts) / (time.process_time() - started), len(facts)


def _with_more(spec: Any, count: int) -> Any:
    """The policy with more rules: those it has under other names, each a little stricter than the one before."""
    more = [
        msgspec.structs.replace(
            rule,
            name=f"{rule.name[:50]}_{number}",
            when=f"{rule.when} + {number}",
        )
        for number in range(2, 2 + count)
        for rule in [spec.rules[number % len(spec.rules)]]
    ]
    return msgspec.structs.replace(spec, rules=(*spec.rules, *more))


if __name__ == "__main__":
    main()
