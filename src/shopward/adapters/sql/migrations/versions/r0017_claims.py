"""Claims and payouts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017_claims"
down_revision = "0016_screening"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of claims, their items and their payouts."""
    op.create_table(
        "claim_record",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("user_token", sa.String(64), nullable=False),
        sa.Column("incident", sa.String(64), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("due_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Index("ix_claim_record_due", "tenant", "state", "due_ms", "id"),
        sa.Index("ix_claim_record_user", "tenant", "user_token", "id"),
        sa.Index("ix_claim_record_incident", "tenant", "incident", "id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "claim_item",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("event_id", sa.String(128), primary_key=True),
        sa.Column("claim", sa.String(64), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "claim_payout",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("claim", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("due_ms", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("instrument", sa.String(16), nullable=False),
        sa.Column("is_provisional", sa.Integer, nullable=False),
        sa.Column("transfer", sa.String(64), nullable=False),
        sa.Column("said", sa.String(64), nullable=False),
        sa.Index("ix_claim_payout_due", "tenant", "state", "due_ms"),
        sa.Index("ix_claim_payout_claim", "tenant", "claim"),
        sqlite_with_rowid=False,
    )
