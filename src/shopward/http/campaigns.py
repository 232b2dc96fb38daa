"""Campaigns and findings over HTTP: what decisions know now, what is recorded, and what people say of it.

Promise: the list of campaigns is the state that the next decision reads, taken between two groups: it never holds a decision
up. One campaign with its members, and findings, are the records that ``flows.record`` wrote a moment after; they stay.
Who acknowledges is told by the key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.errors import InvalidField
from shopward.findings import FINDING_STATES
from shopward.flows.found import summary
from shopward.http.calls import ID_MAX, decoded, json_answer, needed_id
from shopward.http.orders import limit_of
from shopward.http.problems import HttpRefusal
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.findings import FindingRow
    from shopward.http.calls import Calls
    from shopward.http.gate import Gate
    from shopward.service import Shopward

TOKEN_MAX: Final = 64


class Campaigns(Struct):
    """All campaigns that decisions remember, newest first."""

    campaigns: list[dict[str, Any]]


class CampaignView(Struct):
    """A recorded campaign with a page of its members; ``next`` is the ``after`` of the page that follows, if any."""

    campaign: dict[str, Any]
    acknowledged_by: str
    acknowledged_at: str
    escalations: int
    members: list[dict[str, Any]]
    next: str | None


class FindingView(Struct):
    """An earlier success to look at: the event, what it scored and what it scores with what is known now."""

    id: str
    event_id: str
    user: str
    type: str
    at: str
    found_at: str
    source: str
    campaign: str
    score: float
    rescored: float
    state: str
    changed_by: str
    changed_at: str


class Findings(Struct):
    """A page of findings, newest first; ``next`` is the ``before`` of the page that follows, if any."""

    findings: list[FindingView]
    next: str | None


class FindingSettled(Struct, forbid_unknown_fields=True):
    """What became of a finding."""

    state: Literal["acknowledged", "dismissed", "acted"]


class CampaignCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        gate: decides; its state is read between two groups.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, gate: Gate, calls: Calls) -> None:
        self._shopward = shopward
        self._cases = shopward.cases
        self._gate = gate
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/campaigns", self.campaigns, methods=["GET"]),
            Route("/v1/campaigns/{id}", self.campaign, methods=["GET"]),
            Route("/v1/campaigns/{id}/acknowledge", self.acknowledge, methods=["POST"]),
            Route("/v1/campaigns/{id}/escalate", self.escalate, methods=["POST"]),
            Route("/v1/findings", self.findings, methods=["GET"]),
            Route("/v1/findings/{id}", self.settle, methods=["POST"]),
        ]

    async def campaigns(self, request: Request) -> Response:
        """``GET /v1/campaigns``: what the next decision knows, where no thread is rebuilding it."""
        self._calls.caller(request, "analyst")
        if not self._gate.is_ready:
            raise HttpRefusal(503, "not_ready", "the state is being rebuilt from the log", retry_after_s=2.0)
        remembered = self._shopward.desk.engine.campaigns.remembered()
        standing = sorted(remembered, key=lambda each: each.id, reverse=True)
        return json_answer(Campaigns([summary(each) for each in standing]))

    async def campaign(self, request: Request) -> Response:
        """``GET /v1/campaigns/{id}?after=&limit=``."""
        self._calls.caller(request, "analyst")
        return json_answer(await self._shown(needed_id(request, "thing"), request))

    async def acknowledge(self, request: Request) -> Response:
        """``POST /v1/campaigns/{id}/acknowledge``; no body."""
        caller, campaign_id = self._calls.caller(request, "analyst"), needed_id(request, "thing")
        await run_in_threadpool(self._cases.acknowledge, caller, campaign_id)
        return json_answer(await self._shown(campaign_id, request))

    async def escalate(self, request: Request) -> Response:
        """``POST /v1/campaigns/{id}/escalate``; no body."""
        caller, campaign_id = self._calls.caller(request, "analyst"), needed_id(request, "thing")
        await run_in_threadpool(self._cases.escalate, caller, campaign_id)
        return json_answer(await self._shown(campaign_id, request))

    async def findings(self, request: Request) -> Response:
        """``GET /v1/findings?state=&campaign=&before=&limit=``."""
        self._calls.caller(request, "analyst")
        state, limit = request.query_params.get("state"), limit_of(request)
        if state is not None and state not in FINDING_STATES:
            raise InvalidField(
                "not a state", code="unknown_word", path="state", expected="one of " + ", ".join(FINDING_STATES),
                found="another word",
            )  # fmt: skip
        before, campaign = (request.query_params.get(name) for name in ("before", "campaign"))
        for name, given in (("before", before), ("campaign", campaign)):
            if given is not None and (not 1 <= len(given) <= ID_MAX or not given.isprintable()):
                raise InvalidField(
                    "not an id", path=name, expected="the id of an answer", found="another text"
                )
        found = await run_in_threadpool(
            lambda: self._cases.findings(state=state, before=before, limit=limit + 1, campaign=campaign)
        )
        shown = [_finding(row, user) for row, user in found[:limit]]
        return json_answer(Findings(shown, shown[-1].id if len(found) > limit else None))

    async def settle(self, request: Request) -> Response:
        """``POST /v1/findings/{id}``."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), FindingSettled)
        row, user = await run_in_threadpool(
            self._cases.settle, caller, needed_id(request, "thing"), asked.state
        )
        return json_answer(_finding(row, user))

    async def _shown(self, campaign_id: str, request: Request) -> CampaignView:
        limit, after = limit_of(request), request.query_params.get("after", "")
        if not (after.isascii() and len(after) <= TOKEN_MAX) or "\0" in after:
            raise InvalidField(
                "not a member", path="after", expected="the next of an answer", found="another text"
            )
        row, members = await run_in_threadpool(
            lambda: self._cases.campaign(campaign_id, after=after, limit=limit + 1)
        )
        return CampaignView(
            msgspec.json.decode(row.body), row.acknowledged_by, _at(row.acknowledged_ms), row.escalations,
            [{"user": each.user, **each.shown} for each in members[:limit]],
            members[limit - 1].token if len(members) > limit else None,
        )  # fmt: skip


def _finding(row: FindingRow, user: str) -> FindingView:
    shown = msgspec.json.decode(row.body)
    return FindingView(
        **shown, user=user, state=row.state, changed_by=row.changed_by, changed_at=_at(row.changed_ms)
    )


def _at(at_ms: int) -> str:
    return to_rfc3339(at_ms) if at_ms else ""
