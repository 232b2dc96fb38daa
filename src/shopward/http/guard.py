"""The guard: uvicorn's protocol, closed to clients that hang or never end the head of a request.

Promise: a connection has so many seconds for the head of each request and may not send more than ``HEAD_BYTES_MAX`` of
it; more connections than the settings allow are closed at once; what is no HTTP is answered 400 and closed. Bodies are
bounded by ``body``, idle connections by uvicorn's keep-alive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

    from shopward.config import Settings

HEAD_BYTES_MAX: Final = 64 * 1024


def guarded(settings: Settings) -> type[asyncio.Protocol]:
    """The protocol class for these settings."""
    return type("Guarded", (GuardedProtocol,), {"settings": settings})


class GuardedProtocol(HttpToolsProtocol):
    """A connection that has a deadline whenever the head of a request is awaited."""

    settings: Settings
    _guard: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connects."""
        super().connection_made(transport)
        if len(self.connections) > self.settings.connections_max:
            transport.close()
            return
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes came; those of an unfinished head are counted."""
        super().data_received(data)
        if self._guard is not None:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._give_up()

    def on_message_begin(self) -> None:
        """The head of a request begins."""
        super().on_message_begin()
        if self._guard is None:
            self._arm()

    def on_headers_complete(self) -> None:
        """It is whole."""
        self._disarm()
        super().on_headers_complete()

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
