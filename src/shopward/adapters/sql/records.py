"""``ports.Records`` and ``ports.Fence`` over the store of the log.

Promise:
- ``write`` commits or leaves nothing, and returns when the commit is on the disk; a transaction that the database asks
  to repeat is repeated, one whose commit was not answered is ``store_outcome_unknown`` and is not;
- statements see what was committed before them: SQLite has one writer at a time, which ``BEGIN IMMEDIATE`` makes of every
  writing transaction; PostgreSQL is told READ COMMITTED, whatever its default, since under a snapshot taken before the
  fence was had a capture would not see the order that it waited for;
- no driver's error leaves as it is.

The fence on PostgreSQL is an advisory lock of the transaction, shared or exclusive. It is granted in the order of
asking, so that a change of orders waits only for the captures under way and not for those that come after it. On SQLite
the single writer is the fence and nothing has to be taken. A database that speaks PostgreSQL without advisory locks
needs another fence (a row locked FOR SHARE and FOR UPDATE); it is not part of this version.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import event, text

from shopward.adapters.sql.engine import READING, sqlite_path
from shopward.adapters.sql.failures import driver_errors, is_passing, translate
from shopward.adapters.sql.turns import turns_of
from shopward.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

    from shopward.ports import Fence

TRIES: Final = 3
_KEY: Final = "hashtextextended(current_schema() || :name, 0)"
_SHARED: Final = text(f"SELECT pg_advisory_xact_lock_shared({_KEY})")
_EXCLUSIVE: Final = text(f"SELECT pg_advisory_xact_lock({_KEY})")

T = TypeVar("T")


class SqlRecords:
    """Transactions on one engine.

    Args:
        engine: from ``open_engine``, with its schema up to date; ``close`` disposes of it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        is_postgres = engine.dialect.name == "postgresql"
        if is_postgres:
            event.listen(engine, "connect", _plan_anew)
        self._writing = engine.execution_options(isolation_level="READ COMMITTED") if is_postgres else engine
        self._turn = nullcontext if is_postgres else turns_of(sqlite_path(engine)).turn
        self._reading = self._writing.execution_options(**{READING: True})

    def write(self, work: Callable[[Any], T]) -> T:
        """Run ``work(connection)`` in one transaction and commit it."""
        for _try in range(1, TRIES):
            done, result = self._written(work, is_last=False)
            if done:
                return result  # type: ignore[return-value] # what is done has its result
        return self._written(work, is_last=True)[1]  # type: ignore[return-value]

    def read(self, work: Callable[[Any], T]) -> T:
        """Run ``work(connection)`` and roll back what it did."""
        try:
            with self._reading.connect() as connection:
                return work(connection)
        except driver_errors() as error:
            failure = translate(_plain(error), "read records")
        raise failure

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _written(self, work: Callable[[Any], T], *, is_last: bool) -> tuple[bool, T | None]:
        """Whether it is done, and with which result; not done means that it may be tried again."""
        committing = False
        try:
            with self._turn(), self._writing.connect() as connection, connection.begin() as transaction:
                result = work(connection)
                committing = True
                transaction.commit()
                return True, result
        except driver_errors() as error:
            plain = _plain(error)
            if is_passing(plain) and not committing and not is_last:
                return False, None
            failure = translate(plain, "write records")
            unknown = committing and is_passing(plain) and not _is_refused(plain)
        if unknown:
            failure = StoreUnavailable(
                "write records: the store went away during the commit",
                code="store_outcome_unknown",
                hint="the change may be recorded; look at it before asking again",
                retry_after_s=1.0,
            )
        raise failure


class SingleWriterFence:
    """SQLite: a writing transaction has the fence from its first statement on."""

    def shared(self, connection: Connection) -> None:
        """Nothing: the transaction is the only writer."""

    def exclusive(self, connection: Connection) -> None:
        """Nothing: the transaction is the only writer."""

    def one_user(self, connection: Connection, user_token: str) -> None:
        """Nothing: the transaction is the only writer."""


class AdvisoryFence:
    """PostgreSQL: advisory locks of the transaction, by schema and tenant.

    Args:
        tenant: whose orders and captures they are.
    """

    def __init__(self, tenant: str) -> None:
        self._name = f":fence:{tenant}"

    def shared(self, connection: Connection) -> None:
        """For a capture."""
        connection.execute(_SHARED, {"name": self._name})

    def exclusive(self, connection: Connection) -> None:
        """For a change of orders."""
        connection.execute(_EXCLUSIVE, {"name": self._name})

    def one_user(self, connection: Connection, user_token: str) -> None:
        """For a capture under a limit."""
        connection.execute(_EXCLUSIVE, {"name": f"{self._name}:{user_token}"})


def fence_of(engine: Engine, tenant: str) -> Fence:
    """The fence that fits an engine."""
    return SingleWriterFence() if engine.dialect.name == "sqlite" else AdvisoryFence(tenant)


def _plan_anew(connection: Any, _record: object) -> None:
    """A plan kept from when a table was empty would read all of it for each lookup when it has grown."""
    connection.autocommit = True
    connection.execute("SET plan_cache_mode = force_custom_plan")
    connection.autocommit = False


def _plain(error: Exception) -> Exception:
    """The driver's own error below SQLAlchemy's."""
    original = getattr(error, "orig", None)
    return original if isinstance(original, Exception) else error


def _is_refused(error: Exception) -> bool:
    """Whether the database itself said that it did not commit."""
    state = getattr(error, "sqlstate", None)
    return isinstance(state, str) and state.startswith("40")
