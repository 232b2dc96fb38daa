"""Calls of other servers over HTTP/1.1: the one place where they are made.

Promise: a call takes ``timeout_s`` at most from the connection to the last byte that is read, so that a byte now and then
holds nobody up; no more than ``HEAD_BYTES_MAX`` of an answer's head and ``body_bytes_max`` of its body are kept. No redirect
is followed, no proxy and no cookie used; over TLS the certificate has to be right for the name (``SSL_CERT_FILE`` names
another set of authorities). It raises nothing: what is lacking of an answer is one word of a few, never a text of the other
side's. Whether a URL may be called at all is the caller's to know (``values.stays_private``, ``admits``).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from contextlib import contextmanager
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

HEAD_BYTES_MAX: Final = 16 * 1024
_PORTS: Final = {"https": 443, "http": 80}
_AGENT: Final = f"Shopward/{version('shopward')}"
_BODILESS: Final = frozenset({"GET", "HEAD", "DELETE"})
_LENGTHS: Final = frozenset({b"content-length", b"transfer-encoding"})


class Heard(NamedTuple):
    """What a server answered: its status, 0 where no head came; its body as far as it came; and why that is not all.

    ``lacks`` is empty, or ``timeout``, ``no_address``, ``no_connection``, ``tls``, ``not_http``, ``cut`` or ``too_long``.
    """

    status: int
    body: bytes
    lacks: str


def anywhere(_address: str) -> bool:
    """Admits every address."""
    return True


class Caller:
    """Asks servers; from any thread, or on an event loop.

    Args:
        timeout_s: for the whole of a call.
        body_bytes_max: of an answer; 0 where its status is all that is wanted.
        tls: whom to believe, where it is not whom the system believes.
    """

    def __init__(self, *, timeout_s: float, body_bytes_max: int, tls: ssl.SSLContext | None = None) -> None:
        self._timeout_s = timeout_s
        self._body_bytes_max = body_bytes_max
        self._given_tls = tls

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Read when it is wanted first: the authorities of a system are many."""
        return self._given_tls or ssl.create_default_context()

    def ask(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None,
        admits: Callable[[str], bool] = anywhere,
    ) -> Heard:  # fmt: skip
        """One call, to an address of the host that is admitted: the very one that was looked up, and no other."""
        answer = _Answer(self._body_bytes_max)
        with answer.as_far_as_it_came():
            call = _call_of(method, url, headers, body)
            wait = _Wait(self._timeout_s)
            with _connected(call, wait, admits) as plain:
                wait.bound(plain)
                with (
                    self._tls.wrap_socket(plain, server_hostname=call.host) if call.is_tls else plain as sock
                ):
                    left = memoryview(call.request)
                    while left:
                        wait.bound(sock)
                        left = left[sock.send(left) :]
                    while not answer.is_done:
                        wait.bound(sock)
                        answer.take(sock.recv(HEAD_BYTES_MAX))
        return answer.heard()

    async def ask_beside(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> Heard:
        """The same on an event loop, where looking up the name is within the time, too."""
        answer = _Answer(self._body_bytes_max)
        with answer.as_far_as_it_came():
            call = _call_of(method, url, headers, body)
            async with asyncio.timeout(self._timeout_s):
                reader, writer = await asyncio.open_connection(
                    call.host, call.port, ssl=self._tls if call.is_tls else None, limit=HEAD_BYTES_MAX
                )
                try:
                    writer.write(call.request)
                    await writer.drain()
                    while not answer.is_done:
                        answer.take(await reader.read(HEAD_BYTES_MAX))
                finally:
                    writer.transport.abort()  # nobody waits for a polite end
        return answer.heard()


class _Call(NamedTuple):
    host: str
    port: int
    is_tls: bool
    request: bytes


def _call_of(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> _Call:
    """What is said to whom; raises ``ValueError`` or ``KeyError`` where that is no URL or cannot be said in HTTP."""
    parts = urlsplit(url)
    usual = _PORTS[parts.scheme]
    port = parts.port or usual
    host = parts.hostname or ""
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    named = f"[{host}]" if ":" in host else host
    lines = [
        f"{method} {target} HTTP/1.1", f"host: {named if port == usual else f'{named}:{port}'}",
        f"user-agent: {_AGENT}", "connection: close", *(f"{name}: {value}" for name, value in headers.items()),
    ]  # fmt: skip
    if body is not None or method not in _BODILESS:
        lines.append(f"content-length: {len(body or b'')}")
    if not host or " " in target or not all(line.isprintable() for line in lines):
        raise ValueError("this cannot be said in HTTP")
    head = "\r\n".join((*lines, "", "")).encode("ascii")
    return _Call(host, port, parts.scheme == "https", head + (body or b""))


class _Wait:
    """The time that is left of a call."""

    def __init__(self, timeout_s: float) -> None:
        self._ends_s = time.monotonic() + timeout_s

    def bound(self, sock: socket.socket) -> None:
        """Let the next step take what is left; raises ``TimeoutError`` where nothing is."""
        left_s = self._ends_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        sock.settimeout(left_s)


def _connected(call: _Call, wait: _Wait, admits: Callable[[str], bool]) -> socket.socket:
    """To the first admitted address that takes the connection."""
    failed: OSError = socket.gaierror("no address that may be called")
    for family, kind, protocol, _name, where in socket.getaddrinfo(
        call.host, call.port, type=socket.SOCK_STREAM
    ):
        if not admits(str(where[0])):
            continue
        sock = socket.socket(family, kind, protocol)
        try:
            wait.bound(sock)
            sock.connect(where)
        except OSError as error:
            sock.close()
            failed = error
        else:
            return sock
    raise failed


class _Answer:
    """An answer as it comes in."""

    def __init__(self, body_bytes_max: int) -> None:
        self._parser = HttpResponseParser(self)
        self._body_bytes_max = body_bytes_max
        self._body = bytearray()
        self._held = 0
        self._has_length = False
        self._status = 0
        self._lacks = ""
        self.is_done = False

    def take(self, part: bytes) -> None:
        """What came next; nothing at the end of the connection."""
        self._held += len(part)
        if not part:
            self._end()
        elif not self._status and self._held > HEAD_BYTES_MAX:
            self._close("not_http")
        else:
            try:
                self._parser.feed_data(part)
            except (HttpParserError, HttpParserUpgrade):  # behind the end of an answer nothing counts
                if not self.is_done:
                    self._close("not_http")

    @contextmanager
    def as_far_as_it_came(self) -> Iterator[None]:
        """Whatever breaks off the call: what came until then, and the word for it."""
        try:
            yield
        except TimeoutError:
            self._close("timeout")
        except ssl.SSLError:
            self._close("tls")
        except (socket.gaierror, ValueError, KeyError):
            self._close("no_address")
        except OSError:
            self._close("no_connection")

    def heard(self) -> Heard:
        """All of it."""
        return Heard(self._status, bytes(self._body), self._lacks)

    def on_message_begin(self) -> None:
        """Another head: there may be one of 1xx before the real one."""
        self._has_length = False

    def on_header(self, name: bytes, _value: bytes) -> None:
        """Whether the end of the body can be told from the end of the connection."""
        self._has_length |= name.lower() in _LENGTHS

    def on_headers_complete(self) -> None:
        """The head is whole."""
        status = self._parser.get_status_code()
        if status >= 200 and not self.is_done:
            self._status = status
            self.is_done = not self._body_bytes_max

    def on_body(self, part: bytes) -> None:
        """A part of the body."""
        if self._status and not self.is_done:
            self._body += part[: self._body_bytes_max + 1 - len(self._body)]
            if len(self._body) > self._body_bytes_max:
                del self._body[self._body_bytes_max :]
                self._close("too_long")

    def on_message_complete(self) -> None:
        """The body is whole."""
        self.is_done |= bool(self._status)

    def _end(self) -> None:
        if self._status:
            self._close("cut" if self._has_length else "")
        else:
            self._close("not_http" if self._held else "no_connection")

    def _close(self, lacks: str) -> None:
        self.is_done, self._lacks = True, lacks
