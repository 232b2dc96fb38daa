"""Incidents over HTTP: open one, take steps, see what the law asks and by when, read the drafts of notices.

Promise: every step is a word of a closed list with its own fields, committed and audited before it is answered. An answer says each
time that what it states of the law is not legal advice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, get_args

from msgspec import UNSET, Meta, Struct, UnsetType, structs, to_builtins
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from shopward.adapters.documents import as_pdf
from shopward.errors import InvalidField
from shopward.events.catalogue import Moment
from shopward.http.calls import by_method, decoded, id_of, json_answer, language, needed_id
from shopward.http.headers import document_policy
from shopward.http.incident_steps import IncidentStep, PlaybookStep, ScopeStep, Taker, ms_of
from shopward.http.orders import before_of, limit_of
from shopward.http.playbooks import RunView, run_view
from shopward.incidents.drafts import STYLE, as_html
from shopward.incidents.incident import Severity, State
from shopward.incidents.law import NOTICE
from shopward.incidents.words import Kind, Short
from shopward.notices.mailing import UNREACHED
from shopward.values import to_rfc3339, with_times

if TYPE_CHECKING:
    from starlette.requests import Request

    from shopward.flows.incident import IncidentDesk
    from shopward.http.calls import Calls
    from shopward.incidents import Incident
    from shopward.incidents.obligations import Obligation
    from shopward.service import Shopward

PDF: Final = "application/pdf"
STATES: Final[tuple[State, ...]] = get_args(State)


class IncidentAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A new incident: from a ``campaign``, a leak, a signal or by hand; under a ``playbook``, if one is named."""

    title: Short
    kind: Kind
    severity: Severity = "medium"
    campaign: Annotated[str, Meta(max_length=64)] = ""
    began: Moment | UnsetType = UNSET
    ended: Moment | UnsetType = UNSET
    playbook: Annotated[str, Meta(max_length=64)] = ""


class ObligationView(Struct, omit_defaults=True):
    """What a rule asks: whom to tell by when, why it applies, what the notice still has to say."""

    rule: str
    version: int
    jurisdiction: str
    recipient: str
    name: str
    law: str
    basis: str
    status: str
    inputs: tuple[str, ...]
    is_complete: bool
    clock: str = ""
    started_at: str = ""
    due_at: str = ""
    missing: tuple[str, ...] = ()
    sent_at: str = ""
    followup_due_at: str = ""
    followup: str = ""
    waits_for: str = ""


class MailingHead(Struct):
    """A mailing about an incident: the duty that it meets, where it stands, and how far it is."""

    id: str
    rule: str
    state: str
    queued: int
    sent: int
    unreached: int


class IncidentView(Struct):
    """An incident with what is owed, how many users its newest scope has, who was told, and its playbook;
    ``note`` says what this is not.

    A mailing's ``unreached`` are people for whom no route is left: the notice is owed to them still.
    """

    incident: dict[str, Any]
    obligations: list[ObligationView]
    victims: dict[str, int]
    mailings: list[MailingHead]
    playbook: RunView | None = None
    note: str = NOTICE


class IncidentHead(Struct):
    """A line of the list."""

    id: str
    title: str
    kind: str
    severity: str
    state: str
    opened_at: str


class Incidents(Struct):
    """A page of incidents, newest first; ``next`` is the ``before`` of the page that follows, if any."""

    incidents: list[IncidentHead]
    next: str | None


class IncidentCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._desk: IncidentDesk = shopward.incidents
        self._playbooks = shopward.playbooks
        self._clock = shopward.clock
        self._ids = shopward.ids
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/incidents", by_method(GET=self.listed, POST=self.open), methods=["GET", "POST"]),
            Route("/v1/incidents/{id}", self.one, methods=["GET"]),
            Route("/v1/incidents/{id}/steps", self.step, methods=["POST"]),
            Route("/v1/incidents/{id}/notices/{rule}", self.draft, methods=["GET"]),
        ]

    async def open(self, request: Request) -> Response:
        """``POST /v1/incidents``."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), IncidentAsked)
        playbook = await run_in_threadpool(self._playbooks.get, asked.playbook) if asked.playbook else None
        made = await run_in_threadpool(
            lambda: self._desk.open(
                caller, title=asked.title, kind=asked.kind, severity=asked.severity, campaign=asked.campaign,
                began_ms=ms_of(asked.began), ended_ms=ms_of(asked.ended), playbook=playbook,
            )
        )  # fmt: skip
        return json_answer(await self._shown(made.id, request), 201)

    async def listed(self, request: Request) -> Response:
        """``GET /v1/incidents?state=&before=&limit=``."""
        self._calls.caller(request, "analyst")
        limit, before, state = (
            limit_of(request),
            before_of(request) or "",
            request.query_params.get("state", ""),
        )
        if state and state not in STATES:
            raise InvalidField(
                "not a state", code="unknown_word", path="state", expected="one of " + ", ".join(STATES),
                found="another word",
            )  # fmt: skip
        found = await run_in_threadpool(
            lambda: self._desk.listed(state=state, before=before, limit=limit + 1)
        )
        shown = [
            IncidentHead(
                each.id, each.title, each.kind, each.severity, each.state, to_rfc3339(each.created_ms)
            )
            for each in found[:limit]
        ]
        return json_answer(Incidents(shown, shown[-1].id if len(found) > limit else None))

    async def one(self, request: Request) -> Response:
        """``GET /v1/incidents/{id}``."""
        self._calls.caller(request, "analyst")
        return json_answer(await self._shown(needed_id(request, "incident"), request))

    async def step(self, request: Request) -> Response:
        """``POST /v1/incidents/{id}/steps``."""
        caller, name = self._calls.caller(request, "analyst"), needed_id(request, "incident")
        asked: IncidentStep = decoded(await self._calls.body(request, caller), IncidentStep)  # type: ignore[arg-type] # a union
        named = asked.playbook if isinstance(asked, PlaybookStep) else ""
        playbook = await run_in_threadpool(self._playbooks.get, named) if named else None
        sets = list(asked.sets.values()) if isinstance(asked, ScopeStep) else []

        def take(incident: Incident, by: str, now_ms: int) -> Incident:
            return asked.take(incident, Taker(by, now_ms, self._ids.new, playbook))

        word = str(asked.__struct_config__.tag)
        await run_in_threadpool(lambda: self._desk.step(caller, name, word, take, sets=sets))
        return json_answer(await self._shown(name, request))

    async def draft(self, request: Request) -> Response:
        """``GET /v1/incidents/{id}/notices/{rule}?language=``: JSON, or HTML or PDF where that is accepted first."""
        self._calls.caller(request, "analyst")
        name, rule = needed_id(request, "incident"), id_of(request, "rule") or ""
        spoken = request.query_params.get("language") or language(request)
        made = await run_in_threadpool(lambda: self._desk.draft(name, rule, spoken))
        accepted, unkept = request.headers.get("accept", ""), {"cache-control": "no-store"}
        if accepted.startswith("text/html"):
            return HTMLResponse(
                as_html(made), headers=unkept | {"content-security-policy": document_policy(STYLE)}
            )
        if accepted.startswith(PDF):
            page = await run_in_threadpool(lambda: as_pdf(made, at_ms=self._clock.now_ms()))
            return Response(page, media_type=PDF, headers=unkept)
        return json_answer(made)

    async def _shown(self, incident_id: str, request: Request) -> IncidentView:
        spoken = language(request)
        return await run_in_threadpool(
            lambda: shown_incident(self._desk, incident_id, spoken=spoken, now_ms=self._clock.now_ms())
        )


def shown_incident(desk: IncidentDesk, incident_id: str, *, spoken: str, now_ms: int) -> IncidentView:
    """An incident as answers show it; raises ``NotFound``."""
    incident, owed, counts = desk.get(incident_id)
    mailings = [
        MailingHead(
            each.id, each.rule, each.state, told.get("queued", 0), told.get("sent", 0),
            sum(told.get(state, 0) for state in UNREACHED),
        )
        for each, told in desk.mailings(incident_id)
    ]  # fmt: skip
    run = run_view(incident, spoken, now_ms)
    plain = structs.replace(incident, run=None)
    return IncidentView(
        with_times(to_builtins(plain), is_short=True),
        [_obligation(each) for each in owed],
        counts,
        mailings,
        run,
    )


def _obligation(owed: Obligation) -> ObligationView:
    return ObligationView(
        owed.rule, owed.version, owed.jurisdiction, owed.recipient, owed.name, owed.law, owed.basis, owed.status, owed.inputs,
        owed.is_complete, owed.clock, _at(owed.started_ms), _at(owed.due_ms), owed.missing, _at(owed.sent_ms),
        _at(owed.followup_due_ms), owed.followup, owed.waits_for,
    )  # fmt: skip


def _at(at_ms: int) -> str:
    return to_rfc3339(at_ms) if at_ms else ""
