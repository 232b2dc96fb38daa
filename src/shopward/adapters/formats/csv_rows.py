"""Rows of a CSV file, each with the line that it began on.

Promise: UTF-8 with or without a byte order mark, quoted cells with newlines in them, any one delimiter. The header
must have every column that is asked for, each once. A row that is not UTF-8, has too many or too few cells, or a cell
beyond 128 KiB is a ``Refusal`` and the next line goes on; an open quote can swallow that much and no more.

It does not guess delimiters or encodings, and gives cells as they stand.
"""

from __future__ import annotations

import csv
import difflib
from typing import TYPE_CHECKING

from shopward.adapters.formats.rows import Refusal
from shopward.adapters.formats.sources import LINE_BYTES_MAX
from shopward.errors import BadInput, InputTooLarge, MalformedInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shopward.adapters.formats.sources import Source


class CsvRows:
    """The rows of a CSV file.

    Args:
        source: where its lines come from.
        delimiter: one character.

    Attributes:
        header: the names of the columns, set when the first row is asked for.
    """

    def __init__(self, source: Source, *, delimiter: str = ",") -> None:
        self._source = source
        self._texts = _Texts(source)
        self._reader = csv.reader(self._texts, delimiter=delimiter)
        self.header: list[str] = []

    def positions(self, wanted: Iterable[str]) -> dict[str, int]:
        """Read the header: the position of each column.

        Raises:
            MalformedInput: no header, a column twice, or a wanted one missing.
        """
        try:
            self.header = [name.strip() for name in next(self._reader, [])]
        except (csv.Error, _NoText):
            raise MalformedInput(
                f"{self._source.name} is no CSV", path="line 1", expected="a header"
            ) from None
        for column in wanted:
            if self.header.count(column) != 1:
                near = difflib.get_close_matches(column, self.header, n=1)
                raise MalformedInput(
                    f"{self._source.name} has not the columns that are needed",
                    path="line 1",
                    expected=f"one column {column!r}",
                    found=f"{self.header.count(column)} of {len(self.header)}",
                    hint=f"there is a column {near[0][:64]!r}" if near else None,
                )
        return {name: place for place, name in enumerate(self.header)}

    def __iter__(self) -> Iterator[tuple[int, list[str]] | Refusal]:
        width, source, reader = len(self.header), self._source, self._reader
        while True:
            line = source.line + 1
            try:
                row = next(reader, None)
            except csv.Error as broken:
                what = "a cell that is too long" if "limit" in str(broken) else "a broken row"
                yield Refusal(
                    line, MalformedInput("not a row of CSV", expected="cells and quotes of CSV", found=what)
                )
                continue
            except _NoText as broken:
                yield Refusal(line, broken.error)
                continue
            if row is None:
                return
            if len(row) == width:
                yield line, row
            elif row:
                wrong = MalformedInput(
                    "not a row of this CSV", expected=f"{width} cells", found=f"{len(row)} cells"
                )
                yield Refusal(line, wrong)


class _NoText(Exception):
    """A line that is no text; unlike a damaged file it spoils no other."""

    def __init__(self, error: BadInput) -> None:
        super().__init__(error)
        self.error = error


class _Texts:
    """The lines as text; one that cannot be raises ``_NoText``, and the next call goes on."""

    def __init__(self, source: Source) -> None:
        self._lines = source.lines()
        self._source = source

    def __iter__(self) -> _Texts:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        if self._source.line == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        try:
            return text_of(line) + "\n"
        except BadInput as refused:
            raise _NoText(refused) from None


def text_of(line: bytes) -> str:
    """The line as text; raises ``BadInput`` where it is too long or not UTF-8."""
    if len(line) > LINE_BYTES_MAX:
        raise InputTooLarge("line too long", expected=f"at most {LINE_BYTES_MAX} bytes", found="more")
    try:
        return line.decode()
    except UnicodeDecodeError as broken:
        raise MalformedInput("not text", expected="UTF-8", found=f"another byte at {broken.start}") from None
