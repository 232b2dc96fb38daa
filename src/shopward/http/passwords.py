"""Passwords over HTTP: may this one be chosen, what is stolen under a prefix, and what attackers tried at this shop.

Promise: a password comes in a body, never in a path or a query, and leaves in no answer, log or error. The range call
speaks the protocol of Have I Been Pwned (``GET .../range/XXXXX``, ``Add-Padding``), so that its clients can ask here.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from shopward.http.calls import decoded, json_answer, language
from shopward.screening.passwords.ranges import prefix_of, range_body

if TYPE_CHECKING:
    from starlette.requests import Request

    from shopward.http.calls import Calls
    from shopward.service import Shopward

Password = Annotated[str, Meta(min_length=1, max_length=4_096)]


class PasswordAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """A password that somebody wants to take.

    Attributes:
        password: as typed.
        context: words of the person by any name, and ``sole_factor``: whether it is all that a login asks for.
        id: comes back.
    """

    password: Password
    context: Annotated[dict[str, str | bool | int | float | list[str] | None], Meta(max_length=50)] = {}
    id: Annotated[str, Meta(max_length=128)] = ""


class PasswordReasonView(Struct):
    """Why: a stable code and its text."""

    code: str
    text: str


class PasswordScreened(Struct, omit_defaults=True):
    """The verdict; ``breach_count`` is null where no corpus answered."""

    verdict: str
    reasons: list[PasswordReasonView]
    breach_count: int | None
    strength: int
    guesses_log10: float
    id: str = ""


class PasswordsTold(Struct, frozen=True, forbid_unknown_fields=True):
    """Passwords that attackers tried, or that leaked, at this shop."""

    passwords: Annotated[list[Password], Meta(min_length=1, max_length=10_000)]


class PasswordsRemembered(Struct):
    """How many were new, and how many are known now."""

    new: int
    known: int


class PasswordCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._desk = shopward.passwords
        self._calls = calls
        self._padding = random.SystemRandom()

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/screen/passwords", self.screen, methods=["POST"]),
            Route("/v1/screen/passwords/range/{prefix}", self.range, methods=["GET"]),
            Route("/v1/screen/passwords/incidents", self.remember, methods=["POST"]),
        ]

    async def screen(self, request: Request) -> Response:
        """``POST /v1/screen/passwords``."""
        caller = self._calls.caller(request, "service", "analyst", "admin")
        asked = decoded(await self._calls.body(request, caller), PasswordAsked)
        found = await run_in_threadpool(
            lambda: self._desk.screen(asked.password, context=asked.context, language=language(request))
        )
        reasons = [PasswordReasonView(each.code, each.text) for each in found.reasons]
        return json_answer(
            PasswordScreened(
                found.verdict, reasons, found.breach_count, found.strength, found.guesses_log10, asked.id
            )
        )

    async def range(self, request: Request) -> Response:
        """``GET /v1/screen/passwords/range/{prefix}``; the header ``Add-Padding: true`` hides how many there are."""
        self._calls.caller(request)
        prefix = prefix_of(request.path_params["prefix"])
        padding = self._padding if request.headers.get("add-padding", "").lower() == "true" else None
        body = await run_in_threadpool(lambda: range_body(self._desk.range(prefix), padding=padding))
        return Response(body, media_type="text/plain", headers={"cache-control": "no-store"})

    async def remember(self, request: Request) -> Response:
        """``POST /v1/screen/passwords/incidents``."""
        caller = self._calls.caller(request, "admin")
        asked = decoded(await self._calls.body(request, caller), PasswordsTold)
        new = await run_in_threadpool(self._desk.remember, caller, asked.passwords)
        return json_answer(PasswordsRemembered(new, len(self._desk.incidents)))
