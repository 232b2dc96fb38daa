"""The tail: where those entries stand that the index tables do not know yet.

Promise:
- an entry is found from the moment it is recorded: in memory by this tail, later by ``log_event`` and ``log_user``;
- the tables are fed in slices, in the order of their keys, a generation at a time, in the transactions of the appends
  that follow; ``log_head.indexed_seq`` says up to which position they know everything;
- a process that dies loses nothing: what is not indexed is read again from the pages behind that position;
- bounded: about two generations of entries are held, some 10 MB, and 40 MB of a log of more than a million.

Why: a row in two indexes for each entry, as it comes, touches two pages of the tree at random, and each of them is
written to the disk with every commit. In the order of the keys, neighbours share a page. The more pages the tree has, the
fewer neighbours a generation has on each: so generations grow with the log, up to what a process may hold and sort.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shopward.adapters.sql.pages import Head

GENERATION: Final = 16_384
"""Entries of a generation at least."""
GENERATION_MAX: Final = 65_536
"""Entries of a generation at most: to sort the keys of more would be felt by the append that does it."""
GENERATIONS: Final = 16
"""Between the two, the log is so many generations long."""
_ABSENT_MAX: Final = 100_000

Place = tuple[str, int]
"""An event id or a user's token, and the first position of a page that has it."""


def generation_after(indexed_seq: int) -> int:
    """How many entries the next generation has, where so many are indexed."""
    return max(GENERATION, min(indexed_seq // GENERATIONS, GENERATION_MAX))


class Slice(NamedTuple):
    """Rows for the index tables; ``indexed_seq`` is what they then know, ``until`` how many keys are then written."""

    events: Sequence[Place]
    users: Sequence[Place]
    until: int
    indexed_seq: int


class _Generation:
    def __init__(self) -> None:
        self.events: dict[str, int] = {}
        self.users: dict[str, list[int]] = {}
        self.last_seq = 0


class _Sealed:
    """A generation whose keys are being written, in their order."""

    def __init__(self, generation: _Generation) -> None:
        self.generation = generation
        self._events = sorted(generation.events)
        self._users: list[str] | None = None
        self.at = 0

    def rows(self, count: int, *, indexed_seq: int) -> Slice:
        """The next rows; with the last ones ``indexed_seq`` moves on."""
        events, users, until = self.generation.events, self.generation.users, self.at + count
        if self._users is None:
            self._users = sorted(users)
        return Slice(
            [(event_id, events[event_id]) for event_id in self._events[self.at : until]],
            [(user, page) for user in self._users[self.at : until] for page in users[user]],
            until,
            self.generation.last_seq if until >= len(self._events) else indexed_seq,
        )


class Tail:
    """One log's tail; its methods may be called from any thread."""

    def __init__(self, indexed_seq: int = 0) -> None:
        self._guard = threading.Lock()
        self.start(indexed_seq)

    def start(self, indexed_seq: int) -> None:
        """Begin anew behind a position."""
        with self._guard:
            self._open = _Generation()
            self._sealed: _Sealed | None = None
            self._absent: set[str] = set()
            self.indexed_seq = self.last_seq = indexed_seq

    def add(self, first_seq: int, heads: Sequence[Head]) -> None:
        """Take a recorded page; one that is known already changes nothing."""
        with self._guard:
            if first_seq <= self.last_seq:
                return
            users = self._open.users
            self._open.events.update(dict.fromkeys([head.event_id for head in heads], first_seq))
            for user in {head.user for head in heads} - {""}:
                pages = users.get(user)
                if pages is None:
                    users[user] = [first_seq]
                else:
                    pages.append(first_seq)
            self.last_seq = self._open.last_seq = first_seq + len(heads) - 1
            self._absent.clear()

    def places(self, event_ids: Iterable[str]) -> dict[str, int]:
        """The pages of those event ids that it has."""
        with self._guard:
            holders = (
                [self._open.events]
                if self._sealed is None
                else [self._open.events, self._sealed.generation.events]
            )
            return {
                event_id: events[event_id] for events in holders for event_id in events.keys() & event_ids
            }

    def note_absent(self, event_ids: Iterable[str], *, as_of: int) -> None:
        """These ids were looked up when the log ended at ``as_of`` and are not recorded; forgotten with the next page."""
        with self._guard:
            if as_of == self.last_seq and len(self._absent) < _ABSENT_MAX:
                self._absent.update(event_ids)

    def unsure(self, event_ids: Iterable[str]) -> list[str]:
        """Those of the ids that were not looked up since the last page."""
        with self._guard:
            return [event_id for event_id in event_ids if event_id not in self._absent]

    def pages_of(self, user: str, before: int) -> list[int]:
        """The pages that have entries of a user and begin before a position, newest first."""
        with self._guard:
            sealed = [] if self._sealed is None else self._sealed.generation.users.get(user, [])
            pages = [*sealed, *self._open.users.get(user, [])]
        return [page for page in reversed(pages) if page < before]

    def due(self, appended: int) -> Slice:
        """The next rows for the index tables, twice as many as are appended, so that the tail never grows for long."""
        with self._guard:
            if self._sealed is None:
                if len(self._open.events) >= generation_after(self.indexed_seq):
                    self._sealed, self._open = _Sealed(self._open), _Generation()
                return Slice((), (), 0, self.indexed_seq)
            return self._sealed.rows(2 * appended, indexed_seq=self.indexed_seq)

    def written(self, rows: Slice) -> None:
        """A slice is committed."""
        with self._guard:
            if self._sealed is None:
                return
            self._sealed.at = rows.until
            if rows.indexed_seq != self.indexed_seq:
                self._sealed, self.indexed_seq = None, rows.indexed_seq
