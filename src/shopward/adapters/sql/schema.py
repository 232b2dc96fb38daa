"""The tables of the log, as they are after the newest migration.

Promise: keys that a distributed PostgreSQL can take. The tenant leads every key and every index; no sequence,
no autoincrement, no trigger, no foreign key. ``migrations`` make these tables; nothing calls ``create_all``.
A test holds the two against each other.

``facts`` and ``decisions`` are text, so that plain SQL reads them. ``personal`` is bytes: ciphertext, or clear from before there were keys.
The two index tables may lag behind the pages (``tail``); their keys are compared byte by byte on both engines.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, String, Table, Text

TENANT_MAX: Final = 64
EVENT_ID_MAX: Final = 128
USER_TOKEN_MAX: Final = 64
KIND_MAX: Final = 16
DIGEST_BYTES: Final = 16

VERSION_TABLE: Final = "shopward_schema"

metadata = MetaData()


def bytewise(length: int) -> String:
    """A text that is compared byte by byte: cheaper than by the rules of a language, and the same everywhere."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


log_page = Table(
    "log_page",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("first_seq", BigInteger, primary_key=True, autoincrement=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("heads", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("personal", LargeBinary, nullable=False),
    Column("decisions", Text, nullable=False),
)

log_event = Table(
    "log_event",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("event_id", bytewise(EVENT_ID_MAX), primary_key=True),
    Column("first_seq", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

log_user = Table(
    "log_user",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("user_token", bytewise(USER_TOKEN_MAX), primary_key=True),
    Column("first_seq", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

log_head = Table(
    "log_head",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("indexed_seq", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
