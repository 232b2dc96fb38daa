"""The table of complaints, as it is after the newest migration; a test holds the two against each other.

Promise: the tenant leads every key; no sequence, trigger or foreign key. Customers are tokens.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, MetaData, String, Table, Text

metadata: Final = MetaData()

complaint_record = Table(
    "complaint_record",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("user_token", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("said_key", String(128), nullable=False),
    Column("said_hash", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_complaint_record_state", "tenant", "state", "id"),
    Index("ix_complaint_record_due", "tenant", "due_ms"),
    Index("ix_complaint_record_user", "tenant", "user_token", "id"),
    Index("ix_complaint_record_key", "tenant", "said_key"),
    sqlite_with_rowid=False,
)
