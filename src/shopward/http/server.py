"""The server: uvicorn around the application, from the first socket to the last snapshot.

Promise: what cannot work is refused before anything listens; the address is printed once requests can come; SIGINT and
SIGTERM let requests under way end, then a snapshot is saved and the store given up. How a hanging client is cut off
stands in ``guard``.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from shopward.access import open_keys
from shopward.adapters.process import tune_collector
from shopward.errors import Misconfigured
from shopward.http.app import Application
from shopward.http.guard import guarded
from shopward.scrubber import ScrubbingFilter
from shopward.service import Shopward
from shopward.service.checks import check_settings
from shopward.values import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shopward.access import ApiKeys
    from shopward.config import Settings

KEEP_ALIVE_S: Final = 75
_SWITCH_S: Final = 0.0005
"""Python's threads hand over after 5 ms by default; the writer thread needs its turn between two requests."""


def serve(
    settings: Settings,
    *,
    say: Callable[[str], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Serve until told to stop.

    Args:
        settings: what to open and where to listen.
        say: takes the lines for the operator; standard output where ``None``.
        progress: told ``(done, of)`` by another thread while the state is rebuilt from the log.

    Raises:
        Misconfigured: a setting is unsafe, a key file is broken, or the address is taken.
        PolicyInvalid: the policy does not compile.
        StoreLocked: another decision server owns the store.
    """
    say = say or _print
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for handler in logging.getLogger().handlers:  # fails closed: what cannot be scrubbed is not written
        handler.addFilter(ScrubbingFilter())
    check_settings(settings)
    listening = _listen(settings)
    try:
        shopward = Shopward.open(settings, rebuild=False)
    except BaseException:
        listening.close()
        raise
    with listening, shopward:
        keys, first_key = open_keys(settings.folder, shopward.clock)
        if first_key is not None:
            say(f"API key: {first_key}")
        say(f"features: {shopward.kernel} kernel")
        if shopward.models:
            say(f"models: {', '.join(shopward.models)}")
        sys.setswitchinterval(_SWITCH_S)
        tune_collector()
        with asyncio.Runner(loop_factory=_loop) as runner:
            runner.run(_serve(shopward, keys, listening, say, progress))


async def _serve(
    shopward: Shopward,
    keys: ApiKeys,
    listening: socket.socket,
    say: Callable[[str], None],
    progress: Callable[[int, int], None] | None,
) -> None:
    settings = shopward.settings
    application = Application(shopward, keys)
    if progress is not None:
        application.gate.on_progress = progress
    application.start()
    server = _Server(uvicorn.Config(
        application,
        http=guarded(settings, application.express, application.refusing),
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=round(settings.shutdown_s) or 1,
        ssl_certfile=settings.tls_cert or None,
        ssl_keyfile=settings.tls_key or None,
    ))  # fmt: skip
    url = _url(settings, listening)
    server.on_started = lambda: _announce(application, settings, url, say)
    try:
        await server.serve(sockets=[listening])
    finally:
        await application.stop()


class _Server(uvicorn.Server):
    """Says when it listens, and ends on a signal without raising it again: the snapshot comes after it."""

    on_started: Callable[[], None]

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self.on_started()


def _announce(application: Application, settings: Settings, url: str, say: Callable[[str], None]) -> None:
    """Where to go; the link that opens the page without the key works once, for minutes, and only on this machine."""
    say(f"listening on {url}")
    if is_loopback(settings.host) and not settings.behind_proxy:
        say(f"page: {url}/login?once={application.pages.one_time_token()}")


def _listen(settings: Settings) -> socket.socket:
    """The bound socket; nothing is accepted before the server runs."""
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            settings.host.strip("[]"), settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        found = error.strerror or type(error).__name__
    else:
        return listening
    raise Misconfigured(
        "cannot listen there", path="host, port", expected="a free address of this machine", found=found,
        hint="choose another --port, or 0 for a free one",
    )  # fmt: skip


def _url(settings: Settings, listening: socket.socket) -> str:
    host = f"[{settings.host.strip('[]')}]" if ":" in settings.host else settings.host
    return f"{'https' if settings.has_tls else 'http'}://{host}:{listening.getsockname()[1]}"


def _loop() -> Any:
    """The loop of uvloop where it exists; asyncio's own loop serves too."""
    try:
        import uvloop  # noqa: PLC0415 -- absent on Windows
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
