"""Partners and their shares."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022_partners"
down_revision = "0021_notices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of partners, shares and their sealed pages."""
    op.create_table(
        "partner_record",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "partner_share",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("partner", sa.String(64), nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Index("ix_partner_share_partner", "tenant", "partner", "id"),
        sa.Index("ix_partner_share_expires", "tenant", "expires_ms"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "partner_share_page",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("share", sa.String(64), primary_key=True),
        sa.Column("page", sa.Integer, primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
