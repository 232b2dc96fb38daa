"""Freezing oneself, the guided way back, and the undo of the old contact, over HTTP.

Promise: a freeze is in force when its answer leaves; a step is committed and audited before it is answered, and taken once
more it hears the same; tokens and passwords are handed on and kept nowhere but as a hash or a keyed token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.events.catalogue import Id, Moment, Word
from shopward.flows.recover import Reviewed
from shopward.http.calls import decoded, id_of, json_answer, language, needed_id, user_id
from shopward.http.challenges import WhoAsked
from shopward.http.orders import before_of, limit_of
from shopward.recovery.view import RecoveryView
from shopward.values import to_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.access import Caller
    from shopward.http.calls import Calls
    from shopward.http.gate import Gate
    from shopward.recovery import Case
    from shopward.service import Shopward

CHANGES_MAX: Final = 200


class FreezeAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A customer freezes the account.

    Attributes:
        reason: what happened, in their words of choice; the trust in factors goes by it.
        since: since when something was wrong; a week ago where left out, at most 90 days.
    """

    reason: Literal[
        "account_at_risk", "lost_device", "takeover", "phishing", "payment_fraud", "linked_identity_breach",
        "credential_stuffing",
    ] = "account_at_risk"  # fmt: skip
    since: Moment | UnsetType = UNSET


class NewPassword(WhoAsked, forbid_unknown_fields=True, omit_defaults=True):
    """The new password, as a login tells it: a keyed HMAC, and whether it stands in a breach corpus."""

    password_hmac: Word = ""
    breached: bool = False


class ReviewAsked(WhoAsked, forbid_unknown_fields=True, omit_defaults=True):
    """Of each change, by the id of its event: ``keep`` what was the owner's, ``undo`` what was not."""

    keep: Annotated[tuple[Id, ...], Meta(max_length=CHANGES_MAX)] = ()
    undo: Annotated[tuple[Id, ...], Meta(max_length=CHANGES_MAX)] = ()


class UndoAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The change that the old contact may take back: the id of its event."""

    event_id: Id


class UndoUsed(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What the old contact brought."""

    token: Annotated[str, Meta(min_length=1, max_length=128)]


class Recoveries(Struct):
    """A page of open recoveries, newest first, without ``changes``; ``next`` is the ``before`` of the next page, if any."""

    recoveries: list[RecoveryView]
    next: str | None


_Shape = TypeVar("_Shape")
_Who = TypeVar("_Who", bound=WhoAsked)


class RecoveryCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        gate: takes changed orders into the log.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, gate: Gate, calls: Calls) -> None:
        self._desk = shopward.recoveries
        self._undos = shopward.undos
        self._gate = gate
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/users/{id}/freeze", self.freeze, methods=["POST"]),
            Route("/v1/recoveries", self.under_way, methods=["GET"]),
            Route("/v1/recoveries/{id}", self.look, methods=["GET"]),
            Route("/v1/recoveries/{id}/identity", self.identity, methods=["POST"]),
            Route("/v1/recoveries/{id}/password", self.password, methods=["POST"]),
            Route("/v1/recoveries/{id}/sessions", self.sessions, methods=["POST"]),
            Route("/v1/recoveries/{id}/review", self.review, methods=["POST"]),
            Route("/v1/recoveries/{id}/release", self.release, methods=["POST"]),
            Route("/v1/undos", self.offer, methods=["POST"]),
            Route("/v1/undos/use", self.use, methods=["POST"]),
        ]

    async def freeze(self, request: Request) -> Response:
        """``POST /v1/users/{id}/freeze``."""
        caller, asked = await self._read(request, FreezeAsked)
        user = user_id(id_of(request))
        since_ms = 0 if asked.since is UNSET else to_ms(asked.since)
        case = await run_in_threadpool(
            lambda: self._desk.freeze(caller, user, reason=asked.reason, since_ms=since_ms)
        )
        return await self._changed(request, case, 201)

    async def under_way(self, request: Request) -> Response:
        """``GET /v1/recoveries?user=&before=&limit=``."""
        self._calls.caller(request, "service", "analyst")
        limit, before, user = (
            limit_of(request),
            before_of(request) or "",
            request.query_params.get("user", ""),
        )
        if user:
            user_id(user, path="user")
        found = await run_in_threadpool(
            lambda: self._desk.under_way(
                user_id=user, before=before, limit=limit + 1, language=language(request)
            )
        )
        return json_answer(Recoveries(found[:limit], found[limit - 1].id if len(found) > limit else None))

    async def look(self, request: Request) -> Response:
        """``GET /v1/recoveries/{id}``."""
        self._calls.caller(request)
        return json_answer(
            await run_in_threadpool(self._desk.look, needed_id(request, "recovery"), language(request))
        )

    async def identity(self, request: Request) -> Response:
        """``POST /v1/recoveries/{id}/identity``."""
        return await self._step(
            request, WhoAsked, lambda caller, case_id, asked: self._desk.prove(caller, case_id, asked.who)
        )

    async def password(self, request: Request) -> Response:
        """``POST /v1/recoveries/{id}/password``."""

        def renew(caller: Caller, case_id: str, asked: NewPassword) -> Case:
            return self._desk.renew(
                caller, case_id, asked.who, password_hmac=asked.password_hmac, breached=asked.breached
            )

        return await self._step(request, NewPassword, renew)

    async def sessions(self, request: Request) -> Response:
        """``POST /v1/recoveries/{id}/sessions``."""
        return await self._step(
            request,
            WhoAsked,
            lambda caller, case_id, asked: self._desk.end_sessions(caller, case_id, asked.who),
        )

    async def review(self, request: Request) -> Response:
        """``POST /v1/recoveries/{id}/review``."""

        def reviewed(caller: Caller, case_id: str, asked: ReviewAsked) -> Case:
            return self._desk.review(caller, case_id, asked.who, Reviewed(asked.keep, asked.undo))

        return await self._step(request, ReviewAsked, reviewed)

    async def release(self, request: Request) -> Response:
        """``POST /v1/recoveries/{id}/release``."""
        return await self._step(
            request, WhoAsked, lambda caller, case_id, asked: self._desk.release(caller, case_id, asked.who)
        )

    async def offer(self, request: Request) -> Response:
        """``POST /v1/undos``."""
        caller, asked = await self._read(request, UndoAsked)
        return json_answer(await run_in_threadpool(self._undos.offer, caller, asked.event_id), 201)

    async def use(self, request: Request) -> Response:
        """``POST /v1/undos/use``."""
        caller, asked = await self._read(request, UndoUsed)
        return await self._changed(request, await run_in_threadpool(self._undos.use, caller, asked.token))

    async def _read(self, request: Request, shape: type[_Shape]) -> tuple[Caller, _Shape]:
        caller = self._calls.caller(request, "service", "analyst")
        return caller, decoded(await self._calls.body(request, caller), shape)

    async def _step(
        self, request: Request, shape: type[_Who], take: Callable[[Caller, str, _Who], Case]
    ) -> Response:
        caller, asked = await self._read(request, shape)
        case = await run_in_threadpool(take, caller, needed_id(request, "recovery"), asked)
        return await self._changed(request, case)

    async def _changed(self, request: Request, case: Case, status: int = 200) -> Response:
        """The case, once the log has what was placed or ended for it."""
        await self._gate.take_orders()
        shown: Any = await run_in_threadpool(self._desk.look, case.id, language(request))
        return json_answer(shown, status)
