"""Challenges, enrolled factors, recovery codes, and how often they were tried."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004_stepup"
down_revision = "0003_protection"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the four tables."""
    _challenges()
    _factors()
    op.create_table(
        "stepup_recovery_code",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("user_token", sa.String(64), primary_key=True),
        sa.Column("slot", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.String(256), nullable=False),
        sa.Column("used_ms", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stepup_tally",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("user_token", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("since_ms", sa.BigInteger, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("in_a_row", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def _challenges() -> None:
    op.create_table(
        "stepup_challenge",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("challenge_id", sa.String(64), primary_key=True),
        sa.Column("user_token", sa.String(64), nullable=False),
        sa.Column("device_token", sa.String(64), nullable=False),
        sa.Column("operation", sa.String(32), nullable=False),
        sa.Column("decision_id", sa.String(128), nullable=False),
        sa.Column("offered", sa.String(128), nullable=False),
        sa.Column("excluded", sa.String(128), nullable=False),
        sa.Column("level_min", sa.Integer, nullable=False),
        sa.Column("nonce", sa.LargeBinary(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.Column("seen_ms", sa.BigInteger, nullable=False),
        sa.Column("passed_factor", sa.String(32), nullable=False),
        sa.Column("passed_ms", sa.BigInteger, nullable=False),
        sa.Column("codes_sent", sa.Integer, nullable=False),
        sa.Column("code_channel", sa.String(32), nullable=False),
        sa.Column("code_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("code_expires_ms", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("tenant", "decision_id", name="uq_stepup_challenge_decision"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_stepup_challenge_created", "stepup_challenge", ["tenant", "created_ms"])


def _factors() -> None:
    op.create_table(
        "stepup_factor",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("user_token", sa.String(64), primary_key=True),
        sa.Column("factor_id", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("credential_digest", sa.LargeBinary(32)),
        sa.Column("credential_id", sa.LargeBinary, nullable=False),
        sa.Column("counter", sa.BigInteger, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("tenant", "credential_digest", name="uq_stepup_factor_credential"),
        sqlite_with_rowid=False,
    )
