"""The audit log over HTTP: the newest signed checkpoint, for a machine that keeps it elsewhere.

Promise: the answer is the file that ``shopward audit verify --checkpoint`` takes. It is nothing secret and names nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.errors import NotFound
from shopward.http.calls import json_answer

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.http.calls import Calls
    from shopward.service import Shopward

CHECKPOINT = "/v1/audit/checkpoint"


class AuditCalls:
    """The handler.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._notary = shopward.notary
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where it answers."""
        return [Route(CHECKPOINT, self.checkpoint, methods=["GET"])]

    async def checkpoint(self, request: Request) -> Response:
        """``GET /v1/audit/checkpoint``."""
        self._calls.caller(request)
        newest = await run_in_threadpool(self._notary.newest)
        if newest is None:
            raise NotFound(
                "nothing is signed yet", expected="a day on which something was done", found="no checkpoint"
            )
        return json_answer(newest)
