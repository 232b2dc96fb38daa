"""Rows of blind indexes stand in one order the less: what counted by it counts index by index."""

from __future__ import annotations

from alembic import op

revision = "0044_index_order"
down_revision = "0043_deadlines"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop the order by version."""
    op.drop_index("ix_vault_index_version", "vault_index")
