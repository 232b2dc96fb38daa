"""Building the offline store from range files, as the downloader of Have I Been Pwned leaves them.

Promise: the store appears under its name whole or not at all; input out of order, doubled or damaged is refused with its
file and line, and a folder that lacks ranges is refused unless the caller says ``partial``: a hole would say "not stolen".
Memory is bounded by one range file and the table, whatever the size.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
from array import array
from contextlib import ExitStack
from itertools import accumulate
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from shopward.errors import InputTooLarge, MalformedInput, NotFound
from shopward.screening.passwords.store import FORM, HEAD, MAGIC, PREFIX_DIGITS, RECORDS_MAX, Layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

RANGES: Final = 16**PREFIX_DIGITS
COUNT_MAX: Final = 2**32 - 1
_WIDE_FROM: Final = 4_000_000
"""Records from which the table is entered with three bytes; it then takes 64 MB."""
_LINE_BYTES: Final = 40
_RANGE_NAME: Final = re.compile(r"([0-9A-Fa-f]{5})(?:\.txt)?(?:\.gz)?")
_SUFFIX_LINE: Final = re.compile(rb"([0-9A-Fa-f]{35}):(\d{1,10})")
_HASH_LINE: Final = re.compile(rb"([0-9A-Fa-f]{40}):(\d{1,10})")
_PART: Final = 1 << 20

Record = tuple[bytes, int]
"""A SHA-1 digest and how often its password was seen."""


class StoreBuilt(NamedTuple):
    """What was built: how many records, and bytes of the file."""

    records: int
    size: int


def build_store(
    source: Path, target: Path, *, partial: bool = False, progress: Callable[[int, int], None] | None = None
) -> StoreBuilt:
    """Build ``target`` from a folder of range files, or from one file of ``SHA1:COUNT`` lines in order.

    Args:
        source: a folder with ``00000`` to ``FFFFF`` (``.txt``, ``.gz`` or both), or a file (``.gz`` or not).
        target: written whole or not at all.
        partial: whether a folder may lack ranges.
        progress: told ``(done, of)`` now and then: ranges of a folder, bytes of a file.

    Raises:
        NotFound: there is nothing at ``source``.
        MalformedInput: a line is no record, or out of order; ranges are missing.
        InputTooLarge: more than 4,294,967,295 records.
    """
    if source.is_dir():
        files = _range_files(source, partial=partial)
        expected = sum(file.stat().st_size * (2 if file.suffix == ".gz" else 1) for _, file in files)
        records = _of_folder(files, progress)
    elif source.is_file():
        expected = source.stat().st_size * (2 if source.suffix == ".gz" else 1)
        records = _of_file(source, progress)
    else:
        raise NotFound(
            "there are no range files", path=source.name, expected="a folder or a file", found="nothing"
        )
    return write_store(target, records, expected=expected // _LINE_BYTES)


def write_store(target: Path, records: Iterable[Record], *, expected: int) -> StoreBuilt:
    """Write records, which come in ascending order of their digests, as a store.

    Args:
        target: written whole or not at all.
        records: digests (20 bytes) with counts.
        expected: about how many; decides how wide the table is.
    """
    key_bytes = 3 if expected >= _WIDE_FROM else 2
    new, counts_file = target.with_name(target.name + ".new"), target.with_name(target.name + ".counts")
    try:
        with ExitStack() as stack:
            file = stack.enter_context(new.open("w+b"))
            counts = stack.enter_context(counts_file.open("w+b"))
            layout, table = _write_records(file, counts, records, key_bytes)
            counts.seek(0)
            shutil.copyfileobj(counts, file, _PART)
            file.seek(HEAD.size)
            file.write(table)
            file.seek(0)
            file.write(
                HEAD.pack(MAGIC, FORM, key_bytes, layout.tail_bytes, layout.records, _digest(file, HEAD.size))
            )
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)
        counts_file.unlink(missing_ok=True)
    return StoreBuilt(layout.records, layout.size)


def _write_records(
    file: IO[bytes], counts: IO[bytes], records: Iterable[Record], key_bytes: int
) -> tuple[Layout, bytes]:
    """Tails behind the place of the table, counts beside; gives back where all is, and the table."""
    table = array("I", bytes(4 * (256**key_bytes + 1)))
    file.seek(Layout(key_bytes, 0).tails_at)
    tails, seen = bytearray(), array("I")
    previous, number = b"", 0
    for digest, count in records:
        if digest <= previous:
            raise MalformedInput(
                "the range files are out of order", expected="digests in ascending order, each once", found="another order",
                hint="sort the file by its digests (LC_ALL=C sort -u)",
            )  # fmt: skip
        previous = digest
        number += 1
        table[int.from_bytes(digest[:key_bytes], "big") + 1] += 1
        tails += digest[key_bytes:]
        seen.append(min(count, COUNT_MAX))
        if len(tails) >= _PART:
            file.write(tails)
            counts.write(_little(seen))
            tails.clear()
            del seen[:]
    if number > RECORDS_MAX:
        raise InputTooLarge("too many digests for one store", expected=f"at most {RECORDS_MAX}")
    file.write(tails)
    counts.write(_little(seen))
    return Layout(key_bytes, number), _little(array("I", accumulate(table)))


def _little(numbers: array[int]) -> bytes:
    if array("H", (1,)).tobytes() == b"\x00\x01":
        numbers = array("I", numbers)
        numbers.byteswap()
    return numbers.tobytes()


def _digest(file: IO[bytes], start: int) -> bytes:
    at = file.tell()
    file.seek(start)
    digest = hashlib.blake2b(digest_size=16)
    while part := file.read(_PART):
        digest.update(part)
    file.seek(at)
    return digest.digest()


def _range_files(folder: Path, *, partial: bool) -> list[tuple[str, Path]]:
    found: dict[str, Path] = {}
    for file in folder.iterdir():
        named = _RANGE_NAME.fullmatch(file.name)
        if named is not None and file.is_file():
            found[named[1].upper()] = file
    if not found or (len(found) < RANGES and not partial):  # fails closed: a hole would say "not stolen"
        raise MalformedInput(
            "ranges are missing", path=folder.name, expected=f"{RANGES} files, 00000 to FFFFF", found=f"{len(found)} files",
            hint="download them all, or say --partial for a corpus of your own",
        )  # fmt: skip
    return sorted(found.items())


def _of_folder(
    files: list[tuple[str, Path]], progress: Callable[[int, int], None] | None
) -> Iterator[Record]:
    for done, (prefix, file) in enumerate(files):
        if progress is not None and done % 1_024 == 0:
            progress(done, len(files))
        with _opened(file) as lines:
            yield from _records(lines, file.name, _SUFFIX_LINE, prefix)
    if progress is not None:
        progress(len(files), len(files))


def _of_file(file: Path, progress: Callable[[int, int], None] | None) -> Iterator[Record]:
    size = file.stat().st_size
    with file.open("rb") as raw, _unpacked(raw, file) as lines:
        for number, record in enumerate(_records(lines, file.name, _HASH_LINE, "")):
            if progress is not None and number % 262_144 == 0:
                progress(raw.tell(), size)
            yield record
    if progress is not None:
        progress(size, size)


def _records(lines: Iterable[bytes], name: str, shape: re.Pattern[bytes], prefix: str) -> Iterator[Record]:
    from_hex = bytes.fromhex
    try:
        for number, line in enumerate(lines, 1):
            said = shape.fullmatch(line.rstrip(b"\r\n"))
            if said is None:
                if number == 1 and line.startswith(b"\xef\xbb\xbf"):
                    said = shape.fullmatch(line[3:].rstrip(b"\r\n"))
                if said is None and not line.strip():
                    continue
                if said is None:
                    raise _no_record(name, number)
            if (count := int(said[2])) > 0:  # padding has none
                yield from_hex(prefix + said[1].decode("ascii")), count
    except (EOFError, gzip.BadGzipFile):
        raise MalformedInput(
            "a range file is cut or damaged", path=name, expected="a whole gzip file"
        ) from None


def _no_record(name: str, line: int) -> MalformedInput:
    return MalformedInput(
        "a line is no record", path=f"{name}:{line}", expected="hexadecimal digits of SHA-1, a colon, a count",
        found="another line",
    )  # fmt: skip


def _opened(file: Path) -> IO[bytes] | gzip.GzipFile:
    return gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb")


def _unpacked(raw: IO[bytes], file: Path) -> IO[bytes] | gzip.GzipFile:
    return gzip.open(raw, "rb") if file.suffix == ".gz" else raw
