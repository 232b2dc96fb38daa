"""``ports.Outward``: asks a server of another company's, over HTTP/1.1.

Promise: TLS whose certificate is right for the name, or this machine; no redirect, proxy or cookie; bounded in time and bytes. A
host that somebody else named (``named_by`` is who was trusted to name it) is called at a public address alone, the very one
that was looked up, so that no name leads into the shop's own network; the trusted host itself may stand anywhere, since an
administrator named it. No answer is ``Said(0, b"")`` and never an error: an outside that is down is a state.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from shopward.ports import Said
from shopward.values import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S: Final = 10.0
ANSWER_BYTES_MAX: Final = 8 * 1024 * 1024
"""A hundred of the largest tokens, as one answer to a poll."""
NOTHING: Final = Said(0, b"")


class HttpOutward:
    """Asks; may be called from any thread."""

    def __init__(self) -> None:
        self._tls = ssl.create_default_context()

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
            connection = _Pinned(host, address, self._tls if parts.scheme == "https" else None)
        except (OSError, ValueError, KeyError):  # no such name, port or scheme
            return NOTHING
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request(method, target, body, dict(headers or {}) | {"host": parts.netloc})
            answer = connection.getresponse()
            read = answer.read(ANSWER_BYTES_MAX + 1)
        except (OSError, http.client.HTTPException):
            return NOTHING
        else:
            return Said(answer.status, read) if len(read) <= ANSWER_BYTES_MAX else NOTHING
        finally:
            connection.close()


_PORTS: Final = {"https": 443, "http": 80}
_Address = tuple[str, int]


class _Pinned(http.client.HTTPConnection):
    """A connection to an address that was looked at, under the name that was asked for."""

    def __init__(self, host: str, address: _Address, tls: ssl.SSLContext | None) -> None:
        super().__init__(host, address[1], timeout=TIMEOUT_S)
        self._address = address
        self._tls = tls

    def connect(self) -> None:
        """To that address and no other."""
        self.sock = socket.create_connection(self._address, TIMEOUT_S)
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)


def _address(host: str, port: int, *, is_trusted: bool) -> _Address | None:
    """Where a name leads; none where it must not be followed."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_rest, (address, *_more) in found:
        if is_trusted or ipaddress.ip_address(address).is_global:
            return str(address), port
    return None
