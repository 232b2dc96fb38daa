"""The tables of processing, as they are after the newest migration; a test holds the two against each other.

Promise: the tenant leads every key; no sequence, trigger or foreign key. Customers are tokens. Rows are added and never changed:
the keys end with a version and a number.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text

metadata: Final = MetaData()

processing_activity = Table(
    "processing_activity",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("name", String(48), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("person", String(128), nullable=False),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)

processing_consent = Table(
    "processing_consent",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("subject", String(64), primary_key=True),
    Column("purpose", String(48), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False),
    Column("text_version", String(64), nullable=False),
    Column("how", String(16), nullable=False),
    Column("person", String(128), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index("ix_processing_consent_purpose", "tenant", "purpose", "state"),
    sqlite_with_rowid=False,
)
