"""Transmitters of Shared Signals, and what they told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033_shared_signals"
down_revision = "0032_aliases"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make their tables."""
    op.create_table(
        "ssf_transmitter",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("poll_due_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("secrets", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ssf_received",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("transmitter", sa.String(64), primary_key=True),
        sa.Column("jti", sa.String(32), primary_key=True),
        sa.Column("received_ms", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Index("ix_ssf_received_outcome", "tenant", "outcome", "received_ms"),
        sa.Index("ix_ssf_received_old", "tenant", "received_ms"),
        sqlite_with_rowid=False,
    )
