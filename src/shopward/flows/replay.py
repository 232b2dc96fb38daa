"""Replay: decisions for a recorded stream, with the code that decides live.

Promise: starts from empty state, applies every event in the order given, carries out no action and writes nowhere.
The same stream and policy give the same decisions as live, bit for bit, because the engine is the same.
An id that comes again is not applied twice. Unlike live intake it takes any time as it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from shopward.errors import ShopwardError
from shopward.events import Event, Facts, FactsMaker, Tokeniser, decode_event
from shopward.flows.engine import DecisionRecord, Engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shopward.risk.policy import Policy

REPLAY_KEY: Final = b"shopward replay: not a secret..."
"""Tokens of a replay are kept nowhere; a fixed key makes replays comparable."""
Line = bytes | Event | ShopwardError
"""What a stream gives: a line to be checked, a checked event, or why a row was none."""
_KEPT_MAX: Final = 4_000_000


class MemoryRecall:
    """Finds the events that labels name among those replayed; the oldest are forgotten beyond 4 million."""

    def __init__(self) -> None:
        self._facts: dict[str, bytes] = {}

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._facts

    def keep(self, facts: Facts) -> None:
        """Remember an event."""
        if len(self._facts) >= _KEPT_MAX:
            del self._facts[next(iter(self._facts))]
        self._facts[facts.id] = _encoder.encode(facts)

    def facts_of(self, event_id: str) -> Facts | None:
        """The facts of an earlier event of the stream."""
        packed = self._facts.get(event_id)
        return None if packed is None else _decoder.decode(packed)


class Replay:
    """One pass over a stream.

    Args:
        policy: the compiled policy.

    Attributes:
        repeated: events whose id had come before and that were passed over.
    """

    def __init__(self, policy: Policy) -> None:
        self._recall = MemoryRecall()
        self.engine = Engine(policy, FactsMaker(Tokeniser(REPLAY_KEY)), self._recall)
        self.repeated = 0

    def run(self, stream: Iterable[Line]) -> Iterator[tuple[Facts, DecisionRecord] | ShopwardError]:
        """The facts and the decision for each event; a refusal where a line is no event, and the next line goes on."""
        decide, recall = self.engine.decide, self._recall
        for raw in stream:
            if isinstance(raw, ShopwardError):  # refused where it was read
                yield raw
                continue
            try:
                event = raw if isinstance(raw, Event) else decode_event(raw)
                if event.id in recall:
                    self.repeated += 1
                    continue
                facts, record = decide(event)
            except ShopwardError as refused:
                yield refused
                continue
            recall.keep(facts)
            yield facts, record


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Facts)
