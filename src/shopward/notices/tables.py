"""The tables of mailings, as they are after the newest migration; a test holds the two against each other.

Promise: the tenant leads every key; no sequence, trigger or foreign key. Addresses are sealed; users are tokens.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata: Final = MetaData()

notice_mailing = Table(
    "notice_mailing",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Column("incident", String(64), nullable=False, server_default=""),
    Index("ix_notice_mailing_state", "tenant", "state", "id"),
    Index("ix_notice_mailing_incident", "tenant", "incident", "id"),
    sqlite_with_rowid=False,
)

notice_recipient = Table(
    "notice_recipient",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("mailing", String(64), primary_key=True),
    Column("user_token", String(64), primary_key=True),
    Column("language", String(2), nullable=False),
    Column("address", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("message", String(64), nullable=False),
    Column("said", String(64), nullable=False),
    Column("route", Integer, nullable=False, server_default="0"),
    Column("receipt", String(128), nullable=False, server_default=""),
    Index("ix_notice_recipient_due", "tenant", "mailing", "state", "due_ms"),
    Index("ix_notice_recipient_message", "tenant", "message"),
    Index("ix_notice_recipient_receipt", "tenant", "receipt"),
    sqlite_with_rowid=False,
)
