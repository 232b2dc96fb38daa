"""The tables of the audit log, as they are after the newest migration.

Promise: keys that a distributed PostgreSQL can take: the tenant leads every key; no sequence, no autoincrement, no
trigger, no foreign key. The revision ``0002_audit`` makes these tables; a test holds the two against each other.

Every column of an entry is hashed and every column of a checkpoint is signed; ``chain`` says how, byte by byte.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, String, Table, Text

TENANT_MAX: Final = 64
ACTOR_MAX: Final = 128
DEED_MAX: Final = 64
SUBJECT_MAX: Final = 128
HASH_BYTES: Final = 32
KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

metadata = MetaData()

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", String(ACTOR_MAX), nullable=False),
    Column("deed", String(DEED_MAX), nullable=False),
    Column("subject", String(SUBJECT_MAX), nullable=False),
    Column("details", Text, nullable=False),
    Column("hash", LargeBinary(HASH_BYTES), nullable=False),
    sqlite_with_rowid=False,
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("last_seq", BigInteger, nullable=False),
    Column("hash", LargeBinary(HASH_BYTES), nullable=False),
    sqlite_with_rowid=False,
)

audit_checkpoint = Table(
    "audit_checkpoint",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("hash", LargeBinary(HASH_BYTES), nullable=False),
    Column("key", LargeBinary(KEY_BYTES), nullable=False),
    Column("signature", LargeBinary(SIGNATURE_BYTES), nullable=False),
    sqlite_with_rowid=False,
)
