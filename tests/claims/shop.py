"""A shop's payout endpoint as a process: ``shop.py FILE`` prints its port and keeps what it paid in a SQLite file.

It keeps its side: the same key is the same payment. ``FILE``'s table ``way`` says how it behaves for a while: ``ok``, ``slow``
(pays, then answers too late), ``lost`` (pays, then closes), ``down`` (503), ``no`` (failed), ``garbage``.
"""

import json
import sqlite3
import sys
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Ledger:
    """What it paid, and how often it was asked."""

    def __init__(self, path):
        self.path = str(path)
        with closing(self.open()) as connection:
            connection.executescript(
                "CREATE TABLE IF NOT EXISTS paid(key TEXT PRIMARY KEY, body TEXT, times INTEGER);"
                "CREATE TABLE IF NOT EXISTS asked(key TEXT, method TEXT);"
                "CREATE TABLE IF NOT EXISTS way(word TEXT);"
            )

    def open(self):
        return sqlite3.connect(self.path, timeout=120, isolation_level=None)

    def all(self, query, *values):
        with closing(self.open()) as connection:
            return connection.execute(query, values).fetchall()

    def pay(self, key, body):
        self.all(
            "INSERT INTO paid VALUES (?, ?, 1) ON CONFLICT(key) DO UPDATE SET times = times + 1", key, body
        )

    def behave(self, word):
        self.all("DELETE FROM way")
        self.all("INSERT INTO way VALUES (?)", word)

    @property
    def way(self):
        return (self.all("SELECT word FROM way") or [("ok",)])[0][0]

    def paid(self):
        return {key: json.loads(body) for key, body, _times in self.all("SELECT * FROM paid")}


class Handler(BaseHTTPRequestHandler):
    """One request."""

    def do_POST(self):
        """Pay."""
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        key, shop = self.headers["idempotency-key"], self.server.shop
        assert self.headers["webhook-signature"].startswith("v1,")
        shop.all("INSERT INTO asked VALUES (?, 'POST')", key)
        match shop.way:
            case "down":
                self.say(503, {})
            case "no":
                self.say(200, {"state": "failed"})
            case way:
                shop.pay(key, body)
                if way == "slow":
                    time.sleep(3)
                if way == "lost":
                    self.close_connection = True
                elif way == "garbage":
                    self.say(200, ["paid"])
                else:
                    self.say(200, {"state": "paid"})

    def do_GET(self):
        """What became of a key."""
        key, shop = self.path.rpartition("/")[2], self.server.shop
        shop.all("INSERT INTO asked VALUES (?, 'GET')", key)
        if shop.way == "down":
            self.say(503, {})
        elif shop.all("SELECT 1 FROM paid WHERE key = ?", key):
            self.say(200, {"state": "paid"})
        else:
            self.say(404, {})

    def say(self, status, answer):
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words):
        """Silence."""


def main():
    """Serve until killed."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.shop = Ledger(Path(sys.argv[1]))
    print(server.server_port, flush=True)  # noqa: T201 -- how it is found
    server.serve_forever()


if __name__ == "__main__":
    main()
