"""Where imported events and labels are written: NDJSON, plain or gzip, and a CSV of labels.

Promise: one event a line, in one fixed order of fields; equal input gives equal bytes (the archive carries no time).
A file appears under its name only when it is complete: until ``close`` it is ``NAME.partial`` beside it, and a run
that is interrupted leaves neither; one that ends at damaged input keeps what came before. Something that is no file
(a pipe, ``/dev/null``) is written to directly.

It overwrites a file of that name without asking.
"""

from __future__ import annotations

import csv
import gzip
import io
from typing import IO, TYPE_CHECKING, Final, Self, cast

from shopward.errors import Misconfigured, ShopwardError, StoreUnavailable
from shopward.events import canonical_bytes

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from shopward.adapters.formats.rows import Imported
    from shopward.events import Event

_GZIP_LEVEL: Final = 6
_BUFFER_BYTES: Final = 256 * 1024


class _Output:
    """A file that appears complete or not at all; ``self._file`` is open for bytes."""

    def __init__(self, path: Path) -> None:
        if path.suffix.lower() in {".zst", ".parquet"}:
            raise Misconfigured(
                f"{path.suffix} is not written", expected="a plain name or one that ends in .gz"
            )
        self._path = path
        in_place = path.exists() and not path.is_file()
        self._partial = None if in_place else path.with_name(path.name + ".partial")
        try:
            self._raw: IO[bytes] = (self._partial or path).open("wb", buffering=_BUFFER_BYTES)
        except OSError as failed:
            raise Misconfigured(f"{path} cannot be written", found=failed.strerror) from None
        self._file: IO[bytes] = self._raw
        if path.suffix.lower() == ".gz":
            packed = gzip.GzipFile("", "wb", _GZIP_LEVEL, self._raw, mtime=0)
            self._file = cast("IO[bytes]", io.BufferedWriter(cast("io.RawIOBase", packed), _BUFFER_BYTES))

    def _put(self, data: bytes) -> None:
        try:
            self._file.write(data)
        except OSError as failed:
            raise StoreUnavailable(f"{self._path} is not complete", found=failed.strerror) from None

    def close(self, *, keep: bool = True) -> None:
        """Finish the file; with ``keep`` off, drop what was written of it."""
        failure: OSError | None = None
        try:
            if keep:
                self._file.close()
            self._raw.close()
        except OSError as failed:
            failure = failed
        if self._partial is not None:
            if keep and failure is None:
                self._partial.replace(self._path)
            else:
                self._partial.unlink(missing_ok=True)
        if failure is not None:
            raise StoreUnavailable(f"{self._path} is not complete", found=failure.strerror) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.close(keep=kind is None or issubclass(kind, ShopwardError))


class EventWriter(_Output):
    """Events as lines of a file."""

    def write(self, event: Event) -> None:
        """One line."""
        self._put(canonical_bytes(event) + b"\n")


class LabelWriter(_Output):
    """``event_id,label`` for each event that has a label."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._write_row(("event_id", "label"))

    def write(self, imported: Imported) -> None:
        """One row, if it has a label."""
        if imported.label:
            self._write_row((imported.event.id, imported.label))

    def _write_row(self, cells: tuple[str, str]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(cells)
        self._put(text.getvalue().encode())
