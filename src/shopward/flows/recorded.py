"""Recorded: what an entry of the log says, and how it is taken back into the state.

Promise: recorded decisions are taken as they stand and never recomputed; an entry that cannot be read raises, since a log
that is half understood would give other decisions than were answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from shopward.events import Facts
from shopward.flows.engine import DecisionRecord
from shopward.protection.inforce import Change
from shopward.publication import Mark

if TYPE_CHECKING:
    from shopward.flows.engine import Engine
    from shopward.ports import LogEntry, Span

EVENT: Final = "event"
ORDER: Final = "order"
POLICY: Final = "policy"
_facts_of_many: Final = msgspec.json.Decoder(list[Facts])
_records_of_many: Final = msgspec.json.Decoder(list[DecisionRecord])
_facts_decoder: Final = msgspec.json.Decoder(Facts)
_record_decoder: Final = msgspec.json.Decoder(DecisionRecord)
_change_decoder: Final = msgspec.json.Decoder(Change)
_mark_decoder: Final = msgspec.json.Decoder(Mark)


class RecordedEvent(Struct, omit_defaults=True):
    """A recorded event and its decision, as timelines show it."""

    seq: int
    at_ms: int
    event: msgspec.Raw
    decision: DecisionRecord


def recorded_event(entry: LogEntry, told: bytes) -> RecordedEvent:
    """A log entry for a reader who may see the event as it was sent."""
    return RecordedEvent(entry.seq, entry.at_ms, msgspec.Raw(told), record_of_entry(entry))


def reapply(engine: Engine, entry: LogEntry) -> None:
    """Take an entry of the log into an engine's state, as it stands."""
    if entry.kind == ORDER:
        engine.change(_change_decoder.decode(entry.facts))
    elif entry.kind == POLICY:
        engine.mark(mark_of_entry(entry))
    else:
        engine.reapply(facts_of_entry(entry), record_of_entry(entry))


def mark_of_entry(entry: LogEntry) -> Mark:
    """The publication that an entry of kind ``policy`` tells of."""
    return _mark_decoder.decode(entry.facts)


def facts_of_entry(entry: LogEntry) -> Facts:
    """The facts of a recorded event."""
    return _facts_decoder.decode(entry.facts)


def record_of_entry(entry: LogEntry) -> DecisionRecord:
    """The decision beside a recorded event."""
    return _record_decoder.decode(entry.decision)


def facts_of_span(span: Span) -> list[Facts]:
    """The facts of a span of events."""
    return _facts_of_many.decode(span.facts)


def records_of_span(span: Span) -> list[DecisionRecord]:
    """The decisions beside a span of events."""
    return _records_of_many.decode(span.decisions)
