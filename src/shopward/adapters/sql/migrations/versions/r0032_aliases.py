"""Virtual contact data of partners."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032_aliases"
down_revision = "0031_processing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of aliases."""
    op.create_table(
        "partner_alias",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("alias", sa.String(320), primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("partner", sa.String(64), nullable=False),
        sa.Column("share", sa.String(64), nullable=False),
        sa.Column("record", sa.String(130), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("field", sa.String(16), nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.Index("ix_partner_alias_share", "tenant", "share", "record"),
        sa.Index("ix_partner_alias_free", "tenant", "kind", "expires_ms"),
        sqlite_with_rowid=False,
    )
