"""Events a second on one core that the kernels observe, and bytes a key: twelve features over four keys and a pair.

    python benchmarks/kernel.py [--events 3000000] [--pure-events 300000] [--users 400000] [--transactions] [--policy FOLDER]

Time moves on, tables grow from nothing, keys are few busy and many idle, as in a shop. Prints JSON lines: the compiled kernel
over columns, the compiled kernel and the plain one an event at a time, and the yardstick of the same run: a loop in
plain Python that counts the same four keys in dictionaries and does nothing else. Before that, 50,000 events are read by
both kernels and by columns, and every reading has to be equal. Garbage collection is off, as it is tuned in the server.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from shopward.events import Facts
from shopward.risk.features import Kernel, Outcome
from shopward.risk.features.compiled.fields import token_text
from shopward.risk.features.compiled.kernel import CompiledKernel
from shopward.risk.policy import Policy, load_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

Array = npt.NDArray[np.int64]
ROOT = Path(__file__).parent
CHUNK = 1_024
STEP_MS = 100
COMPARED = 50_000
FIELDS = ("user.id", "context.ip", "context.device_id", "transaction.payee_id", "transaction.id")


class Stream(NamedTuple):
    """Events as columns: times, tokens as two words, amounts."""

    at_ms: Array
    tokens: dict[str, Array]
    amounts: Array


def main() -> None:
    """Compare, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--events", type=int, default=3_000_000)
    parser.add_argument("--pure-events", type=int, default=300_000)
    parser.add_argument("--users", type=int, default=400_000)
    parser.add_argument("--transactions", action="store_true", help="each event has a transaction of its own")
    parser.add_argument("--policy", type=Path, default=ROOT / "reference_policy")
    arguments = parser.parse_args()
    policy = Policy(load_policy(arguments.policy))
    stream = _stream(arguments.events, arguments.users, has_transactions=arguments.transactions)
    gc.disable()
    _compare(policy, stream)
    yardstick = _bare(stream, arguments.pure_events)
    for name, events, measured in (
        ("compiled, columns", arguments.events, _columns),
        ("compiled, one by one", arguments.pure_events, _compiled),
        ("reference, one by one", arguments.pure_events, _reference),
    ):
        cpu, wall, kernel = measured(policy, stream, events)
        report = {
            "benchmark": "kernel",
            "kernel": name,
            "events": events,
            "events_per_cpu_s": round(events / cpu),
            "events_per_s": round(events / wall),
            "bare_loop_per_cpu_s": round(yardstick),
            "ratio": round(events / cpu / yardstick, 3),
            "keys": kernel.keys(),
        }
        if isinstance(kernel, CompiledKernel):
            report["bytes_per_key"] = round(kernel.state_bytes() / kernel.keys())
        print(json.dumps(report), flush=True)


def _stream(events: int, users: int, *, has_transactions: bool) -> Stream:
    """Seeded columns; a user has a device and shares a network, and now and then comes from elsewhere."""
    rng = np.random.default_rng(11)
    user = (users * rng.random(events) ** 1.5).astype(np.int64)
    device = np.where(rng.random(events) < 0.9, user, (users * rng.random(events)).astype(np.int64))
    network = np.where(rng.random(events) < 0.7, user // 4, rng.integers(0, users // 10, events))
    payee = (users // 20 * rng.random(events) ** 2).astype(np.int64)
    numbers = {FIELDS[0]: user, FIELDS[1]: network, FIELDS[2]: device, FIELDS[3]: payee}
    tokens = {
        path: np.stack([_mixed(numbers[path], 2 * salt), _mixed(numbers[path], 2 * salt + 1)], axis=1)
        for salt, path in enumerate(numbers)
    }
    transaction = np.arange(events, dtype=np.int64)
    tokens[FIELDS[4]] = (
        np.stack([_mixed(transaction, 91), _mixed(transaction, 92)], axis=1)
        if has_transactions
        else np.zeros((events, 2), np.int64)
    )
    at_ms = 1_767_571_200_000 + STEP_MS * np.arange(events, dtype=np.int64)
    return Stream(at_ms, tokens, (50_000_000 * rng.random(events) ** 8).astype(np.int64))


def _mixed(numbers: Array, salt: int) -> Array:
    """Words that look like halves of tokens."""
    words = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(
        0xD1B54A32D192ED03 * (salt + 1) % 2**64
    )
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        words = (words ^ (words >> np.uint64(shift))) * np.uint64(factor)
    return (words ^ (words >> np.uint64(31))).astype(np.int64)


def _facts(stream: Stream, events: int) -> Iterator[Facts]:
    columns = [[token_text(*words) for words in stream.tokens[path][:events].tolist()] for path in FIELDS]
    times, amounts = stream.at_ms[:events].tolist(), stream.amounts[:events].tolist()
    for position, (user, ip, device, payee, transaction) in enumerate(zip(*columns, strict=True)):
        at_ms = times[position]
        yield Facts(
            f"e{position}", "payment", "attempted", at_ms, at_ms, user=user, ip=ip, device=device, payee=payee,
            transaction=transaction, amount_minor=amounts[position], currency="IDR",
        )  # fmt: skip


def _columns(
    policy: Policy, stream: Stream, events: int, kept: list[Any] | None = None
) -> tuple[float, float, Any]:
    kernel = CompiledKernel(policy.layout)
    names = [spec.name for spec in policy.layout.features]
    columns = kernel.columns("payment", "attempted", names, count=CHUNK)
    currency = columns.field("transaction.currency")
    currency[:] = kernel.text_words("IDR")
    cpu, wall = time.process_time(), time.perf_counter()
    for start in range(0, events, CHUNK):
        count = min(CHUNK, events - start)
        columns.at_ms[:count] = stream.at_ms[start : start + count]
        for path in FIELDS:
            columns.field(path)[:count] = stream.tokens[path][start : start + count]
        columns.field("transaction.amount_minor")[:count, 0] = stream.amounts[start : start + count]
        columns.observe(count)
        if kept is not None:
            kept += zip(*(columns.readings(name)[:count].tolist() for name in names), strict=True)
    return time.process_time() - cpu, time.perf_counter() - wall, kernel


def _compiled(policy: Policy, stream: Stream, events: int) -> tuple[float, float, Any]:
    return _one_by_one(CompiledKernel(policy.layout), stream, events)


def _reference(policy: Policy, stream: Stream, events: int) -> tuple[float, float, Any]:
    return _one_by_one(Kernel(policy.layout), stream, events)


def _one_by_one(kernel: Kernel | CompiledKernel, stream: Stream, events: int) -> tuple[float, float, Any]:
    """All readings of every event are read; facts are made before."""
    facts = list(_facts(stream, events))
    features = range(len(kernel.layout.features))
    outcome = Outcome("allow", 0)
    cpu, wall = time.process_time(), time.perf_counter()
    for each in facts:
        readings: Any = kernel.observe(each)
        for feature in features:
            readings[feature]
        kernel.settle(each, readings, outcome)
    return time.process_time() - cpu, time.perf_counter() - wall, kernel


def _bare(stream: Stream, events: int) -> float:
    """Events a second of a loop that counts four keys in dictionaries."""
    columns = [[words[0] for words in stream.tokens[path][:events].tolist()] for path in FIELDS[:4]]
    counts: list[dict[int, int]] = [{}, {}, {}, {}]
    cpu = time.process_time()
    for keys in zip(*columns, strict=True):
        for count, key in zip(counts, keys, strict=True):
            count[key] = count.get(key, 0) + 1
    return events / (time.process_time() - cpu)


def _compare(policy: Policy, stream: Stream) -> None:
    """Ends the run where the three ways to read differ."""
    events = min(COMPARED, len(stream.at_ms))
    by_columns: list[tuple[int, ...]] = []
    _columns(policy, stream, events, by_columns)
    reference, compiled = Kernel(policy.layout), CompiledKernel(policy.layout)
    features, outcome = range(len(policy.layout.features)), Outcome("allow", 0)
    for position, each in enumerate(_facts(stream, events)):
        ours, theirs = compiled.observe(each), reference.observe(each)
        read = tuple(theirs[feature] for feature in features)
        if read != tuple(ours[feature] for feature in features) or read != by_columns[position]:
            raise SystemExit(f"event {position} reads otherwise: {read} {by_columns[position]}")
        reference.settle(each, theirs, outcome)
        compiled.settle(each, ours, outcome)
    print(json.dumps({"benchmark": "kernel", "compared": events, "differences": 0}), flush=True)


if __name__ == "__main__":
    main()
