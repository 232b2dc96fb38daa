"""The step-up key: 32 bytes of the data folder, from which everything secret here hangs.

Promise:

- Secrets of TOTP lie in the store as AES-256-GCM (NIST SP 800-38D) with a fresh 96-bit nonce, bound to tenant, user
  and factor: a row copied to another user or factor does not open. One key seals far fewer than the 2**32 messages
  that random nonces allow.
- A sent code lies there as HMAC-SHA-256, bound to its challenge and channel: who reads the store without the key
  cannot try the 10**8 codes.
- The key is made once. Where factors are enrolled and the key is missing, nothing starts.

It does not guard against somebody who has both the store and the data folder. The vault replaces it later: a sealed
value begins with the number of its form.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from shopward.access.files import read_private, write_private
from shopward.errors import Misconfigured, StoreError

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME: Final = "stepup.key"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
_FORM: Final = b"\x01"
_TAG_BYTES: Final = 16

Entropy = Callable[[int], bytes]
"""Where randomness comes from: ``secrets.token_bytes``, chosen by ``service``. It gives that many bytes."""


class Keys:
    """What is derived from the key, one sub-key for each use.

    Args:
        key: 32 secret bytes.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"the step-up key has {KEY_BYTES} bytes, not {len(key)}")
        self._aead = AESGCM(_derived(key, b"seal"))
        self._codes = _derived(key, b"codes")
        self._handles = _derived(key, b"handles")

    def seal(self, plain: bytes, *, context: tuple[str, ...], entropy: Entropy) -> bytes:
        """``plain`` encrypted and bound to ``context``."""
        nonce = entropy(NONCE_BYTES)
        return _FORM + nonce + self._aead.encrypt(nonce, plain, _joined(context))

    def unseal(self, sealed: bytes, *, context: tuple[str, ...]) -> bytes:
        """What was sealed for this very context.

        Raises:
            StoreError: it was sealed under another key or for another context, or is damaged. Fails closed.
        """
        nonce, rest = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        if sealed[:1] == _FORM and len(rest) >= _TAG_BYTES:
            try:
                return self._aead.decrypt(nonce, rest, _joined(context))
            except InvalidTag:
                pass
        raise StoreError(
            "a secret of a factor cannot be opened",
            expected="a value sealed under this key for this user and factor",
            found="another one, or damage",
            hint="restore stepup.key and the store from one backup; otherwise the customer enrols the factor again",
        )

    def code_digest(self, code: str, *, context: tuple[str, ...]) -> bytes:
        """The keyed hash under which a sent code is kept."""
        return hmac.digest(self._codes, _joined((*context, code)), "sha256")

    def user_handle(self, *context: str) -> bytes:
        """The name under which an authenticator keeps a user; it tells nothing of the user token."""
        return hmac.digest(self._handles, _joined(context), "sha256")


def open_stepup_key(folder: Path, *, nothing_enrolled: bool, entropy: Entropy) -> bytes:
    """The key of this data folder, made on first use.

    Raises:
        Misconfigured: it is missing although factors are enrolled, or is no key.
    """
    path = folder / FILE_NAME
    key = read_private(path)
    if key is None:
        if (
            not nothing_enrolled
        ):  # fails closed: under a new key every enrolled factor would be lost, silently
            raise Misconfigured(
                "the step-up key of this store is missing",
                path=FILE_NAME,
                expected="the key under which factors were enrolled",
                found="no file",
                hint="restore it from the backup of the data folder",
            )
        key = entropy(KEY_BYTES)
        write_private(path, key)
    if len(key) != KEY_BYTES:
        raise Misconfigured(
            "the step-up key is no key",
            path=FILE_NAME,
            expected=f"{KEY_BYTES} bytes",
            found=f"{len(key)} bytes",
            hint="restore it from the backup of the data folder",
        )
    return key


def _derived(key: bytes, use: bytes) -> bytes:
    """A sub-key (HKDF-Expand, RFC 5869); the key is uniform, so nothing needs extracting."""
    return HKDFExpand(SHA256(), KEY_BYTES, b"shopward/stepup/1/" + use).derive(key)


def _joined(parts: tuple[str, ...]) -> bytes:
    """Parts as bytes that no other parts give: each with its length before it."""
    return b"".join(len(raw).to_bytes(4, "big") + raw for raw in (part.encode() for part in parts))
