"""The tables of Shared Signals, as they are after the newest migration; a test holds the two against each other.

Promise: the tenant leads every key; no sequence, trigger or foreign key. Of a token, nothing is kept that names a person: the
digest of its id, its kind, and accounts of ours by their tokens. Secrets, subjects and private keys are sealed.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, MetaData, String, Table, Text

metadata: Final = MetaData()

ssf_transmitter = Table(
    "ssf_transmitter",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("poll_due_ms", BigInteger, nullable=False),  # 0 for one that pushes
    Column("body", Text, nullable=False),
    Column("secrets", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

ssf_received = Table(
    "ssf_received",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("transmitter", String(64), primary_key=True),
    Column("jti", String(32), primary_key=True),
    Column("received_ms", BigInteger, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_ssf_received_outcome", "tenant", "outcome", "received_ms"),
    Index("ix_ssf_received_old", "tenant", "received_ms"),
    sqlite_with_rowid=False,
)

ssf_receiver = Table(
    "ssf_receiver",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("partner", String(64), primary_key=True),
    Column("token", String(64), nullable=False),
    Column("push_due_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Index("ix_ssf_receiver_token", "tenant", "token"),
    sqlite_with_rowid=False,
)

ssf_subject = Table(  # which customers a receiver may hear of, and as whom it knows them
    "ssf_subject",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("partner", String(64), primary_key=True),
    Column("user_token", String(64), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("format", String(32), nullable=False),
    Column("subject", LargeBinary, nullable=False),
    Column("wanted", Boolean, nullable=False),
    Index("ix_ssf_subject_user", "tenant", "user_token"),
    Index("ix_ssf_subject_digest", "tenant", "partner", "digest"),
    sqlite_with_rowid=False,
)

ssf_outgoing = Table(
    "ssf_outgoing",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("partner", String(64), primary_key=True),
    Column("jti", String(64), primary_key=True),
    Column("made_ms", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_ssf_outgoing_state", "tenant", "partner", "state", "jti"),
    sqlite_with_rowid=False,
)

ssf_key = Table(
    "ssf_key",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("kid", String(64), primary_key=True),
    Column("made_ms", BigInteger, nullable=False),
    Column("public", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # empty once another key signs
    sqlite_with_rowid=False,
)
