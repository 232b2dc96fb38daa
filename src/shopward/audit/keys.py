"""The key that signs checkpoints: 32 secret bytes of Ed25519 (RFC 8032) in ``audit.key`` of the data folder.

Promise: it is made whole or not at all, readable by its owner alone from the first byte, and never replaced: where two
processes make it at once, both get the one that came first. Where the log holds checkpoints and the key is missing,
nothing is made: under a new key every old checkpoint would look forged.

Not here: rotation, and hardware that keeps the key. Who reads the data folder can sign; a checkpoint file that was kept
elsewhere is what still holds then.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shopward.audit.tables import KEY_BYTES
from shopward.errors import Misconfigured

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME: Final = "audit.key"


class SigningKey:
    """Signs checkpoints.

    Args:
        seed: the 32 secret bytes.
    """

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key = self._key.public_key().public_bytes_raw()

    def __repr__(self) -> str:
        return f"SigningKey({self.public_key.hex()[:16]}...)"

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature."""
        return self._key.sign(message)


def is_signed(message: bytes, *, signature: bytes, public_key: bytes) -> bool:
    """Whether the holder of the key signed this message. Fails closed."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_signing_key(folder: Path) -> SigningKey | None:
    """The key of this data folder, ``None`` where it has none; group and others lose their rights on the file.

    Raises:
        Misconfigured: the file is no key or cannot be read.
    """
    try:
        seed = _read(folder / FILE_NAME)
    except FileNotFoundError:
        return None
    except OSError as error:
        failure = _refused(error)
    else:
        return SigningKey(_checked(seed))
    raise failure


def open_signing_key(folder: Path, *, has_checkpoints: bool) -> SigningKey:
    """The key of this data folder; a new one where neither it nor any checkpoint is there.

    Raises:
        Misconfigured: it is missing beside checkpoints, is no key, or the folder cannot be used.
    """
    key = read_signing_key(folder)
    if key is not None:
        return key
    if has_checkpoints:  # fails closed
        raise Misconfigured(
            "the key that signed the checkpoints of this audit log is missing",
            path=FILE_NAME,
            expected="the key under which the checkpoints were signed",
            found="no file",
            hint="restore it from the backup of the data folder, or point --data at the folder that has it",
        )
    try:
        _create(folder / FILE_NAME, secrets.token_bytes(KEY_BYTES))
        seed = _read(folder / FILE_NAME)
    except OSError as error:
        failure = _refused(error)
    else:
        return SigningKey(_checked(seed))
    raise failure


def _create(path: Path, seed: bytes) -> None:
    """1. a new file of our own, 2. to the disk, 3. its name unless it is taken, 4. the name to the disk."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 -- a mode needs a descriptor
            file.write(seed)  # 1
            file.flush()
            os.fsync(file.fileno())  # 2
        with suppress(FileExistsError):  # somebody else's came first, and holds
            path.hardlink_to(new)  # 3
    finally:
        new.unlink()
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)  # 4
    finally:
        os.close(directory)


def _read(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return path.read_bytes()


def _checked(seed: bytes) -> bytes:
    if len(seed) != KEY_BYTES:
        raise Misconfigured(
            "the audit key is no key",
            path=FILE_NAME,
            expected=f"{KEY_BYTES} bytes",
            found=f"{len(seed)} bytes",
            hint="restore it from the backup of the data folder",
        )
    return seed


def _refused(error: OSError) -> Misconfigured:
    return Misconfigured(
        "the audit key cannot be used",
        path=FILE_NAME,
        expected="a file that this user may read, in a folder that it may write",
        found=os.strerror(error.errno) if error.errno else type(error).__name__,
    )
