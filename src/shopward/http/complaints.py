"""Complaints over HTTP: filed by the shop for its customers, dealt with by people.

Promise: a service files, looks, appeals and withdraws; acknowledging, taking, extending and deciding are the analyst's. Names
of staff leave to staff alone. Each answer is the complaint as it stands, in the language asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, get_args

from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.complaints.complaint import ExtendReason, Outcome, Reason, Remedy, State
from shopward.complaints.regimes import NOTICE, Regime, shipped_regimes
from shopward.complaints.states import REMEDIES_MAX
from shopward.complaints.view import ComplaintView, view
from shopward.errors import InvalidField
from shopward.flows.complain import Complained
from shopward.http.calls import by_method, decoded, json_answer, language, needed_id
from shopward.http.orders import before_of, limit_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.access import Caller
    from shopward.complaints import Complaint
    from shopward.http.calls import Calls
    from shopward.service import Shopward

STATES: Final = get_args(State)


class ExtendAsked(Struct, forbid_unknown_fields=True):
    """Why more time is needed."""

    reason: ExtendReason


class DecideAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a person decides; ``remedies`` where it gives right, none where it does not."""

    outcome: Outcome
    reason: Reason
    remedies: Annotated[tuple[Remedy, ...], Meta(max_length=REMEDIES_MAX)] = ()


class Complaints(Struct):
    """A page of complaints, newest first; ``next`` is the ``before`` of the page that follows, if any."""

    complaints: list[ComplaintView]
    next: str | None


class ComplaintRegimes(Struct):
    """The regimes that there are, and what they are not."""

    notice: str
    regimes: list[Regime]


class ComplaintCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._desk = shopward.complaints
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        one = "/v1/complaints/{id}"
        return [
            Route("/v1/complaints", by_method(GET=self.listed, POST=self.file), methods=["GET", "POST"]),
            Route("/v1/complaints/regimes", self.regimes, methods=["GET"]),
            Route(one, self.one, methods=["GET"]),
            Route(one + "/acknowledge", self.acknowledge, methods=["POST"]),
            Route(one + "/take", self.take, methods=["POST"]),
            Route(one + "/extend", self.extend, methods=["POST"]),
            Route(one + "/decide", self.decide, methods=["POST"]),
            Route(one + "/appeal", self.appeal, methods=["POST"]),
            Route(one + "/withdraw", self.withdraw, methods=["POST"]),
        ]

    async def file(self, request: Request) -> Response:
        """``POST /v1/complaints``."""
        caller = self._calls.caller(request, "service", "analyst")
        said = decoded(await self._calls.body(request, caller), Complained)
        made = await run_in_threadpool(self._desk.file, caller, said)
        return json_answer(self._view(made, request, caller), 201)

    async def listed(self, request: Request) -> Response:
        """``GET /v1/complaints?state=&user=&overdue=&before=&limit=``."""
        caller = self._calls.caller(request, "service", "analyst")
        limit, before = limit_of(request), before_of(request) or ""
        state, overdue = (request.query_params.get(name, "") for name in ("state", "overdue"))
        for name, given, words in (("state", state, STATES), ("overdue", overdue, ("true", "false"))):
            if given and given not in words:
                raise InvalidField(
                    "not one of the words", code="unknown_word", path=name, expected="one of " + ", ".join(words),
                    found="another word",
                )  # fmt: skip
        user = request.query_params.get("user", "")[:128]
        found = await run_in_threadpool(
            lambda: self._desk.listed(
                state=state, user_id=user, is_overdue=overdue == "true", before=before, limit=limit + 1
            )
        )
        shown = [self._view(each, request, caller) for each in found[:limit]]
        return json_answer(Complaints(shown, shown[-1].id if len(found) > limit else None))

    async def regimes(self, request: Request) -> Response:
        """``GET /v1/complaints/regimes``."""
        self._calls.caller(request, "service", "analyst")
        return json_answer(ComplaintRegimes(NOTICE, list(shipped_regimes().values())))

    async def one(self, request: Request) -> Response:
        """``GET /v1/complaints/{id}``."""
        caller = self._calls.caller(request, "service", "analyst")
        return json_answer(
            self._view(
                await run_in_threadpool(self._desk.get, needed_id(request, "complaint")), request, caller
            )
        )

    async def acknowledge(self, request: Request) -> Response:
        """``POST /v1/complaints/{id}/acknowledge``; no body."""
        caller = self._calls.caller(request, "analyst")
        return await self._stepped(request, caller, lambda name: self._desk.acknowledge(caller, name))

    async def take(self, request: Request) -> Response:
        """``POST /v1/complaints/{id}/take``; no body."""
        caller = self._calls.caller(request, "analyst")
        return await self._stepped(request, caller, lambda name: self._desk.take(caller, name))

    async def extend(self, request: Request) -> Response:
        """``POST /v1/complaints/{id}/extend``."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), ExtendAsked)
        return await self._stepped(
            request, caller, lambda name: self._desk.extend(caller, name, asked.reason)
        )

    async def decide(self, request: Request) -> Response:
        """``POST /v1/complaints/{id}/decide``."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), DecideAsked)
        return await self._stepped(
            request,
            caller,
            lambda name: self._desk.decide(caller, name, asked.outcome, asked.reason, asked.remedies),
        )

    async def appeal(self, request: Request) -> Response:
        """``POST /v1/complaints/{id}/appeal``; no body."""
        caller = self._calls.caller(request, "service", "analyst")
        return await self._stepped(request, caller, lambda name: self._desk.appeal(caller, name))

    async def withdraw(self, request: Request) -> Response:
        """``POST /v1/complaints/{id}/withdraw``; no body."""
        caller = self._calls.caller(request, "service", "analyst")
        return await self._stepped(request, caller, lambda name: self._desk.withdraw(caller, name))

    async def _stepped(self, request: Request, caller: Caller, step: Callable[[str], Complaint]) -> Response:
        return json_answer(
            self._view(await run_in_threadpool(step, needed_id(request, "complaint")), request, caller)
        )

    def _view(self, complaint: Complaint, request: Request, caller: Caller) -> ComplaintView:
        is_staff = not {"admin", "analyst"}.isdisjoint(caller.roles)
        return view(complaint, language=language(request), at_ms=self._desk.now_ms(), for_staff=is_staff)
