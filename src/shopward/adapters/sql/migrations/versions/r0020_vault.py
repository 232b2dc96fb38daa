"""The vault: keys, customers, records, indexes, accesses, quotas, locks, requests, holds, erasures, rotations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020_vault"
down_revision = "0019_incidents"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of the vault."""
    op.create_table(
        "vault_key",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("use", sa.String(32), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("root", sa.String(64), nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vault_subject",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("subject", sa.String(64), primary_key=True),
        sa.Column("retention", sa.String(32), primary_key=True),
        sa.Column("key_id", sa.BigInteger, nullable=False),
        sa.Column("kek", sa.Integer, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("ledger", sa.LargeBinary, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Index("ix_vault_subject_kek", "tenant", "kek", "subject", "retention"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vault_record",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(130), primary_key=True),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("retention", sa.String(32), nullable=False),
        sa.Column("region", sa.String(2), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("canary", sa.Boolean, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.Index("ix_vault_record_subject", "tenant", "subject", "id"),
        sa.Index("ix_vault_record_kind", "tenant", "kind", "created_ms"),
        sa.Index("ix_vault_record_expires", "tenant", "expires_ms"),
    )
    op.create_table(
        "vault_index",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("value", sa.LargeBinary, primary_key=True),
        sa.Column("record", sa.String(130), primary_key=True),
        sa.Index("ix_vault_index_record", "tenant", "record"),
        sa.Index("ix_vault_index_version", "tenant", "version"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vault_ngram",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("person", sa.String(128), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vault_access",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(130), primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("person", sa.String(128), nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("case_id", sa.String(130), nullable=False),
        sa.Column("order_id", sa.String(130), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("record", sa.String(130), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("fields", sa.Text, nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Index("ix_vault_access_subject", "tenant", "subject", "id"),
        sa.Index("ix_vault_access_record", "tenant", "record", "id"),
        sa.Index("ix_vault_access_person", "tenant", "person", "id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vault_quota",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("person", sa.String(128), primary_key=True),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("used", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vault_lock",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("target", sa.String(130), primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("person", sa.String(128), nullable=False),
        sa.Column("since_ms", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vault_request",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(130), primary_key=True),
        sa.Column("person", sa.String(128), nullable=False),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("ends_ms", sa.BigInteger, nullable=False),
        sa.Column("approved_by", sa.String(128), nullable=False),
        sa.Index("ix_vault_request_state", "tenant", "state", "id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vault_hold",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("subject", sa.String(64), primary_key=True),
        sa.Column("retention", sa.String(32), primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("person", sa.String(128), nullable=False),
        sa.Column("since_ms", sa.BigInteger, nullable=False),
        sa.Column("erase_after", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vault_erasure",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("retention", sa.Text, nullable=False),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("certificate", sa.Text, nullable=False),
        sa.Index("ix_vault_erasure_subject", "tenant", "subject"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vault_rotation",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("use", sa.String(32), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("done", sa.BigInteger, nullable=False),
        sa.Column("total", sa.BigInteger, nullable=False),
        sa.Column("cursor", sa.String(130), nullable=False),
        sa.Column("person", sa.String(128), nullable=False),
        sa.Column("started_ms", sa.BigInteger, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
