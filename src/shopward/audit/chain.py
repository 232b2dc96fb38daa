"""The bytes that are hashed and signed.

Promise: two different rows never give the same bytes. A field is its length in 4 bytes, big-endian, then its bytes;
a text is its UTF-8, a number 8 bytes of big-endian two's complement. The first field names what the bytes are, so that
no entry can pass for a checkpoint. Fields in this order:

- entry: ``shopward audit entry 1``, hash of the entry before (32 zero bytes for the first), tenant, seq, at_ms, actor,
  deed, subject, details; its hash is the SHA-256 (FIPS 180-4) of all of it;
- checkpoint: ``shopward audit checkpoint 1``, tenant, seq, at_ms, hash of the entry at seq, public key; its signature is
  Ed25519 (RFC 8032) over all of it;
- evidence pack: ``shopward evidence pack 1``, tenant, subject, made_ms, first_seq, last_seq, hash before the first entry,
  SHA-256 of its sums, public key; signed likewise.

Not here: whether the bytes of a text are valid UTF-8. They are hashed as they are stored.
"""

from __future__ import annotations

import hashlib
from struct import Struct
from typing import Final

GENESIS: Final = bytes(32)
"""Stands for the hash before the first entry."""

_ENTRY: Final = b"shopward audit entry 1"
_CHECKPOINT: Final = b"shopward audit checkpoint 1"
_ROTATION: Final = b"shopward audit rotation 1"
_PACK: Final = b"shopward evidence pack 1"
_LENGTH: Final = Struct(">I")
_NUMBER: Final = Struct(">q")


def entry_bytes(
    previous: bytes,
    *,
    tenant: bytes,
    seq: int,
    at_ms: int,
    actor: bytes,
    deed: bytes,
    subject: bytes,
    details: bytes,
) -> bytes:
    """What the hash of an entry is made of."""
    return _framed(
        _ENTRY, previous, tenant, _NUMBER.pack(seq), _NUMBER.pack(at_ms), actor, deed, subject, details
    )


def hash_of(content: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(content).digest()


def checkpoint_bytes(*, tenant: bytes, seq: int, at_ms: int, entry_hash: bytes, key: bytes) -> bytes:
    """What the signature of a checkpoint is made over."""
    return _framed(_CHECKPOINT, tenant, _NUMBER.pack(seq), _NUMBER.pack(at_ms), entry_hash, key)


def rotation_bytes(*, tenant: bytes, old: bytes, new: bytes) -> bytes:
    """What two signing keys sign when one follows the other."""
    return _framed(_ROTATION, tenant, old, new)


def pack_bytes(
    *,
    tenant: bytes,
    subject: bytes,
    made_ms: int,
    first_seq: int,
    last_seq: int,
    before: bytes,
    sums: bytes,
    key: bytes,
) -> bytes:
    """What the signature of an evidence pack is made over."""
    numbers = (_NUMBER.pack(each) for each in (made_ms, first_seq, last_seq))
    return _framed(_PACK, tenant, subject, *numbers, before, sums, key)


def _framed(*fields: bytes) -> bytes:
    return b"".join(part for field in fields for part in (_LENGTH.pack(len(field)), field))
