"""Whom a trace names when it reads the vault's own log: real records, real shares pulled and opened, real reveals.

    python benchmarks/leaks_vault.py [--orders 6000] [--courier 300] [--trials 100] [--dir .]

A shop on SQLite puts orders of a customer each; 5 warehouses get a fifth of them each, 20 couriers 300 of a warehouse's, 40 agents a fifth of a
courier's, by shares that are pulled page by page, decided, marked and sealed, and 10 persons of staff reveal 100 each. Then one courier leaks rows of what
it opened, shuffled, with 30 % foreign rows between, of nobody here or of other customers: as they came (with their marks), or telephone numbers
alone in another writing (no mark survives: the log of accesses has to say it). Besides: what a person of staff looked at, a stretch of the
table that nobody asked for, and a random dump. ``trace`` is the vault's own, with everything that it does; nothing is handed to it
but the rows. Times are CPU of this process.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import tempfile
import time
from collections import Counter
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from shopward.access.keys import Caller
from shopward.config import Settings
from shopward.flows.looks import Pending, RevealAsk
from shopward.flows.pulling import PullAsk
from shopward.partners import open_page
from shopward.partners.partner import Agreement, AuditPlan, Contact, Partner, day_ms
from shopward.service import Shopward
from shopward.values import HOUR_MS, ManualClock
from shopward.vault import Write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.flows.leaked import LeakView

ADMIN: Final = Caller("key-boss", "citra", ("admin",))
KEY: Final = X25519PrivateKey.generate()
FIELDS: Final = ("name", "phone", "address")
FOREIGN: Final = 0.3
PART: Final = 500
NOBODYS: Final = "nobody's"

Row = dict[str, str]


def say(**line: Any) -> None:
    """One JSON line."""
    print(json.dumps(line), flush=True)


def filled(shop: Shopward, clock: ManualClock, orders: int) -> None:
    """Customers who came one after the other."""
    for start in range(0, orders, PART):
        writes = [
            Write(f"o-{number}", f"u{number}", "", "order", {
                "order_id": str(number), "name": f"Pembeli {number}", "phone": f"0812{number:08}",
                "city": "Jakarta", "street": f"Jl. Kenari No. {number + 10}, RT 1/RW 2",
            }, "ID")
            for number in range(start, min(start + PART, orders))
        ]  # fmt: skip
        shop.vault.custody.put(ADMIN, writes)
        clock.advance(HOUR_MS)


def pulled(shop: Shopward, name: str, numbers: Sequence[int]) -> list[Row]:
    """What a partner got of some orders, opened with its key."""
    public = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
    shop.partners.register(ADMIN, Partner(
        id=name, name=name, kind="courier", agreement=Agreement("C-1", "2026-01-01", "2026-12-31"), scope={"delivery": FIELDS},
        duties=("delete",), audit=AuditPlan(every_days=180, last_on="2026-05-01"), contact=Contact("desk", "sec@courier.example"),
        public_key=public,
    ))  # fmt: skip
    records = [f"o-{number}" for number in numbers]
    share, token = shop.partners.share(
        ADMIN, name, purpose="delivery", fields=FIELDS, records=records, days=7
    )
    rows: list[Row] = []
    for page in range(share.pages):
        pending = shop.pulls.prepare(PullAsk(name, share.id, page, token))
        sealed = shop.pulls.finish(pending, [shop.decide(pending.event).decision]).sealed
        rows += open_page(KEY, name, share.id, page, sealed)
    return rows


def looked(shop: Shopward, person: str, numbers: Sequence[int]) -> None:
    """A person of staff reveals orders, 20 at a time; decisions are the engine's."""
    caller = Caller(f"key-{person}", person, ("analyst",))
    for start in range(0, len(numbers), 20):
        records = tuple(f"o-{number}" for number in numbers[start : start + 20])
        pending = shop.vault.reveals.prepare(
            caller, RevealAsk(records, ("name", "phone"), "delivery", "", "1")
        )
        if not isinstance(pending, Pending):
            raise SystemExit("a reveal of twenty asks for a second person")
        shop.vault.reveals.finish(caller, pending, [shop.decide(event).decision for event in pending.events])


def foreign(rng: random.Random, count: int, whose: str, orders: int) -> list[Row]:
    """Rows that the leaker did not have: of nobody here, or telephone numbers of other customers."""
    if whose == NOBODYS:
        return [{"name": "Orang Lain", "phone": f"0899{rng.randrange(10**8):08}"} for _ in range(count)]
    return bare([{"id": f"o-{number}"} for number in rng.sample(range(orders), count)])


def bare(rows: Sequence[Row]) -> list[Row]:
    """Telephone numbers alone, written anew: no mark survives."""
    return [{"hp": f"+62 812-{int(each['id'].removeprefix('o-')):08}"} for each in rows]


def as_given(rows: Sequence[Row]) -> list[Row]:
    """What was opened, without the shop's ids."""
    return [{name: value for name, value in each.items() if name != "id"} for each in rows]


class Traces:
    """Traces, and what they cost."""

    def __init__(self, shop: Shopward) -> None:
        self._shop = shop
        self.spent_s: list[float] = []

    def of(self, rows: list[Row]) -> LeakView:
        """One."""
        began = time.process_time()
        view = self._shop.vault.leaks.trace(ADMIN, rows)
        self.spent_s.append(time.process_time() - began)
        return view


def named(view: LeakView) -> dict[str, str]:
    """Who is called a lead or more."""
    return {each.recipient: each.standing for each in view.candidates if each.standing in ("proof", "lead")}


def cases(
    traces: Traces, got: dict[str, list[Row]], seen: dict[str, list[int]], *, orders: int, trials: int
) -> None:
    """Every kind of leak, so many times."""
    rng = random.Random(7)
    couriers = [name for name in got if name.startswith("courier")]
    accused = Counter[str]()
    for how, whose, size in product(
        ("as they came", "telephone numbers alone"), (NOBODYS, "other customers'"), (10, 20, 50)
    ):
        count = Counter[str]()
        for _trial in range(trials):
            leaker, lost = rng.choice(couriers), round(size * FOREIGN)
            rows = rng.sample(got[leaker], size - lost)
            leaked = (as_given(rows) if how == "as they came" else bare(rows)) + foreign(
                rng, lost, whose, orders
            )
            rng.shuffle(leaked)
            told = named(traces.of(leaked))
            count[told.pop(f"partner:{leaker}", "not named")] += 1
            accused.update(told.values())
        say(
            leak="courier", rows=size, how=how, foreign=FOREIGN, foreign_rows=whose, trials=trials,
            named=round((count["proof"] + count["lead"]) / trials, 3), proof=round(count["proof"] / trials, 3),
            goal=0.95 if size == 20 else None,
        )  # fmt: skip
    for case in ("staff, 20 of what they looked at", "contiguous dump of 100", "random dump of 100"):
        right = 0
        for _trial in range(max(1, trials // 2)):
            who = rng.choice(sorted(seen))
            first = rng.randrange(orders - 100)
            numbers = {"s": rng.sample(seen[who], 20), "c": list(range(first, first + 100)), "r": rng.sample(range(orders), 100)}[case[0]]  # fmt: skip
            told = named(traces.of(bare([{"id": f"o-{number}"} for number in numbers])))
            right += case[0] == "s" and told.pop(f"staff:{who}", "") == "lead"
            accused.update(told.values())
        times = max(1, trials // 2)
        say(leak=case, trials=times, named=round(right / times, 3) if case[0] == "s" else None)
    say(innocents_named=accused.total(), proofs_among_them=accused["proof"], traces=len(traces.spent_s))


def main() -> None:
    """Fill a shop, then trace."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=6_000)
    parser.add_argument("--courier", type=int, default=300, help="Orders of a courier.")
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--dir", default=tempfile.gettempdir())
    asked = parser.parse_args()
    rng = random.Random(6)
    clock = ManualClock(day_ms("2026-06-01", path=""))
    with (
        tempfile.TemporaryDirectory(dir=asked.dir) as folder,
        Shopward.open(Settings(data=f"{folder}/data"), clock=clock) as shop,
    ):
        began = time.process_time()
        filled(shop, clock, asked.orders)
        everything = range(asked.orders)
        scopes = {f"warehouse-{at}": rng.sample(everything, asked.orders // 5) for at in range(5)}
        scopes |= {
            f"courier-{at}": rng.sample(scopes[f"warehouse-{at % 5}"], asked.courier) for at in range(20)
        }
        scopes |= {
            f"agent-{at}": rng.sample(scopes[f"courier-{at % 20}"], asked.courier // 5) for at in range(40)
        }
        got = {name: pulled(shop, name, sorted(numbers)) for name, numbers in scopes.items()}
        seen = {f"staff-{at}": rng.sample(range(asked.orders), 100) for at in range(10)}
        for person, numbers in seen.items():
            looked(shop, person, numbers)
        shown = sum(map(len, got.values())) + sum(map(len, seen.values()))
        say(orders=asked.orders, recipients=len(got) + len(seen), rows_shown=shown, cpu_s=round(time.process_time() - began, 1), load=round(os.getloadavg()[0], 1))  # fmt: skip
        traces = Traces(shop)
        cases(traces, got, seen, orders=asked.orders, trials=asked.trials)
        spent = sorted(traces.spent_s)
        say(
            trace_ms_median=round(spent[len(spent) // 2] * 1e3, 1), trace_ms_p99=round(spent[int(len(spent) * 0.99)] * 1e3, 1),
            load=round(os.getloadavg()[0], 1),
        )  # fmt: skip


if __name__ == "__main__":
    main()
