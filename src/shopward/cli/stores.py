"""A store that is there, as commands that look into it need it: one state of it, read only, or one transaction.

Promise: nothing is made, upgraded or waited for: where there is no store, or one of another version, that is said
(``Misconfigured``). What goes wrong ends the command with exit code 2, and with 1 where the store itself is found corrupt.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import click
from sqlalchemy import NullPool, create_engine, event, inspect, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from shopward.adapters.sql import open_engine
from shopward.adapters.sql.engine import BUSY_TIMEOUT_S, sqlite_path
from shopward.adapters.sql.failures import translate
from shopward.errors import Misconfigured, ShopwardError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

_CORRUPT: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "XX001", "XX002")
DATA: Final = click.option(
    "--data", metavar="DIR", help="Folder of the keys and the database.  [default: ./shopward-data]"
)
DATABASE: Final = click.option(
    "--database", metavar="URL", help="sqlite:///FILE or postgresql://USER@HOST/DB."
)


@contextmanager
def said(doing: str) -> Iterator[None]:
    """Say what went wrong and end with 2; with 1 where the store itself is found to be corrupt."""
    try:
        yield
    except DBAPIError as raised:
        error: ShopwardError = translate(raised, doing)
    except ShopwardError as raised:
        error = raised
    else:
        return
    click.echo(f"shopward: {error.message}", err=True)
    for name, value in error.diagnostics().items():
        click.echo(f"  {name}: {value}", err=True)
    sys.exit(1 if (error.found or "").startswith(_CORRUPT) else 2)


@contextmanager
def reading(url: str, *, table: str) -> Iterator[Connection]:
    """One state of the store, read only."""
    engine = _existing(url)
    if engine.dialect.name == "sqlite":
        engine = _sqlite_reader(sqlite_path(engine))
    else:
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    try:
        with engine.connect() as connection:
            _check_table(connection, table)
            yield connection
    finally:
        engine.dispose()


@contextmanager
def writing(url: str, *, table: str) -> Iterator[Connection]:
    """A transaction that commits at the end."""
    engine = _existing(url)
    try:
        with engine.begin() as connection:
            _check_table(connection, table)
            yield connection
    finally:
        engine.dispose()


def _existing(url: str) -> Engine:
    """The engine of a store that is there; ``open_engine`` alone would make an empty file."""
    try:
        parsed = make_url(url)
        missing = parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file()
    except (SQLAlchemyError, ValueError):
        missing = False  # open_engine says what is wrong with it
    if missing:
        raise Misconfigured(
            "there is no store here",
            path="database",
            expected="the database that shopward serve made",
            found="no file",
            hint="point --data or --database at it",
        )
    return open_engine(url)


def _sqlite_reader(path: Path) -> Engine:
    """Apart from ``open_engine``, whose transactions take the write lock at once."""

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None
        )

    engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=NullPool)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _check_table(connection: Connection, table: str) -> None:
    if not inspect(connection).has_table(table):
        raise Misconfigured(
            "this store is not of this version",
            path="database",
            expected="a store of this version",
            found="a store of an older version, or an empty one",
            hint="start shopward serve once: it brings the store up to date",
        )
