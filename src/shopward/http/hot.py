"""The hot calls: ``/v1/decisions``, ``/v1/decisions/batch`` and ``/v1/events``, without a framework in between.

Promise: bytes in, recorded answers out, as the contract says; a bad line of a batch is answered as a problem on its
line and spoils no other; what is refused is refused before it is decided. The story of a call:

  (1) the key; (2) the content type; (3) the body, bounded; (4) the idempotency key; (5) the gate; (6) the answer

Once the first line of a batch has left, a failure of the log can no longer be the status of the whole: the lines that
were not recorded are answered as problems in their places, and may be sent again.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from shopward.errors import ShopwardError
from shopward.events import Event, decode_event, split_lines
from shopward.flows.engine import DecisionRecord
from shopward.flows.wording import language_of
from shopward.http.body import ClientGone
from shopward.http.headers import security_headers
from shopward.http.idempotency import IdempotencyKeys
from shopward.http.problems import HttpRefusal, problem_bytes, problem_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence

    from shopward.access import ApiKeys, Caller
    from shopward.config import Settings
    from shopward.flows.wording import Wording
    from shopward.http.body import Bodies, Receive
    from shopward.http.gate import Gate, Heard, Outcome
    from shopward.http.headers import Head, RawHeaders
    from shopward.http.metrics import Metrics

    Message = MutableMapping[str, Any]
    Send = Callable[[Message], Awaitable[None]]

JSON: Final = b"application/json"
NDJSON: Final = b"application/x-ndjson"
DECISIONS: Final = "/v1/decisions"
BATCH: Final = "/v1/decisions/batch"
EVENTS: Final = "/v1/events"
PATHS: Final = frozenset({DECISIONS, BATCH, EVENTS})
_READS: Final = {DECISIONS: (JSON,), BATCH: (NDJSON,), EVENTS: (JSON, NDJSON)}
_IN_FLIGHT: Final = 2
"""Groups of one batch that are under way: the next is at the gate while the answers of the last are written."""

_encoder: Final = msgspec.json.Encoder()


class Accepted(msgspec.Struct):
    """What ``/v1/events`` answers: how many are recorded, and the problems of those that are not."""

    recorded: int
    problems: list[msgspec.Raw]


class _Call(NamedTuple):
    path: str
    head: Head
    caller: str
    is_ndjson: bool


class _Slice(NamedTuple):
    """Some lines of a batch on their way: the first one's position, the lines as checked, and what the gate will say."""

    at: int
    checked: list[Event | ShopwardError]
    heard: asyncio.Future[Heard]


class HotCalls:
    """Serves the three calls.

    Args:
        keys: who may call.
        gate: decides and records.
        wording: gives decisions their texts.
        settings: limits.
        metrics: what is counted.
        bodies: reads what is sent.
    """

    def __init__(
        self,
        *,
        keys: ApiKeys,
        gate: Gate,
        wording: Wording,
        settings: Settings,
        metrics: Metrics,
        bodies: Bodies,
    ) -> None:
        self._keys = keys
        self._gate = gate
        self._wording = wording
        self._settings = settings
        self._limits = settings.limits
        self._metrics = metrics
        self._bodies = bodies
        self._idempotency = IdempotencyKeys()
        self._standing = standing_headers(settings)

    async def serve(self, path: str, method: str, head: Head, receive: Receive, send: Send) -> None:
        """One request; a ``ShopwardError`` that leaves it has sent nothing yet."""
        if method != "POST":
            raise HttpRefusal(405, "method_not_allowed", "this call takes POST alone", expected="POST")
        caller = authorised_caller(self._keys, head.authorization)  # (1)
        caller.require("service")
        call = _Call(path, head, caller.key, _media_type(path, head.content_type) == NDJSON)  # (2)
        started = time.perf_counter()
        limit = self._settings.batch_bytes_max if call.is_ndjson else self._settings.event_bytes_max
        try:
            body = await self._bodies.read(receive, head.content_length, limit)  # (3)
        except ClientGone:
            return
        try:
            await self._answer(call, body, send)
        finally:
            self._bodies.release(len(body))
        if path == DECISIONS:
            self._metrics.latency(time.perf_counter() - started)

    async def _answer(self, call: _Call, body: bytes, send: Send) -> None:
        reserved = None
        if call.head.idempotency_key is not None:  # (4)
            reserved = self._idempotency.reserve(call.caller, call.path, call.head.idempotency_key, body)
        try:
            if call.is_ndjson:
                await self._lines(call, body, send)
            else:
                await self._single(call, body, send)
        except BaseException:
            if reserved is not None:
                self._idempotency.free(reserved)
            raise

    async def _single(self, call: _Call, body: bytes, send: Send) -> None:
        event = decode_event(body, limits=self._limits)
        heard = await self._gate.submit([event])  # (5)
        record = heard[0] if isinstance(heard, list) else heard
        if not isinstance(record, DecisionRecord):
            raise record.with_traceback(None)  # one refusal may be heard by many
        if call.path == EVENTS:
            await self._respond(call, send, 202, JSON, _encoder.encode(Accepted(1, [])))
            return
        decision = self._wording.decision(record, language_of(call.head.accept_language))
        await self._respond(call, send, 200, JSON, _encoder.encode(decision))  # (6)

    async def _lines(self, call: _Call, body: bytes, send: Send) -> None:
        lines = list(split_lines(body, limits=self._limits))
        if call.path == EVENTS:
            await self._record_lines(call, lines, send)
            return
        started = False
        async for at, answers in self._through_gate(lines):
            if not started:
                await send(
                    {"type": "http.response.start", "status": 200, "headers": self._head(call, NDJSON)}
                )
                started = True
            await self._send_part(send, self._written(call, at, answers))
        if started:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        else:
            await self._respond(call, send, 200, NDJSON, b"")

    async def _record_lines(self, call: _Call, lines: Sequence[bytes], send: Send) -> None:
        accepted = Accepted(0, [])
        async for at, answers in self._through_gate(lines):
            for line, answer in enumerate(answers, start=at + 1):
                if isinstance(answer, DecisionRecord):
                    accepted.recorded += 1
                else:
                    accepted.problems.append(msgspec.Raw(self._problem(call, answer, line)))
        await self._respond(call, send, 202, JSON, _encoder.encode(accepted))

    async def _through_gate(self, lines: Sequence[bytes]) -> AsyncIterator[tuple[int, Outcome]]:
        """Groups of lines through the gate, in order, the next one checked and on its way before the last is answered.

        Raises:
            StoreError: the first group is not recorded; a later one gives that error on each of its lines.
        """
        step = self._settings.group_max
        under_way: deque[_Slice] = deque()
        for at in range(0, len(lines), step):
            under_way.append(self._sent(at, lines[at : at + step]))
            if len(under_way) == _IN_FLIGHT:
                slice_ = under_way.popleft()
                yield slice_.at, _merged(slice_, await slice_.heard)
        for rest in under_way:
            yield rest.at, _merged(rest, await rest.heard)

    def _sent(self, at: int, lines: Sequence[bytes]) -> _Slice:
        """Check lines and put the good ones through the gate."""
        checked = [self._checked(line) for line in lines]
        return _Slice(
            at, checked, self._gate.submit([event for event in checked if isinstance(event, Event)])
        )

    def _checked(self, line: bytes) -> Event | ShopwardError:
        try:
            return decode_event(line, limits=self._limits)
        except ShopwardError as refused:
            return refused

    def _written(self, call: _Call, at: int, answers: Outcome) -> bytes:
        """The answers of one group as NDJSON."""
        language, wording = language_of(call.head.accept_language), self._wording
        parts = [
            _encoder.encode(wording.decision(answer, language))
            if isinstance(answer, DecisionRecord)
            else self._problem(call, answer, line)
            for line, answer in enumerate(answers, start=at + 1)
        ]
        parts.append(b"")
        return b"\n".join(parts)

    def _problem(self, call: _Call, error: Exception, line: int) -> bytes:
        problem = problem_of(error, request_id=call.head.request_id.decode(), line=line)
        self._metrics.problems[problem.code] += 1
        return problem_bytes(problem)

    async def _send_part(self, send: Send, part: bytes) -> None:
        """A client that does not take its answer loses the connection; what was recorded stays recorded."""
        async with asyncio.timeout(self._settings.write_timeout_s):
            await send({"type": "http.response.body", "body": part, "more_body": True})

    async def _respond(self, call: _Call, send: Send, status: int, media_type: bytes, body: bytes) -> None:
        headers = self._head(call, media_type)
        headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _head(self, call: _Call, media_type: bytes) -> list[tuple[bytes, bytes]]:
        return [(b"content-type", media_type), (b"x-request-id", call.head.request_id), *self._standing]


def standing_headers(settings: Settings) -> RawHeaders:
    """What stands on every answer of these calls."""
    is_https = settings.has_tls or settings.behind_proxy
    return [*security_headers(is_page=False, has_tls=is_https), (b"cache-control", b"no-store")]


def authorised(keys: ApiKeys, authorization: bytes) -> str:
    """The name of the caller's key; raises a 401 where there is none. Fails closed."""
    return authorised_caller(keys, authorization).key


def authorised_caller(keys: ApiKeys, authorization: bytes) -> Caller:
    """Who calls; raises a 401 where there is no key of ours. Fails closed."""
    scheme, _, key = authorization.partition(b" ")
    caller = keys.caller_of(key.strip()) if scheme.lower() == b"bearer" else None
    if caller is None:
        raise HttpRefusal(
            401,
            "unauthorized",
            "an API key is needed",
            path="Authorization",
            expected="Bearer and a key of this server",
            found="nothing" if not authorization else "something else",
            hint="the first start of the server prints a key once",
        )
    return caller


def _media_type(path: str, content_type: bytes) -> bytes:
    """What the body is; raises a 415 where this call does not read it."""
    media_type = content_type.partition(b";")[0].strip().lower()
    if media_type not in _READS[path]:
        raise HttpRefusal(
            415,
            "unsupported_media_type",
            "this call does not read this content type",
            path="Content-Type",
            expected=" or ".join(each.decode() for each in _READS[path]),
            found="nothing" if not content_type else "another type",
        )
    return media_type


def _merged(slice_: _Slice, heard: Heard) -> Outcome:
    """Answers and refusals in the order of the lines; raises where nothing of a first group is recorded."""
    if isinstance(heard, ShopwardError):
        if slice_.at == 0:
            raise heard.with_traceback(None)  # one refusal may be heard by many
        heard = [heard] * len(slice_.checked)
    answers = iter(heard)
    return [next(answers) if isinstance(event, Event) else event for event in slice_.checked]
