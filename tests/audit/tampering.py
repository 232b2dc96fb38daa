"""Ways to damage a stored log behind its back."""

from __future__ import annotations

from sqlalchemy import Integer, LargeBinary, String, cast, func, literal, select, update
from sqlalchemy.exc import DBAPIError

from shopward.audit import verify


def stored_bytes(value):
    """The bytes of a value as a page of the database would hold them."""
    if isinstance(value, int):
        return value.to_bytes(8, "big", signed=True)
    return value.encode() if isinstance(value, str) else bytes(value)


def as_stored(raw, column, dialect):
    """An SQL expression that puts raw bytes into a column of this kind, valid or not."""
    if isinstance(column.type, Integer):
        return int.from_bytes(raw, "big", signed=True)
    if not isinstance(column.type, String):
        return raw
    blob = literal(raw, LargeBinary)
    return cast(blob, String) if dialect == "sqlite" else func.convert_from(blob, "UTF8")


def flips(connection, table):
    """Flip one bit in each byte of each column of each row, one at a time.

    Yields the row, the column and the byte's place while it is flipped; the database may refuse some bits (a key that
    is taken, a text that is no UTF-8), then the next bit of that byte is tried, and ``None`` comes where all fail.
    """
    dialect, keys = connection.dialect.name, list(table.primary_key)
    with connection.begin():
        rows = connection.execute(select(table)).mappings().all()
    for row in rows:
        mine = [key == row[key.name] for key in keys]
        for column in table.columns:
            raw = stored_bytes(row[column.name])
            for at in range(len(raw)):
                for bit in range(8):
                    changed = bytearray(raw)
                    changed[at] ^= 1 << (at + bit) % 8
                    value = as_stored(bytes(changed), column, dialect)
                    with connection.begin() as transaction:
                        try:
                            connection.execute(update(table).where(*mine).values({column: value}))
                        except DBAPIError:
                            transaction.rollback()
                            continue
                        yield row, column.name, at
                        transaction.rollback()
                        break
                else:
                    yield None


def after(engine, change, public_key, **options):
    """The report on a log after a change, which is then undone."""
    with engine.connect() as connection, connection.begin() as transaction:
        change(connection)
        report = verify(connection, public_key=public_key, **options)
        transaction.rollback()
    return report
