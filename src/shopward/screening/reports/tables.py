"""The tables of reports, as they are after the newest migration.

Promise: the tenant leads every key; no sequence, no trigger, no foreign key. Users are tokens; no message is kept.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text

TENANT_MAX: Final = 64
ID_MAX: Final = 64
TOKEN_MAX: Final = 64
PERSON_MAX: Final = 128
CLUSTER_MAX: Final = 300

metadata = MetaData()

screening_report = Table(
    "screening_report",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("id", String(ID_MAX), primary_key=True),
    Column("case_id", String(ID_MAX), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("reporter", String(16), nullable=False),
    Column("user_token", String(TOKEN_MAX), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_screening_report_case", "tenant", "case_id", "id"),
    Index("ix_screening_report_user", "tenant", "user_token", "id"),
    sqlite_with_rowid=False,
)

screening_case = Table(
    "screening_case",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("id", String(ID_MAX), primary_key=True),
    Column("cluster", String(CLUSTER_MAX), nullable=False),
    Column("state", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("reports", Integer, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("settled_by", String(PERSON_MAX), nullable=False),
    Column("settled_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("user_token", String(TOKEN_MAX), nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("is_overdue", Integer, nullable=False),
    Column("assignee", String(PERSON_MAX), nullable=False),
    Column("reason", String(32), nullable=False),
    Index("ix_screening_case_state", "tenant", "state", "id"),
    Index("ix_screening_case_cluster", "tenant", "cluster", "state"),
    Index("ix_screening_case_due", "tenant", "state", "is_overdue", "due_ms"),
    Index("ix_screening_case_user", "tenant", "user_token", "id"),
    sqlite_with_rowid=False,
)

screening_note = Table(
    "screening_note",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("id", String(ID_MAX), primary_key=True),
    Column("case_id", String(ID_MAX), nullable=False),
    Column("person", String(PERSON_MAX), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_screening_note_case", "tenant", "case_id", "id"),
    sqlite_with_rowid=False,
)

screening_listed = Table(
    "screening_listed",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("case_id", String(ID_MAX), primary_key=True),
    Column("link", Text, nullable=False),
    Column("scope", String(8), nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("ends_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
