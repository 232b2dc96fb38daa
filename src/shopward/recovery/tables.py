"""The tables of recovery, as they are after the newest migration; a test holds the two against each other.

Promise: the tenant leads every key; no sequence, trigger or foreign key. ``open_for`` is the user's token while a case is
open and its own id afterwards: its key is what keeps a user to one open case, whoever races whom.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, String, Table, Text, UniqueConstraint

metadata: Final = MetaData()

recovery_case = Table(
    "recovery_case",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("open_for", String(64), nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("tenant", "open_for", name="uq_recovery_case_open"),
    sqlite_with_rowid=False,
)

recovery_undo = Table(
    "recovery_undo",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("event_id", String(128), primary_key=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("user_token", String(64), nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("recovery_id", String(64), nullable=False),
    UniqueConstraint("tenant", "digest", name="uq_recovery_undo_digest"),
    sqlite_with_rowid=False,
)
