"""The shop's published profiles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016_screening"
down_revision = "0015_ledger"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of profiles."""
    op.create_table(
        "screening_profile",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.String(16), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("published_by", sa.String(128), nullable=False),
        sa.Column("published_ms", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
