"""A loopback listener that answers as no server should."""

from __future__ import annotations

import contextlib
import socket
import threading


class Listener:
    """A loopback listener that answers each connection with fixed bytes, or holds it."""

    def __init__(self, answer, *, closes=True):
        self.answer, self.closes = answer, closes
        self.seen = []
        self._held = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.seen.append(_whole(connection))
            with contextlib.suppress(OSError):  # who has heard enough goes away
                connection.sendall(self.answer)
            if self.closes:
                connection.close()
            else:
                self._held.append(connection)

    def close(self):
        """Stop listening and let go of what was held."""
        self._socket.close()
        for connection in self._held:
            connection.close()


def _whole(connection):
    """One request with its body."""
    seen = b""
    while part := connection.recv(65536):
        seen += part
        head, end, body = seen.partition(b"\r\n\r\n")
        length = next(
            (line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0"
        )
        if end and len(body) >= int(length.partition(b":")[2]):
            break
    return seen
