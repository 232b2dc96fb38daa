"""Processing over HTTP: the register, the record in three forms, and consents.

Promise: declaring takes an admin, the record an analyst; a service says what its customers agreed to and reads it back.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from shopward.errors import InvalidField
from shopward.flows.dossier import ConsentView, consent_view
from shopward.flows.processing import ConsentSaid
from shopward.http.calls import by_method, decoded, id_of, json_answer, language, user_id
from shopward.processing.activity import NAME, NOTICE, Activity
from shopward.processing.record import as_csv, as_html
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from starlette.requests import Request

    from shopward.http.calls import Calls
    from shopward.processing.store import InForce
    from shopward.service import Shopward

FORMATS: Final = ("json", "csv", "html")


class ActivityView(Struct):
    """An activity in force; version 0 and nobody for one that ships."""

    name: str
    version: int
    declared_by: str
    declared_at: str
    activity: Activity


class Activities(Struct):
    """What is in force, by name."""

    notice: str
    activities: list[ActivityView]


class Consents(Struct):
    """Every line of a customer, by purpose, oldest first."""

    consents: list[ConsentView]


class ProcessingCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._desk = shopward.processing
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/processing/activities", self.activities, methods=["GET"]),
            Route("/v1/processing/activities/{name}", self.declare, methods=["PUT"]),
            Route("/v1/processing/record", self.record, methods=["GET"]),
            Route(
                "/v1/users/{id}/consents",
                by_method(GET=self.consents, POST=self.say),
                methods=["GET", "POST"],
            ),
        ]

    async def activities(self, request: Request) -> Response:
        """``GET /v1/processing/activities``."""
        self._calls.caller(request, "service", "analyst")
        found = await run_in_threadpool(self._desk.activities)
        return json_answer(Activities(NOTICE, [_view(each) for each in found]))

    async def declare(self, request: Request) -> Response:
        """``PUT /v1/processing/activities/{name}``."""
        caller = self._calls.caller(request, "admin")
        name = request.path_params["name"]
        if not re.fullmatch(NAME, name):
            raise InvalidField(
                "not a name of an activity",
                path="name",
                expected="a to z, 0 to 9 and _, at most 48",
                found="another text",
            )
        activity = decoded(await self._calls.body(request, caller), Activity)
        return json_answer(_view(await run_in_threadpool(self._desk.declare, caller, name, activity)))

    async def record(self, request: Request) -> Response:
        """``GET /v1/processing/record?format=``."""
        self._calls.caller(request, "analyst")
        form = request.query_params.get("format", "json")
        if form not in FORMATS:
            raise InvalidField(
                "not a format", code="unknown_word", path="format", expected="one of " + ", ".join(FORMATS),
                found="another word",
            )  # fmt: skip
        made = await run_in_threadpool(self._desk.record, language(request))
        if form == "json":
            return json_answer(made)
        text, media = (as_csv(made), "text/csv") if form == "csv" else (as_html(made), "text/html")
        return Response(text, media_type=media, headers={"cache-control": "no-store"})

    async def consents(self, request: Request) -> Response:
        """``GET /v1/users/{id}/consents``."""
        self._calls.caller(request, "service", "analyst")
        found = await run_in_threadpool(self._desk.consents, _user(request))
        return json_answer(Consents([consent_view(each) for each in found]))

    async def say(self, request: Request) -> Response:
        """``POST /v1/users/{id}/consents``."""
        caller = self._calls.caller(request, "service", "analyst")
        said = decoded(await self._calls.body(request, caller), ConsentSaid)
        return json_answer(
            consent_view(await run_in_threadpool(self._desk.say, caller, _user(request), said)), 201
        )


def _view(found: InForce) -> ActivityView:
    at = to_rfc3339(found.at_ms) if found.at_ms else ""
    return ActivityView(found.name, found.version, found.person, at, found.activity)


def _user(request: Request) -> str:
    return user_id(id_of(request))
