"""How many claims of victims a second are filed, assessed, approved, booked and promised, through the desk that HTTP uses.

    .venv/bin/python benchmarks/claims.py [--claims 20000] [--database URL]

A log with two thefts for each victim, a sealed set of all of them, claims in calls of 500, each call one durable transaction.
``ratio`` is to posting as many transfers to the ledger alone, in the same run. Goal: 5,000 a second.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from shopward.access.keys import Caller
from shopward.adapters.process import tune_collector
from shopward.config import Settings
from shopward.errors import ShopwardError
from shopward.flows.claim_many import CLAIMS_MAX, Incident, Loss
from shopward.flows.victims import SealAsked, SetAsked
from shopward.ledger import Account, Book, Kind, postings
from shopward.service import Shopward
from shopward.values import HOUR_MS, ManualClock, to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOW_MS = 1_767_225_600_000
SITI = Caller("siti-laptop", "siti", ("admin",))
PAGE = 10_000
CALL_MS = 100
"""So long a call takes at the goal: ids sort by time, and a clock that stood would scatter all claims over all pages."""


def theft(number: int, each: int) -> dict[str, Any]:
    """A payment that went without its owner."""
    return {
        "id": f"e-{number}-{each}", "type": "payment", "status": "succeeded", "time": to_rfc3339(NOW_MS - HOUR_MS + number),
        "user": {"id": f"u{number:08d}"}, "context": {"device_id": f"d{number}"},
        "transaction": {"id": f"t-{number}-{each}", "amount_minor": 50_000_00, "currency": "IDR", "instrument": "balance"},
    }  # fmt: skip


def timed(step: str, done: int, work: Callable[[], object], yardstick: float | None = None) -> float:
    """Run it; print and return how many a second."""
    began, cpu = time.perf_counter(), time.process_time()
    work()
    wall, spent = time.perf_counter() - began, time.process_time() - cpu
    line: dict[str, Any] = {
        "step": step, "claims": done, "per_s": round(done / wall), "per_cpu_s": round(done / max(spent, 1e-9)),
    }  # fmt: skip
    if yardstick is not None:
        line["ratio"] = round(done / wall / yardstick, 3)
    print(json.dumps(line), flush=True)
    return done / wall


def sealed(shop: Shopward, users: list[str]) -> str:
    """The victim set of all of them."""
    made = shop.victims.make(SITI, SetAsked(name="incident"))
    for number, start in enumerate(range(0, len(users), PAGE)):
        shop.victims.put_page(SITI, made.id, number, users[start : start + PAGE])
    shop.victims.seal(SITI, made.id, SealAsked(users=len(users)))
    return made.id


def booked(number: int) -> Iterator[Callable[[Any], object]]:
    """As many transfers as the claims make, posted alone."""
    book = Book("yardstick")
    for start in range(0, number, CLAIMS_MAX):
        transfers = []
        for each in range(start, min(start + CLAIMS_MAX, number)):
            name, to = f"c-{each}", Account(Kind.WALLET, f"u{each}")
            value: dict[str, Any] = {
                "amount_minor": 100_000_00,
                "currency": "IDR",
                "refs": {"incident": "vs"},
            }
            transfers += [
                postings.accrue(claim=name, step="1", **value), postings.pay(claim=name, payout=name, to=to, **value),
            ]  # fmt: skip
        yield partial(book.post, transfers=transfers, at_ms=NOW_MS)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=20_000)
    parser.add_argument("--database", default="")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=folder, database=asked.database)
        clock = ManualClock(NOW_MS)
        with Shopward.open(settings, clock=clock) as shop:
            users = [f"u{number:08d}" for number in range(asked.claims)]
            for start in range(0, asked.claims, CLAIMS_MAX):
                part = range(start, min(start + CLAIMS_MAX, asked.claims))
                shop.desk.decide(
                    [msgspec.json.encode(theft(number, each)) for number in part for each in range(2)]
                )
            about = Incident(sealed(shop, users), NOW_MS - 2 * HOUR_MS, NOW_MS + HOUR_MS, "full", "balance")
            losses = [Loss(user, (f"e-{number}-0", f"e-{number}-1")) for number, user in enumerate(users)]
            tune_collector()  # as the server does

            def file() -> None:
                for start in range(0, len(losses), CLAIMS_MAX):
                    clock.advance(CALL_MS)
                    answers = shop.victim_claims.file(SITI, about, losses[start : start + CLAIMS_MAX])
                    refused = [
                        each
                        for each in answers
                        if isinstance(each, ShopwardError) or each.state != "approved"
                    ]
                    if refused:
                        raise SystemExit(f"not approved: {refused[0]}")

            def post() -> None:
                for work in booked(len(losses)):
                    shop.records.write(work)

            yardstick = timed("ledger_alone", len(losses), post)
            timed("filed_and_approved", len(losses), file, yardstick)


if __name__ == "__main__":
    main()
