"""Published policies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_policies"
down_revision = "0008_webhooks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of policies and their publications."""
    op.create_table(
        "policy_version",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("digest", sa.String(32), primary_key=True),
        sa.Column("policy", sa.String(128), nullable=False),
        sa.Column("files", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "policy_publication",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
