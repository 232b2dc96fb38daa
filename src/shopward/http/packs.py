"""Evidence packs over HTTP: one archive of an incident for an auditor.

Promise: nothing leaves before its line stands in the audit log and a checkpoint is signed after it. Admins alone ask for one: it
goes out of the house.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from shopward.http.calls import language, needed_id

if TYPE_CHECKING:
    from starlette.requests import Request

    from shopward.http.calls import Calls
    from shopward.service import Shopward

ZIP: Final = "application/zip"


class PackCalls:
    """The handler.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._desk = shopward.packs
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where it answers."""
        return [Route("/v1/incidents/{id}/pack", self.pack, methods=["GET"])]

    async def pack(self, request: Request) -> Response:
        """``GET /v1/incidents/{id}/pack``: a zip; its index is in the language asked for."""
        caller, name, spoken = (
            self._calls.caller(request, "admin"),
            needed_id(request, "incident"),
            language(request),
        )
        made = await run_in_threadpool(lambda: self._desk.pack(caller, name, spoken=spoken))
        return Response(made, media_type=ZIP, headers={"cache-control": "no-store"})
