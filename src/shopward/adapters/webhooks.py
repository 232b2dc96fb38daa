"""``ports.Messenger`` over HTTP/1.1: a POST, of whose answer the status is read and nothing else.

Promise: the whole of it, from looking up the name to the last byte of the answer's head, takes ``timeout_s`` at most; no
more than ``HEAD_BYTES_MAX`` of the answer are read, and its body not at all; redirects are not followed, no proxy and no
cookie is used; over TLS the certificate has to be right for the name (``SSL_CERT_FILE`` names another set of
authorities). What a receiver says leaves this module as a word of a few, never as text.

A URL of the shop's own network is allowed: who may make webhooks administers this server.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from importlib.metadata import version
from typing import Final
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpResponseParser

HEAD_BYTES_MAX: Final = 16 * 1024
_PORTS: Final = {"https": 443, "http": 80}
_AGENT: Final = f"Shopward/{version('shopward')}"


class HttpMessenger:
    """Carries messages; for one event loop.

    Args:
        timeout_s: for everything.
    """

    def __init__(self, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._tls = ssl.create_default_context()

    async def carry(self, url: str, headers: dict[str, str], body: bytes) -> str:
        """``http_`` and the status, or ``timeout``, ``no_address``, ``no_connection``, ``tls``, ``not_http``."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._status(url, headers, body)
        except TimeoutError:
            return "timeout"
        except ssl.SSLError:
            return "tls"
        except socket.gaierror:
            return "no_address"
        except OSError:
            return "no_connection"
        except HttpParserError:
            return "not_http"

    async def _status(self, url: str, headers: dict[str, str], body: bytes) -> str:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        context = self._tls if parts.scheme == "https" else None
        reader, writer = await asyncio.open_connection(host, port, ssl=context, limit=HEAD_BYTES_MAX)
        try:
            writer.write(_request(parts.path or "/", parts.query, parts.netloc, headers, len(body)) + body)
            await writer.drain()
            return await _answer(reader)
        finally:
            writer.transport.abort()  # nobody waits for a polite end


def _request(path: str, query: str, host: str, headers: dict[str, str], length: int) -> bytes:
    target = f"{path}?{query}" if query else path
    lines = [
        f"POST {target} HTTP/1.1", f"host: {host}", f"user-agent: {_AGENT}", "content-type: application/json",
        f"content-length: {length}", "connection: close", *(f"{name}: {value}" for name, value in headers.items()),
    ]  # fmt: skip
    return "\r\n".join((*lines, "", "")).encode("ascii")


class _Heads:
    """What the parser tells: the status of each head that is whole."""

    def __init__(self) -> None:
        self.parser = HttpResponseParser(self)
        self.status = 0

    def on_headers_complete(self) -> None:
        if self.status < 200:  # 1xx: the real one follows
            self.status = self.parser.get_status_code()


async def _answer(reader: asyncio.StreamReader) -> str:
    heads, held = _Heads(), 0
    while heads.status < 200:
        part = await reader.read(HEAD_BYTES_MAX)
        held += len(part)
        if not part or held > HEAD_BYTES_MAX:
            return "not_http" if held else "no_connection"
        heads.parser.feed_data(part)
    return f"http_{heads.status}"
