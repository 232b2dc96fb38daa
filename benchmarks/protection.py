"""Protection at scale: one freeze for ten million accounts, releases one by one, and the cost of looking.

Run: ``python benchmarks/protection.py [--users 10000000] [--releases 1000000] [--victims 1000000] [--database URL]``.
JSON lines:

- ``freeze``: seconds from the call to its return, while threads capture without pause; captures after it, which must
  be 0; captures before it, which show that there was something to stop;
- ``dry_run``: seconds to count a predicate, and whether the count is exact;
- ``release_one_by_one``: seconds to let so many users out of the order, each by a declared new password;
- ``mass_release``: seconds for two persons to end it; rows of users written by any of this: 0;
- ``links``: milliseconds to find who shares a phone, to walk three steps from an account, and to count a hub of 5,000;
- ``victim_set``: seconds to seal 1,000,000 users that came in pages, to place an order about them until a decision and a
  capture know it, to let 100,000 of them out one by one; microseconds of a look-up; bytes a member;
- ``attributes``: microseconds a user to look declared attributes up, for a group of 100, which is done once a group and
  only while an order in force asks for them;
- ``hot_path``: microseconds that 30 predicate orders in force add to a decision, median of many rounds.

SQLite in a fresh folder where no database is given. Rows of users are made by the database itself.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import text

from shopward.access import Caller
from shopward.config import Settings
from shopward.errors import Conflict
from shopward.events import Facts, decode_event
from shopward.flows.engine import DecisionRecord
from shopward.flows.victims import SealAsked, SetAsked
from shopward.protection import Change, Declared, OrderRequest, OrdersInForce, Standing
from shopward.protection.linkage import COUNTED_MAX, from_account, from_identifier
from shopward.protection.links import AccountLinks
from shopward.protection.members import WIDTH
from shopward.protection.orders import Target
from shopward.service import TENANT, Shopward

if TYPE_CHECKING:
    from collections.abc import Callable

ANNA, BUDI = Caller("anna-1", "anna", ("analyst",)), Caller("budi-1", "budi", ("analyst",))
SPENDERS = 4
WHERE = 'registered_at < timestamp("2020-01-01T00:00:00Z") && region == "ID"'
OLD_MS = 1_300_000_000_000
_ROWS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :users) "
    "INSERT INTO declared_user SELECT 'main', printf('%022d', i), 1300000000000 + (i % 1000) * 500000000, 0, '[]', "
    "CASE WHEN i % 2 THEN 'ID' ELSE 'SG' END, '', '', printf('%022d', i / 2), '', CASE WHEN i <= 5000 THEN 'hub' ELSE '' "
    "END FROM n",
    "postgresql": "INSERT INTO declared_user SELECT 'main', lpad(i::text, 22, '0'), 1300000000000 + (i % 1000) * "
    "CAST(500000000 AS bigint), 0, '[]', CASE WHEN i % 2 = 1 THEN 'ID' ELSE 'SG' END, '', '', lpad((i / 2)::text, 22, '0'), '', "
    "CASE WHEN i <= 5000 THEN 'hub' ELSE '' END FROM generate_series(1, :users) AS n(i)",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=10_000_000)
    parser.add_argument("--releases", type=int, default=1_000_000)
    parser.add_argument("--victims", type=int, default=1_000_000)
    parser.add_argument("--database", default="")
    asked = parser.parse_args()
    hot_path()
    with tempfile.TemporaryDirectory(prefix="shopward-bench-") as folder:
        settings = Settings(data=str(Path(folder) / "data"), database=asked.database)
        with Shopward.open(settings) as shop:
            engine = "postgresql" if asked.database else "sqlite"
            began = time.perf_counter()
            shop.records.write(lambda each: each.execute(text(_ROWS[engine]), {"users": asked.users}))
            shop.records.write(
                lambda each: each.execute(text("ANALYZE declared_user"))
            )  # as autovacuum would
            say("rows", engine=engine, users=asked.users, seconds=since(began))
            trace(shop, asked.users, engine)
            victim_set(shop, asked.victims, engine)
            freeze(shop, asked.users, asked.releases, engine)


def trace(shop: Shopward, users: int, engine: str) -> None:
    """How far an identifier reaches: every two users share a phone, 5,000 share a national id."""

    def links(work: Callable[[AccountLinks], Any]) -> float:
        rounds = []
        for _round in range(21):
            began = time.perf_counter()
            shop.records.read(lambda connection: work(AccountLinks(connection, TENANT)))
            rounds.append(since(began) * 1000)
        return round(statistics.median(rounds), 2)

    phone, account = f"{users // 3:022}", f"{users // 2:022}"
    say(
        "links", engine=engine, users=users,
        one_step_ms=links(lambda each: from_identifier(each, ("phone", phone), 1)),
        three_steps_ms=links(lambda each: from_account(each, account, 3)),
        hub_count_ms=links(lambda each: each.count(("national_id", "hub"), COUNTED_MAX + 1)),
    )  # fmt: skip


def victim_set(shop: Shopward, victims: int, engine: str) -> None:
    """Upload, seal, freeze, look up, let out."""
    began = time.perf_counter()
    made = shop.victims.make(ANNA, SetAsked("benchmark"))
    for page, start in enumerate(range(0, victims, 10_000)):
        shop.victims.put_page(ANNA, made.id, page, [f"v{number}" for number in range(start, start + 10_000)])
    uploaded = since(began)
    began = time.perf_counter()
    sealed = shop.victims.seal(ANNA, made.id, SealAsked())
    sealing = since(began)
    began = time.perf_counter()
    order = shop.protection.place(ANNA, request(target={"victim_set_id": sealed.id}))
    shop.desk.look_at_orders()
    shop.desk.decide([])
    members = shop.overseer.members(sealed.id)
    effective = since(began)
    tokens = [shop.maker.user_token(f"v{number * 97}") for number in range(10_000)]
    rounds, found = [], 0
    for _round in range(21):
        started = time.perf_counter()
        found = sum(token in members for token in tokens)
        rounds.append((time.perf_counter() - started) / len(tokens) * 1e6)
    began = time.perf_counter()
    for start in range(0, 100_000, 1_000):
        person = Caller(f"p-{start}", f"p-{start}", ("analyst",))
        users = [f"v{number}" for number in range(start, start + 1_000)]
        shop.protection.exempt(person, order.id, users, cause="staff_release", evidence="")
    say(
        "victim_set", engine=engine, users=sealed.users, upload_s=uploaded, seal_s=sealing, effective_s=effective,
        look_up_us=round(statistics.median(rounds), 2), found=found, released_100k_s=since(began), bytes_each=WIDTH,
    )  # fmt: skip
    shop.protection.release(ANNA, order.id)
    shop.protection.approve(BUDI, order.id)


def freeze(shop: Shopward, users: int, releases: int, engine: str) -> None:
    """Spend, freeze in the middle, count, release."""
    shop.overseer.declare(
        {f"u{number}": Declared(registered_at_ms=OLD_MS, region="ID") for number in range(100)}
    )
    began = time.perf_counter()
    draft = shop.protection.place(ANNA, request(dry_run=True))
    measured = draft.measured
    say("dry_run", engine=engine, users=users, seconds=since(began), exact=bool(measured and measured.exact),
        share=measured.share if measured else 0.0)  # fmt: skip
    tokens = [shop.maker.user_token(f"u{number}") for number in range(100)]
    looked = []
    for _round in range(50):
        began = time.perf_counter()
        shop.overseer.declared(tokens)
        looked.append((time.perf_counter() - began) / 100 * 1e6)
    say("attributes", engine=engine, users=users, microseconds_each=round(statistics.median(looked), 1))
    stop = threading.Event()
    threads = [threading.Thread(target=spend, args=(shop, each, stop)) for each in range(SPENDERS)]
    for thread in threads:
        thread.start()
    while captured(shop) < 200:
        time.sleep(0.01)
    began = time.perf_counter()
    order = shop.protection.place(ANNA, request())
    took = since(began)
    before = captured(shop)
    time.sleep(1.0)
    stop.set()
    for thread in threads:
        thread.join()
    say(
        "freeze",
        engine=engine,
        users=users,
        seconds=took,
        captured_before=before,
        captured_after=captured(shop) - before,
    )
    release(shop, order.id, releases, engine)


def release(shop: Shopward, order_id: str, releases: int, engine: str) -> None:
    """One by one, then all."""
    later_ms = shop.clock.now_ms() + 1
    ids = [f"r{number}" for number in range(releases)]
    began = time.perf_counter()
    for start in range(0, releases, 10_000):
        shop.overseer.declare(
            {user: Declared(password_set_at_ms=later_ms) for user in ids[start : start + 10_000]}
        )
    say("declare", engine=engine, users=releases, seconds=since(began))
    began = time.perf_counter()
    for start in range(0, releases, 10_000):
        shop.protection.exempt(
            ANNA, order_id, ids[start : start + 10_000], cause="password_changed", evidence=""
        )
    say("release_one_by_one", engine=engine, users=releases, seconds=since(began))
    began = time.perf_counter()
    shop.protection.release(ANNA, order_id)
    shop.protection.approve(BUDI, order_id)
    say("mass_release", engine=engine, seconds=since(began))


def spend(shop: Shopward, first: int, stop: threading.Event) -> None:
    """Authorise and capture until told to stop; a stopped capture is what is looked for."""
    number = first * 10_000_000
    while not stop.is_set():
        number += 1
        event = decode_event(json.dumps({
            "id": f"p-{number}", "type": "payment", "status": "attempted", "time": "2026-01-05T00:00:00Z",
            "user": {"id": f"u{number % 100}"},
            "transaction": {"id": f"t-{number}", "amount_minor": 1, "currency": "IDR", "instrument": "balance"},
        }).encode())  # fmt: skip
        held = shop.authorizations.open(
            event, DecisionRecord("d", event.id, "allow", 0.0), shop.clock.now_ms()
        )
        if held is not None:
            try:
                shop.authorizations.capture(held.id)
            except Conflict:
                time.sleep(0.001)


def captured(shop: Shopward) -> int:
    """How many captures stand."""
    count = text("SELECT count(*) FROM money_authorization WHERE state = 'captured'")
    return int(shop.records.read(lambda connection: connection.execute(count).scalar()))


def hot_path() -> None:
    """What 30 predicate orders that do not cover the user add to each decision, and what none adds."""
    orders = OrdersInForce(lambda _domain, value: value)
    facts = Facts(
        "e", "payment", "attempted", user="u", actor="u", instrument="balance", amount_minor=5, currency="IDR"
    )
    orders.declared = {
        "u": Declared(1_600_000_000_000, 1_700_000_000_000, ("apple",), "SG", "gold", "e", "p")
    }
    none = cost(orders, facts)
    for number in range(30):
        when = f"20{10 + number % 9}-01-01T00:00:00Z"
        where = (
            f'registered_at < timestamp("{when}") && region == "ID"',
            f'password_set_at < timestamp("{when}")',
            f'"provider{number}" in identity_providers && tier != "gold"',
        )[number % 3]
        order = Standing(
            id=f"o-{number}", kind="freeze", scope=("spend_balance",), target=Target("predicate", (), where),
            reason="phishing", begun=number + 1,
        )  # fmt: skip
        orders.apply(Change(number + 1, f"oc-{number}", "begin", 0, order.id, order))
    thirty = cost(orders, facts)
    login = cost(orders, Facts("e", "login", "succeeded", user="u", actor="u"))
    say(
        "hot_path",
        orders=30,
        microseconds=round(thirty, 2),
        no_orders=round(none, 2),
        other_operation=round(login, 2),
    )


def cost(orders: OrdersInForce, facts: Facts) -> float:
    """Microseconds of one ruling, the median of rounds."""
    rounds = []
    for _round in range(41):
        began = time.perf_counter()
        for _each in range(2_000):
            orders.rule(facts)
        rounds.append((time.perf_counter() - began) / 2_000 * 1e6)
    return statistics.median(rounds)


def request(**changes: Any) -> OrderRequest:
    """A freeze of stored value for a predicate, for three days."""
    ends = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    body = {
        "kind": "freeze", "scope": ["stored_value"], "target": {"predicate": WHERE}, "reason": "data_breach",
        "ends_at": ends, "release": ["password_changed", "staff_release"],
    }  # fmt: skip
    return msgspec.convert(body | changes, OrderRequest)


def since(began: float) -> float:
    """Seconds."""
    return round(time.perf_counter() - began, 4)


def say(what: str, **figures: Any) -> None:
    """One JSON line."""
    print(json.dumps({"what": what} | figures), flush=True)


if __name__ == "__main__":
    main()
