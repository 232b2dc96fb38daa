"""The ordered log over SQL, behind one class: an owner that appends, and readers beside it.

Promise: ``find``, ``read``, ``last_seq`` and ``timeline`` may be called from any thread and before any claim, see
only what is committed, and never wait for an append. What ``claim`` and ``append`` promise stands in ``owner``.

Not here: sealing of ``personal`` (``flows.keeping``), any check of what an entry means, retention.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Final

from shopward.adapters.sql.drivers import driver_for
from shopward.adapters.sql.engine import open_engine, refuse_missing
from shopward.adapters.sql.failures import translating
from shopward.adapters.sql.migrate import bring_up_to_date, refuse_other_schema
from shopward.adapters.sql.owner import Owner
from shopward.adapters.sql.pages import (
    INT64_MAX,
    PAGE_ENTRIES_MAX,
    are_events,
    heads_of,
    is_storable,
    unpacked,
)
from shopward.adapters.sql.readers import Readers
from shopward.adapters.sql.schema import EVENT_ID_MAX, USER_TOKEN_MAX
from shopward.adapters.sql.statements import clamped, statements
from shopward.adapters.sql.tail import Tail
from shopward.errors import Misconfigured
from shopward.ports import Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Engine

    from shopward.ports import LogEntry

DEFAULT_TENANT: Final = "main"
_TENANT: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FIND_CHUNK: Final = 1_000
_TIMELINE_CHUNK: Final = 50
"""Pages of a timeline that are held at once: each has 64 entries of anybody, and 500 of them take 90 MB."""


class SqlEventLog:
    """``ports.EventLog`` in SQLite or PostgreSQL; ``SqlEventLog.open(url)`` makes one.

    Args:
        engine: from ``open_engine``, with its schema up to date; ``close`` disposes of it.
        tenant: whose log it is; leads every key.
    """

    def __init__(self, engine: Engine, *, tenant: str = DEFAULT_TENANT) -> None:
        if not _TENANT.fullmatch(tenant):
            raise Misconfigured(
                "a tenant's name cannot be used",
                path="tenant",
                expected="1 to 64 of letters, digits, _ and -",
            )
        driver = driver_for(engine, tenant)
        self._engine = engine
        self._tenant = tenant
        self._key_list = driver.key_list
        self._sql = statements(engine.dialect)
        self._tail = Tail()
        self._catching_up = threading.Lock()
        self._owner = Owner(driver, self._sql, tenant, self._tail)
        self._readers = Readers(driver.reader)

    @classmethod
    def open(cls, url: str, *, tenant: str = DEFAULT_TENANT) -> SqlEventLog:
        """Open or create the store of a URL and bring its schema up to date."""
        engine = open_engine(url)
        try:
            bring_up_to_date(engine)
            return cls(engine, tenant=tenant)
        except BaseException:
            engine.dispose()
            raise

    @classmethod
    def open_to_read(cls, url: str, *, tenant: str = DEFAULT_TENANT) -> SqlEventLog:
        """Open a store that exists for reading, beside whoever owns it; nothing in it is made or changed.

        Raises:
            NotFound: there is no such file.
            StoreError: the store is of another schema.
        """
        refuse_missing(url)
        engine = open_engine(url)
        try:
            refuse_other_schema(engine)
            return cls(engine, tenant=tenant)
        except BaseException:
            engine.dispose()
            raise

    def claim(self) -> None:
        """Become the only decision server of this store, or raise ``StoreLocked``."""
        self._owner.claim()

    def held(self, connection: Connection) -> int:
        """The last position, which nothing moves before the transaction of this connection ends; for the owner alone."""
        return self._owner.held(connection)

    def append(self, entries: Sequence[LogEntry]) -> None:
        """Record a group in one transaction, durable on return; all of it or none."""
        self._owner.append(entries)

    @translating("read store")
    def last_seq(self) -> int:
        """The last recorded position; 0 for an empty log."""
        rows = self._readers.fetch(self._sql.head.text, self._sql.head.values(t=self._tenant))
        return int(rows[0][1]) if rows else 0

    @translating("find in store")
    def find(self, event_ids: Sequence[str]) -> dict[str, LogEntry]:
        """The recorded entries among ``event_ids``, by event id; an id that could not be recorded is not found."""
        ids = set(event_ids)
        if max(map(len, ids), default=0) > EVENT_ID_MAX or not is_storable("".join(ids), INT64_MAX):
            ids = {event_id for event_id in ids if is_storable(event_id, EVENT_ID_MAX)}
        pages = self._places(ids)
        if not pages:
            return {}
        wanted = self._pages(sorted(set(pages.values())))
        return {entry.event_id: entry for entry in wanted if entry.event_id in ids}

    @translating("read store")
    def read(self, *, after_seq: int, limit: int) -> list[LogEntry]:
        """Up to ``limit`` entries after a position, in order."""
        after = clamped(after_seq)
        until = clamped(after + clamped(limit))
        values = self._sql.read.values(t=self._tenant, s=after - PAGE_ENTRIES_MAX, until=until)
        return [
            entry
            for first_seq, *row in self._readers.fetch(self._sql.read.text, values)
            for entry in unpacked(first_seq, row)
            if after < entry.seq <= until
        ]

    @translating("read store")
    def spans(self, *, after_seq: int, limit: int) -> list[Span]:
        """Whole pages that begin right behind a position, in order; none where it lies within a page."""
        after = clamped(after_seq)
        values = self._sql.spans.values(t=self._tenant, s=after, until=clamped(after + clamped(limit)))
        rows = self._readers.fetch(self._sql.spans.text, values)
        if not rows or rows[0][0] != after + 1:
            return []
        return [
            Span(first_seq, last_seq, are_events(heads), facts, decisions)
            for first_seq, last_seq, heads, facts, decisions in rows
        ]

    @translating("read store")
    def timeline(self, user_token: str, *, before_seq: int | None, limit: int) -> list[LogEntry]:
        """A user's entries, newest first; none for an empty token, which stands for "no user"."""
        if not user_token or not is_storable(user_token, USER_TOKEN_MAX):
            return []
        before, limit = INT64_MAX if before_seq is None else clamped(before_seq), clamped(limit)
        self._catch_up()
        pages = set(self._tail.pages_of(user_token, before))
        # One more than is asked for: the newest page may hold nothing of the user before the position.
        values = self._sql.timeline.values(
            t=self._tenant, u=user_token, s=before, n=min(limit, INT64_MAX - 1) + 1
        )
        pages |= {page for (page,) in self._readers.fetch(self._sql.timeline.text, values)}
        newest = sorted(pages, reverse=True)[: limit + 1]
        theirs: list[LogEntry] = []
        for start in range(0, len(newest), _TIMELINE_CHUNK):
            theirs += [
                entry
                for entry in self._pages(newest[start : start + _TIMELINE_CHUNK])
                if entry.user_token == user_token and entry.seq < before
            ]
            if len(theirs) >= limit:  # pages that are older hold nothing newer
                break
        return sorted(theirs, key=lambda entry: -entry.seq)[:limit]

    def close(self) -> None:
        """Give up the claim and every connection."""
        self._owner.close()
        self._readers.close()
        self._engine.dispose()

    def _places(self, ids: set[str]) -> dict[str, int]:
        """The page of each id that is recorded: from the tail first, since what leaves it is in the index already."""
        self._catch_up()
        last_seq = self._tail.last_seq
        pages = self._tail.places(ids)
        asked = sorted(ids - pages.keys()) if self._tail.indexed_seq else []
        for start in range(0, len(asked), _FIND_CHUNK):
            among = self._key_list(asked[start : start + _FIND_CHUNK])
            pages.update(
                self._readers.fetch(self._sql.find.text, self._sql.find.values(t=self._tenant, keys=among))
            )
        if self._owner.feeds_tail:
            self._tail.note_absent(ids - pages.keys(), as_of=last_seq)
        return pages

    def _pages(self, first_seqs: Sequence[int]) -> list[LogEntry]:
        """All entries of these pages."""
        if not first_seqs:
            return []
        values = self._sql.pages.values(t=self._tenant, keys=self._key_list(first_seqs))
        return [
            entry
            for first_seq, *row in self._readers.fetch(self._sql.pages.text, values)
            for entry in unpacked(first_seq, row)
        ]

    def _catch_up(self) -> None:
        """Where another process appends, or nobody knows how the last append ended: read what the tail lacks."""
        if self._owner.feeds_tail:
            return
        with self._catching_up:
            sql, tenant = self._sql, self._tenant
            rows = self._readers.fetch(sql.head.text, sql.head.values(t=tenant))
            indexed_seq = rows[0][2] if rows else 0
            if indexed_seq > self._tail.indexed_seq:
                self._tail.start(indexed_seq)
            behind = sql.heads.values(t=tenant, s=self._tail.last_seq)
            for first_seq, heads in self._readers.fetch(sql.heads.text, behind):
                self._tail.add(first_seq, heads_of(heads))
