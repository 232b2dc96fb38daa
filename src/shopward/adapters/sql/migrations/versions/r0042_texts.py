"""What people write about customers beside the records of the vault."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0042_texts"
down_revision = "0041_ledger_order"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make its table; what lies in clear is sealed by the server, which has the keys."""
    op.create_table(
        "vault_text",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("id", sa.String(130), primary_key=True),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("sealed_by", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Index("ix_vault_text_subject", "tenant", "subject"),
        sa.Index("ix_vault_text_sealed_by", "tenant", "sealed_by"),
    )
