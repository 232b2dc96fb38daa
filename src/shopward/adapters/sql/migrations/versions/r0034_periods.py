"""Keys under which the log keeps events as they were sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034_periods"
down_revision = "0033_shared_signals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of periods and of customers' keys in them."""
    op.create_table(
        "vault_period",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("wrapped_by", sa.Integer, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("after_seq", sa.BigInteger, nullable=False),
        sa.Column("begun_ms", sa.BigInteger, nullable=False),
        sa.Column("settled_seq", sa.BigInteger, nullable=False),
        sa.Column("lapsed_ms", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vault_period_key",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("subject", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
