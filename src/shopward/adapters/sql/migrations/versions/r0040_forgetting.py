"""What is old among messages of conversations and signals of lines is found by its time, to be forgotten."""

from __future__ import annotations

from alembic import op

revision = "0040_forgetting"
down_revision = "0039_exercises"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both indexes."""
    op.create_index("ix_conversation_message_old", "conversation_message", ["tenant", "at_ms", "key"])
    op.create_index("ix_line_signal_old", "line_signal", ["tenant", "at_ms"])
