"""The tables of the ledger, as they are after the newest migration.

Promise: rows of transfers, entries and endings are inserted and never changed; ``ledger_balance`` and ``ledger_head`` alone are,
under the lock of the head. The tenant leads every key; no sequence, no trigger, no foreign key.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, SmallInteger, String, Table, Text

from shopward.ledger.transfers import KEY_MAX

TENANT_MAX: Final = 64
ID_MAX: Final = 40
ACCOUNT_MAX: Final = 96

metadata = MetaData()

ledger_head = Table(
    "ledger_head",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("last_seq", BigInteger, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""One row a tenant: whoever writes locks it, so that transfers have an order without gaps."""

ledger_transfer = Table(
    "ledger_transfer",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", String(ID_MAX), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("key", String(KEY_MAX), nullable=False),
    Column("word", String(32), nullable=False),
    Column("stage", String(16), nullable=False),
    Column("ends", String(ID_MAX), nullable=False),
    Column("refs", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    Index("ix_ledger_transfer_id", "tenant", "id", unique=True),
    Index("ix_ledger_transfer_key", "tenant", "key", unique=True),
    sqlite_with_rowid=False,
)
"""By their place in the order, so that new ones go to the end: by their ids, each wrote a page of its own, and the commits of a
large ledger were half of its time."""

ledger_entry = Table(
    "ledger_entry",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("line", SmallInteger, primary_key=True, autoincrement=False),
    Column("account", String(ACCOUNT_MAX), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Index("ix_ledger_entry_account", "tenant", "account", "seq"),
    sqlite_with_rowid=False,
)

ledger_ending = Table(
    "ledger_ending",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("id", String(ID_MAX), primary_key=True),
    Column("stage", String(16), nullable=False),
    Column("by", String(ID_MAX), nullable=False),
    sqlite_with_rowid=False,
)
"""Of a transfer that was posted, voided or reversed: by which; its key is what makes that happen once."""

ledger_balance = Table(
    "ledger_balance",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("account", String(ACCOUNT_MAX), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("posted_minor", BigInteger, nullable=False),
    Column("pending_debit_minor", BigInteger, nullable=False),
    Column("pending_credit_minor", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

ledger_ref = Table(
    "ledger_ref",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("ref", String(128), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
"""Transfers by what they are about."""
