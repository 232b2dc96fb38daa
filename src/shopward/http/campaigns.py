"""Campaigns and findings over HTTP, as the decisions know them now.

Promise: what is answered is the state that the next decision reads: campaigns that are live or ended within two weeks, and the
findings of the window of their kind. It is read between two groups and never holds a decision up. It is no record yet:
older ones are forgotten, and nobody can acknowledge one here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct
from starlette.routing import Route

from shopward.flows.found import summary
from shopward.http.calls import json_answer
from shopward.http.problems import HttpRefusal
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.http.calls import Calls
    from shopward.http.gate import Gate
    from shopward.risk.campaigns import CampaignBook, Finding
    from shopward.service import Shopward


class Campaigns(Struct):
    """All campaigns that are remembered, newest first."""

    campaigns: list[dict[str, Any]]


class FindingView(Struct):
    """An earlier success to look at: the event, what it scored and what it scores with what is known now."""

    id: str
    event_id: str
    type: str
    at: str
    found_at: str
    source: str
    campaign: str
    score: float
    rescored: float


class Findings(Struct):
    """Findings that are remembered, newest first."""

    findings: list[FindingView]


class CampaignCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        gate: decides; its state is read between two groups.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, gate: Gate, calls: Calls) -> None:
        self._shopward = shopward
        self._gate = gate
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/campaigns", self.campaigns, methods=["GET"]),
            Route("/v1/findings", self.findings, methods=["GET"]),
        ]

    async def campaigns(self, request: Request) -> Response:
        """``GET /v1/campaigns``."""
        self._calls.caller(request, "analyst")
        standing = sorted(self._book().remembered(), key=lambda each: each.id, reverse=True)
        return json_answer(Campaigns([summary(each) for each in standing]))

    async def findings(self, request: Request) -> Response:
        """``GET /v1/findings``."""
        self._calls.caller(request, "analyst")
        found = sorted(self._book().findings(), key=lambda each: (each.found_ms, each.id), reverse=True)
        return json_answer(Findings([_view(each) for each in found]))

    def _book(self) -> CampaignBook:
        """The state, where no thread is rebuilding it."""
        if not self._gate.is_ready:
            raise HttpRefusal(503, "not_ready", "the state is being rebuilt from the log", retry_after_s=2.0)
        return self._shopward.desk.engine.campaigns


def _view(finding: Finding) -> FindingView:
    return FindingView(
        finding.id,
        finding.event_id,
        finding.type,
        to_rfc3339(finding.at_ms),
        to_rfc3339(finding.found_ms),
        finding.source,
        finding.campaign,
        finding.score_centi / 100,
        finding.rescored_centi / 100,
    )
