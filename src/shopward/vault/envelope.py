"""The envelope: one sealed value, in the published form SW1 (docs/vault-envelope.md).

Promise: a value opens under its exact key, for its exact place (tenant, customer, kind, record, field, version) and whole,
or not at all: what was moved to another place, put back from an older version, cut or changed is ``SealBroken``. No key is
tried on chance: the envelope names the one. Lengths are hidden in buckets, since a Chinese name of two characters is known
by its length alone. A whole record is one value whose field is empty; its bucket is the larger one.

Suites: AES-256-GCM (NIST SP 800-38D) under a key of one customer, AES-256-GCM-SIV (RFC 8452) for keys that wrap many keys,
XAES-256-GCM (C2SP) under one key for a whole shop. Random nonces: a customer's key seals some 10^4 values in decades
(chance of a repeat below 10^-21), XAES takes 2^80; a repeat under GCM-SIV shows equality and nothing else.

Not here: where keys come from (``keys``), what is sealed (``records``). No suite commits to its key: an envelope handed to
somebody else's key needs a commitment beside it.
"""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV

from shopward.errors import SealBroken
from shopward.vault.xaes import XAES256GCM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FORM: Final = 1
GCM: Final = 1
GCM_SIV: Final = 2
XAES: Final = 3
KEY_BYTES: Final = 32
HEAD_BYTES: Final = 6
TAG_BYTES: Final = 16
_GCM_NONCE: Final = 12
NONCE_BYTES: Final = {GCM: _GCM_NONCE, GCM_SIV: 12, XAES: 24}
BUCKET_MIN: Final = 32
BUCKET_STEP: Final = 512
"""Buckets double from 32 to 512 bytes and then grow by 512."""
RECORD_MIN: Final = 256
"""The smallest bucket of a whole record: what is usual in one does not show in its length."""
_FILLINGS: Final = tuple(
    b"\x80".ljust(max(BUCKET_MIN, 1 << size.bit_length()) - size, b"\0") for size in range(BUCKET_STEP)
)
"""What fills a value up to its bucket, by the value's length, as far as buckets double."""
_MARK: Final = 0x80
_POOL_BYTES: Final = 12 * 1024
_NO_FIELD: Final = bytes(2)
_MAGIC: Final = b"SW1"


class Aead(Protocol):
    """An authenticated cipher of pyca/cryptography."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """Ciphertext and tag."""
        ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """The plain bytes; raises ``InvalidTag``."""
        ...


_CIPHERS: Final[dict[int, Callable[[bytes], Aead]]] = {GCM: AESGCM, GCM_SIV: AESGCMSIV, XAES: XAES256GCM}


class Place(NamedTuple):
    """Where a sealed value belongs; a part that does not apply is empty."""

    tenant: str
    subject: str
    kind: str
    record: str = ""
    field: str = ""
    version: int = 0

    def bound(self) -> bytes:
        """The place as bytes that no other place gives."""
        head = customer_prefix(self.tenant, self.subject)
        return head + record_suffix(self.kind, self.record) + field_suffix(self.field, self.version)


class Cipher:
    """Seals and opens under one key.

    Args:
        suite: ``GCM``, ``GCM_SIV`` or ``XAES``.
        key_id: what envelopes call the key, 0 to 2**32 - 1.
        key: 32 secret bytes.
    """

    __slots__ = ("_aead", "_head", "_lead", "_nonce_bytes", "key_id")

    def __init__(self, suite: int, key_id: int, key: bytes) -> None:
        self._aead = _CIPHERS[suite](key)
        self._nonce_bytes = NONCE_BYTES[suite]
        self._head, self._lead = _heads(suite, key_id)
        self.key_id = key_id

    def seal(self, plain: bytes, bound: bytes) -> bytes:
        """``plain`` as an envelope for a place."""
        nonce = NONCES.take(self._nonce_bytes)
        return self._head + nonce + self._aead.encrypt(nonce, plain, self._lead + bound)

    def open(self, sealed: bytes, bound: bytes) -> bytes:
        """What was sealed under this key for this place; raises ``SealBroken``. Fails closed."""
        if sealed[:HEAD_BYTES] == self._head and len(sealed) >= HEAD_BYTES + self._nonce_bytes + TAG_BYTES:
            at = HEAD_BYTES + self._nonce_bytes
            try:
                return self._aead.decrypt(sealed[HEAD_BYTES:at], sealed[at:], self._lead + bound)
            except InvalidTag:
                pass
        raise broken()

    def open_fields(self, sealed: Mapping[str, bytes], prefix: bytes, version: int) -> dict[str, str]:
        """The values of a record whose fields are sealed apart, as was done once; raises ``SealBroken`` where one does not open. Fails closed."""
        end = HEAD_BYTES + self._nonce_bytes
        nonce, rest, shortest = slice(HEAD_BYTES, end), slice(end, None), end + TAG_BYTES
        lead, head, decrypt = self._lead + prefix, self._head, self._aead.decrypt
        opened = {}
        try:
            for (field, envelope), suffix in zip(
                sealed.items(), _suffixes(tuple(sealed), version), strict=True
            ):
                if not envelope.startswith(head) or len(envelope) < shortest:
                    break
                filled = decrypt(envelope[nonce], envelope[rest], lead + suffix).rstrip(b"\0")
                if not filled or filled[-1] != _MARK:
                    break
                opened[field] = filled[:-1].decode()
            else:
                return opened
        except InvalidTag:
            pass
        raise broken()


class OnceSealer:
    """Seals under keys that seal one value each, without what a ``Cipher`` keeps for the next; what it seals a ``Cipher`` opens.

    Args:
        key_id: what envelopes call the keys.
    """

    __slots__ = ("_head", "_lead")

    def __init__(self, key_id: int) -> None:
        self._head, self._lead = _heads(GCM, key_id)

    def seal(self, key: bytes, plain: bytes, bound: bytes) -> bytes:
        """``plain`` as an envelope for a place."""
        nonce = NONCES.take(_GCM_NONCE)
        return self._head + nonce + AESGCM(key).encrypt(nonce, plain, self._lead + bound)


class Nonces:
    """Random nonces, drawn from the system in lots: a third of the cost of a system call for each.

    A process that was forked begins with an empty pool, so that two never share a nonce. The pool lives in memory alone;
    a virtual machine that is copied while it runs must be restarted (docs/threat-model.md).
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._pool, self._at = b"", 0
        os.register_at_fork(after_in_child=self._forget)

    def take(self, count: int) -> bytes:
        """So many bytes that nobody else gets."""
        with self._guard:
            at = self._at
            if at + count > len(self._pool):
                self._pool, at = os.urandom(max(_POOL_BYTES, count)), 0
            self._at = at + count
            return self._pool[at : at + count]

    def _forget(self) -> None:
        self._guard = threading.Lock()
        self._pool, self._at = b"", 0


NONCES: Final = Nonces()


def key_id_of(sealed: bytes) -> int:
    """Which key an envelope names; raises ``SealBroken`` where it is none of this form."""
    if len(sealed) < HEAD_BYTES or sealed[0] != FORM:
        raise broken()
    return int.from_bytes(sealed[2:HEAD_BYTES], "big")


def customer_prefix(tenant: str, subject: str) -> bytes:
    """The part of a place that all of one customer share."""
    return _name(tenant) + _text(subject)


def record_suffix(kind: str, record: str) -> bytes:
    """The part of a place, behind the customer's, that the fields of one record share."""
    return _name(kind) + _text(record)


def whole_suffix(kind: str, record: str, version: int) -> bytes:
    """The part of a place, behind the customer's, of a record that is one envelope: its field is empty."""
    return _name(kind) + _text(record) + _NO_FIELD + version.to_bytes(8, "big")


@lru_cache(maxsize=1_024)
def class_suffix(kind: str, retention: str, version: int) -> bytes:
    """The part of a place, behind the customer's, of the key or ledger of a class."""
    return _name(kind) + _name(retention) + _NO_FIELD + version.to_bytes(8, "big")


def field_suffix(field: str, version: int) -> bytes:
    """The part of a place that is a field's own."""
    return _name(field) + version.to_bytes(8, "big")


def padded(plain: bytes) -> bytes:
    """Filled up to its bucket: a one bit and zeros (ISO/IEC 7816-4)."""
    size = len(plain)
    if size < BUCKET_STEP:
        return plain + _FILLINGS[size]
    return (plain + b"\x80").ljust(-(-(size + 1) // BUCKET_STEP) * BUCKET_STEP, b"\0")


def padded_record(plain: bytes) -> bytes:
    """A whole record filled up to its bucket."""
    return padded(plain) if len(plain) >= RECORD_MIN else (plain + b"\x80").ljust(RECORD_MIN, b"\0")


def unpadded(filled: bytes) -> bytes:
    """Without the filling; raises ``SealBroken`` where there is none."""
    plain = filled.rstrip(b"\x00")
    if plain[-1:] != b"\x80":
        raise broken()
    return plain[:-1]


def broken(what: str = "a sealed value") -> SealBroken:
    """The error for what does not open; it says nothing of why, which would help to forge."""
    return SealBroken(
        f"{what} cannot be opened",
        expected="a value sealed under the key that it names, for this very place and version",
        found="another one, or damage",
        hint="restore the row from a backup; somebody or something changed the store",
    )


def _text(value: str) -> bytes:
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


_name = lru_cache(maxsize=256)(_text)
"""Names of tenants, kinds and fields come again and again, and name nobody."""


@lru_cache(maxsize=256)
def _heads(suite: int, key_id: int) -> tuple[bytes, bytes]:
    """What envelopes under a key begin with, and what leads their associated data."""
    head = bytes((FORM, suite)) + key_id.to_bytes(4, "big")
    return head, _MAGIC + head


@lru_cache(maxsize=1_024)
def _suffixes(fields: tuple[str, ...], version: int) -> tuple[bytes, ...]:
    """The parts of places that fields have as their own, of all fields of a record at once: few records have others."""
    tail = version.to_bytes(8, "big")
    return tuple(_name(field) + tail for field in fields)
