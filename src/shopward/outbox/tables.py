"""The tables of the outbox, as they are after the newest migration.

Promise: keys that a distributed PostgreSQL can take: the tenant leads every key and every index; no sequence, no
autoincrement, no trigger, no foreign key. A test holds the migrations against them. No column names a customer.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

TENANT_MAX: Final = 64
ID_MAX: Final = 64
TOPIC_MAX: Final = 64
SUBJECT_MAX: Final = 130
"""``d-`` or ``a-`` and an event's id."""

CODE_MAX: Final = 32

metadata = MetaData()

outbox_message = Table(
    "outbox_message",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("id", String(ID_MAX), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("topic", String(TOPIC_MAX), nullable=False),
    Column("subject", String(SUBJECT_MAX), nullable=False),
    Column("payload", Text, nullable=False),
    Column("state", String(16), nullable=False),  # owed: nobody was assigned yet; assigned
    Index("ix_outbox_message_state", "tenant", "state", "id"),
    sqlite_with_rowid=False,
)

webhook_endpoint = Table(
    "webhook_endpoint",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("id", String(ID_MAX), primary_key=True),
    Column("url", Text, nullable=False),
    Column("topics", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("why", String(32), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("failing_since_ms", BigInteger, nullable=False),
    Column("last_code", String(CODE_MAX), nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("secret", LargeBinary, nullable=False),  # sealed, as the old one is
    Column("old_secret", LargeBinary, nullable=False),
    Column("old_until_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("endpoint_id", String(ID_MAX), primary_key=True),
    Column("message_id", String(ID_MAX), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("lease", String(ID_MAX), nullable=False),
    Column("last_code", String(CODE_MAX), nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Index("ix_webhook_delivery_due", "tenant", "endpoint_id", "state", "due_ms"),
    sqlite_with_rowid=False,
)

follow_cursor = Table(
    "follow_cursor",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

deadline_told = Table(
    "deadline_told",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("subject", String(SUBJECT_MAX), primary_key=True),
    Column("of", String(160), primary_key=True),
    Column("due_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("step", String(8), primary_key=True),
    sqlite_with_rowid=False,
)
"""Dates of which the shop was told, each once for each step."""
