"""Campaigns and findings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014_findings"
down_revision = "0013_review"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of campaigns, their members, and findings."""
    op.create_table(
        "campaign_record",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("told", sa.Integer, nullable=False),
        sa.Column("told_ms", sa.BigInteger, nullable=False),
        sa.Column("escalations", sa.Integer, nullable=False),
        sa.Column("acknowledged_by", sa.String(128), nullable=False),
        sa.Column("acknowledged_ms", sa.BigInteger, nullable=False),
        sa.Index("ix_campaign_record_state", "tenant", "state", "id"),
        sa.Index("ix_campaign_record_told", "tenant", "told_ms"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "campaign_member",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("campaign", sa.String(64), primary_key=True),
        sa.Column("user_token", sa.String(64), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "finding_record",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(130), primary_key=True),
        sa.Column("user_token", sa.String(64), nullable=False),
        sa.Column("found_ms", sa.BigInteger, nullable=False),
        sa.Column("campaign", sa.String(64), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("told_ms", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.String(128), nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.Index("ix_finding_record_state", "tenant", "state", "found_ms", "id"),
        sa.Index("ix_finding_record_told", "tenant", "told_ms"),
        sqlite_with_rowid=False,
    )
