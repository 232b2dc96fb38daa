"""Brings a store to the schema of this code when it is opened.

Promise: two processes that start at once upgrade once; an upgrade that fails or dies leaves the old schema whole
(one transaction on both engines); a store that a newer Shopward wrote is refused and not touched. There is no
downgrade: the way back is the backup from before.

The steps, under a lock from 1 to 3:
1. read the revision of the store; 2. refuse one that is not known here; 3. run what is missing.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import column, func, inspect, select, table

from shopward.adapters.sql import locks
from shopward.adapters.sql.engine import READING, sqlite_path
from shopward.adapters.sql.failures import translating
from shopward.adapters.sql.schema import VERSION_TABLE
from shopward.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

REVISIONS: Final = (
    "0001",
    "0002_audit",
    "0003_protection",
    "0004_stepup",
    "0005_outbox",
    "0006_links",
    "0007_log_pages",
    "0008_webhooks",
    "0009_policies",
    "0010_sets",
    "0011_recovery",
    "0012_follow",
    "0013_review",
    "0014_findings",
    "0015_ledger",
    "0016_screening",
    "0017_claims",
    "0018_reports",
    "0019_incidents",
    "0020_vault",
    "0021_notices",
    "0022_partners",
    "0023_victims",
    "0024_cases",
    "0025_signals",
    "0026_traces",
    "0027_complaints",
    "0028_channels",
    "0029_canaries",
    "0030_playbooks",
    "0031_processing",
    "0032_aliases",
    "0033_shared_signals",
    "0034_periods",
    "0035_ssf_receivers",
    "0036_lines",
    "0037_conversations",
    "0038_training",
    "0039_exercises",
    "0040_forgetting",
    "0041_ledger_order",
    "0042_texts",
    "0043_deadlines",
    "0044_index_order",
)
"""Every revision this code knows, oldest first; a test holds it against the files in ``migrations``."""

SET_UP_WAIT_S: Final = 30.0
_SCRIPTS: Final = Path(__file__).with_name("migrations")


@translating("open store")
def bring_up_to_date(engine: Engine) -> None:
    """Make or upgrade the tables of a store.

    Raises:
        StoreError: a newer Shopward wrote this store.
        StoreUnavailable: the store cannot be opened or another process takes too long to set it up.
    """
    with _locked(engine) as connection:
        found = _revision(connection)  # 1
        if found == REVISIONS[-1]:
            return
        if found is not None and found not in REVISIONS:  # 2
            raise StoreError(
                "this store was written by a newer Shopward than the one that runs",
                expected=f"schema revision {REVISIONS[-1]} or older",
                found=f"schema revision {found[:20]!r}",
                hint="start the version that wrote it, or restore the backup made before that upgrade",
            )
        _upgrade(connection)  # 3


@translating("open store")
def refuse_other_schema(engine: Engine) -> None:
    """For who only reads: raise ``StoreError`` unless the store is of this code's schema, and change nothing."""
    with engine.execution_options(**{READING: True}).connect() as connection:
        found = _revision(connection)
    if found != REVISIONS[-1]:
        raise StoreError(
            "the store is not of the schema that this Shopward reads",
            expected=f"schema revision {REVISIONS[-1]}",
            found="no log" if found is None else f"schema revision {found[:20]!r}",
            hint="a start of the server brings an older store up to date",
        )


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other process sets up this store beside."""
    if engine.dialect.name == "sqlite":
        # Around the first connection as well: two at once cannot both switch a new file to WAL.
        lock = locks.FileLock(sqlite_path(engine).with_name(sqlite_path(engine).name + ".setup.lock"))
        if not lock.take(wait_s=SET_UP_WAIT_S):
            raise locks.set_up_timed_out(lock.holder())
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            lock.release()
        return
    with engine.begin() as connection:
        if _revision(connection) != REVISIONS[-1]:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(SET_UP_WAIT_S * 1000)}")
            schema = connection.scalar(select(func.current_schema()))
            connection.execute(select(func.pg_advisory_xact_lock(locks.advisory_key("setup", str(schema)))))
        yield connection


def _revision(connection: Connection) -> str | None:
    """The revision a store is at, ``None`` for a new one."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    version = connection.scalar(select(column("version_num")).select_from(table(VERSION_TABLE)))
    return None if version is None else str(version)


def _upgrade(connection: Connection) -> None:
    """Run alembic on this connection; imported here, since a store that is up to date has no need of it."""
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    command.upgrade(config, "head")
