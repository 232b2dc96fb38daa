"""Declared users, protection orders with their exceptions and journal, and money authorisations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_protection"
down_revision = "0002_audit"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the seven tables."""
    _users_and_orders()
    _sets()
    op.create_table(
        "money_authorization",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(130), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("user_token", sa.String(64), nullable=False),
        sa.Column("operations", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.Column("settled_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_money_authorization_user", "money_authorization", ["tenant", "user_token", "settled_ms"]
    )


def _users_and_orders() -> None:
    op.create_table(
        "declared_user",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("user_token", sa.String(64), primary_key=True),
        sa.Column("registered_at_ms", sa.BigInteger, nullable=False),
        sa.Column("password_set_at_ms", sa.BigInteger, nullable=False),
        sa.Column("identity_providers", sa.Text, nullable=False),
        sa.Column("region", sa.String(128), nullable=False),
        sa.Column("tier", sa.String(128), nullable=False),
        sa.Column("email", sa.String(64), nullable=False),
        sa.Column("phone", sa.String(64), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("national_id", sa.String(64), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "protection_order",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("starts_ms", sa.BigInteger, nullable=False),
        sa.Column("ends_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_protection_order_state", "protection_order", ["tenant", "state", "id"])
    op.create_table(
        "protection_key",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("digest", sa.LargeBinary(16), nullable=False),
        sa.Column("order_id", sa.String(64), nullable=False),
        sqlite_with_rowid=False,
    )


def _sets() -> None:
    op.create_table(
        "protection_exception",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("order_id", sa.String(64), primary_key=True),
        sa.Column("user_token", sa.String(64), primary_key=True),
        sa.Column("cause", sa.String(32), nullable=False),
        sa.Column("evidence", sa.String(128), nullable=False),
        sa.Column("actor", sa.String(128), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_protection_exception_actor", "protection_exception", ["tenant", "order_id", "actor"])
    op.create_table(
        "protection_head",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "protection_change",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
