"""The follower: reads the ordered log behind the decisions, and lets what listens act on it, exactly once.

Promise:
- how far it is (its cursor) moves in the transaction of what was done about it: after a crash, and beside other
  processes on one store, everything in the log is acted on once, in order;
- nothing of it is on the way of an answer: the log is the truth, and it is read after the answer has left;
- who records a group may show it (``overheard``): what no listener hears then need not be read back. Nothing rests on that;
- an entry that cannot be acted on is passed over and named in the log of the server by its position: it fails open, since
  the decision stands and a follower that stopped there would do nothing for anybody after it.

A new follower begins at the end of the log: what was recorded before there was one has no consequence now.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import msgspec

from shopward.errors import StoreError
from shopward.events.facts import Facts
from shopward.flows.engine import DecisionRecord
from shopward.flows.recorded import EVENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.ports import EventLog, Fence, LogEntry, Records

PAGE: Final = 500
KEEP_EVERY: Final = 10_000
"""So many entries without consequence are read again after a crash, rather than the cursor moved for each page."""
_NONE: Final = (0, 0)
"""No entries that nobody hears: the first and the last of them."""
_facts: Final = msgspec.json.Decoder(Facts)
_record: Final = msgspec.json.Decoder(DecisionRecord)
_logger = logging.getLogger("shopward")


class Heard(NamedTuple):
    """An event of the log and its decision."""

    seq: int
    recorded_ms: int
    facts: Facts
    record: DecisionRecord


class Listener(Protocol):
    """What acts on the log. To listen for a type of event is to look for it in the facts."""

    def hears(self, facts: bytes, decisions: bytes) -> bool:
        """Whether these recorded bytes, of one entry or of many in a row, may be worth acting on; a cheap look, before
        anything is decoded.
        """
        ...

    def act(self, connection: Any, heard: Heard) -> bool:
        """Act, in a transaction that holds the fence exclusively; whether the orders in force changed."""
        ...


_Acted = tuple[Heard, list[Listener]]


class Cursors(Protocol):
    """``outbox.cursors.Cursors``, as far as it is used here."""

    def begin(self, connection: Any, name: str, seq: int) -> None:
        """Put a cursor there, where it has none."""
        ...

    def at(self, connection: Any, name: str) -> int:
        """Where it is."""
        ...

    def move(self, connection: Any, name: str, *, old: int, new: int) -> bool:
        """On from where it was; false where somebody else moved it."""
        ...


class Followed(NamedTuple):
    """What a step did: whether there may be more to read, and whether the orders in force changed."""

    more: bool
    changed: bool


class Follower:
    """Follows; one thread at a time.

    Args:
        name: of its cursor.
        log: what is followed.
        records: transactions.
        fence: taken where something is done.
        cursors: how far it is.
        listeners: what acts.
    """

    def __init__(
        self,
        name: str,
        *,
        log: EventLog,
        records: Records,
        fence: Fence,
        cursors: Cursors,
        listeners: Sequence[Listener],
    ) -> None:
        self._name = name
        self._log = log
        self._records = records
        self._fence = fence
        self._cursors = cursors
        self._listeners = listeners
        self._kept: int | None = None
        self._read = 0
        self._silent = _NONE

    def begin(self) -> None:
        """Make the cursor, before anything more is recorded; call it when the log is claimed."""
        last = self._log.last_seq()
        self._records.write(lambda connection: self._cursors.begin(connection, self._name, last))

    def overheard(self, entries: Sequence[LogEntry]) -> bool:
        """Whether somebody hears of a group that was just recorded; from one thread, which may be another one's."""
        events = [entry for entry in entries if entry.kind == EVENT]
        facts, decisions = (
            b"\n".join([entry.facts for entry in events]), b"\n".join([entry.decision for entry in events]),
        )  # fmt: skip
        if any(listener.hears(facts, decisions) for listener in self._listeners):
            return True
        if entries:
            first, last = self._silent
            self._silent = (first if last + 1 == entries[0].seq else entries[0].seq, entries[-1].seq)
        return False

    def step(self) -> Followed:
        """Read on by a page, and act on it.

        Raises:
            StoreError: nothing of the page was done; call again.
        """
        if self._kept is None:
            self._kept = self._read = self._records.read(
                lambda connection: self._cursors.at(connection, self._name)
            )
        first, silent_until = self._silent  # one look: the other thread may set it meanwhile
        if first <= self._read + 1 <= silent_until:
            return self._passed(silent_until, [])
        limit = min(PAGE, first - 1 - self._read) if first > self._read else PAGE
        page = self._log.read(after_seq=self._read, limit=limit)
        if not page:
            return Followed(more=False, changed=False)
        heard = [
            (self._heard(entry), listeners) for entry in page if (listeners := self._listeners_of(entry))
        ]
        return self._passed(page[-1].seq, heard, more=len(page) == limit)

    def _passed(self, last: int, heard: Sequence[_Acted], *, more: bool = True) -> Followed:
        """Act on what was heard up to a position, and go on behind it."""
        changed = False
        if heard or self._kept is None or last - self._kept >= KEEP_EVERY:
            changed = self._act(heard, last)
        self._read = last
        return Followed(more=more or self._kept is None, changed=changed)

    def _listeners_of(self, entry: LogEntry) -> list[Listener]:
        if entry.kind != EVENT:
            return []
        return [listener for listener in self._listeners if listener.hears(entry.facts, entry.decision)]

    def _heard(self, entry: LogEntry) -> Heard:
        return Heard(entry.seq, entry.recorded_ms, _facts.decode(entry.facts), _record.decode(entry.decision))

    def _act(self, heard: Sequence[_Acted], last: int) -> bool:
        """All of a page in one transaction; where something of it cannot be done, each entry in its own."""
        try:
            return self._together(heard, last)
        except StoreError:
            raise
        except Exception as fault:  # noqa: BLE001 -- fails open for one entry, so that all others have their consequences
            if len(heard) == 1:
                _logger.error("entry %d has no consequence: %s", heard[0][0].seq, type(fault).__name__)  # noqa: TRY400 -- no values in the log
                return self._together((), last)
        changed = [self._act([each], each[0].seq) for each in heard]
        return any(changed) | self._together((), last)

    def _together(self, heard: Sequence[_Acted], last: int) -> bool:
        old = self._kept
        if old is None or last <= old:
            return False

        def work(connection: Any) -> tuple[bool, bool]:
            if heard:
                self._fence.exclusive(connection)
            if not self._cursors.move(connection, self._name, old=old, new=last):
                return False, False
            acted = [listener.act(connection, each) for each, listeners in heard for listener in listeners]
            return True, any(acted)

        ours, changed = self._records.write(work)
        self._kept = last if ours else None  # where somebody else moved it, it is read anew
        return changed
