"""Authorise and capture under load, with the fence and without it in one run, beside the database's own commit.

Run: ``python benchmarks/authorizations.py --database postgresql://... [--per-s 1000] [--seconds 5]``. JSON lines:

- ``part``: ``fence`` or ``no fence``, in turns; both run the same code, and the second one takes no lock. It keeps no
  promise and is there to be compared with;
- ``asked_per_s`` and ``done_per_s``: pairs of authorise and capture that were due, and that were done; where they differ
  this machine could not keep up, and the waiting counts in the latencies, since a pair is late from when it was due;
- ``authorise_ms`` and ``capture_ms``: p50 and p99 of the two calls themselves; ``pair_ms``: p50 and p99 from when the pair
  was due to its end;
- ``cpu_ms_each``: CPU time of this process for a pair: what bounds one process, whatever the database can do;
- ``commit_ms_p50``: an empty row written and committed on the same database in the same seconds: the yardstick.

Thirty predicate orders that do not cover the spenders are in force, so every capture reads them. It uses a schema of its
own in a scratch database, and drops it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from shopward.access import Caller
from shopward.config import Settings
from shopward.events import Event, decode_event
from shopward.flows.authorize import AuthorizationDesk
from shopward.flows.engine import DecisionRecord
from shopward.protection import Declared, OrderRequest
from shopward.protection.authorizations import Authorizations
from shopward.service import TENANT, Shopward

ANNA = Caller("anna-1", "anna", ("analyst",))
SCHEMA = "shopward_bench_authorizations"
YARDSTICK = f"INSERT INTO {SCHEMA}.yardstick VALUES (1)"  # noqa: S608 -- a constant
THREADS = 40
USERS = 5_000
RECENT_MS = 1_700_000_000_000
ORDERS = 30


class NoFence:
    """What the fence costs is what this does not do."""

    def shared(self, connection: Any) -> None:
        """Nothing."""

    def exclusive(self, connection: Any) -> None:
        """Nothing."""

    def one_user(self, connection: Any, user_token: str) -> None:
        """Nothing."""


@dataclass
class Round:
    """One part: pairs by when they are due, and what they took."""

    desk: AuthorizationDesk
    events: deque[tuple[float, Event]]
    authorise: list[float] = field(default_factory=list)
    capture: list[float] = field(default_factory=list)
    pair: list[float] = field(default_factory=list)

    def work(self, until: float) -> None:
        """Take the next pair when it is due, until there is none or the time is over."""
        while self.events and time.perf_counter() < until:
            try:
                due, event = self.events.popleft()
            except IndexError:
                return
            if (early := due - time.perf_counter()) > 0:
                time.sleep(early)
            began = time.perf_counter()
            recorded_ms = time.time_ns() // 1_000_000
            held = self.desk.open(event, DecisionRecord("d", event.id, "allow", 0.0), recorded_ms)
            opened = time.perf_counter()
            if held is not None:
                self.desk.capture(held.id)
            ended = time.perf_counter()
            self.authorise.append(opened - began)
            self.capture.append(ended - opened)
            self.pair.append(ended - due)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", required=True)
    parser.add_argument("--per-s", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with psycopg.connect(asked.database, autocommit=True) as admin:
        admin.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        admin.execute(f"CREATE SCHEMA {SCHEMA}")
        try:
            measure(asked, admin)
        finally:
            admin.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


def measure(asked: argparse.Namespace, admin: psycopg.Connection) -> None:
    """All rounds on one store."""
    mark = "&" if "?" in asked.database else "?"
    url = f"{asked.database}{mark}options=-csearch_path%3D{SCHEMA}"
    admin.execute(f"CREATE TABLE {SCHEMA}.yardstick (n int)")
    with (
        tempfile.TemporaryDirectory(prefix="shopward-bench-") as folder,
        Shopward.open(Settings(data=str(Path(folder) / "data"), database=url)) as shop,
    ):
        for number in range(ORDERS):
            shop.protection.place(ANNA, request(number))
        shop.overseer.declare({f"u{number}": Declared(registered_at_ms=RECENT_MS) for number in range(USERS)})
        desks = {"fence": shop.authorizations, "no fence": unfenced(shop)}
        for turn in range(2 * asked.rounds):
            part = ("fence", "no fence")[turn % 2]
            say({"part": part} | paced(desks[part], asked, turn, admin))


def unfenced(shop: Shopward) -> AuthorizationDesk:
    """The same desk, but for its fence."""
    common = shop.overseer._on  # noqa: SLF001 -- the parts that the composition root gave it
    book = Authorizations(TENANT, common.store, common.users)
    return AuthorizationDesk(
        records=shop.records, fence=NoFence(), book=book, overseer=shop.overseer, maker=shop.maker, clock=shop.clock
    )  # fmt: skip


def paced(
    desk: AuthorizationDesk, asked: argparse.Namespace, turn: int, admin: psycopg.Connection
) -> dict[str, Any]:
    """One round at the pace that was asked for."""
    count = int(asked.per_s * asked.seconds)
    made = [payment(turn * count + number) for number in range(count)]
    begin = time.perf_counter() + 0.2
    until = begin + 3 * asked.seconds
    events = deque((begin + number / asked.per_s, event) for number, event in enumerate(made))
    run = Round(desk, events)
    threads = [threading.Thread(target=run.work, args=(until,)) for _ in range(THREADS)]
    cpu = time.process_time()
    for thread in threads:
        thread.start()
    commits = []
    while any(thread.is_alive() for thread in threads):
        began = time.perf_counter()
        admin.execute(YARDSTICK)
        commits.append(time.perf_counter() - began)
        time.sleep(0.05)
    cpu = time.process_time() - cpu
    wall = time.perf_counter() - begin
    return {
        "asked_per_s": asked.per_s,
        "done_per_s": round(len(run.pair) / wall),
        "authorise_ms": percentiles(run.authorise),
        "capture_ms": percentiles(run.capture),
        "pair_ms": percentiles(run.pair),
        "cpu_ms_each": round(cpu / max(1, len(run.pair)) * 1e3, 3),
        "commit_ms_p50": round(statistics.median(commits) * 1e3, 2),
    }


def payment(number: int) -> Event:
    """An attempted payment of one of many users."""
    body = {
        "id": f"p-{number}", "type": "payment", "status": "attempted", "time": "2026-01-05T00:00:00Z",
        "user": {"id": f"u{number * 7919 % USERS}"},
        "transaction": {"id": f"t-{number}", "amount_minor": 1, "currency": "IDR", "instrument": "balance"},
    }  # fmt: skip
    return decode_event(json.dumps(body).encode())


def request(number: int) -> OrderRequest:
    """A freeze of those who registered long ago, which nobody here did, for three days."""
    ends = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    return msgspec.convert(
        {
            "kind": "freeze", "scope": ["stored_value"], "reason": "data_breach", "ends_at": ends,
            "target": {"predicate": f'registered_at < timestamp("2001-01-{number % 28 + 1:02d}T00:00:00Z")'},
        },
        OrderRequest,
    )  # fmt: skip


def percentiles(taken: list[float]) -> list[float]:
    """p50 and p99 in milliseconds."""
    if not taken:
        return []
    ordered = sorted(taken)
    return [round(ordered[int(len(ordered) * share)] * 1e3, 2) for share in (0.5, 0.99)]


def say(figures: dict[str, Any]) -> None:
    """One JSON line."""
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
