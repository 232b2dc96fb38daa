"""An operator that speaks CAMARA SIM Swap 2 and gives tokens for client credentials; its moods are what a test needs."""

from __future__ import annotations

import base64
import json
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

CLIENT = ("shop", "s e:cret")
SCOPE = "dpv:FraudPreventionAndDetection sim-swap:check"


class Operator:
    """One operator; ``with`` runs it."""

    def __init__(self):
        self.swapped = set()
        self.unknown, self.malformed = set(), set()
        self.mood = ""
        self.tokens, self.checks, self.token = 0, [], "t-0"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}/sim-swap/v2"
        self.token_url = f"http://127.0.0.1:{self._server.server_port}/token"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    @property
    def settings(self):
        """For a Shopward that asks it."""
        return {
            "sim_swap_url": self.url, "sim_swap_token_url": self.token_url, "sim_swap_client_id": CLIENT[0],
            "sim_swap_client_secret": CLIENT[1],
        }  # fmt: skip

    def revoke(self):
        """No token is good any more."""
        self.token = ""

    def answer(self, path, headers, body):
        """Status and document, as the published description says."""
        if self.mood == "slow":
            time.sleep(3)
        if path == "/token":
            return self._give_token(headers, parse_qs(body.decode()))
        if headers.get("authorization") != f"Bearer {self.token}":
            return 401, {
                "status": 401,
                "code": "UNAUTHENTICATED",
                "message": "new authentication is required",
            }
        asked = json.loads(body)
        self.checks.append(asked)
        if self.mood == "down":
            return 503, {"status": 503, "code": "UNAVAILABLE", "message": "Service Unavailable."}
        if self.mood:
            return 200, json.loads(self.mood)
        return self._check(asked["phoneNumber"])

    def _check(self, phone):
        if phone in self.malformed:
            return 400, {"status": 400, "code": "INVALID_ARGUMENT", "message": "Invalid phone number."}
        if phone in self.unknown:
            return 404, {
                "status": 404,
                "code": "IDENTIFIER_NOT_FOUND",
                "message": "Device identifier not found.",
            }
        return 200, {"swapped": phone in self.swapped}

    def _give_token(self, headers, form):
        given = base64.b64decode(headers["authorization"].removeprefix("Basic ")).decode()
        if given != "shop:s+e%3Acret" or form != {"grant_type": ["client_credentials"], "scope": [SCOPE]}:
            return 400, {"error": "invalid_client"}
        self.tokens += 1
        self.token = f"t-{self.tokens}"
        return 200, {"access_token": self.token, "token_type": "Bearer", "expires_in": 3600}


def _handler_of(operator):
    class Handler(BaseHTTPRequestHandler):
        """One request."""

        def do_POST(self):
            """Answer as the operator feels."""
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, said = operator.answer(self.path.removeprefix("/sim-swap/v2"), headers, body)
            raw = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            with suppress(BrokenPipeError):  # who waited long enough is gone
                self.wfile.write(raw)

        def log_message(self, *_):
            """Quiet."""

    return Handler
