"""Shared Signals over HTTP, for the shop's own people: who tells us.

Promise: registering, verifying and taking away is the administrator's, looking the analyst's; what a transmitter has to show
leaves once, in the answer that registered it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from shopward.flows.transmitters import not_found
from shopward.http.calls import by_method, decoded, id_of, json_answer
from shopward.ssf.transmitters import TransmitterAsked, TransmitterView

if TYPE_CHECKING:
    from starlette.requests import Request

    from shopward.http.calls import Calls
    from shopward.service import Shopward

TRANSMITTERS: Final = "/v1/signals/transmitters"


class Transmitters(Struct):
    """All transmitters, by id."""

    transmitters: list[TransmitterView]


class SignalCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._desk = shopward.shared.transmitters
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route(TRANSMITTERS, by_method(GET=self.listed, POST=self.register), methods=["GET", "POST"]),
            Route(
                TRANSMITTERS + "/{id}", by_method(GET=self.one, DELETE=self.remove), methods=["GET", "DELETE"]
            ),
            Route(TRANSMITTERS + "/{id}/verify", self.verify, methods=["POST"]),
        ]

    async def register(self, request: Request) -> Response:
        """``POST /v1/signals/transmitters``."""
        caller = self._calls.caller(request, "admin")
        asked = decoded(await self._calls.body(request, caller), TransmitterAsked)
        return json_answer(await run_in_threadpool(self._desk.register, caller, asked), 201)

    async def listed(self, request: Request) -> Response:
        """``GET /v1/signals/transmitters``."""
        self._calls.caller(request, "analyst")
        return json_answer(Transmitters(await run_in_threadpool(self._desk.all)))

    async def one(self, request: Request) -> Response:
        """``GET /v1/signals/transmitters/{id}``."""
        self._calls.caller(request, "analyst")
        return json_answer(await run_in_threadpool(self._desk.get, _id(request)))

    async def remove(self, request: Request) -> Response:
        """``DELETE /v1/signals/transmitters/{id}``."""
        caller = self._calls.caller(request, "admin")
        await run_in_threadpool(self._desk.remove, caller, _id(request))
        return Response(status_code=204)

    async def verify(self, request: Request) -> Response:
        """``POST /v1/signals/transmitters/{id}/verify``; no body."""
        caller, transmitter_id = self._calls.caller(request, "admin"), _id(request)
        await run_in_threadpool(self._desk.verify, caller, transmitter_id)
        return json_answer(await run_in_threadpool(self._desk.get, transmitter_id), 202)


def _id(request: Request) -> str:
    given = id_of(request)
    if given is None:
        raise not_found()
    return given
