"""Real channels on loopback: a server that speaks as WhatsApp's Cloud API and as a shop's endpoint do, and keeps what it was handed."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

UNDELIVERABLE = {"error": {"message": "Message undeliverable", "type": "OAuthException", "code": 131026}}
LIMITED = {"error": {"message": "Rate limit hit", "type": "OAuthException", "code": 130429}}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        """A template, or a notice of a shop."""
        raw = self.rfile.read(int(self.headers["content-length"]))
        body = json.loads(raw)
        to = body["data"]["user"] if "data" in body else body["to"]
        if self.server.watch("asked", to):
            return  # nobody is there any more
        self.server.calls.append((self.path, dict(self.headers), raw))
        self.server.watch("handed in", to)
        status, answer = self.server.answers.get(to, (200, {"messages": [{"id": f"wamid.{to}"}]}))
        said = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_words):
        """Nothing."""


@contextmanager
def serving():
    """The server: ``url``, ``answers`` by address, ``calls`` that came; ``watch`` hears of each moment of a call, and says to drop it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.calls, server.answers, server.watch = [], {}, lambda _moment, _to: False
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=120)
