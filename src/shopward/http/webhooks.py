"""Webhooks over HTTP: make, look at, rotate, test, replay, remove.

Promise: who is told is an administrator's matter; a secret leaves once, in the answer that made it. A test and a replay
are asked for here and carried out beside the server: what came of them stands in ``/deliveries``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from shopward.errors import InvalidField
from shopward.http.calls import by_method, decoded, json_answer, needed_id
from shopward.http.orders import before_of, limit_of
from shopward.outbox.endpoints import STATES, DeliveryView, WebhookAsked, WebhookView, delivery_view

if TYPE_CHECKING:
    from starlette.requests import Request

    from shopward.http.beside import Beside
    from shopward.http.calls import Calls
    from shopward.service import Shopward


class Webhooks(Struct):
    """All endpoints, oldest first."""

    webhooks: list[WebhookView]


class Deliveries(Struct):
    """A page of deliveries, newest first; ``next`` is the ``before`` of the page that follows, if any."""

    deliveries: list[DeliveryView]
    next: str | None


class TestSent(Struct):
    """The test message that is on its way."""

    message_id: str


class Replayed(Struct):
    """How many deliveries are tried again."""

    replayed: int


class WebhookCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
        beside: sends.
    """

    def __init__(self, shopward: Shopward, calls: Calls, beside: Beside) -> None:
        self._desk = shopward.webhooks
        self._calls = calls
        self._beside = beside

    def routes(self) -> list[Route]:
        """Where they answer."""
        both = by_method(GET=self.listed, POST=self.create)
        one = by_method(GET=self.one, DELETE=self.remove)
        return [
            Route("/v1/webhooks", both, methods=["GET", "POST"]),
            Route("/v1/webhooks/{id}", one, methods=["GET", "DELETE"]),
            Route("/v1/webhooks/{id}/rotate", self.rotate, methods=["POST"]),
            Route("/v1/webhooks/{id}/test", self.test, methods=["POST"]),
            Route("/v1/webhooks/{id}/replay", self.replay, methods=["POST"]),
            Route("/v1/webhooks/{id}/deliveries", self.deliveries, methods=["GET"]),
        ]

    async def create(self, request: Request) -> Response:
        """``POST /v1/webhooks``."""
        caller = self._calls.caller(request, "admin")
        asked = decoded(await self._calls.body(request, caller), WebhookAsked)
        return json_answer(await run_in_threadpool(self._desk.create, caller, asked), 201)

    async def listed(self, request: Request) -> Response:
        """``GET /v1/webhooks``."""
        self._calls.caller(request, "analyst")
        return json_answer(Webhooks(await run_in_threadpool(self._desk.all)))

    async def one(self, request: Request) -> Response:
        """``GET /v1/webhooks/{id}``."""
        self._calls.caller(request, "analyst")
        return json_answer(await run_in_threadpool(self._desk.get, needed_id(request, "webhook")))

    async def remove(self, request: Request) -> Response:
        """``DELETE /v1/webhooks/{id}``."""
        caller = self._calls.caller(request, "admin")
        await run_in_threadpool(self._desk.remove, caller, needed_id(request, "webhook"))
        return Response(status_code=204)

    async def rotate(self, request: Request) -> Response:
        """``POST /v1/webhooks/{id}/rotate``; no body."""
        caller = self._calls.caller(request, "admin")
        return json_answer(await run_in_threadpool(self._desk.rotate, caller, needed_id(request, "webhook")))

    async def test(self, request: Request) -> Response:
        """``POST /v1/webhooks/{id}/test``; no body."""
        caller = self._calls.caller(request, "admin")
        sent = TestSent(await run_in_threadpool(self._desk.test, caller, needed_id(request, "webhook")))
        self._beside.wake()
        return json_answer(sent, 202)

    async def replay(self, request: Request) -> Response:
        """``POST /v1/webhooks/{id}/replay``; no body."""
        caller = self._calls.caller(request, "admin")
        count = await run_in_threadpool(self._desk.replay, caller, needed_id(request, "webhook"))
        self._beside.wake()
        return json_answer(Replayed(count), 202)

    async def deliveries(self, request: Request) -> Response:
        """``GET /v1/webhooks/{id}/deliveries?state=&before=&limit=``."""
        self._calls.caller(request, "analyst")
        endpoint_id, limit, before = needed_id(request, "webhook"), limit_of(request), before_of(request)
        state = request.query_params.get("state")
        if state is not None and state not in STATES:
            raise InvalidField(
                "not a state", code="unknown_word", path="state", expected="one of " + ", ".join(STATES),
                found="another word",
            )  # fmt: skip
        found = await run_in_threadpool(
            lambda: self._desk.deliveries(endpoint_id, state=state, before=before, limit=limit + 1)
        )
        shown = [delivery_view(each) for each in found[:limit]]
        return json_answer(Deliveries(shown, shown[-1].message_id if len(found) > limit else None))
