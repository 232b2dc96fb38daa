"""The guard: uvicorn's protocol, closed to clients that hang or never end the head of a request.

Promise: a connection has so many seconds for the head of each request and may not send more than ``HEAD_BYTES_MAX`` of
it; more connections than the settings allow are closed at once; what is no HTTP is answered 400 and closed. Bodies are
bounded by ``body``, idle connections by uvicorn's keep-alive. Head and body of an answer leave in one write: a second
one is a second system call and a second packet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

    from shopward.config import Settings

HEAD_BYTES_MAX: Final = 64 * 1024


def guarded(settings: Settings) -> type[asyncio.Protocol]:
    """The protocol class for these settings."""
    return type("Guarded", (GuardedProtocol,), {"settings": settings})


class JoinedWrites:
    """A transport that keeps the head of an answer until its body, its end, or the connection's end."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""

    def write(self, data: bytes) -> None:
        """Send it, behind a head that was kept; an interim answer (100) is not kept."""
        if data.endswith(b"\r\n\r\n") and data.startswith(b"HTTP/1.1 ") and data[9:10] != b"1":
            self._head = data
            return
        if self._head:
            data, self._head = self._head + data, b""
        self._transport.write(data)

    def flush(self) -> None:
        """Send a head that no body followed."""
        if self._head:
            self.write(b"")

    def close(self) -> None:
        """Close the connection behind what was written."""
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class GuardedProtocol(HttpToolsProtocol):
    """A connection that has a deadline whenever the head of a request is awaited."""

    settings: Settings
    _joined: JoinedWrites
    _guard: asyncio.TimerHandle | None = None
    _awaits_head = False
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connects."""
        self._joined = JoinedWrites(transport)
        super().connection_made(cast("asyncio.Transport", self._joined))
        if len(self.connections) > self.settings.connections_max:
            transport.close()
            return
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes came; those of an unfinished head are counted. A head that comes in one piece needs no deadline."""
        super().data_received(data)
        if self._awaits_head and self._guard is None:
            self._arm()
        if self._guard is not None:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._give_up()

    def on_message_begin(self) -> None:
        """The head of a request begins."""
        super().on_message_begin()
        self._awaits_head = True

    def on_headers_complete(self) -> None:
        """It is whole."""
        self._awaits_head = False
        self._disarm()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """An answer is written."""
        self._joined.flush()
        super().on_response_complete()

    def _arm(self) -> None:
        self._head_bytes = 0
        self._guard = self.loop.call_later(self.settings.head_timeout_s, self._give_up)

    def _disarm(self) -> None:
        if self._guard is not None:
            self._guard.cancel()
            self._guard = None

    def _give_up(self) -> None:
        self._disarm()
        if not self.transport.is_closing():
            self.transport.close()
