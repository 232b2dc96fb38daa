"""Pages of the log instead of a row for each entry, and index tables that may lag behind.

Takes an existing log over, 64 entries a page, in the order of their positions, which have no gaps.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

revision = "0007_log_pages"
down_revision = "0006_links"
branch_labels = None
depends_on = None

PAGE: Final = 64
_STEP: Final = 100 * PAGE
_READ: Final = (
    "SELECT seq, kind, event_id, at_ms, recorded_ms, digest, user_token, facts, personal, decision FROM log "
    "WHERE tenant = :tenant AND seq > :after AND seq <= :until ORDER BY seq"
)
_EVENTS: Final = (
    "INSERT INTO log_event SELECT tenant, event_id, seq - (seq - 1) % 64 FROM log ORDER BY tenant, event_id"
)
_USERS: Final = "INSERT INTO log_user SELECT DISTINCT tenant, user_token, seq - (seq - 1) % 64 FROM log WHERE user_token <> ''"


def upgrade() -> None:
    """Make the tables, move what is there, drop the old one."""
    page = op.create_table(
        "log_page",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("first_seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.Column("heads", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("personal", sa.LargeBinary, nullable=False),
        sa.Column("decisions", sa.Text, nullable=False),
    )
    op.create_table(
        "log_event",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("event_id", _bytewise(128), primary_key=True),
        sa.Column("first_seq", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log_user",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("user_token", _bytewise(64), primary_key=True),
        sa.Column("first_seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.add_column("log_head", sa.Column("indexed_seq", sa.BigInteger, nullable=False, server_default="0"))
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":  # pages are read whole: to pack them costs more than it saves
        for column in ("heads", "facts", "personal", "decisions"):
            op.execute(f"ALTER TABLE log_page ALTER COLUMN {column} SET STORAGE EXTERNAL")
    heads = connection.execute(sa.text("SELECT tenant, last_seq FROM log_head")).fetchall()
    for tenant, last_seq in heads:
        for after in range(0, last_seq, _STEP):
            rows = connection.execute(
                sa.text(_READ), {"tenant": tenant, "after": after, "until": after + _STEP}
            ).fetchall()
            if rows:
                op.bulk_insert(page, list(_pages(tenant, rows)))
    op.execute(_EVENTS)
    op.execute(_USERS)
    op.execute("UPDATE log_head SET indexed_seq = last_seq")
    op.drop_table("log")


def _bytewise(length: int) -> Any:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _pages(tenant: str, rows: Sequence[Any]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(rows), PAGE):
        part = rows[start : start + PAGE]
        yield {
            "tenant": tenant,
            "first_seq": part[0].seq,
            "last_seq": part[-1].seq,
            "heads": json.dumps([_head(row) for row in part], ensure_ascii=False, separators=(",", ":")),
            "facts": _array([row.facts for row in part]),
            "personal": b"\n".join(bytes(row.personal) for row in part),
            "decisions": _array([row.decision for row in part]),
        }


def _head(row: Any) -> dict[str, Any]:
    return {
        "event_id": row.event_id,
        "at_ms": row.at_ms,
        "recorded_ms": row.recorded_ms,
        "digest": bytes(row.digest).hex(),
        "facts": len(row.facts.encode()),
        "personal": len(row.personal),
        "decision": len(row.decision.encode()),
        "kind": row.kind,
        "user": row.user_token,
    }


def _array(parts: list[str]) -> str:
    return "[" + ",\n".join(part or "null" for part in parts) + "]"
