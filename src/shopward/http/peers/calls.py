"""The calls of peers over HTTP: their keys, their content types, their answers, our decisions.

Promise: a call of a peer is one event through the same gate as ``/v1/decisions``, durable before it is answered; every
refusal has the peer's shape and the status that its client library knows. The story of a call:

  (1) the key, where the peer sends it; (2) the body, bounded; (3) the event, or a refusal; (4) the gate;
  (5) the answer in the peer's shape

Fails closed: where nothing is recorded the answer is a 503, and the peer's client library does what the shop told it to.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import UNSET
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from shopward.errors import Conflict, ShopwardError
from shopward.flows.engine import DecisionRecord
from shopward.http.calls import decoded, json_answer, language
from shopward.http.peers.castle import FILTER, LOG, RISK, CastleError, castle_event, castle_verdict
from shopward.http.peers.tirreno import Blacklisted, form_of, tirreno_event, wants_blacklisting
from shopward.http.problems import HttpRefusal, problem_headers, problem_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from shopward.access import ApiKeys, Caller
    from shopward.events import Event
    from shopward.http.calls import Calls
    from shopward.http.gate import Gate
    from shopward.http.metrics import Metrics
    from shopward.service import Shopward

SENSOR: Final = "/sensor/"
FORM: Final = "application/x-www-form-urlencoded"
_KEY_BYTES_MAX: Final = 512
_record_decoder: Final = msgspec.json.Decoder(DecisionRecord)


class PeerCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        keys: who may call.
        gate: decides and records.
        calls: reads requests.
        metrics: what is counted.
    """

    def __init__(self, shopward: Shopward, keys: ApiKeys, gate: Gate, calls: Calls, metrics: Metrics) -> None:
        self._shopward = shopward
        self._keys = keys
        self._gate = gate
        self._calls = calls
        self._metrics = metrics
        self._limits = shopward.settings.limits

    def routes(self) -> list[Route]:
        """The paths of the peers."""
        castle = self._guarded(self._castle, _castle_error)
        tirreno = self._guarded(self._tirreno, _tirreno_error)
        return [
            *(Route(path, castle, methods=["POST"]) for path in (RISK, FILTER, LOG)),
            *(Route(path, tirreno, methods=["POST"]) for path in (SENSOR, SENSOR.rstrip("/"))),
        ]

    def _guarded(
        self, serve: Callable[[Request], Awaitable[Response]], refuse: Callable[[ShopwardError], Response]
    ) -> Callable[[Request], Awaitable[Response]]:
        """A handler whose refusals have the peer's shape; a fault of ours stays the bare 500 that it is everywhere."""

        async def handle(request: Request) -> Response:
            try:
                return await serve(request)
            except ShopwardError as refused:
                self._metrics.problems[refused.code] += 1
                return refuse(refused)

        return handle

    async def _castle(self, request: Request) -> Response:
        """``POST /v1/risk``, ``/v1/filter`` and ``/v1/log``."""
        caller = self._caller(_password_of(request.headers.get("authorization", "")), "Basic")  # (1)
        raw = await self._calls.body(request, caller, limit=self._limits.event_bytes_max)  # (2)
        event = castle_event(  # (3)
            decoded(raw, dict[str, Any]),
            call=request.url.path,
            blind=self._shopward.maker.blind,
            limits=self._limits,
            now_ms=self._shopward.clock.now_ms(),
            new_id="castle-" + secrets.token_hex(16),
        )
        record = await self._decided(event)  # (4)
        if request.url.path == LOG:
            return Response(status_code=204)
        device = "" if event.context is UNSET else event.context.device_id
        decision = self._shopward.wording.decision(record, language(request))
        return json_answer(castle_verdict(decision, device), 201)  # (5)

    async def _tirreno(self, request: Request) -> Response:
        """``POST /sensor/``."""
        caller = self._caller(request.headers.get("api-key", ""), "Api-Key")  # (1)
        raw = await self._calls.body(
            request, caller, media_type=FORM, limit=self._limits.event_bytes_max
        )  # (2)
        given = form_of(raw)
        event = tirreno_event(  # (3)
            given,
            raw,
            blind=self._shopward.maker.blind,
            limits=self._limits,
            now_ms=self._shopward.clock.now_ms(),
            new_id="tirreno-" + secrets.token_hex(16),
        )
        record = await self._decided(event)  # (4)
        if not wants_blacklisting(given):
            return Response(status_code=204)
        address = "" if event.context is UNSET else event.context.ip
        return json_answer(Blacklisted(address, record.decision == "deny"))  # (5)

    def _caller(self, presented: str, scheme: str) -> Caller:
        """Whose key it is; the same keys as everywhere. Fails closed."""
        caller = self._keys.caller_of(presented[:_KEY_BYTES_MAX].encode("utf-8", "replace"))
        if caller is None:
            raise HttpRefusal(
                401,
                "unauthorized",
                "an API key is needed",
                path="Api-Key" if scheme == "Api-Key" else "Authorization",
                expected=f"{scheme} and a key of this server",
                found="something else" if presented else "nothing",
            )
        caller.require("service")
        return caller

    async def _decided(self, event: Event) -> DecisionRecord:
        """The decision; of an event that was told before, the one that it got then."""
        heard = await self._gate.submit([event])
        answer = heard[0] if isinstance(heard, list) else heard
        if isinstance(answer, DecisionRecord):
            return answer
        if isinstance(answer, Conflict) and answer.code == "event_id_reused":
            # Its id is made of what the caller sent; what differs is the time, which is ours where none was sent.
            recorded = (await run_in_threadpool(self._shopward.log.find, [event.id])).get(event.id)
            if recorded is not None:
                return _record_decoder.decode(recorded.decision)
        raise answer.with_traceback(None)  # one refusal may be heard by many


def _password_of(authorization: str) -> str:
    """The password of HTTP Basic (RFC 7617); Castle's user name is empty and not looked at."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""


def _castle_error(refused: ShopwardError) -> Response:
    challenge = 'Basic realm="shopward"'
    return _refusal(
        refused, msgspec.json.encode(CastleError(refused.code, str(refused))), "application/json", challenge
    )


def _tirreno_error(refused: ShopwardError) -> Response:
    return _refusal(refused, str(refused).encode(), "text/plain", "Api-Key")


def _refusal(refused: ShopwardError, body: bytes, media_type: str, challenge: str) -> Response:
    problem = problem_of(refused)
    kept = {name.decode(): value.decode() for name, value in problem_headers(problem)}
    if problem.status == 401:
        kept["www-authenticate"] = challenge
    return Response(body, problem.status, headers=kept, media_type=media_type)
