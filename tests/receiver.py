"""A shop's receiver of webhooks as a process: ``receiver.py`` prints its port, then each request as a line of JSON.

The path says how it behaves: ``/ok``, ``/status/503``, ``/early`` (103 before 204), ``/redirect``, ``/hang``, ``/drip``
(a byte of its head now and then), ``/garbage``, ``/endless`` (a head without end), ``/close``; ``/once/NAME`` answers the
first request for NAME with 503 and every later one with 204, ``/hangs/5`` hangs five times and then answers.
"""

from __future__ import annotations

import json
import socketserver
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler


class Handler(BaseHTTPRequestHandler):
    """One request."""

    telling = threading.Lock()

    def do_POST(self):
        """Say what came, then behave as the path says."""
        body = self.rfile.read(int(self.headers["content-length"]))
        told = {
            "path": self.path,
            "headers": {k.lower(): v for k, v in self.headers.items()},
            "body": body.decode(),
        }
        with self.telling:
            print(json.dumps(told), flush=True)  # noqa: T201 -- how it speaks
        kind, _, rest = self.path.partition("?")[0].strip("/").partition("/")
        with suppress(OSError):
            getattr(self, "_" + kind)(rest)
        self.close_connection = True

    def _ok(self, _rest):
        self._say(b"HTTP/1.1 204 No Content\r\n\r\n")

    def _status(self, rest):
        self._say(b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % int(rest))

    def _once(self, name):
        known = name in self.server.seen
        self.server.seen.add(name)
        self._status("204" if known else "503")

    def _early(self, _rest):
        self._say(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")

    def _redirect(self, _rest):
        self._say(b"HTTP/1.1 307 Elsewhere\r\nlocation: /ok\r\ncontent-length: 0\r\n\r\n")

    def _hang(self, _rest):
        time.sleep(60)

    def _hangs(self, rest):
        self.server.left = int(rest) if self.server.left is None else self.server.left
        self.server.left -= 1
        (self._hang if self.server.left >= 0 else self._ok)("")

    def _drip(self, _rest):
        for byte in b"HTTP/1.1 204 No Content\r\nx: " + b"y" * 1000:
            self._say(bytes([byte]))
            time.sleep(0.1)

    def _garbage(self, _rest):
        self._say(b"SSH-2.0-OpenSSH_9.2\r\n")

    def _endless(self, _rest):
        self._say(b"HTTP/1.1 204 No Content\r\n")
        for number in range(100_000):
            self._say(b"x-%d: y\r\n" % number)

    def _close(self, _rest):
        pass

    def _say(self, content):
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, *_args):
        """Nothing."""


class Listening(socketserver.ThreadingTCPServer):
    """On loopback, on a free port."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, *where):
        super().__init__(*where)
        self.seen = set()
        self.left = None


class Receiver:
    """The process, as tests use it."""

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"
        self.got = []
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def _read(self):
        for line in self.process.stdout:
            with self._more:
                self.got.append(json.loads(line))
                self._more.notify_all()

    def heard(self, enough, within_s=60):
        """What came, as soon as it is enough."""
        with self._more:
            assert self._more.wait_for(lambda: enough(self.got), within_s), self.got
            return list(self.got)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdout.close()


if __name__ == "__main__":
    with Listening(("127.0.0.1", 0), Handler) as listening:
        print(listening.server_address[1], flush=True)  # noqa: T201 -- how it speaks
        listening.serve_forever()
