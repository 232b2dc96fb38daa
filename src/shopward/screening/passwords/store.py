"""The offline store: which SHA-1 digests of stolen passwords are known, exactly, and how often each was seen.

Promise: a look-up answers what the range files that it was built from say, no more and no less (it is no filter that may
err); it touches three places of a memory-mapped file, so memory is the system's to give and take; a damaged or cut file is
refused at opening (``ModelInvalid``), and ``verify`` reads all of it.

The file, whole numbers little-endian:

| part | bytes |
|---|---|
| head: magic, form, key bytes ``k``, tail bytes ``20 - k``, records ``n``, BLAKE2b-16 of all after the head | 64 |
| table: where the records of each ``k``-byte beginning start, and the end | ``4 * (256**k + 1)`` |
| tails, in order: the rest of each digest | ``(20 - k) * n`` |
| counts: how often each was seen | ``4 * n`` |

With ``k = 3`` a hundred million digests take 2.2 GB and a beginning has six of them.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.errors import ModelInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

DIGEST_BYTES: Final = 20
HEAD: Final = struct.Struct("<8sHBBQ16s28x")
MAGIC: Final = b"swpwned\n"
FORM: Final = 1
RECORDS_MAX: Final = 2**32 - 1
PREFIX_DIGITS: Final = 5
_PAIR: Final = struct.Struct("<II")
_COUNT: Final = struct.Struct("<I")
_PART: Final = 1 << 24


class Layout(NamedTuple):
    """Where the parts of a store are.

    Attributes:
        key_bytes: of a digest that the table is entered with.
        records: how many.
    """

    key_bytes: int
    records: int

    @property
    def tail_bytes(self) -> int:
        """What is kept of a digest."""
        return DIGEST_BYTES - self.key_bytes

    @property
    def tails_at(self) -> int:
        """Where tails begin."""
        return HEAD.size + 4 * ((1 << 8 * self.key_bytes) + 1)

    @property
    def counts_at(self) -> int:
        """Where counts begin."""
        return self.tails_at + self.tail_bytes * self.records

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return self.counts_at + 4 * self.records


class HashStore:
    """An open store; safe to share between threads.

    Args:
        path: of a file that ``build_store`` made.

    Raises:
        ModelInvalid: it is missing, cut, damaged or of another form.
    """

    def __init__(self, path: Path) -> None:
        self._map = _mapped(path)
        try:
            self._layout, self._digest = _layout(self._map)
        except ModelInvalid:
            self._map.close()
            raise
        self._key_bytes = self._layout.key_bytes
        self._width = self._layout.tail_bytes
        self._tails_at = self._layout.tails_at
        self._counts_at = self._layout.counts_at

    def __len__(self) -> int:
        return self._layout.records

    def count(self, digest: bytes) -> int:
        """How often the password of this SHA-1 digest was seen; 0 where it is not known."""
        key_bytes, width, data = self._key_bytes, self._width, self._map
        first, last = _PAIR.unpack_from(data, HEAD.size + 4 * int.from_bytes(digest[:key_bytes], "big"))
        start = self._tails_at + width * first
        tails = data[start : start + width * (last - first)]
        tail = digest[key_bytes:]
        at = tails.find(tail)
        while at > 0 and at % width:  # found across two records
            at = tails.find(tail, at + 1)
        if at < 0:
            return 0
        return int(_COUNT.unpack_from(data, self._counts_at + 4 * (first + at // width))[0])

    def range(self, prefix: str) -> Iterator[tuple[str, int]]:
        """The other 35 digits and the count of each digest that begins with these five hexadecimal digits, in order."""
        wanted = int(prefix, 16)
        spread = 8 * self._key_bytes - 4 * PREFIX_DIGITS
        if spread >= 0:
            first_key, last_key = wanted << spread, (wanted + 1) << spread
        else:
            first_key = wanted >> -spread
            last_key = first_key + 1
        first = self._start_of(first_key)
        last = self._start_of(last_key)
        for position in range(first, last):
            digits = (
                f"{self._key_of(position, first_key):0{2 * self._key_bytes}x}" + self._tail(position).hex()
            )
            if digits.startswith(prefix.lower()):
                yield digits[PREFIX_DIGITS:].upper(), self._count_at(position)

    def verify(self) -> None:
        """Read all of it; raises ``ModelInvalid`` where a byte is not as it was written."""
        digest = hashlib.blake2b(digest_size=16)
        for at in range(HEAD.size, len(self._map), _PART):
            digest.update(self._map[at : at + _PART])
        if digest.digest() != self._digest:
            raise ModelInvalid(
                "the password store is damaged", expected="the bytes that were written", found="others"
            )

    def close(self) -> None:
        """Give the file back."""
        self._map.close()

    def _start_of(self, key: int) -> int:
        return int(_COUNT.unpack_from(self._map, HEAD.size + 4 * key)[0])

    def _key_of(self, position: int, key: int) -> int:
        """The beginning that a record stands under, from ``key`` on."""
        while self._start_of(key + 1) <= position:
            key += 1
        return key

    def _tail(self, position: int) -> bytes:
        at = self._tails_at + self._width * position
        return self._map[at : at + self._width]

    def _count_at(self, position: int) -> int:
        return int(_COUNT.unpack_from(self._map, self._counts_at + 4 * position)[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _mapped(path: Path) -> mmap.mmap:
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        found = "an empty file" if isinstance(error, ValueError) else "no file that can be read"
    raise ModelInvalid(
        "the password store cannot be opened", path=path.name, expected="a store", found=found,
        hint="make one with shopward passwords build",
    )  # fmt: skip


def _layout(data: mmap.mmap) -> tuple[Layout, bytes]:
    """What the head says, where the rest of the file agrees with it."""
    refusal = ModelInvalid(
        "the password store cannot be used", expected="a whole store of this version", found="another file, or a cut one",
        hint="make it anew with shopward passwords build",
    )  # fmt: skip
    if len(data) < HEAD.size:
        raise refusal
    magic, form, key_bytes, tail_bytes, records, digest = HEAD.unpack_from(data)
    layout = Layout(key_bytes, records)
    if (magic, form) != (MAGIC, FORM) or key_bytes not in (2, 3) or tail_bytes != layout.tail_bytes:
        raise refusal
    if layout.size != len(data):
        raise refusal
    first = _COUNT.unpack_from(data, HEAD.size)[0]
    last = _COUNT.unpack_from(data, HEAD.size + 4 * 256**key_bytes)[0]
    if first != 0 or last != records:
        raise refusal
    return layout, digest
