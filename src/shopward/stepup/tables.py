"""The tables of step-up, as they are after the newest migration; a test holds the two against each other.

Promise: keys that a distributed PostgreSQL can take. The tenant leads every key, ids are made by the application, and
there is no sequence, trigger or foreign key. Users and devices stand here as keyed tokens; secrets sealed, codes hashed.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

TENANT_MAX: Final = 64
TOKEN_MAX: Final = 64
ID_MAX: Final = 64
WORD_MAX: Final = 32
DECISION_MAX: Final = 128
FACTORS_MAX: Final = 128
HASH_MAX: Final = 256

metadata = MetaData()

challenges = Table(
    "stepup_challenge",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("challenge_id", String(ID_MAX), primary_key=True),
    Column("user_token", String(TOKEN_MAX), nullable=False),
    Column("device_token", String(TOKEN_MAX), nullable=False),
    Column("operation", String(WORD_MAX), nullable=False),
    Column("decision_id", String(DECISION_MAX), nullable=False),
    Column("offered", String(FACTORS_MAX), nullable=False),
    Column("excluded", String(FACTORS_MAX), nullable=False),
    Column("level_min", Integer, nullable=False),
    Column("nonce", LargeBinary(32), nullable=False),
    Column("state", String(WORD_MAX), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("passed_factor", String(WORD_MAX), nullable=False),
    Column("passed_ms", BigInteger, nullable=False),
    Column("codes_sent", Integer, nullable=False),
    Column("code_channel", String(WORD_MAX), nullable=False),
    Column("code_digest", LargeBinary(32), nullable=False),
    Column("code_expires_ms", BigInteger, nullable=False),
    UniqueConstraint("tenant", "decision_id", name="uq_stepup_challenge_decision"),
    Index("ix_stepup_challenge_created", "tenant", "created_ms"),
    sqlite_with_rowid=False,
)

factors = Table(
    "stepup_factor",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("user_token", String(TOKEN_MAX), primary_key=True),
    Column("factor_id", String(ID_MAX), primary_key=True),
    Column("kind", String(WORD_MAX), nullable=False),
    Column("state", String(WORD_MAX), nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("credential_digest", LargeBinary(32)),
    Column("credential_id", LargeBinary, nullable=False),
    Column("counter", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    UniqueConstraint("tenant", "credential_digest", name="uq_stepup_factor_credential"),
    sqlite_with_rowid=False,
)
"""``secret``: of TOTP the sealed secret, of a passkey its public key, while it is pending the nonce.
``counter``: of TOTP the last used step, of a passkey the last signature counter."""

recovery_codes = Table(
    "stepup_recovery_code",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("user_token", String(TOKEN_MAX), primary_key=True),
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("hash", String(HASH_MAX), nullable=False),
    Column("used_ms", BigInteger),
    sqlite_with_rowid=False,
)

tallies = Table(
    "stepup_tally",
    metadata,
    Column("tenant", String(TENANT_MAX), primary_key=True),
    Column("user_token", String(TOKEN_MAX), primary_key=True),
    Column("kind", String(WORD_MAX), primary_key=True),
    Column("since_ms", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    Column("in_a_row", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""``kind``: a factor whose tries are counted, or ``sent:`` and a channel."""
