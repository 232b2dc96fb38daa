"""The tables of the log, as they are after the newest migration.

Promise: keys that a distributed PostgreSQL can take. The tenant leads every key and every index; no sequence,
no autoincrement, no trigger, no foreign key. ``migrations`` make these tables; nothing calls ``create_all``.
A test holds the two against each other.

``facts`` and ``decision`` are text, so that plain SQL reads them. ``personal`` is bytes: it will be ciphertext.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, String, Table, Text, UniqueConstraint

TENANT_MAX: Final = 64
EVENT_ID_MAX: Final = 128
USER_TOKEN_MAX: Final = 64
KIND_MAX: Final = 16
DIGEST_BYTES: Final = 16

VERSION_TABLE: Final = "shopward_schema"
EVENT_ID_UNIQUE: Final = "uq_log_event_id"
USER_INDEX: Final = "ix_log_user"

metadata = MetaData()

log = Table(
    "log",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(KIND_MAX), nullable=False),
    Column("event_id", String(EVENT_ID_MAX), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("recorded_ms", BigInteger, nullable=False),
    Column("digest", LargeBinary(DIGEST_BYTES), nullable=False),
    Column("user_token", String(USER_TOKEN_MAX), nullable=False),
    Column("facts", Text, nullable=False),
    Column("personal", LargeBinary, nullable=False),
    Column("decision", Text, nullable=False),
    UniqueConstraint("tenant", "event_id", name=EVENT_ID_UNIQUE),
    Index(USER_INDEX, "tenant", "user_token", "seq"),
    sqlite_with_rowid=False,
)

log_head = Table(
    "log_head",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
