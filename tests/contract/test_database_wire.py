"""The wire to a database elsewhere: what leaves this machine before anybody spoke of TLS, heard by a listener on a real socket."""

import socket
import struct
import threading

import pytest

from shopward.adapters.sql import SqlEventLog
from shopward.errors import StoreUnavailable

SSL_REQUEST = struct.pack("!II", 8, 80877103)
"""What a client says first that wants TLS (PostgreSQL 15 manual, 55.7 Message Formats)."""
ELSEWHERE, HERE = "0.0.0.0", "127.0.0.1"  # noqa: S104 -- the listener is reached by both; only the second names this machine


class WithoutTls:
    """A server that has no TLS and says so."""

    def __init__(self):
        self._listener = socket.create_server((HERE, 0))
        self.port = self._listener.getsockname()[1]
        self._heard: list[bytes] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def heard(self):
        """What was said on each connection, once it listens no more."""
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread, which ``close`` alone does not
        self._thread.join(timeout=120)
        self._listener.close()
        return self._heard

    def _listen(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                said = connection.recv(4096)
                if said == SSL_REQUEST:
                    connection.sendall(b"N")
                    said += connection.recv(4096)
                self._heard.append(said)


@pytest.fixture
def server(monkeypatch):
    """A server without TLS, and no word in the environment."""
    monkeypatch.delenv("PGSSLMODE", raising=False)
    return WithoutTls()


def test_nothing_leaves_this_machine_in_clear_text(server):
    """No user, no database, no password: the connection ends where the server has no TLS, and the error says what helps."""
    with pytest.raises(StoreUnavailable) as refused:
        SqlEventLog.open(f"postgresql://shop:secret@{ELSEWHERE}:{server.port}/shop")
    assert set(server.heard()) == {SSL_REQUEST}
    assert "sslmode=disable" in (refused.value.hint or "")


@pytest.mark.parametrize(
    ("host", "query", "says_tls"),
    [(ELSEWHERE, "?sslmode=disable", False), (HERE, "", True), (ELSEWHERE, "?sslmode=prefer", True)],
)
def test_the_operators_word_and_this_machine_are_taken_as_they_are(server, host, query, says_tls):
    """``sslmode`` in the URL stands as it is written, and loopback needs none: the client goes on in clear text."""
    with pytest.raises(StoreUnavailable):
        SqlEventLog.open(f"postgresql://shop@{host}:{server.port}/shop{query}")
    heard = server.heard()
    assert heard
    assert all(b"user\x00shop\x00" in each for each in heard)
    assert all(each.startswith(SSL_REQUEST) for each in heard) is says_tls
