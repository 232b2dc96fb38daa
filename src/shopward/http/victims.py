"""Victim sets over HTTP: make one, fill it with pages, seal it, look at it.

Promise: a page with one bad line is refused whole, with the number of the line; a set that is sealed never changes.
Members are never shown: who is in a set is told by the orders about it, user by user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.errors import InvalidField, ShopwardError
from shopward.events import split_lines
from shopward.events.catalogue import Id
from shopward.flows.victims import SealAsked, SetAsked
from shopward.http.calls import NDJSON, by_method, decoded, json_answer, needed_id
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.http.calls import Calls
    from shopward.protection.members import VictimSet
    from shopward.service import Shopward

LIST_MAX = 100


class Victim(Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a page."""

    id: Id


class SetView(Struct, frozen=True, omit_defaults=True):
    """A set; ``users`` of an open one counts who is on two pages twice."""

    id: str
    name: str
    version: int
    state: str
    source: str
    users: int
    author: str
    created_at: str
    sealed_at: str = ""
    digest: str = ""


class Sets(Struct):
    """Sets, newest first."""

    sets: list[SetView]


class VictimCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._desk = shopward.victims
        self._calls = calls
        self._limits = shopward.settings.limits

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/victim-sets", by_method(GET=self.listed, POST=self.make), methods=["GET", "POST"]),
            Route("/v1/victim-sets/{id}", self.one, methods=["GET"]),
            Route("/v1/victim-sets/{id}/pages/{page:int}", self.put_page, methods=["PUT"]),
            Route("/v1/victim-sets/{id}/seal", self.seal, methods=["POST"]),
        ]

    async def make(self, request: Request) -> Response:
        """``POST /v1/victim-sets``."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), SetAsked)
        return json_answer(_view(await run_in_threadpool(self._desk.make, caller, asked)), 201)

    async def listed(self, request: Request) -> Response:
        """``GET /v1/victim-sets?name=``: the newest."""
        self._calls.caller(request)
        name = request.query_params.get("name")
        if name is not None and "\0" in name:
            raise InvalidField("not a name", path="name", expected="the name of a set", found="another text")
        found = await run_in_threadpool(lambda: self._desk.newest(name=name, limit=LIST_MAX))
        return json_answer(Sets([_view(each) for each in found]))

    async def one(self, request: Request) -> Response:
        """``GET /v1/victim-sets/{id}``."""
        self._calls.caller(request)
        return json_answer(_view(await run_in_threadpool(self._desk.get, needed_id(request, "victim set"))))

    async def put_page(self, request: Request) -> Response:
        """``PUT /v1/victim-sets/{id}/pages/{page}``: a line a user."""
        caller = self._calls.caller(request, "analyst", "service")
        raw = await self._calls.body(request, caller, media_type=NDJSON, limit=self._limits.batch_bytes_max)
        lines = split_lines(raw, limits=self._limits)
        users = [_user(line, number) for number, line in enumerate(lines, start=1)]
        set_id, page = needed_id(request, "victim set"), request.path_params["page"]
        return json_answer(_view(await run_in_threadpool(self._desk.put_page, caller, set_id, page, users)))

    async def seal(self, request: Request) -> Response:
        """``POST /v1/victim-sets/{id}/seal``; the body may be left out."""
        caller = self._calls.caller(request, "analyst")
        asked = await self._calls.optional_body(request, caller, SealAsked())
        set_id = needed_id(request, "victim set")
        return json_answer(_view(await run_in_threadpool(self._desk.seal, caller, set_id, asked)))


def _user(line: bytes, number: int) -> str:
    refused: ShopwardError
    try:
        return decoded(line, Victim).id
    except ShopwardError as error:
        refused = error
    raise InvalidField(
        "a line of the page is refused", code=refused.code, path=f"line {number}", expected=refused.expected,
        found=refused.found, hint="no line of this page was taken",
    )  # fmt: skip


def _view(held: VictimSet) -> SetView:
    is_sealed = held.state == "sealed"
    return SetView(
        held.id, held.name, held.version, held.state, held.source, held.users, held.author,
        to_rfc3339(held.created_ms), to_rfc3339(held.sealed_ms) if is_sealed else "", held.digest.hex(),
    )  # fmt: skip
