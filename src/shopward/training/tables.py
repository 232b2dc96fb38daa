"""The tables of training, as they are after the newest migration; a test holds the two against each other.

Promise: the tenant leads every key; no sequence, trigger or foreign key. Persons are those of API keys; nothing of a customer is here.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, MetaData, String, Table

metadata: Final = MetaData()

training_record = Table(
    "training_record",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("person", String(128), nullable=False),
    Column("course", String(48), nullable=False),
    Column("done_ms", BigInteger, nullable=False),
    Column("ends_ms", BigInteger, nullable=False),
    Column("evidence", String(64), nullable=False),
    Column("by", String(128), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index("ix_training_record_person", "tenant", "person", "course"),
    sqlite_with_rowid=False,
)

training_exercise = Table(
    "training_exercise",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("lure", String(32), nullable=False),
    Column("by", String(128), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

training_mail = Table(
    "training_mail",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("exercise", String(64), primary_key=True),
    Column("person", String(128), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("language", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    Column("clicked_ms", BigInteger, nullable=False),
    Column("reported_ms", BigInteger, nullable=False),
    Index("ix_training_mail_digest", "tenant", "digest"),
    sqlite_with_rowid=False,
)
