"""Shared Signals over HTTP, for the shop's own people and services: who tells us, and who hears from us of whom.

Promise: registering, verifying and taking away is the administrator's, looking the analyst's, naming customers the service's;
what a transmitter or a receiver has to show leaves once, in the answer that registered it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from shopward.flows.transmitters import not_found
from shopward.http.calls import by_method, decoded, id_of, json_answer, user_id
from shopward.ssf.receivers import ReceiverAsked, ReceiverView
from shopward.ssf.transmitters import TransmitterAsked, TransmitterView

if TYPE_CHECKING:
    from starlette.requests import Request

    from shopward.http.calls import Calls
    from shopward.service import Shopward

TRANSMITTERS: Final = "/v1/signals/transmitters"
RECEIVERS: Final = "/v1/signals/receivers"
SUBJECT: Final = RECEIVERS + "/{id}/subjects/{user}"
ROTATE: Final = "/v1/signals/keys/rotate"


class Transmitters(Struct):
    """All transmitters, by id."""

    transmitters: list[TransmitterView]


class Receivers(Struct):
    """All receivers, by partner."""

    receivers: list[ReceiverView]


class SubjectNamed(Struct, frozen=True, forbid_unknown_fields=True):
    """As whom a receiver knows a customer: a subject identifier (RFC 9493)."""

    subject: dict[str, Any]


class SignalCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._desk = shopward.shared.transmitters
        self._receivers = shopward.shared.receivers
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route(TRANSMITTERS, by_method(GET=self.listed, POST=self.register), methods=["GET", "POST"]),
            Route(
                TRANSMITTERS + "/{id}", by_method(GET=self.one, DELETE=self.remove), methods=["GET", "DELETE"]
            ),
            Route(TRANSMITTERS + "/{id}/verify", self.verify, methods=["POST"]),
            Route(RECEIVERS, by_method(GET=self.receivers, POST=self.admit), methods=["GET", "POST"]),
            Route(RECEIVERS + "/{id}", self.dismiss, methods=["DELETE"]),
            Route(SUBJECT, by_method(PUT=self.name, DELETE=self.unname), methods=["PUT", "DELETE"]),
            Route(ROTATE, self.rotate, methods=["POST"]),
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

    async def admit(self, request: Request) -> Response:
        """``POST /v1/signals/receivers``."""
        caller = self._calls.caller(request, "admin")
        asked = decoded(await self._calls.body(request, caller), ReceiverAsked)
        return json_answer(await run_in_threadpool(self._receivers.register, caller, asked), 201)

    async def receivers(self, request: Request) -> Response:
        """``GET /v1/signals/receivers``."""
        self._calls.caller(request, "analyst")
        return json_answer(Receivers(await run_in_threadpool(self._receivers.all)))

    async def dismiss(self, request: Request) -> Response:
        """``DELETE /v1/signals/receivers/{id}``."""
        caller = self._calls.caller(request, "admin")
        await run_in_threadpool(self._receivers.remove, caller, id_of(request) or "")
        return Response(status_code=204)

    async def name(self, request: Request) -> Response:
        """``PUT /v1/signals/receivers/{id}/subjects/{user}``."""
        caller = self._calls.caller(request, "service")
        asked = decoded(await self._calls.body(request, caller), SubjectNamed)
        partner, user = id_of(request) or "", user_id(id_of(request, "user"), path="user")
        await run_in_threadpool(self._receivers.name, caller, partner, user, asked.subject)
        return Response(status_code=204)

    async def unname(self, request: Request) -> Response:
        """``DELETE /v1/signals/receivers/{id}/subjects/{user}``."""
        caller = self._calls.caller(request, "service")
        partner, user = id_of(request) or "", user_id(id_of(request, "user"), path="user")
        await run_in_threadpool(self._receivers.unname, caller, partner, user)
        return Response(status_code=204)

    async def rotate(self, request: Request) -> Response:
        """``POST /v1/signals/keys/rotate``; no body."""
        caller = self._calls.caller(request, "admin")
        await run_in_threadpool(self._receivers.rotate, caller)
        return Response(status_code=204)


def _id(request: Request) -> str:
    given = id_of(request)
    if given is None:
        raise not_found()
    return given
