"""How far the log was acted on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012_follow"
down_revision = "0011_recovery"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of cursors."""
    op.create_table(
        "follow_cursor",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
