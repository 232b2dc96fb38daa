"""The key that signs checkpoints: 32 secret bytes of Ed25519 (RFC 8032) in ``audit.key`` of the data folder.

Promise: it is made once and never replaced (``keyring``). Where the log holds checkpoints and the key is missing, nothing
is made: under a new key every old checkpoint would look forged.

Not here: rotation, and hardware that keeps the key. Who reads the data folder can sign; a checkpoint file that was kept
elsewhere is what still holds then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shopward.keyring import KeyFile, open_key, read_key

if TYPE_CHECKING:
    from pathlib import Path

AUDIT_KEY: Final = KeyFile(
    "audit.key", "key that signs this audit log", "the key under which its checkpoints were signed"
)


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
    """The key of this data folder, ``None`` where it has none.

    Raises:
        Misconfigured: the file is no key or cannot be read.
    """
    seed = read_key(folder, AUDIT_KEY)
    return None if seed is None else SigningKey(seed)


def open_signing_key(folder: Path, *, has_checkpoints: bool) -> SigningKey:
    """The key of this data folder; a new one where neither it nor any checkpoint is there.

    Raises:
        Misconfigured: it is missing beside checkpoints, is no key, or the folder cannot be used.
    """
    return SigningKey(open_key(folder, AUDIT_KEY, in_use=has_checkpoints))
