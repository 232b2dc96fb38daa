"""Rows of a Parquet file as events.

Promise: columns are the fields of the event, as structs (``context`` with ``ip`` in it) or under dotted names
(``context.ip``); what is null is absent; a time without zone is read as UTC, one finer than microseconds is cut.
Each row is checked like a line of live input, and a refusal names its row and path. Memory holds one batch of rows.
A file that gives fewer rows than it says it has is damaged.

It does not guess: a column that the event does not have is refused, not passed over.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from shopward.adapters.formats.rows import build_event
from shopward.adapters.formats.sources import optional
from shopward.errors import BadInput, InvalidField, MalformedInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shopward.adapters.formats.sources import Source
    from shopward.events import Event

_BATCH_ROWS: Final = 2048


def parquet_events(source: Source, *, on_refused: Callable[[BadInput], None] | None) -> Iterator[Event]:
    """The rows of ``source`` in order; one that is no event goes to ``on_refused``, or is raised where there is none."""
    pyarrow = optional("pyarrow", needed_for="Parquet files")
    parquet = optional("pyarrow.parquet", needed_for="Parquet files")
    with _damage(pyarrow, source), Path(source.path).open("rb") as file:
        table = parquet.ParquetFile(file, coerce_int96_timestamp_unit="us", page_checksum_verification=True)
        schema, rows_total = table.schema_arrow, table.metadata.num_rows
        if len(set(schema.names)) < len(schema.names):
            raise MalformedInput(f"{source.name} has two columns of one name", expected="each column once")
        target = pyarrow.schema([field.with_type(_in_micros(pyarrow, field.type)) for field in schema])
        for batch in table.iter_batches(batch_size=_BATCH_ROWS):
            rows = batch.cast(target, safe=False).to_pylist(maps_as_pydicts="lossy")
            source.bytes_read = (source.bytes_total or 0) * (source.line + len(rows)) // max(rows_total, 1)
            for row in rows:
                source.line += 1
                try:
                    event = build_event(nested(row))
                except BadInput as refused:
                    named = _with_row(refused, source)
                    if on_refused is None:
                        raise named from None
                    on_refused(named)
                else:
                    yield event
        if source.line != rows_total:  # a damaged page may read as an empty one
            raise MalformedInput(
                f"{source.name} is damaged", expected=f"{rows_total} rows", found=f"{source.line} rows"
            )


def nested(row: dict[str, Any]) -> dict[str, Any]:
    """The row with dotted names as nested objects and without nulls; raises ``InvalidField`` where two columns clash."""
    shape: dict[str, Any] = {}
    for name, value in row.items():
        if (kept := _without_nulls(value)) is None:
            continue
        *above, last = name.split(".")
        holder = shape
        for part in above:
            holder = holder.setdefault(part, {})
            if not isinstance(holder, dict):
                raise InvalidField(
                    "two columns for one field", path=name[:128], expected="one of them", found="both"
                )
        if isinstance(kept, dict) and isinstance(holder.get(last), dict):
            kept = {**holder[last], **kept}
        holder[last] = kept
    return shape


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {name: inner for name, part in value.items() if (inner := _without_nulls(part)) is not None}
        return kept or None
    if isinstance(value, list):
        return [_without_nulls(part) for part in value]
    return value


def _in_micros(pyarrow: Any, kind: Any) -> Any:
    """The type with every time in it as microseconds UTC, which Python can hold."""
    types = pyarrow.types
    if types.is_timestamp(kind):
        return pyarrow.timestamp("us", tz="UTC")
    if types.is_struct(kind):
        return pyarrow.struct([part.with_type(_in_micros(pyarrow, part.type)) for part in kind])
    if types.is_list(kind):
        return pyarrow.list_(kind.value_field.with_type(_in_micros(pyarrow, kind.value_type)))
    return kind


def _with_row(refused: BadInput, source: Source) -> BadInput:
    return type(refused)(
        f"row {source.line} of {source.name} is no event: {refused.message}",
        code=refused.code,
        path=refused.path,
        expected=refused.expected,
        found=refused.found,
        hint=refused.hint,
    )


@contextmanager
def _damage(pyarrow: Any, source: Source) -> Iterator[None]:
    """What pyarrow and the disk raise, as a refusal that names the file and the row."""
    try:
        yield
    except BadInput:
        raise
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as broken:
        number = broken.errno if isinstance(broken, OSError) else None
        raise MalformedInput(
            f"{source.name} is no readable Parquet file",
            path=f"row {source.line + 1}",
            expected="a complete Parquet file",
            found=os.strerror(number) if number else "damaged data",
        ) from None
