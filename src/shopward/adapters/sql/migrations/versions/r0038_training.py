"""Who of staff learnt what, and until when that holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038_training"
down_revision = "0037_conversations"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "training_record",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("person", sa.String(128), nullable=False),
        sa.Column("course", sa.String(48), nullable=False),
        sa.Column("done_ms", sa.BigInteger, nullable=False),
        sa.Column("ends_ms", sa.BigInteger, nullable=False),
        sa.Column("evidence", sa.String(64), nullable=False),
        sa.Column("by", sa.String(128), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Index("ix_training_record_person", "tenant", "person", "course"),
        sqlite_with_rowid=False,
    )
