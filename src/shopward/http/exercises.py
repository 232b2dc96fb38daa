"""Exercises for staff over HTTP, and the page behind the link of their mails.

Promise: sending, and who did what, take an admin; analysts see how many. A report takes any key. The page needs none: who has the link
is who the mail went to; it says that nothing happened, and takes nothing that is typed.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.errors import InvalidField, NotFound
from shopward.flows.exercise import Exercised
from shopward.http.calls import by_method, decoded, id_of, json_answer, needed_id
from shopward.http.orders import limit_of
from shopward.http.training import Person
from shopward.training.exercise import PATH, Lure
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.flows.exercise import Outcome
    from shopward.http.calls import Calls
    from shopward.http.pages import Paper
    from shopward.service import Shopward

PEOPLE_MAX: Final = 50
"""Of one exercise."""
_BEFORE_MAX: Final = 64


class ExercisedAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Whom a mail goes to; the address is handed on and not kept."""

    person: Person
    email: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._'+-]{1,64}@[A-Za-z0-9.-]{1,190}\Z")]
    language: Literal["id", "zh", "en"] = "en"


class ExerciseAsked(Struct, forbid_unknown_fields=True):
    """An exercise: which text, to whom."""

    lure: Lure
    people: Annotated[list[ExercisedAsked], Meta(min_length=1, max_length=PEOPLE_MAX)]


class ExercisePerson(Struct):
    """What became of a person's mail; times are empty where it did not happen."""

    person: str
    state: str
    clicked_at: str
    reported_at: str


class ExerciseView(Struct, omit_defaults=True):
    """An exercise, in numbers; and by person, for admins."""

    id: str
    lure: str
    sent_by: str
    at: str
    sent: int
    failed: int
    waiting: int
    clicked: int
    reported: int
    people: list[ExercisePerson] = []


class Exercises(Struct):
    """Newest first; ``next`` is the ``before`` of the page that follows, if any."""

    exercises: list[ExerciseView]
    next: str | None


class ExerciseReported(Struct, forbid_unknown_fields=True):
    """The link of a mail, or all of its text, as somebody passed it on."""

    link: Annotated[str, Meta(min_length=1, max_length=20_000)]


class ExerciseHeard(Struct):
    """The exercise that a mail was of."""

    exercise: str


class ExerciseCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
        paper: writes the page.
    """

    def __init__(self, shopward: Shopward, calls: Calls, paper: Paper) -> None:
        self._desk, self._calls, self._paper = shopward.exercises, calls, paper

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/training/exercises", by_method(GET=self.listed, POST=self.send), methods=["GET", "POST"]),
            Route("/v1/training/exercises/reports", self.report, methods=["POST"]),
            Route("/v1/training/exercises/{id}", self.one, methods=["GET"]),
            Route(PATH + "{token}", self.page, methods=["GET"]),
        ]  # fmt: skip

    async def send(self, request: Request) -> Response:
        """``POST /v1/training/exercises``."""
        caller = self._calls.caller(request, "admin")
        asked = decoded(await self._calls.body(request, caller), ExerciseAsked)
        people = [Exercised(each.person, each.email, each.language) for each in asked.people]
        return json_answer(
            _view(await run_in_threadpool(self._desk.send, caller, asked.lure, people), by_person=True), 201
        )

    async def listed(self, request: Request) -> Response:
        """``GET /v1/training/exercises?before=&limit=``."""
        self._calls.caller(request, "analyst")
        limit, before = limit_of(request), request.query_params.get("before", "")
        if "\0" in before or len(before) > _BEFORE_MAX:
            raise InvalidField("not an id", path="before", expected=f"at most {_BEFORE_MAX} characters")
        found = await run_in_threadpool(lambda: self._desk.listed(before=before, limit=limit + 1))
        shown = [_view(each, by_person=False) for each in found[:limit]]
        return json_answer(Exercises(shown, shown[-1].id if len(found) > limit else None))

    async def one(self, request: Request) -> Response:
        """``GET /v1/training/exercises/{id}``."""
        caller, exercise_id = self._calls.caller(request, "analyst"), needed_id(request, "exercise")
        found = await run_in_threadpool(self._desk.one, exercise_id)
        return json_answer(_view(found, by_person="admin" in caller.roles))

    async def report(self, request: Request) -> Response:
        """``POST /v1/training/exercises/reports``."""
        caller = self._calls.caller(request)
        asked = decoded(await self._calls.body(request, caller), ExerciseReported)
        return json_answer(ExerciseHeard(await run_in_threadpool(self._desk.report, caller, asked.link)), 201)

    async def page(self, request: Request) -> Response:
        """``GET /exercises/{token}``: what gave the mail away. HEAD, which mail servers send, is no click."""
        token = id_of(request, "token")
        found = None
        if token is not None and request.method == "GET":
            found = await run_in_threadpool(self._desk.opened, token)
        if found is None:
            raise NotFound("no such page", expected="the link of a mail")
        language, texts = found
        return self._paper.page(request, "exercise.html", language=language, e=texts)


def _view(outcome: Outcome, *, by_person: bool) -> ExerciseView:
    exercise, mails = outcome
    states = Counter(each.state for each in mails)
    people = [
        ExercisePerson(each.person, each.state, _at(each.clicked_ms), _at(each.reported_ms)) for each in mails
    ]
    return ExerciseView(
        exercise.id, exercise.lure, exercise.by, to_rfc3339(exercise.at_ms),
        states["sent"], states["failed"], states["waiting"],
        sum(bool(each.clicked_ms) for each in mails), sum(bool(each.reported_ms) for each in mails),
        people if by_person else [],
    )  # fmt: skip


def _at(moment_ms: int) -> str:
    return to_rfc3339(moment_ms) if moment_ms else ""
