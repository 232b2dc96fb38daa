"""The main story: a group of events in, recorded decisions out.

Promise:
- an answer is given only after event and decision are recorded, durably, in one transaction;
- the same event again hears the recorded answer; the same id with other content is a ``Conflict``;
- one bad event is answered with its problem and spoils no other;
- where the log cannot record, nothing of the group is answered, and the state goes back to what the log says.

The story of a group:
  (0) a policy that has come into force, and changes of the orders that were made meanwhile, come first, each as an
      entry of its own
  (1) each line is checked; refusals keep their place
  (2) ids that are recorded already, or stand earlier in the group, hear that answer
  (3) a live event too far ahead of the server's clock is refused
  (4) the engine decides, in order
  (5) events, sealed as they were sent, and decisions are recorded together
  (6) answers leave

What is asked of the store stands in ``look_up``, before anything is decided; ``prepare`` does no I/O, and step 5 is
``commit``. So a server can wait for the store without standing still, and one that hangs stops decisions and nothing else.
Not thread-safe: one call at a time, and each group is committed before the next is looked up.
"""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import msgspec
from msgspec import UNSET

from shopward.errors import Conflict, InvalidField, ShopwardError, SnapshotInvalid
from shopward.events import Event, EventLimits, Facts, canonical_bytes, decode_event
from shopward.flows.engine import DecisionRecord, Engine, Recall
from shopward.flows.groups import Groups, plain
from shopward.flows.keeping import InClear
from shopward.flows.recorded import EVENT, ORDER, POLICY, facts_of_entry, reapply, record_of_entry
from shopward.ports import LogEntry, Snapshot
from shopward.values import MINUTE_MS, digest16

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from shopward.flows.keeping import Keeper
    from shopward.ports import EventLog, SnapshotStore
    from shopward.protection.attributes import Declared
    from shopward.protection.inforce import Change
    from shopward.publication import Mark
    from shopward.risk.policy import Policy
    from shopward.values import Clock

AHEAD_MAX_MS: Final = 5 * MINUTE_MS
"""How far a live event may be ahead of the server's clock (contract)."""
ORDERS_POLL_MS: Final = 500
"""How old the orders of another process may be before they are looked for; captures do not wait for this."""
_REBUILD_PAGE: Final = 2_000

_facts_encoder: Final = msgspec.json.Encoder()

Answer = DecisionRecord | ShopwardError


class Looked(NamedTuple):
    """What the store says of a group before it is decided.

    Attributes:
        checked: the lines, each as event or refusal.
        recorded: entries of their ids, and of the events that labels name.
        changes: of the orders in force, that are not in the log yet.
        declared: of the group's users, where an order asks for it.
        members: of victim sets that an order is about and the engine does not hold yet.
    """

    checked: list[Event | ShopwardError]
    recorded: dict[str, LogEntry]
    changes: list[Change]
    declared: dict[str, Declared]
    members: dict[str, Container[str]]


class Group(NamedTuple):
    """A prepared group: what to record, the answers that wait for it, and the new decisions with their event types."""

    entries: list[LogEntry]
    answers: list[Answer]
    decided: list[tuple[str, DecisionRecord]]


class _Taken(NamedTuple):
    """An event on its way: what is decided, and what is recorded of it as it was sent."""

    facts: Facts
    body: bytes
    digest: bytes


class Orders(Protocol):
    """Where changes of the orders in force and declared users come from (``flows.oversee``)."""

    def changes(self, after: int) -> Sequence[Change]:
        """The next changes after a version; empty where there are none."""
        ...

    def declared(self, tokens: Sequence[str]) -> dict[str, Declared]:
        """The declarations among these users."""
        ...

    def members(self, set_id: str) -> Container[str]:
        """The users of a sealed victim set."""
        ...


class NoOrders:
    """No order is ever in force: for a file, a benchmark, an embedder without tables."""

    def changes(self, after: int) -> Sequence[Change]:  # noqa: ARG002 -- the port's signature
        """None."""
        return ()

    def declared(self, tokens: Sequence[str]) -> dict[str, Declared]:  # noqa: ARG002 -- the port's signature
        """None."""
        return {}

    def members(self, set_id: str) -> Container[str]:  # noqa: ARG002 -- the port's signature
        """None."""
        return ()


class DecisionDesk:
    """Decides groups of events against one log.

    Args:
        log: the claimed log.
        engine_of: makes a fresh engine on the desk's own recall; called again where the state has to be rebuilt.
        snapshots: where the state is saved.
        clock: the server's clock.
        limits: how much one event may hold.
        orders: where changes of the orders in force come from.
        mark: of the policy that decides, where it was published.
        keeper: seals events as they were sent.

    Attributes:
        refused_snapshot: why the last rebuild used no snapshot although there was one; empty where it did.
    """

    def __init__(
        self,
        *,
        log: EventLog,
        engine_of: Callable[[Recall], Engine],
        snapshots: SnapshotStore,
        clock: Clock,
        limits: EventLimits | None = None,
        orders: Orders | None = None,
        mark: Mark | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        self.log = log
        self.snapshots = snapshots
        self.clock = clock
        self.limits = limits or EventLimits()
        self._engine_of = engine_of
        self._recall = GroupRecall()
        self.engine = engine_of(self._recall)
        self._groups = Groups(self.engine)
        self.seq = 0
        self.refused_snapshot = ""
        self._stale = True
        self._orders = orders or NoOrders()
        self._look_at_ms = 0
        self._mark = mark
        self._keeper = keeper or InClear()

    def look_at_orders(self) -> None:
        """Take the journal before the next group, however new it is; an empty group will do."""
        self._look_at_ms = 0

    def look_up(self, raws: Sequence[bytes | Event]) -> Looked:
        """Step 1, and all that steps 0, 2 and 4 need of the store.

        Raises:
            StoreError: the store cannot be read; nothing was decided.
        """
        if self._stale:
            self.rebuild()
        self._keeper.turn()
        checked = [self._check(raw) for raw in raws]  # (1)
        events = [event for event in checked if isinstance(event, Event)]
        ids = [event.id for event in events]
        ids += [event.label.event_id for event in events if event.label is not UNSET and event.label.event_id]
        recorded = self.log.find(ids) if ids else {}
        changes = self._new_changes(self.clock.now_ms())
        orders = self.engine.orders
        begun = {change.order.target.set_id for change in changes if change.order is not None} - {""}
        members = {set_id: self._orders.members(set_id) for set_id in orders.sets_missing | begun}
        declared: dict[str, Declared] = {}
        if orders.asks_attributes or changes:
            token = self.engine.maker.user_token
            users = {token(event.user.id) for event in events if event.user}
            declared = self._orders.declared(sorted(users - {""}))
        return Looked(checked, recorded, changes, declared, members)

    def prepare(self, looked: Looked) -> Group:
        """Steps 0 and 2 to 4 of a group; no I/O."""
        try:
            return self._prepared(looked)
        except BaseException:
            self._stale = True  # the state may know of changes and events that are not in the log
            raise

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
        return self.commit(self.prepare(self.look_up(raws)))

    def rebuild(self, progress: Callable[[int, int], None] | None = None) -> None:
        """The state from snapshot and log; ``progress(done, of)`` is told now and then."""
        self._stale = True
        self._look_at_ms = 0
        self.engine = self._engine_of(self._recall)
        after = self._load_snapshot()
        last = self.log.last_seq()
        while after < last:
            until = self._take_on(after)
            if until == after:
                break
            after = until
            if progress is not None:
                progress(after, last)
        self.seq = after
        self._stale = False

    def _take_on(self, after: int) -> int:
        """Take some more of the log into the state, in spans where they can be had; how far that went."""
        if self._groups.engine is not self.engine:
            self._groups = Groups(self.engine)
        begun = after
        spans = self.log.spans(after_seq=after, limit=_REBUILD_PAGE) if self._groups.takes_spans else ()
        for is_plain, run in groupby(spans, plain):
            alike = list(run)
            last = alike[-1].last_seq
            if is_plain and self._groups.takes_spans:  # an entry before may have brought an order into force
                self._groups.reapply_spans(alike)
            else:
                self._reapply(self.log.read(after_seq=after, limit=last - after))
            after = last
        if after > begun:
            return after
        page = self.log.read(after_seq=after, limit=_REBUILD_PAGE)
        self._reapply(page)
        return page[-1].seq if page else after

    def _reapply(self, entries: Sequence[LogEntry]) -> None:
        """Take entries of the log into the state; events that follow each other as a group."""
        for kind, run in groupby(entries, attrgetter("kind")):
            if kind == EVENT:
                self._groups.reapply(list(run))
                continue
            for entry in run:
                reapply(self.engine, entry)

    def save_snapshot(self) -> None:
        """Save the state as it is after the last committed group; call between groups."""
        if not self._stale:
            self.snapshots.save(Snapshot(self.seq, self.engine.schema, self.engine.dump()))

    def succeed(
        self, policy: Policy, mark: Mark | None, engine_of: Callable[[Recall], Engine], engine: Engine | None
    ) -> None:
        """Decide by another policy from the next group on; call between groups.

        Args:
            policy: that comes into force.
            mark: of its publication.
            engine_of: makes an engine of it, where the state has to be rebuilt.
            engine: of it, that knows the log up to where it ends; ``None`` where it keeps the same state.
        """
        self._engine_of = engine_of
        self._mark = mark
        if engine is None:
            self.engine.take_policy(policy)
        else:
            self.engine = engine

    @property
    def recall(self) -> Recall:
        """Finds events for an engine of this desk's."""
        return self._recall

    def _marked(self, now_ms: int) -> list[LogEntry]:
        """Step 0: the entry of the policy that decides, unless the log has it."""
        mark, engine = self._mark, self.engine
        if mark is None or engine.publication >= mark.number:
            return []
        engine.mark(mark)
        return [self._note(self.seq + 1, POLICY, mark.id, _facts_encoder.encode(mark), now_ms)]

    def _note(self, seq: int, kind: str, entry_id: str, body: bytes, now_ms: int) -> LogEntry:
        """An entry of ours, that no event made."""
        return LogEntry(
            seq, kind, entry_id, self.engine.latest_ms, now_ms, digest16(body), "", body, b"", b""
        )

    def _prepared(self, looked: Looked) -> Group:
        now_ms = self.clock.now_ms()
        entries = self._marked(now_ms)  # (0)
        entries += self._changed(looked.changes, now_ms, len(entries))
        group = Group(entries, [], [])
        orders = self.engine.orders
        orders.declared = looked.declared
        orders.members.update({set_id: looked.members[set_id] for set_id in orders.sets_missing})
        self._recall.begin(looked.recorded)
        taken = self._taken(looked, now_ms)
        self._decide([each for each in taken if isinstance(each, _Taken)], now_ms, group)
        decided = {record.event_id: record for _type, record in group.decided}
        for each in taken:
            if isinstance(each, _Taken):
                group.answers.append(decided[each.facts.id])
            else:
                group.answers.append(decided[each] if isinstance(each, str) else each)
        return group

    def _taken(self, looked: Looked, now_ms: int) -> list[_Taken | str | Answer]:
        """Steps 2 and 3: each line as an event to be decided, the id of one that stands earlier in the group, or an answer."""
        taken: list[_Taken | str | Answer] = []
        digests: dict[str, bytes] = {}
        for event in looked.checked:
            if isinstance(event, ShopwardError):
                taken.append(event)
                continue
            body = canonical_bytes(event)
            digest = digest16(body)
            if event.id in digests:  # (2)
                taken.append(event.id if digests[event.id] == digest else _other_content(event.id))
                continue
            entry = looked.recorded.get(event.id)
            if entry is not None:
                same = entry.kind == EVENT and entry.digest == digest
                taken.append(record_of_entry(entry) if same else _other_content(event.id))
                continue
            try:
                facts = self._facts(event, now_ms)
            except ShopwardError as refused:
                taken.append(refused)
            else:
                self._recall.keep(facts)
                digests[event.id] = digest
                taken.append(_Taken(facts, body, digest))
        return taken

    def _new_changes(self, now_ms: int) -> list[Change]:
        """The changes that are not in the log yet; none where it is not time to look."""
        if 0 <= now_ms - self._look_at_ms < ORDERS_POLL_MS:
            return []
        self._look_at_ms = now_ms  # before the journal is read: who asks for another look meanwhile gets one
        found: list[Change] = []
        version = self.engine.orders.version
        try:
            while changes := self._orders.changes(version):
                found += changes
                version = found[-1].version
        except BaseException:
            self._look_at_ms = 0
            raise
        return found

    def _changed(self, changes: Sequence[Change], now_ms: int, before: int) -> list[LogEntry]:
        """Step 0: after so many others, entries for the changes, taken into the state."""
        entries: list[LogEntry] = []
        for change in changes:
            body = _facts_encoder.encode(change)
            self.engine.change(change)
            seq = self.seq + before + len(entries) + 1
            entries.append(self._note(seq, ORDER, change.id, body, now_ms))
        return entries

    def _check(self, raw: bytes | Event) -> Event | ShopwardError:
        if isinstance(raw, Event):
            return raw
        try:
            return decode_event(raw, limits=self.limits)
        except ShopwardError as refused:
            return refused

    def _facts(self, event: Event, now_ms: int) -> Facts:
        """Step 3, and the facts; raises ``InvalidField``."""
        facts = self.engine.maker.make(event)
        ahead_ms = facts.time_ms - now_ms
        if ahead_ms > AHEAD_MAX_MS:  # (3)
            raise InvalidField(
                "the event lies in the future",
                code="event_in_future",
                path="time",
                expected="at most 5 minutes ahead of the server's clock",
                found=f"{ahead_ms // 1000} s ahead",
                hint="check the clocks of the shop and of this server",
            )
        return self.engine.take_in(facts)

    def _decide(self, taken: Sequence[_Taken], now_ms: int, group: Group) -> None:
        """Step 4, and the entries of what was decided."""
        if self._groups.engine is not self.engine:
            self._groups = Groups(self.engine)
        records = self._groups.weigh([each.facts for each in taken])  # (4)
        encode, seal = _facts_encoder.encode, self._keeper.seal
        facts_json = [encode(facts) for facts, _body, _digest in taken]
        sealed = [seal(facts.user, facts.id, body) for facts, body, _digest in taken]
        records_json = [encode(record) for record in records]
        group.decided.extend([(each.facts.type, record) for each, record in zip(taken, records, strict=True)])
        group.entries.extend(
            [
                LogEntry(seq, EVENT, facts.id, facts.at_ms, now_ms, digest, facts.user, told, kept, decided)
                for seq, ((facts, _body, digest), told, kept, decided) in enumerate(
                    zip(taken, facts_json, sealed, records_json, strict=True),
                    start=self.seq + len(group.entries) + 1,
                )
            ]
        )

    def _load_snapshot(self) -> int:
        """Where the log has to be read on from. Fails open: without a usable snapshot the log rebuilds everything."""
        self.refused_snapshot = ""
        try:
            snapshot = self.snapshots.load()
            if snapshot is None:
                return 0
            if snapshot.schema != self.engine.schema:
                self.refused_snapshot = "it is of another policy"
                return 0
            if snapshot.seq > self.log.last_seq():
                self.refused_snapshot = "it is ahead of the log"
                return 0
            self.engine.load(snapshot.state)
        except SnapshotInvalid as refused:
            self.refused_snapshot = f"{refused.message}: {refused.found or 'no more is known'}"
            self.engine = self._engine_of(self._recall)
            return 0
        return snapshot.seq


class GroupRecall:
    """Finds the event that a label names: among those that were looked up, or in the group that is being prepared."""

    def __init__(self) -> None:
        self._recorded: dict[str, LogEntry] = {}
        self._decided: dict[str, Facts] = {}

    def begin(self, recorded: dict[str, LogEntry]) -> None:
        """A new group, with what the log has of it."""
        self._recorded, self._decided = recorded, {}

    def keep(self, facts: Facts) -> None:
        """An event of the group that is decided."""
        self._decided[facts.id] = facts

    def facts_of(self, event_id: str) -> Facts | None:
        """The facts of an earlier event."""
        decided = self._decided.get(event_id)
        if decided is not None:
            return decided
        entry = self._recorded.get(event_id)
        return None if entry is None or entry.kind != EVENT else facts_of_entry(entry)


def _other_content(event_id: str) -> Conflict:
    return Conflict(
        "this event id was used for another event",
        code="event_id_reused",
        path="id",
        expected="the same content as before, or a new id",
        found=f"other content under an id of {len(event_id)} characters",
    )
