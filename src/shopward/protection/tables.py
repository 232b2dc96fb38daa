"""The tables of protection, as they are after the newest migration.

Promise: keys that a distributed PostgreSQL can take: the tenant leads every key and every index; no sequence, no
autoincrement, no trigger, no foreign key. The revisions ``0003_protection``, ``0006_links`` and ``0010_sets`` make them; a test holds the two against
each other. No column names a customer: users are keyed tokens.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text, text

TENANT_MAX: Final = 64
TOKEN_MAX: Final = 64
ID_MAX: Final = 64
WORD_MAX: Final = 128
EVENT_ID_MAX: Final = 130
"""``a-`` and an event's id."""

metadata = MetaData()


def _shared_by(name: str) -> Index:
    """Who else has an identifier: those without one take no room in it."""
    given = text(f"{name} <> ''")
    return Index(
        f"ix_declared_user_{name}", "tenant", name, "user_token", sqlite_where=given, postgresql_where=given
    )


declared_user = Table(
    "declared_user",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("user_token", String(TOKEN_MAX), primary_key=True),
    Column("registered_at_ms", BigInteger, nullable=False),
    Column("password_set_at_ms", BigInteger, nullable=False),
    Column("identity_providers", Text, nullable=False),
    Column("region", String(WORD_MAX), nullable=False),
    Column("tier", String(WORD_MAX), nullable=False),
    Column("email", String(TOKEN_MAX), nullable=False),
    Column("phone", String(TOKEN_MAX), nullable=False),
    Column("address", String(TOKEN_MAX), nullable=False),
    Column("national_id", String(TOKEN_MAX), nullable=False),
    *(_shared_by(name) for name in ("email", "phone", "address", "national_id")),
    sqlite_with_rowid=False,
)

linked_identity = Table(  # foreign accounts that sign in to ours, as events told
    "linked_identity",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("user_token", String(TOKEN_MAX), primary_key=True),
    Column("provider", String(WORD_MAX), primary_key=True),
    Column("identity", String(TOKEN_MAX), primary_key=True),
    Column("linked_ms", BigInteger, nullable=False),
    Index(
        "ix_linked_identity_identity", "tenant", "identity", "user_token",
        sqlite_where=text("identity <> ''"), postgresql_where=text("identity <> ''"),
    ),
    sqlite_with_rowid=False,
)  # fmt: skip

protection_order = Table(
    "protection_order",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("id", String(ID_MAX), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("starts_ms", BigInteger, nullable=False),
    Column("ends_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("review_ms", BigInteger, nullable=False, server_default="0"),  # 0 once it was said that it is due
    Index("ix_protection_order_state", "tenant", "state", "id"),
    sqlite_with_rowid=False,
)

protection_key = Table(  # idempotency keys of orders
    "protection_key",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("digest", LargeBinary(16), nullable=False),
    Column("order_id", String(ID_MAX), nullable=False),
    sqlite_with_rowid=False,
)

protection_exception = Table(
    "protection_exception",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("order_id", String(ID_MAX), primary_key=True),
    Column("user_token", String(TOKEN_MAX), primary_key=True),
    Column("cause", String(32), nullable=False),
    Column("evidence", String(WORD_MAX), nullable=False),
    Column("actor", String(WORD_MAX), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index("ix_protection_exception_actor", "tenant", "order_id", "actor"),
    sqlite_with_rowid=False,
)

victim_set = Table(
    "victim_set",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("id", String(ID_MAX), primary_key=True),
    Column("name", String(WORD_MAX), nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("source", String(16), nullable=False),
    Column("users", BigInteger, nullable=False),
    Column("digest", LargeBinary(16), nullable=False),
    Column("author", String(WORD_MAX), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("sealed_ms", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Index("ix_victim_set_name", "tenant", "name", "version", unique=True),
    sqlite_with_rowid=False,
)

victim_set_page = (
    Table(  # tokens of users, 16 bytes each: as they came while the set is open, sorted once it is sealed
        "victim_set_page",
        metadata,
        Column("tenant", String(TENANT_MAX), primary_key=True),
        Column("set_id", String(ID_MAX), primary_key=True),
        Column("page", Integer, primary_key=True, autoincrement=False),
        Column("tokens", LargeBinary, nullable=False),
    )
)

protection_head = Table(
    "protection_head",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("version", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

protection_change = Table(
    "protection_change",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)

money_authorization = Table(
    "money_authorization",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("id", String(EVENT_ID_MAX), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("user_token", String(TOKEN_MAX), nullable=False),
    Column("operations", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("settled_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_money_authorization_user", "tenant", "user_token", "settled_ms"),
    sqlite_with_rowid=False,
)
