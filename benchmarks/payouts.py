"""How many payouts a second are carried to a shop's endpoint, asked side by side, beside the same calls one after the other.

    .venv/bin/python benchmarks/payouts.py [--payouts 400] [--answer-ms 50] [--database URL]

The endpoint is a process of its own that takes so long for each answer and counts what it paid under each key. One line of JSON for
the bare calls and one for the desk, which writes the intent, asks, books, settles and tells; ``ratio`` is to the bare calls.
It ends in an error where anybody was missed or paid twice.
"""

from __future__ import annotations

import argparse
import base64
import json
import multiprocessing
import tempfile
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from claims import NOW_MS, SITI, sealed, theft, timed
from shopward.adapters.payouts import HttpPayer
from shopward.claims.payouts import Payout
from shopward.claims.store import ClaimStore
from shopward.config import Settings
from shopward.flows.claim_many import CLAIMS_MAX, Incident, Loss
from shopward.service import TENANT, Shopward
from shopward.values import HOUR_MS, ManualClock

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

KEY = b"k" * 32
BARE = 40


def serve(pipe: Connection, answer_s: float) -> None:
    """The shop's endpoint: pays under a key, and says how often on ``GET /counts``."""
    paid: Counter[str] = Counter()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            time.sleep(answer_s)
            paid[self.headers["idempotency-key"]] += 1
            self.say({"state": "paid"})

        def do_GET(self) -> None:
            self.say(dict(paid))

        def say(self, told: dict[str, Any]) -> None:
            body = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128  # five of eight that come at once would wait a second for their connection

    server = Server(("127.0.0.1", 0), Handler)
    pipe.send(server.server_port)
    server.serve_forever()


def owed(shop: Shopward, number: int) -> None:
    """So many approved claims with one payout each."""
    users = [f"u{each:08d}" for each in range(number)]
    about = Incident(sealed(shop, users), NOW_MS - 2 * HOUR_MS, NOW_MS + HOUR_MS, "full", "balance")
    for start in range(0, number, CLAIMS_MAX):
        part = range(start, min(start + CLAIMS_MAX, number))
        shop.desk.decide([json.dumps(theft(each, 0)).encode() for each in part])
        shop.victim_claims.file(SITI, about, [Loss(users[each], (f"e-{each}-0",)) for each in part])


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payouts", type=int, default=400)
    parser.add_argument("--answer-ms", type=int, default=50)
    parser.add_argument("--database", default="")
    asked = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(theirs, asked.answer_ms / 1_000), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{ours.recv()}/payouts"
    clock = ManualClock(NOW_MS)
    bare = HttpPayer(url, key=KEY, clock=clock)

    def one_by_one() -> None:
        for each in range(BARE):
            payout = Payout(
                f"bare-{each}", "c", "sent", 0, 1, 1, "IDR", "balance", is_provisional=False, transfer="t"
            )
            if bare.pay(payout, user_id="u") != "paid":
                raise SystemExit("a bare call was not paid")

    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            data=folder, database=asked.database, payout_url=url,
            payout_secret="whsec_" + base64.b64encode(KEY).decode(),
        )  # fmt: skip
        with Shopward.open(settings, clock=clock) as shop:
            owed(shop, asked.payouts)

            def carry() -> None:
                while shop.payouts.step():
                    pass

            yardstick = timed("one_by_one", BARE, one_by_one)
            timed("side_by_side", asked.payouts, carry, yardstick)
            states = shop.records.read(ClaimStore(TENANT).counts)
    counts = Counter(json.loads(_counts(url)))
    server.terminate()
    mine = [times for key, times in counts.items() if not key.startswith("bare-")]
    if states != {"paid": asked.payouts} or len(mine) != asked.payouts or set(mine) != {1}:
        raise SystemExit("somebody was missed or paid twice")
    print(json.dumps({"paid": len(mine), "twice": 0}))


def _counts(url: str) -> bytes:
    with urlopen(url.removesuffix("payouts") + "counts") as answer:  # noqa: S310 -- our own server
        return bytes(answer.read())


if __name__ == "__main__":
    main()
