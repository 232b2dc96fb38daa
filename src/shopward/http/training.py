"""Training of staff over HTTP: the register and who is due.

Promise: recording takes an analyst and is never of oneself; who is due is told for the persons of keys and of the register.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.errors import InvalidField
from shopward.http.calls import by_method, decoded, json_answer
from shopward.http.orders import limit_of
from shopward.partners.partner import Day, day_ms
from shopward.training.record import COURSE, Why
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.access import ApiKeys
    from shopward.http.calls import Calls
    from shopward.service import Shopward
    from shopward.training import Training

Person = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.@-]{1,64}\Z")]
Course = Annotated[str, Meta(pattern=rf"^{COURSE}\Z")]
Evidence = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:/-]{0,64}\Z")]
_QUERY_MAX = 64


class TrainingAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A training to record: who, what, on which day, until which day it holds (UTC), and the number of what shows it."""

    person: Person
    course: Course
    done_on: Day
    valid_until: Day
    evidence: Evidence = ""


class TrainingView(Struct):
    """A line; ``ends_at`` is the first moment at which it holds no more."""

    id: str
    person: str
    course: str
    done_on: str
    ends_at: str
    evidence: str
    recorded_by: str
    recorded_at: str


class Trainings(Struct):
    """Lines, newest first; ``next`` is the ``before`` of the page that follows, if any."""

    records: list[TrainingView]
    next: str | None


class DueView(Struct):
    """Somebody who has to be trained: ``never`` was, ``lapsed``, or lapses within 30 days (``soon``)."""

    person: str
    course: str
    why: Why
    ends_at: str


class DueList(Struct):
    """By person and course."""

    due: list[DueView]


class TrainingCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        keys: whose persons work here.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, keys: ApiKeys, calls: Calls) -> None:
        self._desk, self._keys, self._calls = shopward.training, keys, calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/training/records", by_method(GET=self.listed, POST=self.record), methods=["GET", "POST"]),
            Route("/v1/training/due", self.due, methods=["GET"]),
        ]  # fmt: skip

    async def record(self, request: Request) -> Response:
        """``POST /v1/training/records``."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), TrainingAsked)
        done_ms, until_ms = (
            day_ms(asked.done_on, path="done_on"),
            day_ms(asked.valid_until, path="valid_until"),
        )
        made = await run_in_threadpool(
            lambda: self._desk.record(
                caller, person=asked.person, course=asked.course, done_ms=done_ms, until_ms=until_ms, evidence=asked.evidence
            )
        )  # fmt: skip
        return json_answer(_view(made), 201)

    async def listed(self, request: Request) -> Response:
        """``GET /v1/training/records?person=&before=&limit=``."""
        self._calls.caller(request, "analyst")
        limit, person, before = limit_of(request), _query(request, "person"), _query(request, "before")
        found = await run_in_threadpool(
            lambda: self._desk.listed(person=person, before=before, limit=limit + 1)
        )
        shown = found[:limit]
        return json_answer(Trainings(list(map(_view, shown)), shown[-1].id if len(found) > limit else None))

    async def due(self, request: Request) -> Response:
        """``GET /v1/training/due``."""
        self._calls.caller(request, "analyst")
        persons = {each.person for each in self._keys.listed() if each.roles != ("service",)}
        found = await run_in_threadpool(self._desk.due, persons)
        return json_answer(
            DueList(
                [
                    DueView(
                        each.person, each.course, each.why, to_rfc3339(each.ends_ms) if each.ends_ms else ""
                    )
                    for each in found
                ]
            )
        )


def _query(request: Request, name: str) -> str:
    given = request.query_params.get(name, "")
    if "\0" in given or len(given) > _QUERY_MAX:
        raise InvalidField("not a text to look for", path=name, expected=f"at most {_QUERY_MAX} characters")
    return given


def _view(training: Training) -> TrainingView:
    return TrainingView(
        training.id, training.person, training.course, to_rfc3339(training.done_ms)[:10], to_rfc3339(training.ends_ms),
        training.evidence, training.by, to_rfc3339(training.at_ms),
    )  # fmt: skip
