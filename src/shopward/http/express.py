"""Express: one decision that came whole, answered without a task, an event and six coroutines of its own.

Promise: takes the plain case of ``POST /v1/decisions`` and no other: a key that may decide, JSON within its limits that is a
good event, no idempotency key, room for one more. It is decided at the same gate and answered with the same bytes as by ``hot``
(``tests/http/test_express.py`` holds the two against each other). Whatever is not plain is not taken and goes the long way,
through uvicorn's cycle and ``hot``, which says what is wrong with it: here nothing is refused but what the gate refuses.

Not here: the connection, whose protocol asks and writes (``guard``).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from shopward.events import decode_event
from shopward.flows.engine import DecisionRecord
from shopward.flows.wording import language_of
from shopward.http.headers import read_head
from shopward.http.hot import DECISIONS, JSON, authorised_caller

if TYPE_CHECKING:
    import asyncio

    from shopward.access import ApiKeys
    from shopward.config import Settings
    from shopward.flows.wording import Wording
    from shopward.http.body import Bodies
    from shopward.http.gate import Gate, Heard
    from shopward.http.headers import Head, RawHeaders, RequestIds
    from shopward.http.metrics import Metrics

PATH: Final = DECISIONS.encode()
"""The one call that is taken."""
_encode: Final = msgspec.json.Encoder().encode


class UnderWay:
    """How many requests the process has under way, and how many it may have."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.count = 0


class Taken(NamedTuple):
    """A request that is at the gate; ``heard`` is what it waits for."""

    head: Head
    held_bytes: int
    started: float
    heard: asyncio.Future[Heard]


class Express:
    """Takes and answers.

    Args:
        keys: who may call.
        gate: decides and records.
        wording: gives decisions their texts.
        settings: limits.
        metrics: what is counted.
        bodies: counts the bytes under way, these among them.
        ids: of requests.
        under_way: all requests of the process, these among them.
        standing: headers that stand on every answer.
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
        ids: RequestIds,
        under_way: UnderWay,
        standing: RawHeaders,
    ) -> None:
        self._keys = keys
        self._gate = gate
        self._wording = wording
        self._bytes_max = settings.event_bytes_max
        self._limits = settings.limits
        self._metrics = metrics
        self._bodies = bodies
        self._ids = ids
        self._under_way = under_way
        self._standing = b"".join(b"%b: %b\r\n" % header for header in standing)

    def take(self, headers: RawHeaders, body: bytes) -> Taken | None:
        """Put the request through the gate; ``None`` where it is not plain, and nothing came of it."""
        head, size = read_head(headers, self._ids), len(body)
        if head.content_type != JSON or head.idempotency_key is not None or size > self._bytes_max:
            return None
        if self._under_way.count >= self._under_way.most or not self._bodies.has_room(size):
            return None
        try:
            authorised_caller(self._keys, head.authorization).require("service")
            event = decode_event(body, limits=self._limits)
        except Exception:  # noqa: BLE001 -- the long way says why, of a fault of ours too
            return None
        self._under_way.count += 1
        self._bodies.inflight += size
        return Taken(head, size, time.perf_counter(), self._gate.submit([event]))

    def settle(self, taken: Taken) -> bytes | Exception:
        """What came of it, behind the status line and the server's own headers; or why it is refused, or was not recorded."""
        self._under_way.count -= 1
        self._bodies.release(taken.held_bytes)
        heard = taken.heard.result()
        record = heard[0] if isinstance(heard, list) else heard
        if not isinstance(record, DecisionRecord):
            return record
        self._metrics.latency(time.perf_counter() - taken.started)
        try:
            body = _encode(self._wording.decision(record, language_of(taken.head.accept_language)))
        except Exception as fault:  # noqa: BLE001 -- a fault of ours is answered, or the client would wait for ever
            return fault
        return b"content-type: application/json\r\nx-request-id: %b\r\n%bcontent-length: %d\r\n\r\n%b" % (
            taken.head.request_id, self._standing, len(body), body,
        )  # fmt: skip
