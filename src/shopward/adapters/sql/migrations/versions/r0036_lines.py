"""The shop's own lines and what was told of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036_lines"
down_revision = "0035_ssf_receivers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "line_record",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "line_signal",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("line", sa.String(64), primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Index("ix_line_signal_at", "tenant", "line", "at_ms"),
        sqlite_with_rowid=False,
    )
