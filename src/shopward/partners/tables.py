"""The tables of partners, as they are after the newest migration; a test holds the two against each other.

Promise: the tenant leads every key; no sequence, trigger or foreign key. ``partner_share_page`` holds sealed bytes alone,
``partner_share_record`` ids.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata: Final = MetaData()

partner_record = Table(
    "partner_record",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)

partner_share = Table(
    "partner_share",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("partner", String(64), nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_partner_share_partner", "tenant", "partner", "id"),
    Index("ix_partner_share_expires", "tenant", "expires_ms"),
    sqlite_with_rowid=False,
)

partner_share_page = Table(
    "partner_share_page",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("share", String(64), primary_key=True),
    Column("page", Integer, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

partner_share_record = Table(
    "partner_share_record",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("share", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("record", String(130), nullable=False),
    sqlite_with_rowid=False,
)

partner_alias = Table(
    "partner_alias",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("alias", String(320), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("partner", String(64), nullable=False),
    Column("share", String(64), nullable=False),
    Column("record", String(130), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("field", String(16), nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Index("ix_partner_alias_share", "tenant", "share", "record"),
    Index("ix_partner_alias_free", "tenant", "kind", "expires_ms"),
    sqlite_with_rowid=False,
)
