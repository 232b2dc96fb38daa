"""What a leak is traced by: old blind indexes of records, and the records that shares name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026_traces"
down_revision = "0025_signals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of past indexes and of shared records."""
    op.create_table(
        "vault_past",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("record", sa.String(130), primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("last", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Index("ix_vault_past_value", "tenant", "name", "version", "value"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "partner_share_record",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("share", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("record", sa.String(130), nullable=False),
        sqlite_with_rowid=False,
    )
