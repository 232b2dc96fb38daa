"""The tables of campaigns and findings, as they are after the newest migration.

Promise: the tenant leads every key; no sequence, no trigger, no foreign key. Users are tokens.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text

TENANT_MAX: Final = 64
ID_MAX: Final = 64
TOKEN_MAX: Final = 64
PERSON_MAX: Final = 128
FINDING_MAX: Final = 130
"""``f-`` and an event's id."""

metadata = MetaData()

campaign_record = Table(
    "campaign_record",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("id", String(ID_MAX), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Column("told", Integer, nullable=False),
    Column("told_ms", BigInteger, nullable=False),
    Column("escalations", Integer, nullable=False),
    Column("acknowledged_by", String(PERSON_MAX), nullable=False),
    Column("acknowledged_ms", BigInteger, nullable=False),
    Index("ix_campaign_record_state", "tenant", "state", "id"),
    Index("ix_campaign_record_told", "tenant", "told_ms"),
    sqlite_with_rowid=False,
)

campaign_member = Table(
    "campaign_member",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("campaign", String(ID_MAX), primary_key=True),
    Column("user_token", String(TOKEN_MAX), primary_key=True),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)

finding_record = Table(
    "finding_record",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("id", String(FINDING_MAX), primary_key=True),
    Column("user_token", String(TOKEN_MAX), nullable=False),
    Column("found_ms", BigInteger, nullable=False),
    Column("campaign", String(ID_MAX), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("told_ms", BigInteger, nullable=False),
    Column("changed_by", String(PERSON_MAX), nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Index("ix_finding_record_state", "tenant", "state", "found_ms", "id"),
    Index("ix_finding_record_told", "tenant", "told_ms"),
    sqlite_with_rowid=False,
)
