"""The personal column of the log: what an entry says of a person, as it was sent, is sealed later or taken out.

Promise: within the caller's transaction the ``personal`` bytes of entries change, and nothing else of a page: what an entry
taught and decided is replayed as before. Two that change the column come one after the other where both hold the fence of
erasures; the owner of the log adds pages and changes none. SQLite is told to overwrite what it frees; PostgreSQL keeps the
old row until its next vacuum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import select, union, update

from shopward.adapters.sql.pages import Head, heads_of, page_of, unpacked
from shopward.adapters.sql.schema import log_head, log_page, log_user
from shopward.vault.erasures import overwrite_freed
from shopward.vault.period_key import ERASED, period_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from sqlalchemy import Connection, Select

    from shopward.ports import LogEntry

_STRETCH: Final = 50_000
"""So many positions are asked for at once: a driver that keeps a whole answer keeps some megabytes."""


class PersonalColumn:
    """The column of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def erase(
        self,
        connection: Connection,
        user_token: str,
        until_ms: int,
        *,
        living_from: int,
        destroyed: Collection[int],
    ) -> int:
        """Take a user's entries that were recorded up to a time out of the column; how many cannot be read any more.

        Args:
            connection: of the caller.
            user_token: whose.
            until_ms: the newest that are meant.
            living_from: the oldest period whose key is there: what was sealed from there on is emptied, as is what lies in clear.
            destroyed: periods in which the user's key is gone just now: what was sealed in them is noise, and only counted.
        """
        noise = 0

        def changed(entry: LogEntry) -> bytes:
            nonlocal noise
            is_theirs = entry.user_token == user_token and entry.recorded_ms <= until_ms
            if not is_theirs or entry.kind != "event" or entry.personal == ERASED:
                return entry.personal
            period = period_of(entry.personal)
            noise += period in destroyed
            return ERASED if period is None or period >= living_from else entry.personal

        overwrite_freed(connection)
        emptied = 0
        for first_seq in self._pages_of(connection, user_token):
            emptied += self._revise(connection, first_seq, changed, of=user_token)
        return noise + emptied

    def seal(
        self, connection: Connection, after_seq: int, until_seq: int, sealed: Callable[[LogEntry], bytes]
    ) -> None:
        """Keep events that are not erased in another way, in the pages that begin in a stretch of the log."""

        def changed(entry: LogEntry) -> bytes:
            is_there = entry.kind == "event" and len(entry.personal) > len(ERASED)
            return sealed(entry) if is_there else entry.personal

        overwrite_freed(connection)
        for first_seq in connection.scalars(self._stretch(log_page.c.first_seq, after_seq, until_seq)).all():
            self._revise(connection, first_seq, changed)

    def users(self, connection: Connection, after_seq: int, until_seq: int) -> set[str]:
        """The tokens of the users, and of nobody, who have events that are not erased in the pages of a stretch of the log."""
        return {head.user for head in self._heads(connection, after_seq, until_seq)}

    def count(self, connection: Connection, after_seq: int, until_seq: int) -> int:
        """How many events that are not erased are in the pages of a stretch of the log; reads the heads of all of them."""
        return sum(
            1
            for start in range(after_seq, until_seq, _STRETCH)
            for _head in self._heads(connection, start, min(start + _STRETCH, until_seq))
        )

    def _heads(self, connection: Connection, after_seq: int, until_seq: int) -> Iterator[Head]:
        for heads in connection.scalars(self._stretch(log_page.c.heads, after_seq, until_seq)):
            yield from (
                head for head in heads_of(heads) if head.kind == "event" and head.personal > len(ERASED)
            )

    def _stretch(self, column: Any, after_seq: int, until_seq: int) -> Select[Any]:
        table = log_page.c
        return (
            select(column)
            .where(table.tenant == self._tenant, table.first_seq > after_seq, table.first_seq <= until_seq)
            .order_by(table.first_seq)
        )

    def _pages_of(self, connection: Connection, user_token: str) -> list[int]:
        """The pages that have entries of a user, by the index, and those that the index does not know yet."""
        users, pages, head, tenant = log_user.c, log_page.c, log_head.c, self._tenant
        known = select(users.first_seq).where(users.tenant == tenant, users.user_token == user_token)
        indexed = select(head.indexed_seq).where(head.tenant == tenant).scalar_subquery()
        fresh = select(pages.first_seq).where(pages.tenant == tenant, pages.first_seq > indexed)
        return sorted(connection.scalars(union(known, fresh)))

    def _revise(
        self, connection: Connection, first_seq: int, changed: Callable[[LogEntry], bytes], *, of: str = ""
    ) -> int:
        """Change the column of a page; of how many entries. A page without entries of a user, where one is named, is not opened."""
        here = (log_page.c.tenant == self._tenant) & (log_page.c.first_seq == first_seq)
        columns = (log_page.c.heads, log_page.c.facts, log_page.c.personal, log_page.c.decisions)
        row = connection.execute(select(*columns).where(here)).one()
        if of and not any(head.user == of for head in heads_of(row[0])):
            return 0
        entries, done = unpacked(first_seq, row), 0
        for at, entry in enumerate(entries):
            personal = changed(entry)
            if personal != entry.personal:
                entries[at], done = msgspec.structs.replace(entry, personal=personal), done + 1
        if done:
            heads, _facts, column, _decisions = page_of(entries).texts
            connection.execute(update(log_page).where(here).values(heads=heads, personal=column))
        return done
