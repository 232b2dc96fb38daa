"""Who an incident touched, by version of its scope."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023_victims"
down_revision = "0022_partners"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "incident_victims",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("incident", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("page", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("rows", sa.LargeBinary, nullable=False),
    )
