"""Cases of customers: whose, by when, who looks after them, why they were settled, and notes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024_cases"
down_revision = "0023_victims"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen the cases of reports and make the table of their notes."""
    for column in (
        sa.Column("user_token", sa.String(64), nullable=False, server_default=""),
        sa.Column("due_ms", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("is_overdue", sa.Integer, nullable=False, server_default="0"),
        sa.Column("assignee", sa.String(128), nullable=False, server_default=""),
        sa.Column("reason", sa.String(32), nullable=False, server_default=""),
    ):
        op.add_column("screening_case", column)
    op.create_index("ix_screening_case_due", "screening_case", ["tenant", "state", "is_overdue", "due_ms"])
    op.create_index("ix_screening_case_user", "screening_case", ["tenant", "user_token", "id"])
    op.create_table(
        "screening_note",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("case_id", sa.String(64), nullable=False),
        sa.Column("person", sa.String(128), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Index("ix_screening_note_case", "tenant", "case_id", "id"),
        sqlite_with_rowid=False,
    )
