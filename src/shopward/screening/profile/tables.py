"""The table of published profiles, as it is after the newest migration.

Promise: the tenant leads the key; no sequence, no trigger. It holds what the shop says of itself and who published it.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text

TENANT_MAX: Final = 64
PERSON_MAX: Final = 128

metadata = MetaData()

screening_profile = Table(
    "screening_profile",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("version", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Column("published_by", String(PERSON_MAX), nullable=False),
    Column("published_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
