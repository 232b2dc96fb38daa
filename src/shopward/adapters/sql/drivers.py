"""The few things that the two databases do differently, side by side.

Promise: ``log`` reads the same for both. A driver opens connections, inserts, binds a list of keys, and takes
or gives back the polite half of a claim (``locks``). Transactions are spoken by ``log`` in plain BEGIN and COMMIT.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from shopward.adapters.sql import locks
from shopward.adapters.sql.engine import driver_connection, sqlite_path
from shopward.adapters.sql.turns import turns_of
from shopward.adapters.sql.wal import WriteAhead

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine

    from shopward.adapters.sql.statements import Row, Statement
    from shopward.adapters.sql.tail import Place


class Driver(Protocol):
    """One kind of database."""

    begin: str

    def writer(self) -> Any:
        """A new connection for the one that appends."""
        ...

    def reader(self) -> Any:
        """A new connection that cannot write."""
        ...

    def insert(self, connection: Any, statement: Statement, rows: Sequence[Row]) -> None:
        """Insert rows inside the transaction that is open."""
        ...

    def index(self, connection: Any, statement: Statement, tenant: str, places: Sequence[Place]) -> None:
        """Insert into an index table inside the transaction that is open; what is there already stays."""
        ...

    def committed(self, connection: Any, appended_bytes: int) -> None:
        """A transaction of the one that appends is durable."""
        ...

    def key_list(self, keys: Sequence[str] | Sequence[int]) -> Any:
        """A list of keys as one value of a statement."""
        ...

    def turn(self) -> AbstractContextManager[None]:
        """Wait for the other writers of this process, where the database does not queue them."""
        ...

    def lock(self, connection: Any) -> str | None:
        """Take the polite lock of the tenant; the holder in words where it is somebody else's."""
        ...

    def let_go(self, connection: Any) -> None:
        """Give back what would end with the connection, but a moment after it is closed."""
        ...

    def unlock(self) -> None:
        """Give back what outlives the connection."""
        ...


class SqliteDriver:
    """SQLite: one file, and a lock file beside it."""

    begin = "BEGIN IMMEDIATE"

    def __init__(self, engine: Engine, tenant: str) -> None:
        path = sqlite_path(engine)
        self._engine = engine
        self._lock = locks.FileLock(path.with_name(f"{path.name}.owner-{tenant}.lock"))
        self._locked = False
        self._turns = turns_of(path)
        self._write_ahead = WriteAhead(partial(driver_connection, engine))

    def writer(self) -> Any:
        """A new connection for the one that appends."""
        connection = driver_connection(self._engine)
        self._write_ahead.keep(connection)
        return connection

    def reader(self) -> Any:
        """A new connection that cannot write."""
        connection = driver_connection(self._engine)
        connection.execute("PRAGMA query_only = ON").close()
        return connection

    def insert(self, connection: Any, statement: Statement, rows: Sequence[Row]) -> None:
        """Insert rows inside the transaction that is open."""
        connection.executemany(statement.text, rows).close()

    def index(self, connection: Any, statement: Statement, tenant: str, places: Sequence[Place]) -> None:
        """Insert into an index table inside the transaction that is open; what is there already stays."""
        keys = msgspec.json.encode([f"{page:019d}{key}" for key, page in places]).decode()
        connection.execute(statement.text, statement.values(t=tenant, keys=keys)).close()

    def committed(self, connection: Any, appended_bytes: int) -> None:
        """Have the write-ahead file copied beside the commits."""
        self._write_ahead.committed(connection, appended_bytes)

    def key_list(self, keys: Sequence[str] | Sequence[int]) -> Any:
        """A JSON array, which ``json_each`` takes apart."""
        return msgspec.json.encode(keys).decode()

    def turn(self) -> AbstractContextManager[None]:
        """Wait for the other writers of this process."""
        return self._turns.turn()

    def lock(self, connection: Any) -> str | None:  # noqa: ARG002 -- the lock is a file's
        """Take the lock file, once for all connections; the holder in words where it is somebody else's."""
        self._locked = self._locked or self._lock.take()
        return None if self._locked else self._lock.holder()

    def let_go(self, connection: Any) -> None:
        """Nothing: the lock is a file's."""

    def unlock(self) -> None:
        """Give back the lock file, after the last copy of the write-ahead file."""
        self._write_ahead.close()
        self._locked = False
        self._lock.release()


class PostgresDriver:
    """PostgreSQL: the session that appends is the session that holds the lock, so neither is lost alone."""

    begin = "BEGIN"

    def __init__(self, engine: Engine, tenant: str) -> None:
        self._engine = engine
        self._tenant = tenant

    def writer(self) -> Any:
        """A new connection for the one that appends."""
        connection = driver_connection(self._engine)
        connection.autocommit = True
        return connection

    def reader(self) -> Any:
        """A new connection that cannot write."""
        connection = self.writer()
        # A plan kept from when the log was small would read all of it for each id when it has grown.
        connection.execute("SET default_transaction_read_only = on; SET plan_cache_mode = force_custom_plan")
        return connection

    def insert(self, connection: Any, statement: Statement, rows: Sequence[Row]) -> None:
        """Insert rows inside the transaction that is open."""
        with connection.cursor() as cursor:
            cursor.executemany(statement.text, rows)

    def index(self, connection: Any, statement: Statement, tenant: str, places: Sequence[Place]) -> None:
        """Insert into an index table inside the transaction that is open; what is there already stays."""
        keys, pages = [key for key, _page in places], [page for _key, page in places]
        connection.execute(statement.text, statement.values(t=tenant, keys=keys, pages=pages))

    def committed(self, connection: Any, appended_bytes: int) -> None:
        """Nothing: the database has a process for it."""

    def key_list(self, keys: Sequence[str] | Sequence[int]) -> Any:
        """A list, which psycopg sends as an array."""
        return list(keys)

    def turn(self) -> AbstractContextManager[None]:
        """Nothing: the database queues by itself."""
        return nullcontext()

    def lock(self, connection: Any) -> str | None:
        """Take the session lock; the holder in words where it is somebody else's."""
        return (
            None
            if locks.try_advisory(connection, self._tenant)
            else locks.advisory_holder(connection, self._tenant)
        )

    def let_go(self, connection: Any) -> None:
        """Give back the session's lock: the server ends a session some time after it is closed, and the next owner may be here by then."""
        connection.execute("SELECT pg_advisory_unlock_all()")

    def unlock(self) -> None:
        """Nothing: the lock ends with its session."""


def driver_for(engine: Engine, tenant: str) -> Driver:
    """The driver of an engine that ``open_engine`` made."""
    return SqliteDriver(engine, tenant) if engine.dialect.name == "sqlite" else PostgresDriver(engine, tenant)
