"""Campaigns and incidents as STIX 2.1 over HTTP.

Promise: nothing of a customer is in an answer; addresses are where ``indicators=ip`` asks for them. Each answer is audited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from shopward.errors import InvalidField
from shopward.http.calls import needed_id
from shopward.http.openapi import ID, get, parameter
from shopward.incidents.stix import MEDIA, Tlp

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from shopward.http.calls import Calls
    from shopward.service import Shopward

INDICATORS: Final = ("none", "ip")


class CooperationCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._desk = shopward.cooperation
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/campaigns/{id}/stix", self.campaign, methods=["GET"]),
            Route("/v1/incidents/{id}/stix", self.incident, methods=["GET"]),
        ]

    async def campaign(self, request: Request) -> Response:
        """``GET /v1/campaigns/{id}/stix?tlp=&indicators=``."""
        return await self._answer(request, self._desk.campaign, "campaign")

    async def incident(self, request: Request) -> Response:
        """``GET /v1/incidents/{id}/stix?tlp=&indicators=``."""
        return await self._answer(request, self._desk.incident, "incident")

    async def _answer(self, request: Request, told: Callable[..., bytes], noun: str) -> Response:
        caller, name = self._calls.caller(request, "analyst"), needed_id(request, noun)
        tlp = _word(request, "tlp", get_args(Tlp), "amber")
        asked = _word(request, "indicators", INDICATORS, "none")
        made = await run_in_threadpool(lambda: told(caller, name, tlp=tlp, with_addresses=asked == "ip"))
        return Response(made, media_type=MEDIA, headers={"cache-control": "no-store"})


def cooperation_paths() -> dict[str, Any]:
    """What the OpenAPI document says of them; a bundle is its own specification's."""
    asked = [
        ID,
        parameter("tlp", "query", {"enum": list(get_args(Tlp))}),
        parameter("indicators", "query", {"enum": list(INDICATORS)}),
    ]
    return {
        f"/v1/{kind}s/{{id}}/stix": {"get": _get(kind, title, asked)}
        for kind, title in (("campaign", "A campaign as STIX 2.1"), ("incident", "An incident as STIX 2.1"))
    }


def _get(kind: str, title: str, asked: list[Any]) -> dict[str, Any]:
    made = get(
        f"{kind}_stix",
        title,
        "Without anything of a customer; audited.",
        "Problem",
        asked,
        "403",
        "404",
        "422",
    )
    bundle = {"schema": {"type": "object", "description": "A STIX 2.1 bundle."}}
    made["responses"]["200"] = {"description": "The bundle", "content": {MEDIA: bundle}}
    return made


def _word(request: Request, name: str, words: tuple[str, ...], default: str) -> str:
    found = request.query_params.get(name, default)
    if found not in words:
        raise InvalidField(
            "not a word of this list", code="unknown_word", path=name, expected="one of " + ", ".join(words),
            found="another word",
        )  # fmt: skip
    return found
