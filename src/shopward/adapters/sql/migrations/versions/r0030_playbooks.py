"""Playbooks that a shop brought."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030_playbooks"
down_revision = "0029_canaries"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of playbooks."""
    op.create_table(
        "playbook_record",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("person", sa.String(128), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
