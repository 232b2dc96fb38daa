"""A database from a URL, set up so that a commit that returned is on the disk.

Promise: SQLite runs in WAL mode with ``synchronous=FULL`` in a file that only its owner can read; PostgreSQL is
spoken to through psycopg 3, never with ``synchronous_commit=off``, and beyond this machine only under TLS unless its URL says
otherwise. A URL that cannot keep that promise is
``Misconfigured`` here, before anything is served. No message repeats a URL, since it may hold a password.

Not here: tables (``schema``), their making (``migrate``), who may append (``claims``).
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from shopward.adapters.sql import failures
from shopward.errors import Misconfigured, NotFound
from shopward.values import is_loopback

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

BUSY_TIMEOUT_S: Final = 5.0
CONNECT_TIMEOUT_S: Final = 5
READING: Final = "shopward_reading"
"""The execution option of a transaction that writes nothing and must not wait for one that does."""
_WHAT_FITS: Final = "sqlite:////srv/shop/shopward.db or postgresql://user@host/database"

_SQLITE_PRAGMAS: Final = (
    f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}",
    # New files only. An entry of the log is about 1 kB; at the default of 4096 most of its rows spill over pages,
    # and a commit took twice as long an event (benchmarks/http_decisions.py).
    "PRAGMA page_size = 16384",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cache_size = -32768",
)
_POSTGRES_SETTINGS: Final = (
    # The server notices a dead client after a minute and frees its claim, instead of after two hours.
    "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;"
    f"SET lock_timeout = {int(BUSY_TIMEOUT_S * 1000)};"
    # "off" answers before the disk has it; "local", "on", "remote_write" and "remote_apply" are the operator's.
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') = 'off'"
)


def open_engine(url: str) -> Engine:
    """The engine for a store's URL; nothing is connected yet.

    Raises:
        Misconfigured: the URL is no URL, names an engine that is not supported, or needs an extra.
        StoreUnavailable: the directory or file of a SQLite store cannot be made.
    """
    parsed = _parse(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _sqlite(parsed)
    if backend in {"postgresql", "postgres"}:
        return _postgres(parsed)
    raise Misconfigured(
        "the store's URL names an engine that is not supported", path="store", expected=_WHAT_FITS
    )


def refuse_missing(url: str) -> None:
    """Raise ``NotFound`` where a SQLite store has no file yet: opening it would make one."""
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        raise NotFound(
            "there is no store here", path="store", expected="a log that a server keeps", found="no file"
        )


def sqlite_path(engine: Engine) -> Path:
    """The database file of a SQLite engine."""
    return Path(engine.url.database or "")


def driver_connection(engine: Engine) -> Any:
    """A new connection of the driver itself, set up like every other and outside the pool; close it yourself."""
    pooled = engine.raw_connection()
    connection = pooled.driver_connection
    pooled.detach()
    return connection


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        pass
    # Outside the handler, so that the URL is not kept as the context.
    raise Misconfigured("the store's URL cannot be read", path="store", expected=_WHAT_FITS)


def _sqlite(url: URL) -> Engine:
    """A file, never memory: a log that forgets on exit keeps no promise."""
    name = url.database or ""
    if name in {"", ":memory:"} or name.startswith("file:") or url.query:
        raise Misconfigured(
            "a SQLite store needs a plain file path and no options", path="store", expected=_WHAT_FITS
        )
    path = Path(name).absolute()
    _make_private_file(path)
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite", database=str(path)),
        paramstyle="qmark",
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False, "isolation_level": None},
    )
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private_file(path: Path) -> None:
    """The file with mode 0600 and, where it is missing, its directory with 0700, both durable.

    An existing directory keeps its mode: it may be shared on purpose. An existing file is never opened here:
    closing a descriptor of it would drop the locks that SQLite holds on it in this process.
    """
    try:
        _make_file(path)
    except OSError as error:
        failure = failures.from_os(error, "open store")
    else:
        return
    raise failure


def _make_file(path: Path) -> None:
    if not path.parent.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync_directory(path.parent.parent)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    else:
        _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    """Make a new name in a directory survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _set_up_sqlite(connection: Any, _record: object) -> None:
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(pragma).close()


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once: a transaction that reads first and then writes could not wait for it."""
    is_reading = connection.get_execution_options().get(READING, False)
    connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")


def _postgres(url: URL) -> Engine:
    if importlib.util.find_spec("psycopg") is None:
        raise Misconfigured(
            "a PostgreSQL store needs the extra 'postgres', which is not installed",
            path="store",
            hint="pip install 'shopward[postgres]'",
        )
    engine = create_engine(
        _under_tls(url).set(drivername="postgresql+psycopg"),
        paramstyle="format",
        use_native_hstore=False,
        connect_args={
            "application_name": "shopward",
            "client_encoding": "utf8",
            "connect_timeout": CONNECT_TIMEOUT_S,
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "tcp_user_timeout": 30_000,
        },
    )
    event.listen(engine, "connect", _set_up_postgres)
    return engine


def _under_tls(url: URL) -> URL:
    """The URL with ``sslmode=require`` where it leaves this machine and neither it nor ``PGSSLMODE`` says how.

    The driver's own default, ``prefer``, goes on in clear text where the server, or somebody on the way, says that it has no
    TLS. Fails closed: without TLS there is no connection. ``sslmode=disable`` in the URL is the operator's word that the wire
    is his own.
    """
    host = str(url.query.get("host", "") or url.host or "")
    is_here = not host or host.startswith("/") or is_loopback(host)
    if is_here or "sslmode" in url.query or os.environ.get("PGSSLMODE"):
        return url
    return url.update_query_dict({"sslmode": "require"})


def _set_up_postgres(connection: Any, _record: object) -> None:
    connection.autocommit = True
    connection.execute(_POSTGRES_SETTINGS)
    connection.autocommit = False
