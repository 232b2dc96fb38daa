"""The tables of lines, as they are after the newest migration; a test holds the two against each other.

Promise: the tenant leads every key; no sequence, trigger or foreign key. Numbers are the shop's own; no column names a customer.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, MetaData, String, Table, Text

metadata: Final = MetaData()

line_record = Table(
    "line_record",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)

line_signal = Table(
    "line_signal",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("line", String(64), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_line_signal_at", "tenant", "line", "at_ms"),
    Index("ix_line_signal_old", "tenant", "at_ms"),
    sqlite_with_rowid=False,
)
