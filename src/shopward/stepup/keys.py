"""The step-up key: 32 bytes of the data folder, from which everything secret here hangs.

Promise:

- Secrets of TOTP lie in the store sealed (``keyring.Sealer``), bound to tenant, user and factor: a row copied to another
  user or factor does not open.
- A sent code lies there as HMAC-SHA-256, bound to its challenge and channel: who reads the store without the key
  cannot try the 10**8 codes.
- The key is made once. Where factors are enrolled and the key is missing, nothing starts.

It does not guard against somebody who has both the store and the data folder.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from shopward.keyring import KEY_BYTES, Entropy, KeyFile, Sealer, derived, joined, open_key

if TYPE_CHECKING:
    from pathlib import Path

STEPUP_KEY: Final = KeyFile(
    "stepup.key", "step-up key of this store", "the key under which factors were enrolled"
)
_HINT: Final = (
    "restore stepup.key and the store from one backup; otherwise the customer enrols the factor again"
)


class Keys:
    """What is derived from the key, one sub-key for each use.

    Args:
        key: 32 secret bytes.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"the step-up key has {KEY_BYTES} bytes, not {len(key)}")
        sealer = Sealer(_derived(key, b"seal"), what="a secret of a factor", hint=_HINT)
        self.seal, self.unseal = sealer.seal, sealer.unseal
        self._codes = _derived(key, b"codes")
        self._handles = _derived(key, b"handles")

    def code_digest(self, code: str, *, context: tuple[str, ...]) -> bytes:
        """The keyed hash under which a sent code is kept."""
        return hmac.digest(self._codes, joined((*context, code)), "sha256")

    def user_handle(self, *context: str) -> bytes:
        """The name under which an authenticator keeps a user; it tells nothing of the user token."""
        return hmac.digest(self._handles, joined(context), "sha256")


def open_stepup_key(folder: Path, *, nothing_enrolled: bool, entropy: Entropy) -> bytes:
    """The key of this data folder, made on first use.

    Raises:
        Misconfigured: it is missing although factors are enrolled, or is no key.
    """
    return open_key(folder, STEPUP_KEY, in_use=not nothing_enrolled, entropy=entropy)


def _derived(key: bytes, use: bytes) -> bytes:
    return derived(key, b"shopward/stepup/1/" + use)
