"""``ports.Messenger`` over HTTP/1.1: a POST, of whose answer the status is read and nothing else.

Promise: what ``calling`` promises, from looking up the name to the last byte of the answer's head; its body is not read at
all. What a receiver says leaves this module as a word of a few, never as text.

A URL of the shop's own network is allowed: who may make webhooks administers this server.
"""

from __future__ import annotations

import ssl

from shopward.adapters.calling import Caller


class HttpMessenger:
    """Carries messages; for one event loop.

    Args:
        timeout_s: for everything.
    """

    def __init__(self, *, timeout_s: float) -> None:
        self._caller = Caller(timeout_s=timeout_s, body_bytes_max=0, tls=ssl.create_default_context())

    async def carry(self, url: str, headers: dict[str, str], body: bytes) -> str:
        """``http_`` and the status, or ``timeout``, ``no_address``, ``no_connection``, ``tls``, ``not_http``."""
        sent = {"content-type": "application/json"} | headers
        heard = await self._caller.ask_beside("POST", url, headers=sent, body=body)
        return f"http_{heard.status}" if heard.status else heard.lacks
