"""How many transfers a second the ledger takes on SQLite, beside bare inserts of as many rows by the driver in the same run.

    .venv/bin/python benchmarks/ledger.py [--transfers 200000] [--batch 1000] [--database URL]

One line of JSON for each step: claims that are accrued, promised and paid (three transfers each), the same again (all of
them replays), and the books read from first to last. ``ratio`` is to the bare inserts. Goal: 20,000 transfers a second
in batches on SQLite, durable.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import time
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from shopward.adapters.process import tune_collector
from shopward.adapters.sql import bring_up_to_date, open_engine
from shopward.adapters.sql.records import SqlRecords
from shopward.claims.payouts import payout_id
from shopward.errors import ShopwardError
from shopward.ledger import Account, Book, Kind, Transfer, postings, verify
from shopward.ledger.transfers import id_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TENANT = "main"
NOW_MS = 1_767_225_600_000


def claims(number: int) -> Iterator[Transfer]:
    """Three transfers for each of so many claims, as they come: what is owed, its promise, its payment.

    Ids are as the server makes them: claims sort by their time, customers are tokens without any order.
    """
    random = Random(8)
    for claim in range(number):
        name, refs = f"c-{NOW_MS + claim // 4:012x}{random.randbytes(10).hex()}", {"incident": "i-1"}
        to, payout = Account(Kind.WALLET, random.randbytes(16).hex()), payout_id(name, number=0)
        yield postings.accrue(claim=name, step="1", amount_minor=50_000, currency="IDR", refs=refs)
        yield postings.pay(claim=name, payout=payout, to=to, amount_minor=50_000, currency="IDR", refs=refs)
        yield postings.paid(id_of(TENANT, f"pay/{payout}"), payout=payout)


def timed(step: str, work: Callable[[], int], yardstick: float | None = None) -> float:
    """Run it; print and return how many a second."""
    began, cpu = time.perf_counter(), time.process_time()
    done = work()
    wall, spent = time.perf_counter() - began, time.process_time() - cpu
    line: dict[str, Any] = {
        "step": step, "transfers": done, "per_s": round(done / wall), "per_cpu_s": round(done / max(spent, 1e-9)),
    }  # fmt: skip
    if yardstick is not None:
        line["ratio"] = round(done / wall / yardstick, 3)
    print(json.dumps(line), flush=True)
    return done / wall


def bare(folder: Path, number: int, batch: int) -> int:
    """The rows of as many transfers, put in by the driver alone, with one commit a batch."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "CREATE TABLE transfer(id TEXT PRIMARY KEY, seq INTEGER, body TEXT) WITHOUT ROWID;"
        "CREATE TABLE entry(seq INTEGER, line INTEGER, account TEXT, amount INTEGER, PRIMARY KEY(seq, line)) WITHOUT ROWID;"
    )
    for start in range(0, number, batch):
        connection.execute("BEGIN IMMEDIATE")
        part = range(start, min(start + batch, number))
        connection.executemany(
            "INSERT INTO transfer VALUES (?,?,?)", [(f"t-{n:032x}", n, "{}" * 60) for n in part]
        )
        connection.executemany(
            "INSERT INTO entry VALUES (?,?,?,?)",
            [(n, line, f"wallet:u{n:08d}", 1) for n in part for line in (0, 1)],
        )
        connection.execute("COMMIT")
    connection.close()
    return number


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transfers", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--database", default="")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine = open_engine(asked.database or f"sqlite:///{folder}/books.db")
        bring_up_to_date(engine)
        records, book = SqlRecords(engine), Book(TENANT)
        listed = list(claims(asked.transfers // 3))
        tune_collector()  # as the server does

        def post() -> int:
            for start in range(0, len(listed), asked.batch):
                part = listed[start : start + asked.batch]
                answers = records.write(partial(book.post, transfers=part, at_ms=NOW_MS))
                if any(isinstance(answer, ShopwardError) for answer in answers):
                    raise SystemExit("a transfer was refused")
            return len(listed)

        yardstick = timed("bare_inserts", lambda: bare(folder, len(listed), asked.batch))
        timed("post", post, yardstick)
        timed("replay", post, yardstick)
        report = records.read(lambda each: verify(each, TENANT))
        timed("verify", lambda: records.read(lambda each: verify(each, TENANT)).transfers, yardstick)
        print(json.dumps({"sound": report.is_sound, "accounts": report.accounts, "entries": report.entries}))
        records.close()


if __name__ == "__main__":
    main()
