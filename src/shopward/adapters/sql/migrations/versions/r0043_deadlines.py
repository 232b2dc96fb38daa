"""Which dates the shop was told of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0043_deadlines"
down_revision = "0042_texts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "deadline_told",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("subject", sa.String(130), primary_key=True),
        sa.Column("of", sa.String(160), primary_key=True),
        sa.Column("due_ms", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("step", sa.String(8), primary_key=True),
        sqlite_with_rowid=False,
    )
