"""The root under an age identity (https://age-encryption.org/v1): a file that an operator keeps where it likes.

Promise: what is wrapped is an age file for the one recipient of that identity; the place is in the sealed text and is
compared, since age binds to nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any, Final

from shopward.adapters.roots.extras import library_of
from shopward.errors import Misconfigured, SealBroken
from shopward.vault.envelope import KEY_BYTES

if TYPE_CHECKING:
    from pathlib import Path

_PREFIX: Final = "AGE-SECRET-KEY-"


class AgeRoot:
    """A root under one identity.

    Args:
        pyrage: the library, which is an extra.
        identity: opens.
    """

    def __init__(self, pyrage: Any, identity: Any) -> None:
        self._pyrage = pyrage
        self._identity = identity
        self._recipient = identity.to_public()
        self.name = "age:" + hashlib.sha256(str(self._recipient).encode()).hexdigest()[:16]

    @classmethod
    def open(cls, path: Path) -> AgeRoot:
        """The identity of a file as ``age-keygen`` writes it.

        Raises:
            Misconfigured: the library or the identity is missing.
        """
        pyrage = library_of("pyrage")
        if pyrage is None:
            raise Misconfigured(
                "a root under age needs pyrage", path="vault_root", hint="pip install 'shopward[age]'"
            )
        try:
            lines = path.read_text().splitlines()
            identity = pyrage.x25519.Identity.from_str(
                next(line.strip() for line in lines if line.startswith(_PREFIX))
            )
        except (OSError, UnicodeDecodeError, StopIteration, pyrage.IdentityError):
            identity = None
        if identity is None:  # outside of the block: the cause could hold a line of the file
            raise Misconfigured(
                "the identity file of the vault cannot be used",
                path="vault_root",
                expected="a file of age-keygen that this user may read",
            )
        return cls(pyrage, identity)

    def wrap(self, key: bytes, bound: bytes) -> bytes:
        """A key as an age file."""
        sealed: bytes = self._pyrage.encrypt(hashlib.sha256(bound).digest() + key, [self._recipient])
        return sealed

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """The key that was wrapped for this place; raises ``SealBroken``."""
        try:
            plain: bytes = self._pyrage.decrypt(wrapped, [self._identity])
        except self._pyrage.DecryptError:
            plain = b""
        place, key = plain[:KEY_BYTES], plain[KEY_BYTES:]
        if len(key) != KEY_BYTES or not hmac.compare_digest(place, hashlib.sha256(bound).digest()):
            raise SealBroken(
                "a wrapped key cannot be opened", expected="one wrapped for this identity and place"
            )
        return key

    def version(self, wrapped: bytes) -> str:  # noqa: ARG002 -- the port's
        """One key, without versions."""
        return ""
