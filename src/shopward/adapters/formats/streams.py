"""Recorded streams of events: NDJSON (plain, .gz, .zst, ``-``) and Parquet.

Promise: ``read_events`` gives every line or row in the order of the file. A line of NDJSON comes as the bytes that
stand there, for intake to check as it does live; blank lines are passed over; a line beyond intake's limit comes cut
to one byte more, so that intake refuses it and the next one is read. A row of Parquet comes as a checked ``Event``.
A damaged file gives what stands before the damage, then ``MalformedInput``.

It does not check lines, drop repeated ids, or sort.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shopward.adapters.formats.parquet import parquet_events
from shopward.adapters.formats.sources import Source
from shopward.events.intake import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from shopward.errors import BadInput
    from shopward.events import Event

_LINE_BYTES_MAX: Final = DEFAULT_LIMITS.event_bytes_max


class EventStream:
    """The lines or rows of one file, once through.

    ``line``, ``bytes_read`` and ``bytes_total`` (None for standard input) may be read at any time for a message or
    a progress bar.
    """

    def __init__(self, source: Source, on_refused: Callable[[BadInput], None] | None) -> None:
        self._source = source
        if source.is_parquet():
            self._items: Iterator[bytes | Event] = parquet_events(source, on_refused=on_refused)
        else:
            self._items = (line for line in source.lines() if line and not line.isspace())

    @property
    def name(self) -> str:
        """How messages call the file."""
        return self._source.name

    @property
    def line(self) -> int:
        """The number of the line or row given last, from 1."""
        return self._source.line

    @property
    def bytes_read(self) -> int:
        """How many bytes of the file were read, before unpacking."""
        return self._source.bytes_read

    @property
    def bytes_total(self) -> int | None:
        """The size of the file; None where it is not known."""
        return self._source.bytes_total

    def __iter__(self) -> Iterator[bytes | Event]:
        return self._items

    def __next__(self) -> bytes | Event:
        return next(self._items)


def read_events(
    path: str | Path, *, on_refused: Callable[[BadInput], None] | None = None, stdin: BinaryIO | None = None
) -> EventStream:
    """The events of a recorded stream; ``-`` is standard input.

    Args:
        path: the file.
        on_refused: hears of each Parquet row that is no event, and the next one goes on; without it such a row raises.
        stdin: what ``-`` means; the process's own by default.

    Raises:
        NotFound: while reading: there is no such file.
        MalformedInput: while reading: a damaged file, after what stands before the damage.
        InvalidField: while reading: a Parquet row that is no event, with its row and path.
        Misconfigured: zstd or Parquet without the ``files`` extra.
    """
    return EventStream(Source(path, stdin=stdin, line_bytes_max=_LINE_BYTES_MAX), on_refused)
