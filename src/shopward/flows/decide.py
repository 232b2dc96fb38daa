"""The main story: a group of events in, recorded decisions out.

Promise:
- an answer is given only after event and decision are recorded, durably, in one transaction;
- the same event again hears the recorded answer; the same id with other content is a ``Conflict``;
- one bad event is answered with its problem and spoils no other;
- where the log cannot record, nothing of the group is answered, and the state goes back to what the log says.

The story of a group:
  (1) each line is checked; refusals keep their place
  (2) ids that are recorded already, or stand earlier in the group, hear that answer
  (3) a live event too far ahead of the server's clock is refused
  (4) the engine decides, in order
  (5) events and decisions are recorded together
  (6) answers leave

Steps 1 to 4 are ``prepare`` and step 5 is ``commit``, so that a server can wait for the disk without standing still.
Not thread-safe: groups are prepared one after the other, and each is committed before the next is prepared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
from msgspec import Struct

from shopward.errors import Conflict, InvalidField, ShopwardError, SnapshotInvalid
from shopward.events import Event, EventLimits, Facts, canonical_bytes, decode_event
from shopward.flows.engine import DecisionRecord, Engine, Recall
from shopward.ports import LogEntry, Snapshot
from shopward.values import MINUTE_MS, digest16

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.ports import EventLog, SnapshotStore
    from shopward.values import Clock

AHEAD_MAX_MS: Final = 5 * MINUTE_MS
"""How far a live event may be ahead of the server's clock (contract)."""
_REBUILD_PAGE: Final = 2_000

_facts_encoder: Final = msgspec.json.Encoder()
_facts_decoder: Final = msgspec.json.Decoder(Facts)
_record_decoder: Final = msgspec.json.Decoder(DecisionRecord)

Answer = DecisionRecord | ShopwardError


class Group(NamedTuple):
    """A prepared group: what to record, and the answers that wait for it."""

    entries: list[LogEntry]
    answers: list[Answer]


class DecisionDesk:
    """Decides groups of events against one log.

    Args:
        log: the claimed log.
        engine_of: makes a fresh engine on the desk's own recall; called again where the state has to be rebuilt.
        snapshots: where the state is saved.
        clock: the server's clock.
        limits: how much one event may hold.
    """

    def __init__(
        self,
        *,
        log: EventLog,
        engine_of: Callable[[Recall], Engine],
        snapshots: SnapshotStore,
        clock: Clock,
        limits: EventLimits | None = None,
    ) -> None:
        self.log = log
        self.snapshots = snapshots
        self.clock = clock
        self.limits = limits or EventLimits()
        self._engine_of = engine_of
        self._recall = LogRecall(log)
        self.engine = engine_of(self._recall)
        self.seq = 0
        self._stale = True

    def prepare(self, raws: Sequence[bytes | Event]) -> Group:
        """Steps 1 to 4 of a group.

        Raises:
            StoreError: the log cannot be read; nothing was decided.
        """
        if self._stale:
            self.rebuild()
        self._recall.pending.clear()
        checked = [self._check(raw) for raw in raws]  # (1)
        ids = [event.id for event in checked if isinstance(event, Event)]
        recorded = self.log.find(ids) if ids else {}  # (2)
        entries: list[LogEntry] = []
        answers: list[Answer] = []
        decided: dict[str, tuple[bytes, DecisionRecord]] = {}
        now_ms = self.clock.now_ms()
        for event in checked:
            if isinstance(event, ShopwardError):
                answers.append(event)
                continue
            body = canonical_bytes(event)
            digest = digest16(body)
            earlier = decided.get(event.id)
            if earlier is None and (entry := recorded.get(event.id)) is not None:
                earlier = (entry.digest, _record_decoder.decode(entry.decision))
            if earlier is not None:
                answers.append(earlier[1] if earlier[0] == digest else _other_content(event.id))
                continue
            try:
                answers.append(self._decide(event, body, digest, now_ms, entries))
            except ShopwardError as refused:
                answers.append(refused)
            else:
                decided[event.id] = (digest, answers[-1])  # type: ignore[assignment]
        return Group(entries, answers)

    def commit(self, group: Group) -> list[Answer]:
        """Step 5, then the answers.

        Raises:
            StoreError: nothing of the group is recorded; the state will be rebuilt before the next group.
        """
        if group.entries:
            try:
                self.log.append(group.entries)
            except ShopwardError:
                self._stale = True
                raise
            self.seq = group.entries[-1].seq
        return group.answers

    def decide(self, raws: Sequence[bytes | Event]) -> list[Answer]:
        """A whole group at once."""
        return self.commit(self.prepare(raws))

    def rebuild(self, progress: Callable[[int, int], None] | None = None) -> None:
        """The state from snapshot and log; ``progress(done, of)`` is told now and then."""
        self._stale = True
        self.engine = self._engine_of(self._recall)
        after = self._load_snapshot()
        last = self.log.last_seq()
        while after < last:
            page = self.log.read(after_seq=after, limit=_REBUILD_PAGE)
            if not page:
                break
            for entry in page:
                self._reapply(entry)
            after = page[-1].seq
            if progress is not None:
                progress(after, last)
        self.seq = after
        self._stale = False

    def save_snapshot(self) -> None:
        """Save the state as it is after the last committed group; call between groups."""
        if not self._stale:
            self.snapshots.save(Snapshot(self.seq, self.engine.schema, self.engine.dump()))

    def _check(self, raw: bytes | Event) -> Event | ShopwardError:
        if isinstance(raw, Event):
            return raw
        try:
            return decode_event(raw, limits=self.limits)
        except ShopwardError as refused:
            return refused

    def _decide(
        self, event: Event, body: bytes, digest: bytes, now_ms: int, entries: list[LogEntry]
    ) -> DecisionRecord:
        ahead_ms = round(event.time.timestamp() * 1000) - now_ms
        if ahead_ms > AHEAD_MAX_MS:  # (3)
            raise InvalidField(
                "the event lies in the future",
                code="event_in_future",
                path="time",
                expected="at most 5 minutes ahead of the server's clock",
                found=f"{ahead_ms // 1000} s ahead",
                hint="check the clocks of the shop and of this server",
            )
        facts, record = self.engine.decide(event)  # (4)
        self._recall.pending[event.id] = facts
        entries.append(
            LogEntry(
                self.seq + len(entries) + 1,
                "event",
                event.id,
                facts.at_ms,
                now_ms,
                digest,
                facts.user,
                _facts_encoder.encode(facts),
                body,
                _facts_encoder.encode(record),
            )
        )
        return record

    def _reapply(self, entry: LogEntry) -> None:
        self.engine.reapply(_facts_decoder.decode(entry.facts), _record_decoder.decode(entry.decision))

    def _load_snapshot(self) -> int:
        """Where the log has to be read on from. Fails open: without a usable snapshot the log rebuilds everything."""
        try:
            snapshot = self.snapshots.load()
            if (
                snapshot is None
                or snapshot.schema != self.engine.schema
                or snapshot.seq > self.log.last_seq()
            ):
                return 0
            self.engine.load(snapshot.state)
        except SnapshotInvalid:
            self.engine = self._engine_of(self._recall)
            return 0
        return snapshot.seq


class RecordedEvent(Struct, omit_defaults=True):
    """A recorded event and its decision, as timelines show it."""

    seq: int
    at_ms: int
    event: msgspec.Raw
    decision: DecisionRecord


def recorded_event(entry: LogEntry) -> RecordedEvent:
    """A log entry for a reader who may see the event as it was sent."""
    return RecordedEvent(
        entry.seq, entry.at_ms, msgspec.Raw(entry.personal), _record_decoder.decode(entry.decision)
    )


class LogRecall:
    """Finds the event that a label names: in the log, or in the group that is being prepared."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.pending: dict[str, Facts] = {}

    def facts_of(self, event_id: str) -> Facts | None:
        """The facts of a recorded event."""
        if event_id in self.pending:
            return self.pending[event_id]
        entry = self._log.find([event_id]).get(event_id) if event_id else None
        return None if entry is None else _facts_decoder.decode(entry.facts)


def _other_content(event_id: str) -> Conflict:
    return Conflict(
        "this event id was used for another event",
        code="event_id_reused",
        path="id",
        expected="the same content as before, or a new id",
        found=f"other content under an id of {len(event_id)} characters",
    )
