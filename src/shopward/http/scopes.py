"""Who an incident touched, over HTTP: from what is known to people, and from each number to those whom it counts.

Promise: a dry run keeps nothing; without it the answer is the incident's next version, frozen. Every number of an answer names the
request that lists its people (``open``); reading them is a line of the audit log. No answer repeats a value of an indicator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import quote, urlencode

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.errors import InvalidField, NotFound
from shopward.events.catalogue import Moment
from shopward.flows.scope import Asked
from shopward.flows.signal import Words
from shopward.http.calls import decoded, json_answer, language, needed_id
from shopward.http.incident_steps import ms_of
from shopward.http.incidents import shown_incident
from shopward.http.orders import limit_of
from shopward.incidents.incident import Severity
from shopward.incidents.law import NOTICE
from shopward.incidents.scope import DATA, GRADES, INDICATORS_MAX, IndicatorKind, Wanted
from shopward.incidents.words import Kind, Short
from shopward.protection.attributes import PREDICATE_MAX
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.flows.scope import Person
    from shopward.http.calls import Calls
    from shopward.incidents.incident import Incident, Scope
    from shopward.service import Shopward

TOKEN_CHARS: Final = 22


class IndicatorAsked(Struct, forbid_unknown_fields=True):
    """What is known: an address, a network (/24 or /48), a device, a payee, a password's HMAC, a session, a campaign, somebody."""

    kind: IndicatorKind
    value: Annotated[str, Meta(min_length=1, max_length=256)]


class ScopeAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """How far it went: any of the indicators, from ``since`` until ``until`` (now where it is left out).

    Attributes:
        follow_sessions: whether what the same session did afterwards counts too.
        where: only users whose declared attributes fit, as in orders.
        elsewhere: the jurisdiction of whom nobody declared a region.
        dry_run: count only.
    """

    indicators: Annotated[list[IndicatorAsked], Meta(min_length=1, max_length=INDICATORS_MAX)]
    since: Moment
    reason: Short
    until: Moment | UnsetType = UNSET
    follow_sessions: bool = True
    where: Annotated[str, Meta(max_length=PREDICATE_MAX)] = ""
    elsewhere: Annotated[str, Meta(pattern=r"^(|[A-Z]{2})\Z")] = ""
    dry_run: bool = True


class SourceAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A condemned address or device, or the member of staff or partner whom a trace of a leak names, and since when."""

    kind: IndicatorKind
    value: Annotated[str, Meta(min_length=1, max_length=256)]
    since: Moment
    until: Moment | UnsetType = UNSET


class SignalAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A new incident from exactly one of a ``campaign``, a ``finding`` and a ``source``; what else is said takes the place of what is found."""

    campaign: Annotated[str, Meta(max_length=64)] = ""
    finding: Annotated[str, Meta(max_length=130)] = ""
    source: SourceAsked | UnsetType = UNSET
    title: Annotated[str, Meta(max_length=200)] = ""
    kind: Kind | UnsetType = UNSET
    severity: Severity | UnsetType = UNSET
    elsewhere: Annotated[str, Meta(pattern=r"^(|[A-Z]{2})\Z")] = ""


class WidenAsked(Struct, forbid_unknown_fields=True):
    """Why the newest query is run once more, until now."""

    reason: Short


class Number(Struct):
    """A number and the request that lists whom it counts: ``of`` is what was counted, ``kind`` which of it.

    ``of`` is ``grade`` (everybody), or ``jurisdiction``, ``language``, ``route`` or ``data`` (those exposed). ``open`` is empty in a dry run.
    """

    of: str
    kind: str
    users: int
    open: str = ""


class ScopeView(Struct, omit_defaults=True):
    """A version of who was touched: how it was found, its numbers, its sealed sets by grade, and whom other open incidents have too.

    Somebody whose regions are two is counted in both. ``events`` were looked at, ``hits`` were the incident's.
    """

    incident: str
    version: int
    reason: str
    by: str
    at: str
    since: str
    until: str
    indicators: list[dict[str, str]]
    numbers: list[Number]
    sets: dict[str, str]
    overlaps: dict[str, int]
    events: int = 0
    hits: int = 0
    dry_run: bool = False
    note: str = NOTICE


class PersonView(Struct):
    """One of a scope's people: the shop's own id, empty where the log no longer tells; grades, data, where the law counts them."""

    user: str
    token: str
    grades: list[str]
    data: list[str]
    jurisdictions: list[str]
    language: str
    route: str


class People(Struct):
    """A page of people in the order of their tokens; ``next`` is the ``after`` of the page that follows, if any."""

    people: list[PersonView]
    next: str | None


class ScopeCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._desk = shopward.scopes
        self._signals = shopward.signals
        self._incidents = shopward.incidents
        self._clock = shopward.clock
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/incidents/signals", self.signal, methods=["POST"]),
            Route("/v1/incidents/{id}/scope", self.find, methods=["POST"]),
            Route("/v1/incidents/{id}/widen", self.widen, methods=["POST"]),
            Route("/v1/incidents/{id}/scopes/{version:int}", self.one, methods=["GET"]),
            Route("/v1/incidents/{id}/victims", self.people, methods=["GET"]),
        ]

    async def signal(self, request: Request) -> Response:
        """``POST /v1/incidents/signals``: 201 for the incident of a signal, also where it had one."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), SignalAsked)
        words = Words(asked.title, asked.kind or None, asked.severity or None, asked.elsewhere)

        def work() -> Incident:
            given = [each for each in (asked.campaign, asked.finding, asked.source) if each]
            if len(given) != 1:
                raise InvalidField(
                    "not one signal", path="campaign", expected="exactly one of campaign, finding and source",
                    found=f"{len(given)}",
                )  # fmt: skip
            if asked.campaign:
                return self._signals.of_campaign(caller, asked.campaign, words)
            if asked.finding:
                return self._signals.of_finding(caller, asked.finding, words)
            source = asked.source or None
            assert source is not None  # noqa: S101 -- the only one left
            until_ms = ms_of(source.until) or self._clock.now_ms() + 1
            return self._signals.of_source(
                caller, Asked(source.kind, source.value), ms_of(source.since), until_ms, words
            )

        made, spoken, now_ms = await run_in_threadpool(work), language(request), self._clock.now_ms()
        return json_answer(
            await run_in_threadpool(
                lambda: shown_incident(self._incidents, made.id, spoken=spoken, now_ms=now_ms)
            ),
            201,
        )

    async def widen(self, request: Request) -> Response:
        """``POST /v1/incidents/{id}/widen``."""
        caller, incident_id = self._calls.caller(request, "analyst"), needed_id(request, "incident")
        asked = decoded(await self._calls.body(request, caller), WidenAsked)
        incident = await run_in_threadpool(self._signals.widen, caller, incident_id, asked.reason)
        return json_answer(_view(incident_id, incident.scopes[-1]), 201)

    async def find(self, request: Request) -> Response:
        """``POST /v1/incidents/{id}/scope``."""
        caller, incident_id = self._calls.caller(request, "analyst"), needed_id(request, "incident")
        asked = decoded(await self._calls.body(request, caller), ScopeAsked)
        now_ms = self._clock.now_ms()

        def work() -> ScopeView:
            query = self._desk.query(
                [Asked(each.kind, each.value) for each in asked.indicators], since_ms=ms_of(asked.since),
                until_ms=ms_of(asked.until) or now_ms + 1, follow=asked.follow_sessions, where=asked.where,
                elsewhere=asked.elsewhere,
            )  # fmt: skip
            found = self._desk.find(incident_id, query, by=caller.person, reason=asked.reason)
            scope = found.scope
            if not asked.dry_run:
                scope = self._desk.freeze(caller, incident_id, found).scopes[-1]
            return _view(incident_id, scope, events=found.events, hits=found.hits, dry_run=asked.dry_run)

        return json_answer(await run_in_threadpool(work), 200 if asked.dry_run else 201)

    async def one(self, request: Request) -> Response:
        """``GET /v1/incidents/{id}/scopes/{version}``."""
        self._calls.caller(request, "analyst")
        incident_id, version = needed_id(request, "incident"), request.path_params["version"]
        incident = (await run_in_threadpool(self._incidents.get, incident_id))[0]
        scope = next((each for each in incident.scopes if each.version == version), None)
        if scope is None:
            raise NotFound(
                "no such scope", path="version", expected="a version of the incident", found="another"
            )
        return json_answer(_view(incident_id, scope))

    async def people(self, request: Request) -> Response:
        """``GET /v1/incidents/{id}/victims?version=&grade=&jurisdiction=&language=&route=&data=&after=&limit=``."""
        caller, incident_id, limit = (
            self._calls.caller(request, "analyst"),
            needed_id(request, "incident"),
            limit_of(request),
        )
        version, wanted, after = people_asked(request)
        found, next_ = await run_in_threadpool(
            lambda: self._desk.people(caller, incident_id, version, wanted, after=after, limit=limit)
        )
        return json_answer(People([shown_person(each) for each in found], next_ or None))


def people_asked(request: Request) -> tuple[int, Wanted, str]:
    """Which version, whom of it, and after whom; raises ``InvalidField``."""
    wanted = _wanted({name: request.query_params.get(name, "") for name in Wanted.__struct_fields__})
    version, after = request.query_params.get("version", ""), request.query_params.get("after", "")
    if not (version.isascii() and version.isdigit() and len(version) < 6):
        raise InvalidField(
            "not a version", path="version", expected="the number of a scope", found="another text"
        )
    if after and not (
        len(after) == TOKEN_CHARS and after.replace("-", "a").replace("_", "a").isalnum() and after.isascii()
    ):
        raise InvalidField(
            "not a person", path="after", expected="the next of an answer", found="another text"
        )
    return int(version), wanted, after


def _wanted(given: dict[str, str]) -> Wanted:
    if given["data"] not in ("", *DATA):
        raise InvalidField(
            "not a class of data", code="unknown_word", path="data", expected="one of " + ", ".join(DATA),
            found="another word",
        )  # fmt: skip
    try:
        return msgspec.convert(given, Wanted)
    except msgspec.ValidationError as refusal:
        path = str(refusal).partition("`$.")[2].rstrip("`")
    raise InvalidField(
        "these are nobody",
        code="unknown_word",
        path=path,
        expected="a word of the numbers of a scope",
        found="another word",
    )


def _view(
    incident_id: str, scope: Scope, *, events: int = 0, hits: int = 0, dry_run: bool = False
) -> ScopeView:
    query = scope.query
    return ScopeView(
        incident_id, scope.version, scope.reason, scope.by, to_rfc3339(scope.at_ms),
        "" if query is None else to_rfc3339(query.since_ms), "" if query is None else to_rfc3339(query.until_ms),
        [] if query is None else [{"kind": each.kind, "token": each.token} for each in query.indicators],
        [
            Number(each.of, each.kind, each.users, "" if dry_run else f"/v1/incidents/{quote(incident_id, safe='')}/victims?{each.open}")
            for each in numbers_of(scope)
        ],
        scope.sets, scope.overlaps, events, hits, dry_run,
    )  # fmt: skip


def numbers_of(scope: Scope) -> list[Number]:
    """The numbers of a version, each with the query that lists whom it counts."""
    return [
        Number(of, kind, users, urlencode(
            {"version": str(scope.version), of: kind} | ({} if of == "grade" else {"grade": "exposed"})
        ))
        for of, numbers in scope.counts.items() for kind, users in numbers.items()
    ]  # fmt: skip


def shown_person(person: Person) -> PersonView:
    """A person as answers show him."""
    return PersonView(
        person.user, person.token, [name for name, bit in GRADES.items() if person.bits & bit],
        [name for name, bit in DATA.items() if person.bits & bit], list(person.group.jurisdictions), person.group.language,
        person.group.route,
    )  # fmt: skip
