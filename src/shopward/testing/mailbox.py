"""A mailbox on this machine: a small SMTP server (RFC 5321) that takes every mail and keeps when it came and for whom.

For the demo and for benchmarks: real mail over a real socket, delivered nowhere. It speaks to one sender a connection, knows no TLS and no
AUTH, and listens on loopback alone.
"""

from __future__ import annotations

import socketserver
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_ANSWERS: Final = {b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}


class Mail(NamedTuple):
    """When a mail was taken, on the steady clock, and how it read."""

    taken_s: float
    raw: bytes


class Mailbox(socketserver.ThreadingTCPServer):
    """The server; ``mails`` are in the order in which they came."""

    daemon_threads = True

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        super().__init__(("127.0.0.1", 0), _Conversation)

    @property
    def url(self) -> str:
        """Where mail is handed in."""
        return f"smtp://127.0.0.1:{self.server_address[1]}"


@contextmanager
def open_mailbox() -> Iterator[Mailbox]:
    """A mailbox that takes mail until the block ends."""
    with Mailbox() as mailbox:
        threading.Thread(target=mailbox.serve_forever, daemon=True).start()
        try:
            yield mailbox
        finally:
            mailbox.shutdown()


class _Conversation(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        said: list[bytes] | None = None
        for line in self.rfile:
            if said is None:
                word = line[:4].upper()
                said = [] if word == b"DATA" else None
                self.wfile.write(_ANSWERS.get(word, b"250 fine\r\n"))
            elif line == b".\r\n":
                self.server.mails.append(Mail(time.perf_counter(), b"".join(said)))
                said = None
                self.wfile.write(b"250 taken\r\n")
            else:
                said.append(line)
