"""Another company, as a server of its own on this machine: its configuration, its keys, streams, and what it has for who polls."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from ssf.tokens import AUDIENCE, RSA, published

TOKEN = "at-1"  # noqa: S105 -- of tests


class Peer:
    """The company. What tests change: ``keys`` it publishes, ``is_down``, ``waiting`` tokens by their ids."""

    def __init__(self):
        self.keys = [RSA]
        self.is_down = False
        self.waiting = {}
        self.polled = []
        self.asked = []
        self.fetched = 0
        self.metadata = {}

    def __enter__(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Handler,), {"peer": self}))
        self.issuer = f"http://127.0.0.1:{self.server.server_port}/idp"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def answer(self, method, path, body, authorization):  # noqa: PLR0911 -- a table of answers
        """Status and JSON of a call."""
        if self.is_down:
            return 503, {}
        if path == "/.well-known/ssf-configuration/idp":
            return 200, {
                "issuer": self.issuer, "jwks_uri": self.issuer + "/jwks", "configuration_endpoint": self.issuer + "/streams",
                "verification_endpoint": self.issuer + "/verify", "critical_subject_members": ["tenant"], "spec_version": "1_0",
                "delivery_methods_supported": ["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"],
            } | self.metadata  # fmt: skip
        if path == "/idp/jwks":
            self.fetched += 1
            return 200, json.loads(published(*self.keys))
        if authorization != f"Bearer {TOKEN}":
            return 401, {}
        self.asked.append((method, path, body))
        if path == "/idp/streams" and method == "POST":
            delivery = {"endpoint_url": self.issuer + "/poll"} | body["delivery"]
            return 201, {"stream_id": "st-1", "iss": self.issuer, "aud": [AUDIENCE], "delivery": delivery}
        if path == "/idp/poll":
            return 200, self._poll(body)
        return 204, None

    def _poll(self, body):
        self.polled.append(body)
        for jti in (*body["ack"], *body["setErrs"]):
            self.waiting.pop(jti, None)
        given = dict(list(self.waiting.items())[:2])
        return {"sets": given, "moreAvailable": len(self.waiting) > len(given)}


class _Handler(BaseHTTPRequestHandler):
    def _any(self):
        length = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        path = urlsplit(self.path).path
        status, said = self.peer.answer(self.command, path, body, self.headers.get("authorization"))
        told = b"" if said is None else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_POST = do_DELETE = _any  # noqa: N815 -- the library's names

    def log_message(self, *_args):
        """Nothing."""
