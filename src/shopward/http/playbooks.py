"""Playbooks over HTTP: which there are, one of them, as CACAO 2.0 too, and bringing one; how a run of one is shown.

Promise: what is brought is never carried out; it becomes tasks for people. Texts are in the language asked for, else English.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from shopward.errors import InvalidField
from shopward.http.calls import by_method, json_answer, language, needed_id
from shopward.incidents.cacao import written
from shopward.incidents.cacao.shapes import BYTES_MAX
from shopward.incidents.playbooks import Act, Playbook, shipped, standings
from shopward.incidents.playbooks.deeds import DEEDS, Deed
from shopward.incidents.playbooks.playbook import said, walked
from shopward.incidents.words import Kind
from shopward.values import DAY_MS, to_rfc3339

if TYPE_CHECKING:
    from starlette.requests import Request

    from shopward.http.calls import Calls
    from shopward.incidents import Incident
    from shopward.incidents.playbooks import Standing
    from shopward.service import Shopward

CACAO: str = "application/cacao+json;version=2.0"


class PlaybookHead(Struct):
    """A line of the list; ``acts`` is how many steps have something to do; ``ships`` that it came with Shopward."""

    id: str
    version: int
    name: str
    kinds: tuple[Kind, ...]
    acts: int
    ships: bool


class Playbooks(Struct):
    """The newest version of each, by id."""

    playbooks: list[PlaybookHead]


class PlaybookView(Struct):
    """One playbook, with all of its steps."""

    playbook: dict[str, Any]


class RunStep(Struct, omit_defaults=True):
    """Where a step stands.

    Attributes:
        step: ``act`` or ``branch``.
        state: ``waiting``, ``open``, ``done``, ``skipped`` or ``not_taken``.
        call: the deed of ours that it names, to be made by a person; an order is a dry run.
        answer: of a branch, what was answered; ``by_fact`` by the incident itself.
    """

    id: str
    step: str
    name: str
    state: str
    role: str = ""
    text: str = ""
    due_at: str = ""
    is_overdue: bool = False
    call: Deed | None = None
    by: str = ""
    at: str = ""
    note: str = ""
    evidence: str = ""
    answer: bool | None = None
    by_fact: bool = False


class RunView(Struct):
    """A playbook that an incident follows, in the version that it began with."""

    playbook: str
    version: int
    name: str
    begun_at: str
    begun_by: str
    steps: list[RunStep]


class PlaybookCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._desk = shopward.playbooks
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/playbooks", by_method(GET=self.listed, POST=self.bring), methods=["GET", "POST"]),
            Route("/v1/playbooks/{id}", self.one, methods=["GET"]),
        ]

    async def listed(self, request: Request) -> Response:
        """``GET /v1/playbooks``."""
        self._calls.caller(request, "analyst")
        found, spoken = await run_in_threadpool(self._desk.listed), language(request)
        return json_answer(Playbooks([_head(each, spoken) for each in found]))

    async def one(self, request: Request) -> Response:
        """``GET /v1/playbooks/{id}?format=``."""
        self._calls.caller(request, "analyst")
        name, form = needed_id(request, "playbook"), request.query_params.get("format", "json")
        if form not in ("json", "cacao"):
            raise InvalidField(
                "not a format",
                code="unknown_word",
                path="format",
                expected="json or cacao",
                found="another word",
            )
        found = await run_in_threadpool(self._desk.get, name)
        if form == "cacao":
            return Response(written(found), media_type=CACAO, headers={"cache-control": "no-store"})
        return json_answer(PlaybookView(msgspec.to_builtins(found)))

    async def bring(self, request: Request) -> Response:
        """``POST /v1/playbooks``: a CACAO 2.0 document."""
        caller = self._calls.caller(request, "analyst")
        raw = await self._calls.body(request, caller, limit=BYTES_MAX)
        made = await run_in_threadpool(self._desk.bring, caller, raw)
        return json_answer(_head(made, language(request)), 201)


def run_view(incident: Incident, spoken: str, now_ms: int) -> RunView | None:
    """The playbook that an incident follows and where each step stands; ``None`` for none."""
    run = incident.run
    if run is None:
        return None
    steps = [_step(each, incident.id, spoken, now_ms) for each in standings(incident)]
    book = run.playbook
    return RunView(book.id, book.version, said(book.name, spoken), to_rfc3339(run.begun_ms), run.by, steps)


def _head(playbook: Playbook, spoken: str) -> PlaybookHead:
    acts = sum(isinstance(each, Act) for each in walked(playbook.steps))
    ships = shipped().get(playbook.id) == playbook
    return PlaybookHead(
        playbook.id, playbook.version, said(playbook.name, spoken), playbook.kinds, acts, ships
    )


def _step(standing: Standing, incident: str, spoken: str, now_ms: int) -> RunStep:
    step = standing.step
    if not isinstance(step, Act):
        answer = standing.said
        return RunStep(
            step.id, "branch", said(step.name, spoken), standing.state, answer=standing.answer, by_fact=standing.by_fact,
            by="" if answer is None else answer.by, at="" if answer is None else to_rfc3339(answer.at_ms),
            note="" if answer is None else answer.reason,
        )  # fmt: skip
    tick, deed = standing.tick, DEEDS.get(step.deed)
    return RunStep(
        step.id, "act", said(step.name, spoken), standing.state, step.role, said(step.text, spoken),
        due_at=to_rfc3339(standing.due_ms) if standing.due_ms else "",
        is_overdue=bool(standing.due_ms) and standing.state in ("open", "waiting") and now_ms > standing.due_ms,
        call=None if deed is None else deed.of(incident, review_at=to_rfc3339(now_ms + DAY_MS)), by="" if tick is None else tick.by,
        at="" if tick is None else to_rfc3339(tick.at_ms), note="" if tick is None else tick.note,
        evidence="" if tick is None else tick.evidence,
    )  # fmt: skip
