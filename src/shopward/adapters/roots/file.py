"""The root in a file of the data folder, ``vault.root``, under a passphrase where one is set.

Promise: with a passphrase the file alone opens nothing: its key is sealed under Argon2id (RFC 9106, second recommended
option: 64 MiB, 3 passes, 4 lanes), which makes each guess cost that much. Without one, who has the data folder has the key.
A file that is missing beside wrapped keys, and a wrong passphrase, refuse the
start; nothing is made anew in their place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from argon2.low_level import Type, hash_secret_raw
from msgspec import Meta, Struct

from shopward.errors import Misconfigured, SealBroken
from shopward.keyring import read_private, write_private
from shopward.vault.envelope import GCM_SIV, KEY_BYTES, Cipher

if TYPE_CHECKING:
    from pathlib import Path

    from shopward.keyring import Entropy

FILE_NAME: Final = "vault.root"
_SALT_BYTES: Final = 16
_WAYS: Final = b"shopward vault root"


class _Kept(Struct, forbid_unknown_fields=True):
    """The file: the key as it is, or sealed under a passphrase with the cost that was paid for it."""

    form: Literal[1]
    sealed: bool
    key: bytes
    salt: bytes = b""
    passes: Annotated[int, Meta(ge=1, le=64)] = 3
    memory_kib: Annotated[int, Meta(ge=8_192, le=4_194_304)] = 65_536
    lanes: Annotated[int, Meta(ge=1, le=64)] = 4


class FileRoot:
    """The root that everybody has.

    Args:
        key: 32 secret bytes.
    """

    name = "file"

    def __init__(self, key: bytes) -> None:
        self._cipher = Cipher(GCM_SIV, 0, key)

    @classmethod
    def open(cls, folder: Path, *, passphrase: str, in_use: bool, entropy: Entropy) -> FileRoot:
        """The root of a data folder; made where it is not there and nothing hangs from it.

        Raises:
            Misconfigured: the file is missing though in use, is damaged, or the passphrase does not open it.
        """
        path = folder / FILE_NAME
        raw = read_private(path)
        if raw is None:
            if in_use:  # fails closed
                raise _refused("is missing", "the file that the vault's keys hang from", "no file")
            key = entropy(KEY_BYTES)
            write_private(path, _written(key, passphrase, entropy))
            return cls(key)
        return cls(_key_of(raw, passphrase))

    @staticmethod
    def change_passphrase(folder: Path, *, old: str, new: str, entropy: Entropy) -> None:
        """Put the same key under another passphrase, or under none; raises ``Misconfigured``."""
        path = folder / FILE_NAME
        raw = read_private(path)
        if raw is None:
            raise _refused("is missing", "a vault that was opened before", "no file")
        write_private(path, _written(_key_of(raw, old), new, entropy))

    def wrap(self, key: bytes, bound: bytes) -> bytes:
        """A key wrapped (AES-256-GCM-SIV, RFC 8452)."""
        return self._cipher.seal(key, bound)

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """The key that was wrapped for this place; raises ``SealBroken``."""
        return self._cipher.open(wrapped, bound)

    def version(self, wrapped: bytes) -> str:  # noqa: ARG002 -- the port's
        """One key, without versions."""
        return ""


def _written(key: bytes, passphrase: str, entropy: Entropy) -> bytes:
    kept = _Kept(1, sealed=False, key=key)
    if passphrase:
        kept.salt, kept.sealed = entropy(_SALT_BYTES), True
        kept.key = _stretched(kept, passphrase).seal(key, _WAYS)
    return msgspec.json.encode(kept)


def _key_of(raw: bytes, passphrase: str) -> bytes:
    try:
        kept = msgspec.json.decode(raw, type=_Kept)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        kept = None
    if kept is None:
        raise _refused("is damaged", "the file that Shopward wrote", "another content")
    if kept.sealed != bool(passphrase):
        raise _refused(
            "and the passphrase do not fit",
            "a passphrase" if kept.sealed else "no passphrase: the file has none",
            "none" if kept.sealed else "one",
        )
    key = kept.key
    if kept.sealed:
        try:
            key = _stretched(kept, passphrase).open(kept.key, _WAYS)
        except SealBroken:
            key = b""
    if len(key) != KEY_BYTES:
        raise _refused("does not open", "the passphrase that it was sealed under", "another one, or damage")
    return key


def _stretched(kept: _Kept, passphrase: str) -> Cipher:
    secret = hash_secret_raw(
        passphrase.encode(), kept.salt, kept.passes, kept.memory_kib, kept.lanes, KEY_BYTES, Type.ID
    )
    return Cipher(GCM_SIV, 0, secret)


def _refused(what: str, expected: str, found: str) -> Misconfigured:
    return Misconfigured(
        f"the vault's root key {what}",
        path=FILE_NAME,
        expected=expected,
        found=found,
        hint="restore the file from its backup, and set SHOPWARD_VAULT_PASSPHRASE if it had one",
    )
