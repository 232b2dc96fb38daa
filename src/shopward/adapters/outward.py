"""``ports.Outward``: asks a server of another company's, over HTTP/1.1.

Promise: TLS whose certificate is right for the name, or this machine; no redirect, proxy or cookie; bounded in bytes, and in
time to the last byte. A host that somebody else named (``named_by`` is who was trusted to name it) is called at a public address
alone, the very one that was looked up, so that no name leads into the shop's own network; the trusted host itself may stand
anywhere, since an administrator named it. No answer, or one that breaks off, is ``Said(0, b"")`` and never an error: an outside that is down is a state.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from shopward.ports import Said
from shopward.values import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S: Final = 10.0
"""For a connection, and for all that is said over it."""
ANSWER_BYTES_MAX: Final = 8 * 1024 * 1024
"""A hundred of the largest tokens, as one answer to a poll."""
NOTHING: Final = Said(0, b"")


class HttpOutward:
    """Asks; may be called from any thread."""

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Read when it is wanted first: the authorities of a system are many."""
        return ssl.create_default_context()

    def ask(
        self, method: str, url: str, *, named_by: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Said:  # fmt: skip
        """Status and body of one call; 0 and nothing where there was no answer."""
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
            is_trusted = host == urlsplit(named_by).hostname
            address = _address(host, parts.port or _PORTS[parts.scheme], is_trusted=is_trusted)
            if address is None or (parts.scheme == "http" and not is_loopback(host)):
                return NOTHING
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection = _Pinned(host, address, self._tls if parts.scheme == "https" else None)
            return connection.said(method, target, body, dict(headers or {}) | {"host": parts.netloc})
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            return NOTHING  # ValueError and KeyError: no such port or scheme, or nothing that can be written as HTTP


_PORTS: Final = {"https": 443, "http": 80}
_Address = tuple[str, int]


class _Pinned(http.client.HTTPConnection):
    """A connection to an address that was looked at, under the name that was asked for."""

    def __init__(self, host: str, address: _Address, tls: ssl.SSLContext | None) -> None:
        super().__init__(host, address[1], timeout=TIMEOUT_S)
        self._address = address
        self._tls = tls
        self._end = threading.Timer(TIMEOUT_S, self._cut)
        self._end.daemon = True
        self._open: socket.socket | None = None
        self._is_cut = False

    def said(self, method: str, target: str, body: bytes | None, headers: dict[str, str]) -> Said:
        """One call and its answer."""
        try:
            self.request(method, target, body, headers)
            answer = self.getresponse()
            read = answer.read(ANSWER_BYTES_MAX + 1)
        finally:
            self._end.cancel()
            self.close()
        is_whole = not answer.length and not self._is_cut and len(read) <= ANSWER_BYTES_MAX
        return Said(answer.status, read) if is_whole else NOTHING

    def connect(self) -> None:
        """To that address and no other."""
        self.sock = self._open = socket.create_connection(self._address, TIMEOUT_S)
        self._end.start()
        if self._tls is not None:
            shaking = self._tls.wrap_socket(
                self.sock, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.sock = self._open = shaking
            shaking.do_handshake()

    def _cut(self) -> None:
        """A byte now and then is in time for each wait, and would go on for ever."""
        self._is_cut = True
        with suppress(OSError):
            if self._open is not None:
                self._open.shutdown(socket.SHUT_RDWR)


def _address(host: str, port: int, *, is_trusted: bool) -> _Address | None:
    """Where a name leads; none where it must not be followed."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_rest, (address, *_more) in found:
        if is_trusted or ipaddress.ip_address(address).is_global:
            return str(address), port
    return None
