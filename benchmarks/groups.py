"""What a group saves: the same events decided, and their log taken back, in groups and one by one, in turns.

    python benchmarks/groups.py [--rounds 6] [--groups 20] [--lines 500] [--dir DIR]

The whole of ``DecisionDesk.decide`` (bytes in, records out, committed to SQLite) under ``reference_policy``, without HTTP.
Each way has its own desk and store and gets the same events; the ways take turns, round by round, so that both meet the
same machine. JSON lines: CPU microseconds an event, the median and the best round, and the yardstick of the same run, the
standard library's ``json.loads`` of the same lines; then the same for a rebuild from each log. Needs the extra ``fast``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from in_turns import Taken, each, say, timed
from reference_load import reference_events

from shopward.adapters.process import tune_collector
from shopward.adapters.snapshots import NoSnapshots
from shopward.adapters.sql import SqlEventLog
from shopward.events import FactsMaker, Tokeniser
from shopward.flows.decide import DecisionDesk
from shopward.flows.engine import Engine
from shopward.risk.policy import Policy, load_policy
from shopward.values import ManualClock

WAYS: Final = ("one_by_one", "in_groups")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--groups", type=int, default=20)
    parser.add_argument("--lines", type=int, default=500)
    parser.add_argument("--dir", type=Path, default=None)
    asked = parser.parse_args()
    policy = Policy(load_policy(Path(__file__).parent / "reference_policy"))
    stream = reference_events()
    with tempfile.TemporaryDirectory(dir=asked.dir) as folder:
        desks = {way: _desk(Path(folder) / f"{way}.db", policy) for way in WAYS}
        for part in ("decide", "rebuild"):
            taken: Taken = {}
            for _round in range(asked.rounds):
                groups = [list(islice(stream, asked.lines)) for _ in range(asked.groups)]
                events = asked.groups * asked.lines
                if part == "decide":
                    lines = [raw for group in groups for raw in group]
                    timed("json_loads", taken, events, partial(each, json.loads, lines))
                for way, desk in desks.items():
                    if part == "decide":
                        timed(way, taken, events, partial(each, desk.decide, groups))
                    else:
                        timed(way, taken, desk.seq, desk.rebuild)
            _say(part, taken)


def _desk(path: Path, policy: Policy) -> DecisionDesk:
    """A desk on an empty store, ready and warm; one whose kernel offers no way to observe many goes one by one."""
    log = SqlEventLog.open(f"sqlite:///{path}")
    log.claim()

    def engine_of(recall: object) -> Engine:
        engine = Engine(policy, FactsMaker(Tokeniser(b"k" * 32)), recall, kernel="compiled")  # type: ignore[arg-type]
        if path.stem == WAYS[0]:
            engine.kernel.many = None  # type: ignore[attr-defined]
        return engine

    desk = DecisionDesk(log=log, engine_of=engine_of, snapshots=NoSnapshots(), clock=ManualClock(2**42))
    desk.decide(list(islice(reference_events(seed=1), 2_000)))
    tune_collector()
    return desk


def _say(part: str, taken: Taken) -> None:
    best = say(part, taken)
    print(json.dumps({"part": part, "saved": round(1 - best[WAYS[1]] / best[WAYS[0]], 3)}), flush=True)


if __name__ == "__main__":
    main()
