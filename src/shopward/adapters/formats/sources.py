"""A file or standard input as lines, whatever it is compressed with.

Promise:
- the content decides how it is read: gzip and zstd are known by their first bytes, so that standard input may be
  compressed too; a name that ends in .gz or .zst over other content is refused;
- memory is bounded: a line longer than ``LINE_BYTES_MAX`` is cut to one byte more than that, so that who reads it
  sees that it is too long, and the next line is whole; a small file that unpacks to a huge one is read in pieces;
- a damaged or truncated archive gives the complete lines before the damage, then ``MalformedInput``.

It does not decode text, and a file that shrinks or grows while it is read is the caller's matter.
"""

from __future__ import annotations

import importlib
import sys
import zlib
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from shopward.errors import BadInput, MalformedInput, Misconfigured, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

STDIN: Final = "-"
LINE_BYTES_MAX: Final = 1024 * 1024
GZIP_MAGIC: Final = b"\x1f\x8b"
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
PARQUET_MAGIC: Final = b"PAR1"
FILES_HINT: Final = "pip install 'shopward[files]'"
_CHUNK_BYTES: Final = 256 * 1024
_ZSTD_PIECE_BYTES: Final = 1024
"""A zstd block of a few bytes may unpack to 128 KiB: pieces this small keep one step under some 32 MiB."""
_ZSTD_WINDOW_MAX: Final = 128 * 1024 * 1024


class Source:
    """One input, opened when it is first read.

    Args:
        path: a file's path, or ``-`` for standard input.
        stdin: what ``-`` means; the process's own by default.
        line_bytes_max: where longer lines are cut.

    Attributes:
        name: how messages call it.
        line: the number of the line given last, from 1.
        bytes_total: the size on disk; None for standard input.
        bytes_read: how much of that was read, before unpacking.
    """

    def __init__(
        self, path: str | Path, *, stdin: BinaryIO | None = None, line_bytes_max: int = LINE_BYTES_MAX
    ) -> None:
        self.path = str(path)
        self.name = "standard input" if self.path == STDIN else self.path
        self.line = 0
        self.bytes_read = 0
        self.bytes_total = self._size()
        self._stdin = stdin
        self._line_bytes_max = line_bytes_max

    def is_parquet(self) -> bool:
        """Whether the file begins as Parquet does."""
        if self.path == STDIN or not Path(self.path).is_file():
            return False  # a pipe would lose what is read here
        with self._reading(), Path(self.path).open("rb") as file:
            return file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC

    def lines(self) -> Iterator[bytes]:
        """Every line without its newline, blank ones too; ``line`` follows.

        Raises:
            NotFound: there is no such file.
            MalformedInput: a damaged archive, after the whole lines before the damage.
        """
        longest, cut, rest = self._line_bytes_max + 1, False, b""
        try:
            for chunk in self._unpacked():
                head, *tail = chunk.split(b"\n")
                if not cut:
                    rest += head[: longest - len(rest)]
                    cut = len(rest) == longest
                if not tail:
                    continue
                self.line += 1
                yield rest
                *whole, rest = tail
                for line in whole:
                    self.line += 1
                    yield line if len(line) < longest else line[:longest]
                rest = rest[:longest]
                cut = len(rest) == longest
        except MalformedInput as broken:
            broken.path = f"line {self.line + 1}"
            raise
        if rest:
            self.line += 1
            yield rest

    def _size(self) -> int | None:
        if self.path == STDIN:
            return None
        try:
            return Path(self.path).stat().st_size or None
        except (OSError, ValueError):
            return None

    def _unpacked(self) -> Iterator[bytes]:
        chunks = self._chunks()
        first = next(chunks, b"")
        unpack: Any = None
        if first.startswith(GZIP_MAGIC):
            unpack = _gunzip
        elif first.startswith(ZSTD_MAGIC):
            unpack = _unzstd
        else:
            self._check_name(first)
        if unpack is None:
            yield first
            yield from chunks
            return
        yield from unpack(self, first, chunks)

    def _check_name(self, first: bytes) -> None:
        for suffix, kind in ((".gz", "gzip"), (".zst", "zstd"), (".parquet", "Parquet")):
            if self.path.lower().endswith(suffix):
                found = "an empty file" if not first else "other bytes"
                raise MalformedInput(
                    f"{self.name} is no {kind} file",
                    expected=f"the first bytes of {kind}",
                    found=f"{found} at byte 0",
                )
        if first.startswith(PARQUET_MAGIC):
            raise BadInput(f"{self.name} is Parquet, which is read from a file", hint="give the file's path")

    def _chunks(self) -> Iterator[bytes]:
        with ExitStack() as stack:
            with self._reading():
                if self.path == STDIN:
                    read: Callable[[int], bytes] = _available(self._stdin or sys.stdin.buffer)
                else:
                    read = stack.enter_context(Path(self.path).open("rb")).read1
            while True:
                with self._reading():
                    chunk = read(_CHUNK_BYTES)
                if not chunk:
                    return
                self.bytes_read += len(chunk)
                yield chunk

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise NotFound(f"there is no file {self.name}", code="no_such_file") from None
        except (OSError, ValueError) as failed:
            found = failed.strerror if isinstance(failed, OSError) else "a path that cannot be"
            raise BadInput(f"{self.name} cannot be read", code="unreadable_file", found=found) from None


def _available(file: BinaryIO) -> Callable[[int], bytes]:
    """What reads as much as has come, so that a pipe that is slow is followed line by line."""
    read: Callable[[int], bytes] = getattr(file, "read1", file.read)
    return read


def _gunzip(source: Source, first: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    unpacker, within = zlib.decompressobj(wbits=31), False
    data = first
    while data or (data := next(chunks, b"")):
        if not within and not (data := data.lstrip(b"\0")):
            continue  # members may be padded with zeros
        try:
            piece = unpacker.decompress(data, _CHUNK_BYTES * 4)
        except zlib.error:
            raise _damaged(source, "gzip", "damaged data") from None
        within = not unpacker.eof
        data = unpacker.unconsumed_tail if within else unpacker.unused_data
        if unpacker.eof:
            unpacker = zlib.decompressobj(wbits=31)
        yield piece
    if within:
        yield unpacker.flush()
        if not unpacker.eof:
            raise _damaged(source, "gzip", "the end of the file")


def _unzstd(source: Source, first: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    zstandard = optional("zstandard", needed_for=".zst files")
    fresh = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_MAX).decompressobj
    unpacker, within = fresh(), False
    for chunk in chain([first], chunks):
        for start in range(0, len(chunk), _ZSTD_PIECE_BYTES):
            given = chunk[start : start + _ZSTD_PIECE_BYTES]
            while given:
                try:
                    piece = unpacker.decompress(given)
                except zstandard.ZstdError:
                    raise _damaged(source, "zstd", "damaged data") from None
                within, given = not unpacker.eof, b""
                if not within:
                    given, unpacker = unpacker.unused_data, fresh()
                yield piece
    if within:
        raise _damaged(source, "zstd", "the end of the file")


def _damaged(source: Source, kind: str, found: str) -> MalformedInput:
    return MalformedInput(
        f"{source.name} is truncated or damaged",
        expected=f"a complete {kind} stream",
        found=f"{found} before byte {source.bytes_read}",
    )


def optional(module: str, *, needed_for: str) -> Any:
    """A module of the ``files`` extra; raises ``Misconfigured`` with the command that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise Misconfigured(
            f"{needed_for} need {module.partition('.')[0]}", code="missing_extra", hint=FILES_HINT
        ) from None
