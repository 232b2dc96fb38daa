"""The tables of Shared Signals, as they are after the newest migration; a test holds the two against each other.

Promise: the tenant leads every key; no sequence, trigger or foreign key. Of a token, nothing is kept that names a person: the
digest of its id, its kind, and accounts of ours by their tokens. Secrets are sealed.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, String, Table, Text

metadata: Final = MetaData()

ssf_transmitter = Table(
    "ssf_transmitter",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("poll_due_ms", BigInteger, nullable=False),  # 0 for one that pushes
    Column("body", Text, nullable=False),
    Column("secrets", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

ssf_received = Table(
    "ssf_received",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("transmitter", String(64), primary_key=True),
    Column("jti", String(32), primary_key=True),
    Column("received_ms", BigInteger, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_ssf_received_outcome", "tenant", "outcome", "received_ms"),
    Index("ix_ssf_received_old", "tenant", "received_ms"),
    sqlite_with_rowid=False,
)
