"""Which incident a signal has."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025_signals"
down_revision = "0024_cases"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "incident_signal",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("subject", sa.String(160), primary_key=True),
        sa.Column("incident", sa.String(64), nullable=False),
        sa.Column("accounts", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
