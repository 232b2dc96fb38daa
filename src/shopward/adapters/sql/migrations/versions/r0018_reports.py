"""Reports, their cases, and the shop's own list of links."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018_reports"
down_revision = "0017_claims"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of reports."""
    op.create_table(
        "screening_report",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("case_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("reporter", sa.String(16), nullable=False),
        sa.Column("user_token", sa.String(64), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Index("ix_screening_report_case", "tenant", "case_id", "id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "screening_case",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("cluster", sa.String(300), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("reports", sa.Integer, nullable=False),
        sa.Column("opened_ms", sa.BigInteger, nullable=False),
        sa.Column("last_ms", sa.BigInteger, nullable=False),
        sa.Column("settled_by", sa.String(128), nullable=False),
        sa.Column("settled_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Index("ix_screening_case_state", "tenant", "state", "id"),
        sa.Index("ix_screening_case_cluster", "tenant", "cluster", "state"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "screening_listed",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("case_id", sa.String(64), primary_key=True),
        sa.Column("link", sa.Text, nullable=False),
        sa.Column("scope", sa.String(8), nullable=False),
        sa.Column("seen_ms", sa.BigInteger, nullable=False),
        sa.Column("ends_ms", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
