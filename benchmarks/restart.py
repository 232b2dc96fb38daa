"""How long a restart takes: from a snapshot of a million keys, and from the log.

    python benchmarks/restart.py [--keys 1000000] [--events 200000] [--kernel compiled|reference]

(1) A state of that many keys under ``reference_policy`` is saved to a file and loaded into a fresh engine, as a start does.
(2) A SQLite log of that many recorded events is replayed into a fresh engine, as a start without a snapshot does; the time
for ten million is this time multiplied, which the line says. Prints JSON lines; the yardsticks of the same run are reading
the file's bytes once, and parsing the same log's facts with the standard library's ``json``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kernel import FIELDS, _stream
from reference_load import reference_events

from shopward.adapters.process import tune_collector
from shopward.adapters.snapshots import FileSnapshots
from shopward.adapters.sql import SqlEventLog
from shopward.events import Facts, FactsMaker, Tokeniser
from shopward.flows.decide import DecisionDesk
from shopward.flows.engine import Engine
from shopward.ports import Snapshot
from shopward.risk.features import Outcome
from shopward.risk.features.compiled.fields import token_text
from shopward.risk.policy import Policy, load_policy
from shopward.values import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.flows.engine import Recall
    from shopward.risk.features import KernelChoice

LOG_GOAL: Final = 10_000_000
GROUP: Final = 500
KEY: Final = b"restart benchmark: not a secret."


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--kernel", choices=["compiled", "reference"], default="compiled")
    arguments = parser.parse_args()
    policy = Policy(load_policy(Path(__file__).parent / "reference_policy"))

    def engine_of(recall: Recall) -> Engine:
        return Engine(policy, FactsMaker(Tokeniser(KEY)), recall, kernel=arguments.kernel)

    with tempfile.TemporaryDirectory() as folder:
        _from_snapshot(engine_of, Path(folder), arguments.keys, arguments.kernel)
        _from_log(engine_of, Path(folder), arguments.events, arguments.kernel)


class _NoRecall:
    def facts_of(self, _event_id: str) -> Facts | None:
        """None: there are no labels."""
        return None


def _from_snapshot(
    engine_of: Callable[[Recall], Engine], folder: Path, keys: int, kernel: KernelChoice
) -> None:
    engine = engine_of(_NoRecall())
    _fill(engine, keys)
    store = FileSnapshots(folder / "snapshot")
    store.save(Snapshot(1, engine.schema, engine.dump()))
    held = engine.kernel.keys()
    del engine
    cpu, wall = time.process_time(), time.perf_counter()
    (folder / "snapshot").read_bytes()
    bare = time.process_time() - cpu
    tune_collector()
    fresh = engine_of(_NoRecall())
    cpu, wall = time.process_time(), time.perf_counter()
    snapshot = store.load()
    if snapshot is not None:
        fresh.load(snapshot.state)
    report = {
        "benchmark": "restart",
        "from": "snapshot",
        "kernel": kernel,
        "keys": held,
        "megabytes": round((folder / "snapshot").stat().st_size / 1e6),
        "cpu_s": round(time.process_time() - cpu, 2),
        "wall_s": round(time.perf_counter() - wall, 2),
        "bare_read_cpu_s": round(bare, 3),
    }
    print(json.dumps(report), flush=True)


def _fill(engine: Engine, keys: int) -> None:
    """Payments until so many keys are held."""
    stream = _stream(2 * keys, keys, has_transactions=False)
    columns = [iter(stream.tokens[path].tolist()) for path in FIELDS[:4]]
    for at_ms, amount, *tokens in zip(stream.at_ms.tolist(), stream.amounts.tolist(), *columns, strict=True):
        user, ip, device, payee = (token_text(*words) for words in tokens)
        facts = Facts(
            "e", "payment", "attempted", at_ms, at_ms, user=user, ip=ip, device=device, payee=payee,
            amount_minor=amount, currency="IDR",
        )  # fmt: skip
        engine.kernel.settle(facts, engine.kernel.observe(facts), Outcome("allow", 0))
        if engine.kernel.keys() >= keys:
            return


def _from_log(engine_of: Callable[[Recall], Engine], folder: Path, events: int, kernel: KernelChoice) -> None:
    log = SqlEventLog.open(f"sqlite:///{folder / 'log.db'}")
    log.claim()
    desk = DecisionDesk(
        log=log, engine_of=engine_of, snapshots=FileSnapshots(folder / "none"), clock=ManualClock(2**42)
    )
    stream = reference_events()
    for _ in range(0, events, GROUP):
        desk.decide(list(islice(stream, GROUP)))
    page = log.read(after_seq=0, limit=2_000)
    cpu = time.process_time()
    for entry in page:
        json.loads(entry.facts)
    bare = (time.process_time() - cpu) / len(page)
    tune_collector()
    cpu, wall = time.process_time(), time.perf_counter()
    desk.rebuild()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    report = {
        "benchmark": "restart",
        "from": "log",
        "kernel": kernel,
        "events": desk.seq,
        "cpu_s": round(cpu, 2),
        "wall_s": round(wall, 2),
        "us_an_event": round(1e6 * cpu / desk.seq, 2),
        "json_loads_us": round(1e6 * bare, 2),
        "cpu_s_for_ten_million_extrapolated": round(cpu / desk.seq * LOG_GOAL),
        "keys": desk.engine.kernel.keys(),
    }
    print(json.dumps(report), flush=True)
    log.close()


if __name__ == "__main__":
    main()
