"""The tables of the outbox, as they are after the newest migration.

Promise: keys that a distributed PostgreSQL can take: the tenant leads every key and every index; no sequence, no
autoincrement, no trigger, no foreign key. A test holds the migrations against them. No column names a customer.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, MetaData, String, Table, Text

TENANT_MAX: Final = 64
ID_MAX: Final = 64
TOPIC_MAX: Final = 64
SUBJECT_MAX: Final = 130
"""``d-`` or ``a-`` and an event's id."""

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
