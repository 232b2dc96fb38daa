"""Victim sets: named, versioned, their members in pages of tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010_sets"
down_revision = "0009_policies"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "victim_set",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("users", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary(16), nullable=False),
        sa.Column("author", sa.String(128), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("sealed_ms", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_victim_set_name", "victim_set", ["tenant", "name", "version"], unique=True)
    op.create_table(
        "victim_set_page",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("set_id", sa.String(64), primary_key=True),
        sa.Column("page", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("tokens", sa.LargeBinary, nullable=False),
    )
