"""Mailings and their recipients."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021_notices"
down_revision = "0020_vault"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of mailings and recipients."""
    op.create_table(
        "notice_mailing",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Index("ix_notice_mailing_state", "tenant", "state", "id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "notice_recipient",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("mailing", sa.String(64), primary_key=True),
        sa.Column("user_token", sa.String(64), primary_key=True),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("address", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("due_ms", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("message", sa.String(64), nullable=False),
        sa.Column("said", sa.String(64), nullable=False),
        sa.Index("ix_notice_recipient_due", "tenant", "mailing", "state", "due_ms"),
        sa.Index("ix_notice_recipient_message", "tenant", "message"),
        sqlite_with_rowid=False,
    )
