"""Lines over HTTP: declared by admins, watched and answered by analysts.

Promise: each answer is the line as it stands, with what to do now, in the language asked for. A service may read, so that a shop can
say on its own pages whether its number still speaks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.events.catalogue import Moment
from shopward.flows.line import LineAsked
from shopward.http.calls import by_method, decoded, json_answer, language, needed_id
from shopward.lines.signals import Work
from shopward.lines.view import LineView, view
from shopward.values import to_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.http.calls import Calls
    from shopward.lines.line import Line
    from shopward.service import Shopward

Why = Annotated[str, Meta(min_length=1, max_length=500)]


class TicketAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Work that is going to be done on a line; from now where ``starts`` is not said."""

    work: Work
    ends: Moment
    reason: Why
    starts: Moment | UnsetType = UNSET


class CondemnAsked(Struct, forbid_unknown_fields=True):
    """Why."""

    reason: Why


class RestoreAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Why, and whether the two-step PIN was set anew where no signal told so."""

    reason: Why
    pin_is_new: bool = False


class Lines(Struct):
    """All lines."""

    lines: list[LineView]


class LineCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._desk = shopward.lines
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        one = "/v1/lines/{id}"
        return [
            Route("/v1/lines", by_method(GET=self.listed, POST=self.declare), methods=["GET", "POST"]),
            Route(one, self.one, methods=["GET"]),
            Route(one + "/tickets", self.announce, methods=["POST"]),
            Route(one + "/condemn", self.condemn, methods=["POST"]),
            Route(one + "/restore", self.restore, methods=["POST"]),
        ]

    async def listed(self, request: Request) -> Response:
        """``GET /v1/lines``."""
        self._calls.caller(request, "service", "analyst")
        found = await run_in_threadpool(self._desk.listed)
        return json_answer(Lines([view(each, language=language(request)) for each in found]))

    async def declare(self, request: Request) -> Response:
        """``POST /v1/lines``."""
        caller = self._calls.caller(request, "admin")
        asked = decoded(await self._calls.body(request, caller), LineAsked)
        made = await run_in_threadpool(self._desk.declare, caller, asked)
        return json_answer(view(made, language=language(request)), 201)

    async def one(self, request: Request) -> Response:
        """``GET /v1/lines/{id}``."""
        self._calls.caller(request, "service", "analyst")
        line, signals = await run_in_threadpool(self._desk.get, needed_id(request, "line"))
        return json_answer(view(line, language=language(request), signals=signals))

    async def announce(self, request: Request) -> Response:
        """``POST /v1/lines/{id}/tickets``."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), TicketAsked)
        from_ms = None if asked.starts is UNSET else to_ms(asked.starts)
        return await self._stepped(
            request,
            lambda name: self._desk.announce(
                caller, name, asked.work, from_ms=from_ms, until_ms=to_ms(asked.ends), reason=asked.reason
            ),
            201,
        )

    async def condemn(self, request: Request) -> Response:
        """``POST /v1/lines/{id}/condemn``."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), CondemnAsked)
        return await self._stepped(request, lambda name: self._desk.condemn(caller, name, asked.reason))

    async def restore(self, request: Request) -> Response:
        """``POST /v1/lines/{id}/restore``."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), RestoreAsked)
        return await self._stepped(
            request,
            lambda name: self._desk.restore(caller, name, asked.reason, pin_is_new=asked.pin_is_new),
        )

    async def _stepped(self, request: Request, step: Callable[[str], Line], status: int = 200) -> Response:
        after = await run_in_threadpool(step, needed_id(request, "line"))
        return json_answer(view(after, language=language(request)), status)
