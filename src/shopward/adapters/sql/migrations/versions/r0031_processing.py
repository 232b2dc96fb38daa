"""Activities and consents; reports by customer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031_processing"
down_revision = "0030_playbooks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of processing, and an index of reports."""
    op.create_table(
        "processing_activity",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(48), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("person", sa.String(128), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "processing_consent",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("subject", sa.String(64), primary_key=True),
        sa.Column("purpose", sa.String(48), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("text_version", sa.String(64), nullable=False),
        sa.Column("how", sa.String(16), nullable=False),
        sa.Column("person", sa.String(128), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Index("ix_processing_consent_purpose", "tenant", "purpose", "state"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_screening_report_user", "screening_report", ["tenant", "user_token", "id"])
