"""Members of a victim set: up to millions of users in 16 bytes each, and whether somebody is one of them.

Promise: immutable and exact: nobody is in by chance and nobody is left out. A look-up takes the same time for a thousand
members and for millions: the first two bytes of a token lead to its bucket, which is searched. Tokens are keyed hashes,
so that buckets are even.

Why sorted tokens and no bitmap: a roaring bitmap is small where members are dense numbers. Tokens are random: one of
1,000,000 took 22 bytes a member for 64 of the 128 bits and ten seconds to build, this takes 16 and sorts in one.
"""

from __future__ import annotations

import sys
from array import array
from base64 import urlsafe_b64encode
from binascii import a2b_base64
from bisect import bisect_left
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

WIDTH: Final = 16
SET_USERS_MAX: Final = 5_000_000
PAGES_MAX: Final = 10_000
_BUCKETS: Final = 1 << 16
_STANDARD: Final = bytes.maketrans(b"-_", b"+/")

Source = Literal["upload", "predicate", "links", "log"]


class VictimSet(Struct, frozen=True, kw_only=True):
    """What is kept of a set beside its members.

    Attributes:
        version: of its name, from 1.
        users: how many are in it; of an open one how many lines came, some maybe twice.
        digest: of a sealed one's members: the same members have the same.
        revision: how often its pages changed.
    """

    id: str
    name: str
    version: int
    state: Literal["open", "sealed"]
    source: Source
    users: int
    digest: bytes
    author: str
    created_ms: int
    sealed_ms: int
    revision: int


def packed(tokens: Iterable[str]) -> bytes:
    """Users' tokens as sorted bytes, each once."""
    return b"".join(sorted({bytes_of(token) for token in tokens}))


def merged(parts: Iterable[bytes]) -> bytes:
    """Several of these as one."""
    return b"".join(sorted({part[at : at + WIDTH] for part in parts for at in range(0, len(part), WIDTH)}))


class Members:
    """The members.

    Args:
        sorted_tokens: as ``packed`` and ``merged`` give them.
    """

    def __init__(self, sorted_tokens: bytes) -> None:
        self._tokens = sorted_tokens
        leading = bytearray(len(sorted_tokens) // WIDTH * 2)
        leading[0::2], leading[1::2] = sorted_tokens[0::WIDTH], sorted_tokens[1::WIDTH]
        buckets = array("H", bytes(leading))
        if sys.byteorder == "little":
            buckets.byteswap()
        starts = array("I", (bisect_left(buckets, bucket) * WIDTH for bucket in range(_BUCKETS)))
        starts.append(len(sorted_tokens))
        self._starts = starts

    def __len__(self) -> int:
        """How many."""
        return len(self._tokens) // WIDTH

    def __contains__(self, token: object) -> bool:
        """Whether a user is a member; nobody is not."""
        if not isinstance(token, str) or not token:
            return False
        sought = bytes_of(token)
        bucket = int.from_bytes(sought[:2])
        at, end = self._starts[bucket], self._starts[bucket + 1]
        while (at := self._tokens.find(sought, at, end)) >= 0:
            if at % WIDTH == 0:
                return True
            at += 1  # the same bytes across two tokens
        return False

    def first(self, count: int) -> list[str]:
        """The first so many tokens: a random sample, since tokens are keyed hashes."""
        ends = min(count * WIDTH, len(self._tokens))
        return [token_of(self._tokens[at : at + WIDTH]) for at in range(0, ends, WIDTH)]


def bytes_of(token: str) -> bytes:
    """The 16 bytes of a token's 22 characters; ``urlsafe_b64decode`` does the same in twice the time."""
    return a2b_base64(token.encode("ascii").translate(_STANDARD) + b"==")


def token_of(raw: bytes) -> str:
    """A token's 22 characters of its 16 bytes."""
    return urlsafe_b64encode(raw)[:22].decode("ascii")
