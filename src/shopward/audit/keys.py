"""The key that signs checkpoints: 32 secret bytes of Ed25519 (RFC 8032) in ``audit.key`` of the data folder.

Promise: it is made once, and where it is rotated the old one vouches for the new one in the log itself (``verifier``), so that
what it signed holds and a checkpoint that was kept elsewhere leads from either to the other. Where the log holds checkpoints
and the key is missing, nothing is made: under a new key every old checkpoint would look forged.

Not here: hardware that keeps the key. Who reads the data folder can sign; a checkpoint file that was kept
elsewhere is what still holds then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shopward.keyring import Generations, KeyFile, open_key, read_key

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

    def now(self) -> SigningKey:
        """This key, whatever the data folder has by now."""
        return self

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature."""
        return self._key.sign(message)


class FolderSigner:
    """The key in use of a data folder, read when something is signed: a rotation by another process counts at once.

    Args:
        generations: of ``AUDIT_KEY``.
    """

    def __init__(self, generations: Generations) -> None:
        self._generations = generations

    def now(self) -> SigningKey:
        """The key in use; raises ``Misconfigured`` where it is gone. Fails closed: nothing is signed."""
        return SigningKey(self._generations.all()[0].key)


def is_signed(message: bytes, *, signature: bytes, public_key: bytes) -> bool:
    """Whether the holder of the key signed this message. Fails closed."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_keys(folder: Path) -> tuple[bytes, ...]:
    """Of the keys of this data folder that were not destroyed, the newest first; none where it has none."""
    if read_key(folder, AUDIT_KEY) is None:
        return ()
    return tuple(SigningKey(each.key).public_key for each in Generations(folder, AUDIT_KEY).all())


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
