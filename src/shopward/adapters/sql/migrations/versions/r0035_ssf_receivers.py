"""Receivers of Shared Signals, what they may hear of, what they are to be told, and our keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035_ssf_receivers"
down_revision = "0034_periods"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make their tables."""
    op.create_table(
        "ssf_receiver",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("partner", sa.String(64), primary_key=True),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("push_due_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Index("ix_ssf_receiver_token", "tenant", "token"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ssf_subject",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("partner", sa.String(64), primary_key=True),
        sa.Column("user_token", sa.String(64), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("format", sa.String(32), nullable=False),
        sa.Column("subject", sa.LargeBinary, nullable=False),
        sa.Column("wanted", sa.Boolean, nullable=False),
        sa.Index("ix_ssf_subject_user", "tenant", "user_token"),
        sa.Index("ix_ssf_subject_digest", "tenant", "partner", "digest"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ssf_outgoing",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("partner", sa.String(64), primary_key=True),
        sa.Column("jti", sa.String(64), primary_key=True),
        sa.Column("made_ms", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Index("ix_ssf_outgoing_state", "tenant", "partner", "state", "jti"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ssf_key",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("kid", sa.String(64), primary_key=True),
        sa.Column("made_ms", sa.BigInteger, nullable=False),
        sa.Column("public", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
