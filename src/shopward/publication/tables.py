"""The tables of publication, as they are after the newest migration.

Promise: keys that a distributed PostgreSQL can take: the tenant leads every key; no sequence, no autoincrement, no
trigger, no foreign key. No column names a customer.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text

TENANT_MAX: Final = 64

metadata = MetaData()

policy_version = Table(  # the files of a policy, once for each digest
    "policy_version",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("digest", String(32), primary_key=True),
    Column("policy", String(128), nullable=False),
    Column("files", Text, nullable=False),
    sqlite_with_rowid=False,
)

policy_publication = Table(
    "policy_publication",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)
