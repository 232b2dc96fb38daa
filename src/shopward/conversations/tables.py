"""The tables of conversations, as they are after the newest migration; a test holds the two against each other.

Promise: the tenant leads every key; no sequence, trigger or foreign key. Customers and numbers are tokens; nothing that was said is here.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, MetaData, String, Table, Text

metadata: Final = MetaData()

conversation_record = Table(
    "conversation_record",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("phone", String(64), nullable=False),
    Column("phone_id", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_conversation_record_state", "tenant", "state", "id"),
    Index("ix_conversation_record_phone", "tenant", "phone", "phone_id"),
    sqlite_with_rowid=False,
)

conversation_message = Table(
    "conversation_message",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("conversation", String(64), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_conversation_message_at", "tenant", "conversation", "at_ms"),
    Index("ix_conversation_message_old", "tenant", "at_ms", "key"),
    sqlite_with_rowid=False,
)
