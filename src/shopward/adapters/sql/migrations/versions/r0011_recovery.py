"""The guided way back: cases, and tokens with which a change is taken back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011_recovery"
down_revision = "0010_sets"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "recovery_case",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("open_for", sa.String(64), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.UniqueConstraint("tenant", "open_for", name="uq_recovery_case_open"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "recovery_undo",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("event_id", sa.String(128), primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("user_token", sa.String(64), nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.Column("recovery_id", sa.String(64), nullable=False),
        sa.UniqueConstraint("tenant", "digest", name="uq_recovery_undo_digest"),
        sqlite_with_rowid=False,
    )
