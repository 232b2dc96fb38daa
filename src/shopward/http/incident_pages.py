"""Pages of incidents: the list with what is owed, one incident with everything that is known of it, worked from the browser.

Promise: as over the API, incidents are the analyst's: another session is told so and sees none. What is pressed is a step of
``incident_steps`` under the person of the session, audited the same; a form of another site is refused. Every number of a scope opens the
people that it counts, which is a line of the audit log. Pages work without scripts, and say that they are not legal advice.

Not here: scopes, which search the log, the making of playbooks, and mailings: those are calls and commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args
from urllib.parse import quote

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from shopward.errors import Conflict, InvalidField, NotFound
from shopward.http.calls import id_of, needed_id
from shopward.http.incident_forms import is_written, pressed
from shopward.http.incident_steps import PlaybookStep, SentStep, Taker
from shopward.http.incidents import STATES
from shopward.http.pages import is_cursor, notice_of, reader_language
from shopward.http.playbooks import run_view
from shopward.http.scopes import numbers_of, people_asked, shown_person
from shopward.http.sessions import form_of
from shopward.incidents.deadlines import owes_followup
from shopward.incidents.drafts import texts
from shopward.incidents.law import Clock, DataClass, Harm, Risk, shipped_rules
from shopward.incidents.obligations import obligations
from shopward.incidents.playbooks.playbook import said as in_words
from shopward.incidents.scope import GRADES
from shopward.incidents.steps import left_of
from shopward.incidents.words import ROLES
from shopward.notices.mailing import UNREACHED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

    from shopward.http.incident_forms import Pressed
    from shopward.http.pages import Paper
    from shopward.http.scopes import Number
    from shopward.http.sessions import Sessions
    from shopward.incidents import Incident
    from shopward.incidents.incident import State
    from shopward.incidents.obligations import Obligation
    from shopward.service import Shopward

PAGE: Final = 50
PEOPLE: Final = 200
_FORM_BYTES_MAX: Final = 131_072
"""Cause and lessons of 4,000 characters each, each of them up to twelve bytes in a form."""
LINES: Final = 40
"""So many lines of the timeline are open; the others fold."""
MOVES: Final[Mapping[State, Sequence[tuple[State, str]]]] = {
    "proposed": (("open", "do_open"), ("dismissed", "do_dismissed")),
    "open": (("contained", "do_contained"), ("closed", "do_closed")),
    "contained": (("closed", "do_closed"), ("open", "do_again")),
    "closed": (("open", "do_again"),),
    "dismissed": (),
}
"""From a state, those that a person may move it to, and the word on the button."""
UNFIT: Final[Mapping[str, str]] = {
    "at": "unfit_at",
    "reason": "unfit_reason",
    "late_reason": "unfit_late_reason",
    "over": "overwritten",
}
"""By the field that does not fit the incident, the word of the sentence that says why."""
TOLD: Final = (
    "incident_owes", "notice_too_early", "notice_incomplete", "incident_state", "incident_closed", "incident_full",
    "playbook_running", "step_not_open", "invalid_field", *UNFIT.values(),
)  # fmt: skip
"""Refusals that have a sentence of their own on the page."""
PLACES: Final = tuple(dict.fromkeys(rule.jurisdiction for rule in shipped_rules().values()))
CHOICES: Final[Mapping[str, Sequence[str]]] = {
    "clocks": get_args(Clock), "data": get_args(DataClass), "harms": get_args(Harm), "risks": get_args(Risk),
    "roles": ROLES, "places": PLACES,
}  # fmt: skip
"""What forms let a person choose from."""
GRADE_ORDER: Final = (*GRADES, "exposed")
_OUT: Final = ("not_applicable", "exempt")


class IncidentPages:
    """The handlers.

    Args:
        shopward: the open engine.
        sessions: who is in.
        paper: writes the pages.
    """

    def __init__(self, shopward: Shopward, *, sessions: Sessions, paper: Paper) -> None:
        self._desk = shopward.incidents
        self._scopes = shopward.scopes
        self._playbooks = shopward.playbooks
        self._clock = shopward.clock
        self._ids = shopward.ids
        self._sessions = sessions
        self._paper = paper

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/incidents", self.listed, methods=["GET"]),
            Route("/incidents/{id}", self.one, methods=["GET"]),
            Route("/incidents/{id}", self.press, methods=["POST"]),
            Route("/incidents/{id}/people", self.people, methods=["GET"]),
            Route("/incidents/{id}/notices/{rule}", self.draft, methods=["GET"]),
        ]

    async def listed(self, request: Request) -> Response:
        """``GET /incidents?state=&before=``."""
        if not self._sessions.is_known(request):
            return RedirectResponse("/login", 303)
        state, before = request.query_params.get("state", "open"), request.query_params.get("before", "")
        if state not in STATES or not is_cursor(before):
            return self._paper.missing(request)
        may, now_ms = self._may(request), self._clock.now_ms()
        found = await run_in_threadpool(self._page, state, before) if may else []
        rows = [_row(each, now_ms) for each in found[:PAGE]]
        return self._paper.page(
            request, "incidents.html", state=state, states=STATES, may=may, rows=rows, now_ms=now_ms,
            before=found[PAGE - 1].id if len(found) > PAGE else "",
        )  # fmt: skip

    async def one(self, request: Request) -> Response:
        """``GET /incidents/{id}``."""
        if not self._sessions.is_known(request):
            return RedirectResponse("/login", 303)
        name = id_of(request)
        if name is None or not self._may(request):
            return self._paper.missing(request)
        return await self._shown(request, name, notice_of(request, TOLD))

    async def _shown(
        self, request: Request, name: str, notice: str, *, unsaved: Sequence[str] = ()
    ) -> Response:
        """One incident; ``unsaved`` is what its reader wrote and could not save."""
        try:
            incident, owed, victims = await run_in_threadpool(self._desk.get, name)
        except NotFound:
            return self._paper.missing(request)
        mailings = await run_in_threadpool(self._desk.mailings, name)
        now_ms, spoken = self._clock.now_ms(), reader_language(request)
        lines = incident.timeline[::-1]
        applying = [each for each in owed if each.status not in _OUT]
        playbooks = await run_in_threadpool(self._playbooks.listed) if incident.run is None else []
        return self._paper.page(
            request, "incident.html", 409 if notice == UNFIT["over"] else 200, incident=incident, now_ms=now_ms, back=_path(name), moves=MOVES[incident.state],
            owed=applying, out=[each for each in owed if each.status in _OUT],
            later={each.rule for each in applying if owes_followup(each)}, contents=_contents(incident, applying),
            playbooks=[(each.id, in_words(each.name, spoken)) for each in playbooks], choices=CHOICES, is_open=incident.state not in ("closed", "dismissed"),
            left=left_of(incident, shipped_rules(), now_ms) if notice == "incident_owes" else [],
            rules=shipped_rules(), headings=_headings(spoken), victims=victims, run=run_view(incident, spoken, now_ms),
            scopes=[(each, _by_kind(numbers_of(each))) for each in incident.scopes[::-1]], lines=lines[:LINES], earlier=lines[LINES:],
            mailings=[(each, told, sum(told.get(state, 0) for state in UNREACHED)) for each, told in mailings],
            notice=notice, unsaved=unsaved,
        )  # fmt: skip

    async def press(self, request: Request) -> Response:
        """``POST /incidents/{id}``: a step that a person takes; what the incident has against it is told on its page."""
        caller, name = self._sessions.analyst(request), needed_id(request, "incident")
        form = await form_of(request, bytes_max=_FORM_BYTES_MAX)
        asked = pressed(form)
        named = asked.step.playbook if isinstance(asked.step, PlaybookStep) else ""
        playbook = await run_in_threadpool(self._playbooks.get, named) if named else None

        def take(incident: Incident, by: str, now_ms: int) -> Incident:
            if _is_out(incident, asked) or is_written(incident, asked):
                return incident
            return asked.step.take(incident, Taker(by, now_ms, self._ids.new, playbook))

        notice = ""
        try:
            await run_in_threadpool(lambda: self._desk.step(caller, name, form["do"], take))
        except (Conflict, InvalidField, NotFound) as refused:
            notice = UNFIT.get(refused.path or "", refused.code)
        if notice == UNFIT["over"]:
            unsaved = [form[each] for each in ("text", "root_cause", "lessons") if each in form]
            return await self._shown(request, name, notice, unsaved=unsaved)
        return RedirectResponse(_path(name) + (f"?notice={notice}" if notice else ""), 303)

    async def people(self, request: Request) -> Response:
        """``GET /incidents/{id}/people?version=&...``: those whom a number counts; audited."""
        if not self._sessions.is_known(request):
            return RedirectResponse("/login", 303)
        caller, name = self._sessions.caller(request), id_of(request)
        if caller is None or name is None or not self._may(request):
            return self._paper.missing(request)
        try:
            version, wanted, after = people_asked(request)
            found, next_ = await run_in_threadpool(
                lambda: self._scopes.people(caller, name, version, wanted, after=after, limit=PEOPLE)
            )
        except (NotFound, InvalidField):
            return self._paper.missing(request)
        asked = {each: word for each, word in msgspec.structs.asdict(wanted).items() if word}
        return self._paper.page(
            request, "incident_people.html", back=_path(name), version=version, asked=asked, after=next_,
            people=[shown_person(each) for each in found],
        )  # fmt: skip

    async def draft(self, request: Request) -> Response:
        """``GET /incidents/{id}/notices/{rule}?language=``: the notice as it would go out now."""
        if not self._sessions.is_known(request):
            return RedirectResponse("/login", 303)
        name, rule = id_of(request), id_of(request, "rule") or ""
        if name is None or rule not in shipped_rules() or not self._may(request):
            return self._paper.missing(request)
        languages = shipped_rules()[rule].languages
        spoken = request.query_params.get("language", languages[0])
        try:
            made = await run_in_threadpool(lambda: self._desk.draft(name, rule, spoken))
        except (NotFound, InvalidField):
            return self._paper.missing(request)
        return self._paper.page(
            request,
            "draft.html",
            back=_path(name),
            draft=made,
            languages=languages,
            headings=_headings(reader_language(request)),
        )

    def _page(self, state: str, before: str) -> list[Incident]:
        return self._desk.listed(state=state, before=before, limit=PAGE + 1)

    def _may(self, request: Request) -> bool:
        return self._sessions.has_role(request, "analyst")


def _row(incident: Incident, now_ms: int) -> dict[str, Any]:
    """A line of the list: the incident, how many notices it owes now, whether one at once, and when the first of the others is due."""
    owed = [
        each
        for each in obligations(incident, shipped_rules(), at_ms=now_ms)
        if each.status in ("open", "overdue")
    ]
    dated = [each.due_ms for each in owed if each.due_ms and not _is_at_once(each)]
    return {
        "incident": incident, "owed": len(owed), "at_once": any(map(_is_at_once, owed)), "next": min(dated, default=0),
    }  # fmt: skip


def _contents(incident: Incident, owed: Sequence[Obligation]) -> list[tuple[str, list[tuple[str, str]]]]:
    """What the notices that apply have to say: each content with its languages and what is written in each so far."""
    wanted: dict[str, dict[str, str]] = {}
    for each in owed:
        rule = shipped_rules()[each.rule]
        for content in rule.contents:
            said = incident.contents.get(content, {})
            wanted.setdefault(content, {}).update({spoken: said.get(spoken, "") for spoken in rule.languages})
    return [(content, sorted(said.items())) for content, said in wanted.items()]


def _is_out(incident: Incident, asked: Pressed) -> bool:
    """Whether it says once more that a part of a notice was sent, as by a double click."""
    rule = asked.step.rule if isinstance(asked.step, SentStep) else ""
    return bool(rule) and sum(each.rule == rule and not each.void for each in incident.sent) >= asked.phase


def _is_at_once(owed: Obligation) -> bool:
    return shipped_rules()[owed.rule].deadline.kind == "at_once"


def _by_kind(numbers: Sequence[Number]) -> dict[str, list[Number]]:
    """Numbers by what was counted: grades from the least to the worst, all else from the largest."""
    found: dict[str, list[Number]] = {}
    for each in numbers:
        found.setdefault(each.of, []).append(each)
    for of, group in found.items():
        group.sort(key=lambda each: GRADE_ORDER.index(each.kind) if of == "grade" else -each.users)
    return found


def _headings(spoken: str) -> dict[str, str]:
    """What a notice has to say, by content."""
    return {content: said[spoken] for content, said in texts()["headings"].items()}


def _path(incident_id: str) -> str:
    return f"/incidents/{quote(incident_id, safe='')}"
