"""Conversations with customers, without what was said."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037_conversations"
down_revision = "0036_lines"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "conversation_record",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("phone", sa.String(64), nullable=False),
        sa.Column("phone_id", sa.String(64), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Index("ix_conversation_record_state", "tenant", "state", "id"),
        sa.Index("ix_conversation_record_phone", "tenant", "phone", "phone_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "conversation_message",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("conversation", sa.String(64), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Index("ix_conversation_message_at", "tenant", "conversation", "at_ms"),
        sqlite_with_rowid=False,
    )
