"""Sealing: what lies in a store and must not be read with the store alone.

Promise: AES-256-GCM (NIST SP 800-38D) under a key of its own use, with a fresh 96-bit nonce, bound to a context: a value
that was copied to another row does not open, and no changed byte goes unseen. One key seals far fewer than the 2**32
messages that random nonces allow. A sealed value begins with the number of its form, so that a vault can take over.

It does not guard against somebody who has both the store and the data folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from shopward.errors import StoreError
from shopward.keyring.keys import KEY_BYTES

if TYPE_CHECKING:
    from shopward.keyring.keys import Entropy

NONCE_BYTES: Final = 12
_FORM: Final = b"\x01"
_TAG_BYTES: Final = 16


class Sealer:
    """Seals and opens.

    Args:
        key: 32 secret bytes, or a sub-key of them.
        what: people's word for what is sealed, for the error.
        hint: what to do where it cannot be opened.
    """

    def __init__(self, key: bytes, *, what: str, hint: str) -> None:
        self._aead = AESGCM(key)
        self._what = what
        self._hint = hint

    def seal(self, plain: bytes, *, context: tuple[str, ...], entropy: Entropy) -> bytes:
        """``plain`` encrypted and bound to ``context``."""
        nonce = entropy(NONCE_BYTES)
        return _FORM + nonce + self._aead.encrypt(nonce, plain, joined(context))

    def unseal(self, sealed: bytes, *, context: tuple[str, ...]) -> bytes:
        """What was sealed for this very context.

        Raises:
            StoreError: it was sealed under another key or for another context, or is damaged. Fails closed.
        """
        nonce, rest = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        if sealed[:1] == _FORM and len(rest) >= _TAG_BYTES:
            try:
                return self._aead.decrypt(nonce, rest, joined(context))
            except InvalidTag:
                pass
        raise StoreError(
            f"{self._what} cannot be opened",
            expected="a value sealed under this key for this row",
            found="another one, or damage",
            hint=self._hint,
        )


class Seals(Protocol):
    """Seals and opens: by one key, or by a newest one and those before it."""

    def seal(self, plain: bytes, *, context: tuple[str, ...], entropy: Entropy) -> bytes:
        """Encrypted and bound to ``context``."""
        ...

    def unseal(self, sealed: bytes, *, context: tuple[str, ...]) -> bytes:
        """What was sealed for this very context; raises ``StoreError``."""
        ...


class BoundSealer:
    """Seals and opens what belongs to one tenant.

    Args:
        tenant: what is sealed is bound to it.
        sealer: closes and opens.
        entropy: makes nonces.
    """

    def __init__(self, tenant: str, sealer: Seals, entropy: Entropy) -> None:
        self._tenant, self._sealer, self._entropy = tenant, sealer, entropy

    def close(self, plain: bytes, *place: str) -> bytes:
        """Sealed for its place."""
        return self._sealer.seal(plain, context=(self._tenant, *place), entropy=self._entropy)

    def open(self, sealed: bytes, *place: str) -> bytes:
        """What was sealed for this place; raises ``StoreError``."""
        return self._sealer.unseal(sealed, context=(self._tenant, *place))


def derived(key: bytes, use: bytes) -> bytes:
    """A sub-key for one use (HKDF-Expand, RFC 5869); the key is uniform, so nothing needs extracting."""
    return HKDFExpand(SHA256(), KEY_BYTES, use).derive(key)


def joined(parts: tuple[str, ...]) -> bytes:
    """Parts as bytes that no other parts give: each with its length before it."""
    return b"".join(len(raw).to_bytes(4, "big") + raw for raw in (part.encode() for part in parts))
