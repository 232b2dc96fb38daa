"""The server itself killed at each step of a payout: everybody is paid, and nobody twice."""

import base64
import json
import threading
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from claims.account import SERVICE, past, theft
from serving import Server
from shopward.config import Settings
from shopward.flows.claim import Filing
from shopward.flows.payout import LEASE_MS
from shopward.ledger import verify
from shopward.service import TENANT, Shopward
from shopward.values import ManualClock, SystemClock

USERS = [f"user{number}" for number in range(6)]
FATAL = 3
"""The payment, counted from one, at which the server dies."""
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


class Handler(BaseHTTPRequestHandler):
    """A shop that pays under a key, and whose caller dies at one moment."""

    def do_POST(self):
        """Pay."""
        self.rfile.read(int(self.headers["content-length"]))
        key, shop = self.headers["idempotency-key"], self.server
        with shop.lock:
            if self.dies("asked", len(shop.paid) + 1):
                return
            shop.paid[key] += 1
            self.dies("paid", len(shop.paid))
        self.say(200, {"state": "paid"})

    def do_GET(self):
        """What became of a key."""
        key = self.path.rpartition("/")[2]
        self.say(*((200, {"state": "paid"}) if self.server.paid[key] else (404, {})))

    def dies(self, moment, number):
        """Whether the server that asks died of this."""
        if moment != self.server.moment or number != FATAL or self.server.dead.is_set():
            return False
        self.server.caller.kill()
        self.server.dead.set()
        return True

    def say(self, status, answer):
        """Answer, if anybody is there."""
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words):
        """Silence."""


class Shop(ThreadingHTTPServer):
    """Says nothing of callers that went away."""

    def handle_error(self, _request, _address):
        """Silence."""


@contextmanager
def paying(moment):
    """The shop's endpoint."""
    shop = Shop(("127.0.0.1", 0), Handler)
    shop.moment, shop.caller, shop.dead = moment, None, threading.Event()
    shop.paid, shop.lock = Counter(), threading.Lock()
    thread = threading.Thread(target=shop.serve_forever, daemon=True)
    thread.start()
    try:
        yield shop
    finally:
        shop.shutdown()
        shop.server_close()
        thread.join(timeout=120)


@pytest.mark.parametrize("moment", ["asked", "paid"])
def test_nobody_is_missed_and_nobody_is_paid_twice(tmp_path, moment):
    """Six losses; the server dies when the third is asked for, or paid and not answered; whoever comes after it finishes."""
    with paying(moment) as endpoint:
        data, url = str(tmp_path / "data"), f"http://127.0.0.1:{endpoint.server_port}/payouts"
        with Shopward.open(Settings(data=data)) as shop:
            now, claims = SystemClock().now_ms(), []
            for user in USERS:
                for each in past(now, user) + theft(now, user):
                    shop.decide(each)
                draft = shop.claims.draft(SERVICE, user, regime="full")
                claims.append(shop.claims.submit(SERVICE, draft.id, Filing((f"{user}-stolen-0",))).id)
        environment = {"SHOPWARD_PAYOUT_URL": url, "SHOPWARD_PAYOUT_SECRET": SECRET}
        endpoint.caller = Server(data, policy=None, environment=environment)
        endpoint.caller.launch()
        assert endpoint.dead.wait(timeout=120)
        clock = ManualClock(SystemClock().now_ms() + LEASE_MS)
        settings = Settings(data=data, payout_url=url, payout_secret=SECRET)
        with Shopward.open(settings, clock=clock) as shop:
            while shop.payouts.step():
                clock.advance(LEASE_MS)
            assert {shop.claims.get(each)[0].state for each in claims} == {"paid"}
            assert shop.records.read(lambda each: verify(each, TENANT)).is_sound
    assert sorted(endpoint.paid.values()) == [1] * len(USERS)
