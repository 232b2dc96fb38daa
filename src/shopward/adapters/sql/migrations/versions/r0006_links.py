"""Who shares an identifier: indexes over what is declared, and the foreign accounts that sign in to ours."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_links"
down_revision = "0005_outbox"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Four partial indexes and one table."""
    for name in ("email", "phone", "address", "national_id"):
        _index(f"ix_declared_user_{name}", "declared_user", name)
    op.create_table(
        "linked_identity",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("user_token", sa.String(64), primary_key=True),
        sa.Column("provider", sa.String(128), primary_key=True),
        sa.Column("identity", sa.String(64), primary_key=True),
        sa.Column("linked_ms", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    _index("ix_linked_identity_identity", "linked_identity", "identity")


def _index(name: str, table: str, column: str) -> None:
    given = sa.text(f"{column} <> ''")
    op.create_index(name, table, ["tenant", column, "user_token"], sqlite_where=given, postgresql_where=given)
