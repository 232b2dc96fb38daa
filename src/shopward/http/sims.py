"""SIM swaps over HTTP: the shop asks before it texts a code by itself, or pays out on the word of a phone.

Promise: a number comes in a body and leaves for the operator alone. What was found is in the ordered log before it is answered,
so that the decision that the shop asks for next knows it. Nobody to ask is ``null``, never "no".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.http.calls import decoded, json_answer
from shopward.http.challenges import tell_once

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.http.calls import Calls
    from shopward.http.gate import Gate
    from shopward.service import Shopward


class SimAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose number it is, and the number as E.164 writes it (``+6281234567890``)."""

    user: Annotated[str, Meta(min_length=1, max_length=128)]
    phone: Annotated[str, Meta(max_length=16)]


class SimLooked(Struct):
    """Whether the SIM was changed within the time of the settings; null where nobody said."""

    swapped: bool | None


class SimCalls:
    """The handler.

    Args:
        shopward: the open engine.
        gate: records what was found.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, gate: Gate, calls: Calls) -> None:
        self._desk = shopward.sims
        self._gate = gate
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where it answers."""
        return [Route("/v1/sim-swaps", self.look, methods=["POST"])]

    async def look(self, request: Request) -> Response:
        """``POST /v1/sim-swaps``."""
        caller = self._calls.caller(request, "service")
        asked = decoded(await self._calls.body(request, caller), SimAsked)
        looked = await run_in_threadpool(self._desk.look, asked.user, asked.phone)
        await tell_once(self._gate, looked.event)
        return json_answer(SimLooked(looked.swapped))
