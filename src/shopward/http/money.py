"""Declared users and authorisations over HTTP.

Promise: a declaration is stored before it is answered; an authorisation is a recorded decision and is worth something
for ten seconds; ``captured`` is answered only after it is committed behind the fence, and every other outcome of a
capture is a problem, so that a shop that looks at the status alone moves no money.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from shopward.errors import InvalidField, ShopwardError
from shopward.events import decode_event, split_lines
from shopward.flows.engine import DecisionRecord
from shopward.flows.wording import Decision
from shopward.http.calls import NDJSON, decoded, json_answer, language, needed_id, user_id
from shopward.http.problems import problem_bytes, problem_of
from shopward.protection.attributes import Declared, DeclaredLine, DeclaredUser, declared
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.events import Event
    from shopward.http.calls import Calls
    from shopward.http.gate import Gate
    from shopward.protection.money import Authorization
    from shopward.service import Shopward


class DeclaredAnswer(Struct):
    """How many users are declared now, and the problems of the lines that are not."""

    declared: int
    problems: list[msgspec.Raw]


class AuthorizationView(Struct, omit_defaults=True):
    """An authorisation and the decision behind it; ``refused`` where the decision does not let it go ahead.

    Attributes:
        state: authorized, refused, expired, captured, voided or stopped.
        expires_at: capture before then.
    """

    id: str
    state: str
    decision: Decision
    expires_at: str = ""


class MoneyCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        gate: decides and records.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, gate: Gate, calls: Calls) -> None:
        self._shopward = shopward
        self._desk = shopward.authorizations
        self._gate = gate
        self._calls = calls
        self._limits = shopward.settings.limits

    async def declare(self, request: Request) -> Response:
        """``PUT /v1/users/{id}``."""
        caller = self._calls.caller(request, "service")
        raw = await self._calls.body(request, caller, limit=self._limits.event_bytes_max)
        user = user_id(request.path_params["id"])
        declaration = self._declared(decoded(raw, DeclaredUser))
        await run_in_threadpool(self._shopward.overseer.declare, {user: declaration})
        return json_answer(DeclaredAnswer(1, []))

    async def declare_batch(self, request: Request) -> Response:
        """``POST /v1/users/batch``; a bad line spoils no other."""
        caller = self._calls.caller(request, "service")
        raw = await self._calls.body(request, caller, media_type=NDJSON, limit=self._limits.batch_bytes_max)
        lines = list(split_lines(raw, limits=self._limits))
        users: dict[str, Declared] = {}
        problems: list[msgspec.Raw] = []
        good = 0
        for number, line in enumerate(lines, start=1):
            try:
                read = decoded(line, DeclaredLine)
                if not read.id:
                    raise InvalidField("missing field", path="id", expected="a value", found="nothing")
                users[read.id] = self._declared(read)
                good += 1
            except ShopwardError as refused:
                problems.append(msgspec.Raw(problem_bytes(problem_of(refused, line=number))))
        await run_in_threadpool(self._shopward.overseer.declare, users)
        return json_answer(DeclaredAnswer(good, problems))

    async def authorize(self, request: Request) -> Response:
        """``POST /v1/authorizations``."""
        caller = self._calls.caller(request, "service")
        raw = await self._calls.body(request, caller, limit=self._limits.event_bytes_max)
        event = decode_event(raw, limits=self._limits)
        self._desk.check(event)
        heard = await self._gate.submit([event])
        record = heard[0] if isinstance(heard, list) else heard
        if not isinstance(record, DecisionRecord):
            raise record.with_traceback(None)  # one refusal may be heard by many
        opened = await run_in_threadpool(self._opened, event, record)
        decision = self._shopward.wording.decision(record, language(request))
        if opened is None:
            return json_answer(AuthorizationView("a-" + event.id, "refused", decision))
        is_over = opened.state == "authorized" and opened.expires_ms < self._shopward.clock.now_ms()
        state = "expired" if is_over else opened.state
        return json_answer(AuthorizationView(opened.id, state, decision, to_rfc3339(opened.expires_ms)))

    async def capture(self, request: Request) -> Response:
        """``POST /v1/authorizations/{id}/capture``; no body."""
        self._calls.caller(request, "service")
        return json_answer(await run_in_threadpool(self._desk.capture, needed_id(request, "authorisation")))

    async def void(self, request: Request) -> Response:
        """``POST /v1/authorizations/{id}/void``; no body."""
        self._calls.caller(request, "service")
        return json_answer(await run_in_threadpool(self._desk.void, needed_id(request, "authorisation")))

    def _opened(self, event: Event, record: DecisionRecord) -> Authorization | None:
        entry = self._shopward.log.find([event.id]).get(event.id)
        recorded_ms = 0 if entry is None else entry.recorded_ms  # fails closed: without an entry it is over
        return self._desk.open(event, record, recorded_ms)

    def _declared(self, user: DeclaredUser) -> Declared:
        return declared(user, self._shopward.maker.blind)
