"""Transfers lie in their order, with an index of their keys beside that of their ids.

By their ids, which are digests, each new row wrote a page of its own: at 300,000 of them commits were half of the time.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041_ledger_order"
down_revision = "0040_forgetting"
branch_labels = None
depends_on = None

_COLUMNS = "tenant, seq, id, at_ms, key, word, stage, ends, refs, fingerprint, chain"


def upgrade() -> None:
    """Make the table anew and copy every row."""
    op.create_table(
        "ledger_transfer_in_order",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("word", sa.String(32), nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("ends", sa.String(40), nullable=False),
        sa.Column("refs", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("chain", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    copying = f"INSERT INTO ledger_transfer_in_order ({_COLUMNS}) SELECT {_COLUMNS} FROM ledger_transfer"  # noqa: S608 -- our own names
    op.execute(f"{copying} ORDER BY tenant, seq")
    op.drop_table("ledger_transfer")
    op.rename_table("ledger_transfer_in_order", "ledger_transfer")
    op.create_index("ix_ledger_transfer_id", "ledger_transfer", ["tenant", "id"], unique=True)
    op.create_index("ix_ledger_transfer_key", "ledger_transfer", ["tenant", "key"], unique=True)
