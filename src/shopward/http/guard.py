"""The guard: uvicorn's protocol, closed to clients that hang or never end the head of a request.

Promise: a connection has so many seconds for the head of each request and may not send more than ``HEAD_BYTES_MAX`` of
it; more connections than the settings allow are closed at once; what is no HTTP is answered 400 and closed. Bodies are
bounded by ``body``, idle connections by uvicorn's keep-alive. Head and body of an answer leave in one write: a second
one is a second system call and a second packet.

A plain decision that came whole, on a connection that has nothing else under way, goes by ``express`` where there is one: uvicorn
parses and keeps the connection as ever, and is spared the task, the scope and the messages of ASGI.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from shopward.http.express import PATH

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

    from shopward.config import Settings
    from shopward.http.express import Express, Taken

    Refusing = Callable[[Exception], Callable[..., Awaitable[None]]]

HEAD_BYTES_MAX: Final = 64 * 1024
_PAIR: Final = b"%b: %b\r\n"


def guarded(
    settings: Settings, express: Express | None = None, refusing: Refusing | None = None
) -> type[asyncio.Protocol]:
    """The protocol class for these settings.

    Args:
        settings: bounds.
        express: takes plain decisions.
        refusing: makes an application that answers with the problem of an error; wherever there is an ``express``.
    """
    with_them = {"settings": settings, "express": express, "refusing": staticmethod(refusing or _no_way)}
    return type("Guarded", (GuardedProtocol,), with_them)


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


class _Nobody:
    """Whom a cycle wakes that nobody waits for."""

    def set(self) -> None:
        """Nothing."""


_NOBODY: Final = _Nobody()


class GuardedProtocol(HttpToolsProtocol):
    """A connection that has a deadline whenever the head of a request is awaited."""

    settings: Settings
    express: Express | None
    refusing: Refusing
    _held: list[bytes] | None = None
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
        if self._held is not None:  # its body has not come whole
            self._go_the_long_way()
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
        if self.url == PATH and self._may_be_plain():
            self._held = []
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        if self._held is None:
            super().on_body(body)
        else:
            self._held.append(body)

    def on_message_complete(self) -> None:
        """The body is whole."""
        if self._held is not None:
            if self.express is not None and (taken := self.express.take(self.headers, b"".join(self._held))):
                self._held = None
                self._await(taken)
                return
            self._go_the_long_way()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer is written."""
        self._joined.flush()
        super().on_response_complete()

    def _may_be_plain(self) -> bool:
        """Whether what is known of a request with its head lets it go by express; it may turn out otherwise."""
        cycle: RequestResponseCycle | None = self.cycle
        is_free = cycle is None or cycle.response_complete
        return (
            is_free
            and self.express is not None
            and not self.flow.write_paused  # a client that takes no answers gets no more of them to be kept for it
            and not self.expect_100_continue
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and not self.parser.should_upgrade()
        )

    def _go_the_long_way(self) -> None:
        """Tell uvicorn of the head, and of what came of the body."""
        parts, self._held = self._held or (), None
        super().on_headers_complete()
        for part in parts:
            super().on_body(part)

    def _await(self, taken: Taken) -> None:
        """Hold the connection as uvicorn does, by a cycle under way, until the gate has said what came of it."""
        self.scope["method"] = "POST"
        cycle = self.cycle = RequestResponseCycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=cast("asyncio.Event", _NOBODY),
            expect_100_continue=False,
            keep_alive=self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        cycle.more_body = False
        taken.heard.add_done_callback(partial(self._answer, cycle, taken))

    def _answer(self, cycle: RequestResponseCycle, taken: Taken, _heard: object) -> None:
        assert self.express is not None  # noqa: S101 -- it took the request
        came = self.express.settle(taken)
        if cycle.disconnected:
            return
        if not isinstance(came, bytes):
            task = self.loop.create_task(cycle.run_asgi(self.refusing(came)))
            task.add_done_callback(self.tasks.discard)
            self.tasks.add(task)
            return
        cycle.response_started = cycle.response_complete = True
        head = STATUS_LINE[200] + b"".join([_PAIR % header for header in self.server_state.default_headers])
        if cycle.keep_alive:
            self.transport.write(head + came)
        else:
            self.transport.write(head + b"connection: close\r\n" + came)
            self.transport.close()
        self.on_response_complete()

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


def _no_way(error: Exception) -> Callable[..., Awaitable[None]]:
    raise error
