"""Scrubbing: what a log entry says of a person, as it was sent, is taken out; facts and decision stay.

Promise: within the caller's transaction every entry of a user up to a time loses its ``personal`` bytes, and nothing else of
the page changes: what the entry taught and decided is replayed as before. SQLite is told to overwrite what it frees;
PostgreSQL keeps the old row until its next vacuum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import select, union, update

from shopward.adapters.sql.pages import heads_of, page_of, unpacked
from shopward.adapters.sql.schema import log_head, log_page, log_user

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from shopward.adapters.sql.pages import Page

ERASED: Final = b'{"user":{"id":""}}'
"""What readers find in the place of the event as it was sent."""


def emptied(connection: Connection, tenant: str, user_token: str, until_ms: int) -> int:
    """Take a user's entries that were recorded up to a time out of the log's personal column; how many."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
    done = 0
    for first_seq in _pages_of(connection, tenant, user_token):
        done += _emptied(connection, tenant, first_seq, user_token, until_ms)
    return done


def _pages_of(connection: Connection, tenant: str, user_token: str) -> list[int]:
    """The pages that have entries of a user, by the index, and those that the index does not know yet."""
    users, pages, head = log_user.c, log_page.c, log_head.c
    known = select(users.first_seq).where(users.tenant == tenant, users.user_token == user_token)
    indexed = select(head.indexed_seq).where(head.tenant == tenant).scalar_subquery()
    fresh = select(pages.first_seq).where(pages.tenant == tenant, pages.first_seq > indexed)
    return sorted(connection.scalars(union(known, fresh)))


def _emptied(connection: Connection, tenant: str, first_seq: int, user_token: str, until_ms: int) -> int:
    here = (log_page.c.tenant == tenant) & (log_page.c.first_seq == first_seq)
    columns = (log_page.c.heads, log_page.c.facts, log_page.c.personal, log_page.c.decisions)
    row = connection.execute(select(*columns).where(here)).one()
    if not any(head.user == user_token for head in heads_of(row[0])):
        return 0
    entries, done = unpacked(first_seq, row), 0
    for at, entry in enumerate(entries):
        is_theirs = entry.user_token == user_token and entry.recorded_ms <= until_ms
        if is_theirs and entry.kind == "event" and entry.personal != ERASED:
            entries[at], done = msgspec.structs.replace(entry, personal=ERASED), done + 1
    if done:
        page: Page = page_of(entries)
        heads, _facts, personal, _decisions = page.texts
        connection.execute(update(log_page).where(here).values(heads=heads, personal=personal))
    return done
