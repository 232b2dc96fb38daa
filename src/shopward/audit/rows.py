"""The three tables as the verifier reads them: raw bytes, in order, a page at a time.

Promise: a text comes as the bytes that are stored, valid UTF-8 or not, and on SQLite, which keeps a value of any kind in
any column, with the kind that is stored; so a row that cannot be decoded is found and reported, not stumbled over.
Constant memory: the driver hands over pages, and what is not read is not fetched.

Not here: what the rows should be (``verifier``).
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import reduce
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import LargeBinary, String, Table, cast, func, literal, select, type_coerce

from shopward.audit.tables import audit_checkpoint, audit_entry, audit_head

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Connection, Select

PAGE_ROWS: Final = 1_000

_SQLITE_KINDS: Final = {"BIGINT": "integer", "BLOB": "blob"}


class EntryRow(NamedTuple):
    """An entry as stored; ``kinds`` is empty where each column holds what it should."""

    kinds: str
    tenant: bytes
    seq: int
    at_ms: int
    actor: bytes
    deed: bytes
    subject: bytes
    details: bytes
    hash: bytes


class HeadRow(NamedTuple):
    """The head as stored."""

    kinds: str
    tenant: bytes
    last_seq: int
    hash: bytes


class CheckpointRow(NamedTuple):
    """A checkpoint as stored."""

    kinds: str
    tenant: bytes
    seq: int
    at_ms: int
    hash: bytes
    key: bytes
    signature: bytes


def head_row(connection: Connection, tenant: str) -> HeadRow | None:
    """The head of a tenant, ``None`` where it has none."""
    row = connection.execute(_raw(audit_head, connection, tenant)).first()
    return None if row is None else HeadRow(*row)


@contextmanager
def entry_rows(connection: Connection, tenant: str) -> Iterator[Iterator[EntryRow]]:
    """All entries of a tenant by seq, whatever their seq is."""
    ordered = _raw(audit_entry, connection, tenant).order_by(audit_entry.c.seq)
    with connection.execute(ordered, execution_options={"yield_per": PAGE_ROWS}) as rows:
        yield (EntryRow(*row) for row in rows)


@contextmanager
def checkpoint_rows(connection: Connection, tenant: str) -> Iterator[Iterator[CheckpointRow]]:
    """All checkpoints of a tenant by seq, whatever their seq is."""
    ordered = _raw(audit_checkpoint, connection, tenant).order_by(audit_checkpoint.c.seq)
    with connection.execute(ordered, execution_options={"yield_per": PAGE_ROWS}) as rows:
        yield (CheckpointRow(*row) for row in rows)


def _raw(table: Table, connection: Connection, tenant: str) -> Select[Any]:
    columns = list(table.columns)
    raw = _sqlite(columns) if connection.dialect.name == "sqlite" else _postgres(columns)
    return select(*raw).where(table.c.tenant == tenant)


def _sqlite(columns: list[Any]) -> list[ColumnElement[Any]]:
    """Texts and bytes as BLOB, numbers as they are; before them the kinds, empty if right."""
    kinds: list[ColumnElement[str]] = [func.typeof(column, type_=String) for column in columns]
    right = "".join(_SQLITE_KINDS.get(str(column.type), "text") for column in columns)
    found = reduce(lambda left, kind: left.concat(kind), kinds)
    raw = [cast(column, LargeBinary) if _is_bytes(column) else column for column in columns]
    return [func.replace(found, right, "", type_=String), *raw]


def _postgres(columns: list[Any]) -> list[ColumnElement[Any]]:
    """Texts as the bytes that are stored; the server keeps each kind in its column."""
    raw = [
        func.convert_to(column, "UTF8", type_=LargeBinary) if isinstance(column.type, String) else column
        for column in columns
    ]
    return [type_coerce(literal(""), String), *raw]


def _is_bytes(column: Any) -> bool:
    return isinstance(column.type, String | LargeBinary)
