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


@pytest.fixture
def without_tls(monkeypatch):
    """A server that has no TLS and says so; its port, and the list of what it hears on each connection."""
    monkeypatch.delenv("PGSSLMODE", raising=False)
    heard: list[bytes] = []
    listener = socket.create_server((HERE, 0))

    def listen():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                said = connection.recv(4096)
                if said == SSL_REQUEST:
                    connection.sendall(b"N")
                    said += connection.recv(4096)
                heard.append(said)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    yield listener.getsockname()[1], heard
    listener.shutdown(socket.SHUT_RDWR)  # wakes the thread, which ``close`` alone does not
    listener.close()
    thread.join(timeout=5)


def test_nothing_leaves_this_machine_in_clear_text(without_tls):
    """No user, no database, no password: the connection ends where the server has no TLS, and the error says what helps."""
    port, heard = without_tls
    with pytest.raises(StoreUnavailable) as refused:
        SqlEventLog.open(f"postgresql://shop:secret@{ELSEWHERE}:{port}/shop")
    assert set(heard) == {SSL_REQUEST}
    assert "sslmode=disable" in (refused.value.hint or "")


@pytest.mark.parametrize(
    ("host", "query", "says_tls"),
    [(ELSEWHERE, "?sslmode=disable", False), (HERE, "", True), (ELSEWHERE, "?sslmode=prefer", True)],
)
def test_the_operators_word_and_this_machine_are_taken_as_they_are(without_tls, host, query, says_tls):
    """``sslmode`` in the URL stands as it is written, and loopback needs none: the client goes on in clear text."""
    port, heard = without_tls
    with pytest.raises(StoreUnavailable):
        SqlEventLog.open(f"postgresql://shop@{host}:{port}/shop{query}")
    assert all(b"user\x00shop\x00" in each for each in heard)
    assert all(each.startswith(SSL_REQUEST) for each in heard) is says_tls
