"""For whom canaries were planted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029_canaries"
down_revision = "0028_channels"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of canaries."""
    op.create_table(
        "vault_canary",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("record", sa.String(130), primary_key=True),
        sa.Column("recipient", sa.String(128), nullable=False),
        sa.Column("person", sa.String(128), nullable=False),
        sa.Column("planted_ms", sa.BigInteger, nullable=False),
        sa.Index("ix_vault_canary_recipient", "tenant", "recipient", "planted_ms"),
        sqlite_with_rowid=False,
    )
