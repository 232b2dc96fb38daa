"""The ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015_ledger"
down_revision = "0014_findings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of transfers, entries, endings, balances and references."""
    op.create_table(
        "ledger_head",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.Column("chain", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_transfer",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("word", sa.String(32), nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("ends", sa.String(40), nullable=False),
        sa.Column("refs", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("chain", sa.LargeBinary, nullable=False),
        sa.Index("ix_ledger_transfer_seq", "tenant", "seq", unique=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_entry",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("line", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("account", sa.String(96), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Index("ix_ledger_entry_account", "tenant", "account", "seq"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_ending",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("by", sa.String(40), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_balance",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("account", sa.String(96), primary_key=True),
        sa.Column("currency", sa.String(3), primary_key=True),
        sa.Column("posted_minor", sa.BigInteger, nullable=False),
        sa.Column("pending_debit_minor", sa.BigInteger, nullable=False),
        sa.Column("pending_credit_minor", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_ref",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("ref", sa.String(128), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
