"""Many rows in one statement, many values in one parameter, and a row that goes in once.

Promise: rows go in as they are, in the order of the table's columns, in the caller's transaction; what stands there already
raises, stays (``keeping``) or takes the new values of the columns that are named (``replacing``).

The statement is written once for a table and goes to the driver with plain tuples: having SQLAlchemy name every value of every
row again took a third of the time of a call of the ledger.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from sqlalchemy import ARRAY, String, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Table

Value = TypeVar("Value", str, int)
_encode: Final = msgspec.json.Encoder().encode
_MARKS: Final = {"sqlite": "?", "postgresql": "%s"}
_INSERTS: Final[dict[str, Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def put_rows(
    connection: Connection,
    table: Table,
    rows: Sequence[tuple[Any, ...]],
    *,
    keeping: bool = False,
    replacing: tuple[str, ...] = (),
) -> int:
    """Insert rows; how many were put in or replaced.

    Args:
        connection: in a transaction.
        table: every column of it has its value in each row.
        rows: in the order of the columns.
        keeping: a row whose key is there stays as it is.
        replacing: columns that a row whose key is there takes from the new one.
    """
    if not rows:
        return 0
    statement = _inserting(table, connection.dialect.name, keeping=keeping, replacing=replacing)
    return connection.exec_driver_sql(statement, list(rows)).rowcount


def put_new(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert a row, by the names of its columns, unless its key is taken; whether it went in.

    SQLAlchemy forgets how many rows an INSERT touched on PostgreSQL unless it is told not to, and -1 looks like one.
    """
    adding = _INSERTS[connection.dialect.name](table).values(row).on_conflict_do_nothing()
    return bool(connection.execute(adding, execution_options={"preserve_rowcount": True}).rowcount == 1)


def among(
    connection: Connection, column: ColumnElement[Value], names: Iterable[Value]
) -> ColumnElement[bool]:
    """Whether a column is one of many values, as one parameter: a thousand of them took longer to bind than to look up.

    As rows and not by ``ANY``: of a table without statistics, as in a new store's first minute, PostgreSQL would else compare
    every row of a tenant with every value.
    """
    listed = sorted(set(names))
    if connection.dialect.name == "postgresql":
        # Without the column's length, to which a value that is too long would be cut, and then be found.
        of = String() if column.type.python_type is str else column.type
        return column.in_(select(func.unnest(bindparam(None, listed, ARRAY(of), unique=True))))
    return column.in_(select(func.json_each(_encode(listed).decode()).table_valued("value").c.value))


@cache
def _inserting(table: Table, dialect: str, *, keeping: bool, replacing: tuple[str, ...]) -> str:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    values = ", ".join(_MARKS[dialect] for _column in table.columns)
    key = ", ".join(f'"{column.name}"' for column in table.primary_key)
    taken = ", ".join(f'"{name}" = excluded."{name}"' for name in replacing)
    clash = (
        f" ON CONFLICT ({key}) DO UPDATE SET {taken}" if replacing else " ON CONFLICT DO NOTHING" * keeping
    )
    return f"INSERT INTO {table.name} ({names}) VALUES ({values}){clash}"  # noqa: S608 -- our own names alone
