"""Killed at any moment of paying, again and again: everybody is paid, and nobody twice."""

import base64
import os
import random
import subprocess
import sys
from pathlib import Path

from claims.account import SERVICE, past, theft
from claims.shop import Ledger
from shopward.config import Settings
from shopward.flows.claim import Filing
from shopward.flows.payout import LEASE_MS
from shopward.ledger import verify
from shopward.service import TENANT, Shopward
from shopward.values import ManualClock, SystemClock

HERE = Path(__file__).parent
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
KILLS = int(os.environ.get("SHOPWARD_TEST_KILLS", "2")) * 3
USERS = [f"user{number}" for number in range(12)]


def process(*words):
    """One of ours."""
    paths = os.pathsep.join([str(HERE.parent), *sys.path])
    return subprocess.Popen(
        [sys.executable, *map(str, words)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    )


def test_nobody_is_missed_and_nobody_is_paid_twice(tmp_path, database):
    """Twelve losses; the process that pays dies between intent, request, payment and record; then it is let finish."""
    settings = Settings(data=str(tmp_path / "data"), database=database)
    with Shopward.open(settings) as shop:
        now = SystemClock().now_ms()
        claims = []
        for user in USERS:
            for each in past(now, user) + theft(now, user):
                shop.decide(each)
            draft = shop.claims.draft(SERVICE, user, regime="full")
            claims.append(shop.claims.submit(SERVICE, draft.id, Filing((f"{user}-stolen-0",))).id)
    bank, rng = Ledger(tmp_path / "paid.db"), random.Random(5)
    server = process(HERE / "shop.py", tmp_path / "paid.db")
    url = f"http://127.0.0.1:{server.stdout.readline().strip()}/payouts"
    try:
        for _round in range(KILLS):
            worker = process(HERE / "payer_worker.py", settings.data, database, url, SECRET)
            for _line in range(rng.randrange(1, 3)):
                worker.stdout.readline()
            worker.kill()
            worker.wait(timeout=120)
            worker.stdout.close()
        clock = ManualClock(SystemClock().now_ms() + LEASE_MS)
        paying = Settings(data=settings.data, database=database, payout_url=url, payout_secret=SECRET)
        with Shopward.open(paying, clock=clock) as shop:
            while shop.payouts.step():
                clock.advance(LEASE_MS)
            assert {shop.claims.get(each)[0].state for each in claims} == {"paid"}
            assert shop.records.read(lambda each: verify(each, TENANT)).is_sound
    finally:
        server.kill()
        server.wait(timeout=120)
        server.stdout.close()
    assert sorted(body["user"] for body in bank.paid().values()) == sorted(USERS)
    assert {times for (times,) in bank.all("SELECT times FROM paid")} == {1}
