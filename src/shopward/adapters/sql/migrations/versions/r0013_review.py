"""When a review of an order is due, where a query finds it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013_review"
down_revision = "0012_follow"
branch_labels = None
depends_on = None

_FOUND = {
    "sqlite": "CAST(coalesce(json_extract(body, '$.review_ms'), 0) AS INTEGER)",
    "postgresql": "coalesce((body::json ->> 'review_ms')::bigint, 0)",
}


def upgrade() -> None:
    """Add the column, and fill it from the orders that are there."""
    op.add_column(
        "protection_order", sa.Column("review_ms", sa.BigInteger, nullable=False, server_default="0")
    )
    found = _FOUND[op.get_bind().dialect.name]
    op.execute(f"UPDATE protection_order SET review_ms = {found}")  # noqa: S608 -- fixed words
