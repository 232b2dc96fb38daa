"""Incidents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019_incidents"
down_revision = "0018_reports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of incidents."""
    op.create_table(
        "incident_record",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Index("ix_incident_record_state", "tenant", "state", "id"),
        sqlite_with_rowid=False,
    )
