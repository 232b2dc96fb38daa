"""API keys: ``sw_`` and 43 URL-safe characters of 256 random bits; only their SHA-256 is kept.

Promise: who reads ``api-keys.json`` cannot call the API with it; a presented key is hashed and held against every
kept digest in constant time, so that neither its bytes nor the position of a match shows in the answer's time. A key
of 256 random bits needs no slow hash and no limit on tries.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta, Struct

from shopward.access.files import read_private, write_private
from shopward.errors import Misconfigured
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from pathlib import Path

    from shopward.values import Clock

FILE_NAME: Final = "api-keys.json"
PREFIX: Final = "sw_"


class KeptKey(Struct, frozen=True, forbid_unknown_fields=True):
    """A key as it is kept: its name for people, its digest, and since when it holds."""

    name: str
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    created: str


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    keys: list[KeptKey]


class ApiKeys:
    """The keys that may call.

    Args:
        kept: from ``api-keys.json``.
    """

    def __init__(self, kept: list[KeptKey]) -> None:
        self._kept = [(key.name, bytes.fromhex(key.sha256)) for key in kept]

    def name_of(self, presented: bytes) -> str | None:
        """The name of the key that was presented; ``None`` where it is none of ours. Fails closed."""
        digest = hashlib.sha256(presented).digest()
        found = None
        for name, kept in self._kept:
            if hmac.compare_digest(kept, digest):
                found = name
        return found


def open_keys(folder: Path, clock: Clock) -> tuple[ApiKeys, str | None]:
    """The kept keys; on the very first start a new one, in clear for this once.

    Raises:
        Misconfigured: the file is there and is no list of keys, or cannot be read or written.
    """
    path = folder / FILE_NAME
    raw = read_private(path)
    if raw is not None:
        return ApiKeys(_read(raw)), None
    key = PREFIX + secrets.token_urlsafe(32)
    kept = KeptKey("first", hashlib.sha256(key.encode()).hexdigest(), to_rfc3339(clock.now_ms()))
    write_private(path, msgspec.json.format(msgspec.json.encode(_File(1, [kept])), indent=2) + b"\n")
    return ApiKeys([kept]), key


def _read(raw: bytes) -> list[KeptKey]:
    try:
        return msgspec.json.decode(raw, type=_File).keys
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    raise Misconfigured(  # fails closed: no new key beside a file that may be the operator's
        "the file of API keys cannot be read",
        path=FILE_NAME,
        expected="the JSON that Shopward wrote",
        found="something else",
        hint="restore it, or remove it to get a new key at the next start",
    )
