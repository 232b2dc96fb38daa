"""Complaints."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027_complaints"
down_revision = "0026_traces"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of complaints."""
    op.create_table(
        "complaint_record",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("user_token", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("due_ms", sa.BigInteger, nullable=False),
        sa.Column("said_key", sa.String(128), nullable=False),
        sa.Column("said_hash", sa.String(64), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Index("ix_complaint_record_state", "tenant", "state", "id"),
        sa.Index("ix_complaint_record_due", "tenant", "due_ms"),
        sa.Index("ix_complaint_record_user", "tenant", "user_token", "id"),
        sa.Index("ix_complaint_record_key", "tenant", "said_key"),
        sqlite_with_rowid=False,
    )
