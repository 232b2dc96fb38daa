"""The tables of claims and payouts, as they are after the newest migration; a test holds the two against each other.

Promise: the tenant leads every key; no sequence, trigger or foreign key. The key of ``claim_item`` keeps an event to one claim,
whoever races whom.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text

metadata: Final = MetaData()

claim_record = Table(
    "claim_record",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("user_token", String(64), nullable=False),
    Column("incident", String(64), nullable=False),
    Column("state", String(32), nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_claim_record_due", "tenant", "state", "due_ms", "id"),
    Index("ix_claim_record_user", "tenant", "user_token", "id"),
    Index("ix_claim_record_incident", "tenant", "incident", "id"),
    sqlite_with_rowid=False,
)

claim_item = Table(
    "claim_item",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("event_id", String(128), primary_key=True),
    Column("claim", String(64), nullable=False),
    sqlite_with_rowid=False,
)

claim_payout = Table(
    "claim_payout",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("claim", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("instrument", String(16), nullable=False),
    Column("is_provisional", Integer, nullable=False),
    Column("transfer", String(64), nullable=False),
    Column("said", String(64), nullable=False),
    Index("ix_claim_payout_due", "tenant", "state", "due_ms"),
    Index("ix_claim_payout_claim", "tenant", "claim"),
    sqlite_with_rowid=False,
)
