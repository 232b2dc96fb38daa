"""Linked accounts over HTTP: how far an identifier reaches.

Promise: the token comes in the body and never in an address, which proxies and browsers keep; analysts alone may ask, and
every answer is audited before it leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.flows.trace import LinksAsked
from shopward.http.calls import decoded, json_answer

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.http.calls import Calls
    from shopward.service import Shopward


class LinkCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._tracer = shopward.tracer
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [Route("/v1/links", self.trace, methods=["POST"])]

    async def trace(self, request: Request) -> Response:
        """``POST /v1/links``."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), LinksAsked)
        return json_answer(await run_in_threadpool(self._tracer.trace, caller, asked))
