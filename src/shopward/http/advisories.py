"""Advisories over HTTP: a provider's trouble, placed by one person and ended by two.

Promise: as ``orders``: an answer to a change leaves after it is committed and, unless the log cannot record just now,
after the log has it; who approves is told by the key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.flows.advise import AdvisoryAsked
from shopward.flows.protect import Exempted
from shopward.http.calls import decoded, json_answer, language, needed_id
from shopward.http.orders import ExceptionsAsked, ReleaseAsked
from shopward.protection.orders import Measured
from shopward.protection.view import OrderView, view

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.flows.advise import Advisory
    from shopward.http.calls import Calls
    from shopward.http.gate import Gate
    from shopward.service import Shopward

_PENDING: Final = 202


class AdvisoryView(Struct, omit_defaults=True):
    """An advisory: one id, its orders with what customers are told, and for a dry run whom it would reach."""

    id: str
    provider: str
    incident: str
    orders: list[OrderView]
    measured: Measured | None = None


class AdvisoryExempted(Struct):
    """How many users were let out of each of its orders now, and how many had been before."""

    orders: list[Exempted]


class AdvisoryCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        gate: takes changed orders into the log.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, gate: Gate, calls: Calls) -> None:
        self._desk = shopward.advisories
        self._clock = shopward.clock
        self._gate = gate
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/advisories", self.place, methods=["POST"]),
            Route("/v1/advisories/{id}", self.one, methods=["GET"]),
            Route("/v1/advisories/{id}/approve", self.approve, methods=["POST"]),
            Route("/v1/advisories/{id}/release", self.release, methods=["POST"]),
            Route("/v1/advisories/{id}/exceptions", self.exceptions, methods=["POST"]),
        ]

    async def place(self, request: Request) -> Response:
        """``POST /v1/advisories``."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), AdvisoryAsked)
        return await self._changed(request, lambda: self._desk.place(caller, asked), 201)

    async def one(self, request: Request) -> Response:
        """``GET /v1/advisories/{id}``."""
        self._calls.caller(request)
        advisory = await run_in_threadpool(self._desk.get, needed_id(request, "advisory"))
        return json_answer(self._view(request, advisory))

    async def approve(self, request: Request) -> Response:
        """``POST /v1/advisories/{id}/approve``; no body."""
        caller = self._calls.caller(request, "analyst")
        name = needed_id(request, "advisory")
        return await self._changed(request, lambda: self._desk.approve(caller, name))

    async def release(self, request: Request) -> Response:
        """``POST /v1/advisories/{id}/release``; the body may be left out."""
        caller = self._calls.caller(request, "analyst")
        asked = await self._calls.optional_body(request, caller, ReleaseAsked())
        name = needed_id(request, "advisory")
        return await self._changed(
            request, lambda: self._desk.release(caller, name, withdraw=asked.withdraw),
            200 if asked.withdraw else _PENDING,
        )  # fmt: skip

    async def exceptions(self, request: Request) -> Response:
        """``POST /v1/advisories/{id}/exceptions``."""
        caller = self._calls.caller(request, "analyst", "service")
        asked = decoded(await self._calls.body(request, caller), ExceptionsAsked)
        name = needed_id(request, "advisory")
        done = await run_in_threadpool(
            lambda: self._desk.exempt(caller, name, asked.users, cause=asked.cause, evidence=asked.evidence)
        )
        await self._gate.take_orders()
        return json_answer(AdvisoryExempted(done))

    async def _changed(self, request: Request, work: Callable[[], Advisory], status: int = 200) -> Response:
        advisory = await run_in_threadpool(work)
        await self._gate.take_orders()
        return json_answer(self._view(request, advisory), status)

    def _view(self, request: Request, advisory: Advisory) -> AdvisoryView:
        at_ms, spoken = self._clock.now_ms(), language(request)
        first = advisory.orders[0]
        shown = [view(order, language=spoken, at_ms=at_ms) for order in advisory.orders]
        return AdvisoryView(advisory.id, first.standing.provider, first.incident, shown, first.measured)
