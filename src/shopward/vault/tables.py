"""The tables of the vault, as they are after the newest migration.

Promise: the tenant leads every key; no sequence, no trigger, no foreign key. Customers are keyed tokens; what names anybody
is sealed. ``vault_subject`` holds the wrapped keys of customers and nothing else does: without its rows the rest is noise.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

TENANT_MAX: Final = 64
TOKEN_MAX: Final = 64
ID_MAX: Final = 130
PERSON_MAX: Final = 128
WORD_MAX: Final = 32
NAME_MAX: Final = 64

metadata = MetaData()

vault_key = Table(
    "vault_key",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("use", String(WORD_MAX), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("root", String(NAME_MAX), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("state", String(WORD_MAX), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

vault_subject = Table(
    "vault_subject",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("subject", String(TOKEN_MAX), primary_key=True),
    Column("retention", String(WORD_MAX), primary_key=True),
    Column("key_id", BigInteger, nullable=False),
    Column("kek", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("ledger", LargeBinary, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Index("ix_vault_subject_kek", "tenant", "kek", "subject", "retention"),
    sqlite_with_rowid=False,
)

vault_record = Table(
    "vault_record",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("id", String(ID_MAX), primary_key=True),
    Column("subject", String(TOKEN_MAX), nullable=False),
    Column("kind", String(WORD_MAX), nullable=False),
    Column("retention", String(WORD_MAX), nullable=False),
    Column("region", String(2), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("canary", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Index("ix_vault_record_subject", "tenant", "subject", "id"),
    Index("ix_vault_record_kind", "tenant", "kind", "created_ms"),
    Index("ix_vault_record_expires", "tenant", "expires_ms"),
)

vault_text = Table(
    "vault_text",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("kind", String(WORD_MAX), primary_key=True),
    Column("id", String(ID_MAX), primary_key=True),
    Column("subject", String(TOKEN_MAX), nullable=False),
    Column("sealed_by", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Index("ix_vault_text_subject", "tenant", "subject"),
    Index("ix_vault_text_sealed_by", "tenant", "sealed_by"),
)

vault_index = Table(
    "vault_index",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("name", String(NAME_MAX), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("value", LargeBinary, primary_key=True),
    Column("record", String(ID_MAX), primary_key=True),
    Index("ix_vault_index_record", "tenant", "record"),
    sqlite_with_rowid=False,
)

vault_past = Table(
    "vault_past",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("record", String(ID_MAX), primary_key=True),
    Column("name", String(NAME_MAX), primary_key=True),
    Column("last", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("value", LargeBinary, nullable=False),
    Index("ix_vault_past_value", "tenant", "name", "version", "value"),
    sqlite_with_rowid=False,
)

vault_ngram = Table(
    "vault_ngram",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("name", String(NAME_MAX), primary_key=True),
    Column("person", String(PERSON_MAX), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

vault_access = Table(
    "vault_access",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("id", String(ID_MAX), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("person", String(PERSON_MAX), nullable=False),
    Column("purpose", String(WORD_MAX), nullable=False),
    Column("case_id", String(ID_MAX), nullable=False),
    Column("order_id", String(ID_MAX), nullable=False),
    Column("subject", String(TOKEN_MAX), nullable=False),
    Column("record", String(ID_MAX), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("fields", Text, nullable=False),
    Column("outcome", String(WORD_MAX), nullable=False),
    Index("ix_vault_access_subject", "tenant", "subject", "id"),
    Index("ix_vault_access_record", "tenant", "record", "id"),
    Index("ix_vault_access_person", "tenant", "person", "id"),
    sqlite_with_rowid=False,
)

vault_canary = Table(
    "vault_canary",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("record", String(ID_MAX), primary_key=True),
    Column("recipient", String(PERSON_MAX), nullable=False),
    Column("person", String(PERSON_MAX), nullable=False),
    Column("planted_ms", BigInteger, nullable=False),
    Index("ix_vault_canary_recipient", "tenant", "recipient", "planted_ms"),
    sqlite_with_rowid=False,
)

vault_quota = Table(
    "vault_quota",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("person", String(PERSON_MAX), primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("used", Integer, nullable=False),
    sqlite_with_rowid=False,
)

vault_lock = Table(
    "vault_lock",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("kind", String(WORD_MAX), primary_key=True),
    Column("target", String(ID_MAX), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("person", String(PERSON_MAX), nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

vault_request = Table(
    "vault_request",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("id", String(ID_MAX), primary_key=True),
    Column("person", String(PERSON_MAX), nullable=False),
    Column("key", String(PERSON_MAX), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(WORD_MAX), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("ends_ms", BigInteger, nullable=False),
    Column("approved_by", String(PERSON_MAX), nullable=False),
    Index("ix_vault_request_state", "tenant", "state", "id"),
    sqlite_with_rowid=False,
)

vault_hold = Table(
    "vault_hold",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("subject", String(TOKEN_MAX), primary_key=True),
    Column("retention", String(WORD_MAX), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("person", String(PERSON_MAX), nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("erase_after", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

vault_erasure = Table(
    "vault_erasure",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("subject", String(TOKEN_MAX), nullable=False),
    Column("retention", Text, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("certificate", Text, nullable=False),
    Index("ix_vault_erasure_subject", "tenant", "subject"),
    sqlite_with_rowid=False,
)

vault_rotation = Table(
    "vault_rotation",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("use", String(WORD_MAX), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("state", String(WORD_MAX), nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("cursor", String(ID_MAX), nullable=False),
    Column("person", String(PERSON_MAX), nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

vault_period = Table(
    "vault_period",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("wrapped_by", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("after_seq", BigInteger, nullable=False),
    Column("begun_ms", BigInteger, nullable=False),
    Column("settled_seq", BigInteger, nullable=False),
    Column("lapsed_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

vault_period_key = Table(
    "vault_period_key",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("subject", String(TOKEN_MAX), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
