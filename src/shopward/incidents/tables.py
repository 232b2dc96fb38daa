"""The tables of incidents, and of playbooks that a shop brought, as they are after the newest migration; a test holds them
against it.

Promise: the tenant leads every key; no sequence, trigger or foreign key.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata: Final = MetaData()

incident_record = Table(
    "incident_record",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_incident_record_state", "tenant", "state", "id"),
    sqlite_with_rowid=False,
)

incident_victims = (
    Table(  # who a scope found: rows of 20 bytes (``scope.ROW``), sorted by token over all pages
        "incident_victims",
        metadata,
        Column("tenant", String(64), primary_key=True),
        Column("incident", String(64), primary_key=True),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("page", Integer, primary_key=True, autoincrement=False),
        Column("rows", LargeBinary, nullable=False),
    )
)

incident_signal = (
    Table(  # which incident a signal has, and how many accounts the signal had when it was scoped
        "incident_signal",
        metadata,
        Column("tenant", String(64), primary_key=True),
        Column("kind", String(16), primary_key=True),
        Column("subject", String(160), primary_key=True),
        Column("incident", String(64), nullable=False),
        Column("accounts", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
)

playbook_record = Table(
    "playbook_record",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("person", String(128), nullable=False),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)
