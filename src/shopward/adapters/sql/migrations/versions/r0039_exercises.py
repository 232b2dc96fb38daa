"""Exercises with mails that look like phishing, and what came of each mail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039_exercises"
down_revision = "0038_training"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "training_exercise",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("lure", sa.String(32), nullable=False),
        sa.Column("by", sa.String(128), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "training_mail",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("exercise", sa.String(64), primary_key=True),
        sa.Column("person", sa.String(128), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("clicked_ms", sa.BigInteger, nullable=False),
        sa.Column("reported_ms", sa.BigInteger, nullable=False),
        sa.Index("ix_training_mail_digest", "tenant", "digest"),
        sqlite_with_rowid=False,
    )
