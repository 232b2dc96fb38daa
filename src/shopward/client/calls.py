"""The two clients, for code that waits and for code that awaits; otherwise the same.

Promise: ``decide``, ``record``, ``authorize``, ``capture`` and ``void`` return and never raise for anything that a
server, a network or an event does; what went wrong stands in ``fault`` and is logged once a minute. Every call is made at
most twice: once more where the connection broke or the server said 502, 503 or 504, which is safe since the same event
again hears its recorded answer, and a capture its outcome; what staff do through ``office`` is made once. A redirect is not
followed: the key goes where the shop said.

The story of a call: (1) the body; (2) the breaker; (3) the call, and once more; (4) the breaker learns; (5) the answer.

Both may be shared by threads or tasks, keep their connections open, and are closed by ``close`` or ``with``.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypedDict

import httpx2

from shopward.client import stolen, wire
from shopward.client.breaker import Breaker
from shopward.client.fallback import Fallback
from shopward.client.faults import Fault, FaultLog
from shopward.client.office import Office
from shopward.client.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from types import TracebackType
    from typing import Self, Unpack

    from shopward.client.answers import (
        Answer,
        Authorization,
        Captured,
        Challenge,
        Decision,
        OwnPage,
        PasswordScreened,
        Records,
        Verdict,
    )
    from shopward.client.stolen import Stolen
    from shopward.client.wire import Reply, Request


class Options(TypedDict, total=False):
    """What may be said of a client beside where the server is and the key.

    Attributes:
        timeout_s: for connecting, for sending and for waiting, each; 0.3.
        on_unreachable: verdicts by event type, ``type:instrument`` or ``*``.
        language: of reasons' texts: ``id``, ``zh`` or ``en``.
    """

    timeout_s: float
    on_unreachable: Mapping[str, Verdict]
    language: str


class _Common:
    """What both clients share: settings, breaker and log; raises ``ValueError`` where a setting cannot work.

    Args:
        url: of the server; https, or http on loopback.
        key: an API key with the role ``service``.
        steady_s: seconds of a clock that never goes back.
        options: see ``Options``.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        steady_s: Callable[[], float] = time.monotonic,
        **options: Unpack[Options],
    ) -> None:
        self._steady_s = steady_s
        self.settings = Settings(url.rstrip("/"), key, **options)
        self.fallback = Fallback(self.settings.on_unreachable)
        self._breaker = Breaker()
        self._lists = Breaker()  # a list of stolen passwords that is away must not silence decisions
        self._faults = FaultLog()

    def _prepared(self, path: str, event: Mapping[str, Any]) -> Request | Fault:
        """Steps 1 and 2."""
        try:
            request = wire.posting(path, event)  # (1)
        except (TypeError, ValueError, RecursionError):
            return Fault("event_refused", "the event is no JSON: expected text, numbers, lists and objects")
        return self._asked(request)

    def _asked(self, request: Request) -> Request | Fault:
        return request if self._breaker.may_ask(now_s=self._steady_s()) else Fault("paused")  # (2)

    def _settling(self, authorization: Authorization, verb: str) -> Request | Fault:
        if not authorization.id:
            return authorization.decision.fault or Fault("unreachable")
        return self._asked(wire.settling(authorization.id, verb))

    def _learnt(self, reply: Reply | Fault) -> Reply | Fault:
        """Step 4."""
        if wire.is_failure(reply):
            self._breaker.failed(now_s=self._steady_s())
        else:
            self._breaker.heard()
        return reply

    # Step 5.

    def _decision(self, reply: Reply | Fault, event: Mapping[str, Any]) -> Decision:
        decision = wire.read_decision(reply, event, self.fallback)
        self._tell(decision.fault)
        return decision

    def _recorded(self, reply: Reply | Fault) -> bool:
        fault = wire.read_recorded(reply)
        self._tell(fault)
        return fault is None

    def _authorization(self, reply: Reply | Fault, event: Mapping[str, Any]) -> Authorization:
        authorization = wire.read_authorization(reply, event, self.fallback)
        self._tell(authorization.decision.fault)
        return authorization

    def _captured(self, reply: Reply | Fault, authorization: Authorization) -> Captured:
        captured = wire.read_captured(reply, authorization)
        self._tell(captured.fault)
        return captured

    def _answering(
        self, decision_id: str, who: Mapping[str, Any], factor: str, answer: str
    ) -> Request | Fault:
        try:
            request = wire.answering(decision_id, who, factor, answer)
        except (TypeError, ValueError, RecursionError):
            return Fault("event_refused", "who answers is no JSON: expected text, numbers, lists and objects")
        return self._asked(request)

    def _challenge(self, reply: Reply | Fault) -> Challenge:
        challenge = wire.read_challenge(reply)
        if challenge.state == "unheard":  # a wrong answer is the customer's matter, not the operator's
            self._tell(challenge.fault)
        return challenge

    def _screening(self, password: str, context: Mapping[str, str | bool] | None) -> Request | Fault:
        try:
            request = wire.screening(password, context or {})
        except (TypeError, ValueError):
            return Fault("event_refused", "the password or its context is no JSON")
        return self._asked(request)

    def _screened(self, reply: Reply | Fault) -> PasswordScreened:
        screened = wire.read_screened(reply)
        self._tell(screened.fault)
        return screened

    def _ranging(self, digest: str) -> Request | Fault:
        """Steps 1 and 2 for a range."""
        if not self._lists.may_ask(now_s=self._steady_s()):
            return Fault("not_screened")
        return stolen.asking(digest, self.settings.url)

    def _found(self, digest: str, reply: Reply | Fault) -> Stolen:
        """Steps 4 and 5 for a range."""
        found = stolen.read(digest, reply)
        if found.fault is None:
            self._lists.heard()
        elif not isinstance(reply, Fault) or reply.code != "not_screened":  # it was asked
            self._lists.failed(now_s=self._steady_s())
        self._tell(found.fault)
        return found

    def _vaulting(self, verb: str, asked: Mapping[str, Any]) -> Request | Fault:
        try:
            request = wire.vaulting(verb, asked)
        except (TypeError, ValueError, RecursionError):
            return Fault("event_refused", "what is asked of the vault is no JSON")
        return self._asked(request)

    def _given(self, reply: Reply | Fault) -> Records:
        given = wire.read_records(reply)
        self._tell(given.fault)
        return given

    def _visiting(self, user: str, **asked: str | bool) -> Request | Fault:
        try:
            request = wire.visiting(user, asked)
        except (TypeError, ValueError):
            return Fault("event_refused", "the user is no text")
        return self._asked(request)

    def _shown(self, reply: Reply | Fault) -> OwnPage:
        page = wire.read_own_page(reply, self.settings.url)
        self._tell(page.fault)
        return page

    def _done(self, reply: Reply | Fault) -> Answer:
        answer = wire.read_answer(reply)
        self._tell(answer.fault)
        return answer

    def _tell(self, fault: Fault | None) -> None:
        if fault is not None:
            self._faults.note(fault, now_s=self._steady_s())

    def _options(self) -> dict[str, Any]:
        return {
            "base_url": self.settings.url,
            "headers": self.settings.headers(),
            "timeout": self.settings.timeout_s,
            "follow_redirects": False,
            "trust_env": False,  # a proxy of the environment would hear the key
        }


class Client(_Common):
    """For code that waits: Django, Flask, a worker."""

    def __init__(self, url: str, key: str, **options: Unpack[Options]) -> None:
        super().__init__(url, key, **options)
        self._http = httpx2.Client(**self._options())
        self.office: Office[Answer] = Office(self._office, self._asked)

    def decide(self, event: Mapping[str, Any], *, language: str | None = None) -> Decision:
        """The decision on an event, before what it tells of is done; the shop's own where the server is not heard."""
        return self._decision(self._reply(self._prepared(wire.DECISIONS, event), language), event)

    def record(self, event: Mapping[str, Any]) -> bool:
        """Tell of what happened, without waiting for a decision; whether it is recorded."""
        return self._recorded(self._reply(self._prepared(wire.EVENTS, event)))

    def authorize(self, event: Mapping[str, Any], *, language: str | None = None) -> Authorization:
        """The first step of a movement of money; go on to ``capture`` where ``may_capture`` says so."""
        reply = self._reply(self._prepared(wire.AUTHORIZATIONS, event), language)
        return self._authorization(reply, event)

    def capture(self, authorization: Authorization) -> Captured:
        """The second step; move the money only where ``may_move_money`` says so."""
        return self._captured(self._reply(self._settling(authorization, "capture")), authorization)

    def void(self, authorization: Authorization) -> None:
        """Give an authorisation up; one that is not given up is worth nothing after ten seconds anyway."""
        self._reply(self._settling(authorization, "void"))

    def challenge(self, decision_id: str) -> Challenge:
        """What a challenged decision asks for."""
        return self._challenge(self._reply(self._asked(wire.looking(decision_id))))

    def answer(self, decision_id: str, *, who: Mapping[str, Any], factor: str, answer: str) -> Challenge:
        """Answer a challenge; ``who`` is ``user`` and ``context`` as in an event, on the device that was challenged."""
        return self._challenge(self._reply(self._answering(decision_id, who, factor, answer)))

    def screen_password(
        self, password: str, context: Mapping[str, str | bool] | None = None, *, language: str | None = None
    ) -> PasswordScreened:
        """Whether a password may be chosen; ``context`` holds words of the person by any name, and ``sole_factor``."""
        return self._screened(self._reply(self._screening(password, context), language))

    def stolen_password(self, password: str) -> Stolen:
        """Whether thieves have a password, which does not leave this process; for ``credential.breached`` of a login."""
        return stolen.joined(
            self._found(digest, self._asked_once(self._ranging(digest)))
            for digest in stolen.digests_of(password)
        )

    def keep(self, records: Sequence[Mapping[str, Any]]) -> Records:
        """Put records into the vault, each with ``user``, ``kind``, ``fields`` and an ``id`` of yours; they come back masked."""
        return self._given(self._reply(self._vaulting("records", {"records": list(records)})))

    def reveal(
        self,
        records: Sequence[str],
        fields: Sequence[str],
        *,
        purpose: str,
        case_id: str = "",
        order_id: str = "",
        request_id: str = "",
        challenge_id: str = "",
    ) -> Records:
        """See values for a purpose; decided and audited before they come."""
        asked = {
            "records": list(records),
            "fields": list(fields),
            "purpose": purpose,
            "case_id": case_id,
            "order_id": order_id,
            "request_id": request_id,
            "challenge_id": challenge_id,
        }
        return self._given(self._reply(self._vaulting("reveal", asked)))

    def find(self, kind: str, field: str, value: str, *, transform: str = "exact") -> Records:
        """Records of the vault by a value, masked."""
        asked = {"kind": kind, "field": field, "value": value, "transform": transform}
        return self._given(self._reply(self._vaulting("search", asked)))

    def own_page(self, user: str, **more: str | bool) -> OwnPage:
        """Where a customer sees their own account, once; ``more`` is ``language``, ``timezone``, ``regime`` or ``may_claim``."""
        return self._shown(self._reply(self._visiting(user, **more)))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _office(self, request: Request | Fault) -> Answer:
        return self._done(self._reply(request))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _reply(self, request: Request | Fault, language: str | None = None) -> Reply | Fault:
        if isinstance(request, Fault):
            return request
        reply = self._call(request, language)  # (3)
        if request.is_repeatable and wire.is_passing(reply):
            reply = self._call(request, language)
        return self._learnt(reply)  # (4)

    def _asked_once(self, request: Request | Fault) -> Reply | Fault:
        return request if isinstance(request, Fault) else self._call(request, None)

    def _call(self, request: Request, language: str | None) -> Reply | Fault:
        headers = dict(request.headers) if language is None else {"Accept-Language": language}
        patience_s = request.timeout_s or self.settings.timeout_s
        calling = self._http.stream(
            request.method, request.path, content=request.body, headers=headers, timeout=patience_s
        )
        try:
            with calling as response:
                body, until_s = b"", self._steady_s() + patience_s
                for part in response.iter_bytes():
                    body += part
                    if len(body) > wire.ANSWER_BYTES_MAX:
                        return Fault("bad_answer", "the answer is too long")
                    if self._steady_s() > until_s:
                        return Fault("timeout")
                return wire.Reply(response.status_code, body)
        except httpx2.TimeoutException:
            return Fault("timeout")
        except (httpx2.HTTPError, httpx2.InvalidURL):
            return Fault("unreachable")


class AsyncClient(_Common):
    """For code that awaits: Starlette, FastAPI, asynchronous Django."""

    def __init__(self, url: str, key: str, **options: Unpack[Options]) -> None:
        super().__init__(url, key, **options)
        self._http = httpx2.AsyncClient(**self._options())
        self.office: Office[Coroutine[Any, Any, Answer]] = Office(self._office, self._asked)

    async def decide(self, event: Mapping[str, Any], *, language: str | None = None) -> Decision:
        """The decision on an event, before what it tells of is done; the shop's own where the server is not heard."""
        return self._decision(await self._reply(self._prepared(wire.DECISIONS, event), language), event)

    async def record(self, event: Mapping[str, Any]) -> bool:
        """Tell of what happened, without waiting for a decision; whether it is recorded."""
        return self._recorded(await self._reply(self._prepared(wire.EVENTS, event)))

    async def authorize(self, event: Mapping[str, Any], *, language: str | None = None) -> Authorization:
        """The first step of a movement of money; go on to ``capture`` where ``may_capture`` says so."""
        reply = await self._reply(self._prepared(wire.AUTHORIZATIONS, event), language)
        return self._authorization(reply, event)

    async def capture(self, authorization: Authorization) -> Captured:
        """The second step; move the money only where ``may_move_money`` says so."""
        return self._captured(await self._reply(self._settling(authorization, "capture")), authorization)

    async def void(self, authorization: Authorization) -> None:
        """Give an authorisation up; one that is not given up is worth nothing after ten seconds anyway."""
        await self._reply(self._settling(authorization, "void"))

    async def challenge(self, decision_id: str) -> Challenge:
        """What a challenged decision asks for."""
        return self._challenge(await self._reply(self._asked(wire.looking(decision_id))))

    async def answer(
        self, decision_id: str, *, who: Mapping[str, Any], factor: str, answer: str
    ) -> Challenge:
        """Answer a challenge; ``who`` is ``user`` and ``context`` as in an event, on the device that was challenged."""
        return self._challenge(await self._reply(self._answering(decision_id, who, factor, answer)))

    async def screen_password(
        self, password: str, context: Mapping[str, str | bool] | None = None, *, language: str | None = None
    ) -> PasswordScreened:
        """Whether a password may be chosen; ``context`` holds words of the person by any name, and ``sole_factor``."""
        return self._screened(await self._reply(self._screening(password, context), language))

    async def stolen_password(self, password: str) -> Stolen:
        """Whether thieves have a password, which does not leave this process; for ``credential.breached`` of a login."""
        return stolen.joined(
            [
                self._found(digest, await self._asked_once(self._ranging(digest)))
                for digest in stolen.digests_of(password)
            ]
        )

    async def keep(self, records: Sequence[Mapping[str, Any]]) -> Records:
        """Put records into the vault, each with ``user``, ``kind``, ``fields`` and an ``id`` of yours; they come back masked."""
        return self._given(await self._reply(self._vaulting("records", {"records": list(records)})))

    async def reveal(
        self,
        records: Sequence[str],
        fields: Sequence[str],
        *,
        purpose: str,
        case_id: str = "",
        order_id: str = "",
        request_id: str = "",
        challenge_id: str = "",
    ) -> Records:
        """See values for a purpose; decided and audited before they come."""
        asked = {
            "records": list(records),
            "fields": list(fields),
            "purpose": purpose,
            "case_id": case_id,
            "order_id": order_id,
            "request_id": request_id,
            "challenge_id": challenge_id,
        }
        return self._given(await self._reply(self._vaulting("reveal", asked)))

    async def find(self, kind: str, field: str, value: str, *, transform: str = "exact") -> Records:
        """Records of the vault by a value, masked."""
        asked = {"kind": kind, "field": field, "value": value, "transform": transform}
        return self._given(await self._reply(self._vaulting("search", asked)))

    async def own_page(self, user: str, **more: str | bool) -> OwnPage:
        """Where a customer sees their own account, once; ``more`` is ``language``, ``timezone``, ``regime`` or ``may_claim``."""
        return self._shown(await self._reply(self._visiting(user, **more)))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _office(self, request: Request | Fault) -> Answer:
        return self._done(await self._reply(request))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _reply(self, request: Request | Fault, language: str | None = None) -> Reply | Fault:
        if isinstance(request, Fault):
            return request
        reply = await self._call(request, language)  # (3)
        if request.is_repeatable and wire.is_passing(reply):
            reply = await self._call(request, language)
        return self._learnt(reply)  # (4)

    async def _asked_once(self, request: Request | Fault) -> Reply | Fault:
        return request if isinstance(request, Fault) else await self._call(request, None)

    async def _call(self, request: Request, language: str | None) -> Reply | Fault:
        headers = dict(request.headers) if language is None else {"Accept-Language": language}
        patience_s = request.timeout_s or self.settings.timeout_s
        calling = self._http.stream(
            request.method, request.path, content=request.body, headers=headers, timeout=patience_s
        )
        try:
            async with calling as response:
                body, until_s = b"", self._steady_s() + patience_s
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) > wire.ANSWER_BYTES_MAX:
                        return Fault("bad_answer", "the answer is too long")
                    if self._steady_s() > until_s:
                        return Fault("timeout")
                return wire.Reply(response.status_code, body)
        except httpx2.TimeoutException:
            return Fault("timeout")
        except (httpx2.HTTPError, httpx2.InvalidURL):
            return Fault("unreachable")
