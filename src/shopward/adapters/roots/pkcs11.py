"""The root in a PKCS#11 token (a hardware security module, or SoftHSM): an AES key that never leaves it.

Promise: keys of the tenant are wrapped by AES-256-GCM inside the token, bound to their place; the process holds a session
and no root key. A token that does not answer is ``KeysUnavailable``: nothing is opened or sealed, and it is tried again.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from shopward.adapters.roots.extras import library_of
from shopward.errors import KeysUnavailable, Misconfigured, SealBroken
from shopward.vault.envelope import KEY_BYTES, NONCES

if TYPE_CHECKING:
    from collections.abc import Callable

_NONCE_BYTES: Final = 12
_TAG_BITS: Final = 128


class Pkcs11Root:
    """A root behind an open session.

    Args:
        library: ``pkcs11``, which is an extra.
        key: the AES key's handle.
        label: the key's label.
    """

    def __init__(self, library: Any, key: Any, label: str) -> None:
        self._library = library
        self._key = key
        self._one_at_a_time = threading.Lock()
        self.name = f"pkcs11:{label}"[:64]

    @classmethod
    def open(cls, rest: str, *, pin: str) -> Pkcs11Root:
        """The key that ``MODULE?token=LABEL&key=LABEL`` names.

        Raises:
            Misconfigured: library, module, token, PIN or key is missing or wrong.
        """
        module, _, query = rest.partition("?")
        named = dict(parse_qsl(query))
        pkcs11 = library_of("pkcs11")
        if pkcs11 is None:
            raise _refused("a root in a token needs python-pkcs11: pip install 'shopward[pkcs11]'")
        if not module or set(named) != {"token", "key"}:
            raise _refused("not an address of a key in a token")
        kind = ""
        try:
            token = pkcs11.lib(module).get_token(token_label=named["token"])
            try:
                session = token.open(user_pin=pin)
            except (
                pkcs11.UserAlreadyLoggedIn
            ):  # another session of this process did: a token counts the process
                session = token.open()
            key = session.get_key(object_class=pkcs11.ObjectClass.SECRET_KEY, label=named["key"])
        except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:  # RuntimeError: the module is no module
            kind = type(error).__name__
        else:
            return cls(pkcs11, key, named["key"])
        raise _refused(f"the token does not give its key ({kind})")

    def wrap(self, key: bytes, bound: bytes) -> bytes:
        """Nonce, ciphertext and tag; raises ``KeysUnavailable``."""
        nonce = NONCES.take(_NONCE_BYTES)
        return nonce + self._asked(self._key.encrypt, key, nonce, bound)

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """The key that was wrapped for this place; raises ``SealBroken`` or ``KeysUnavailable``."""
        key = self._asked(self._key.decrypt, wrapped[_NONCE_BYTES:], wrapped[:_NONCE_BYTES], bound)
        if len(key) != KEY_BYTES:
            raise _broken()
        return key

    def version(self, wrapped: bytes) -> str:  # noqa: ARG002 -- the port's
        """One key, without versions."""
        return ""

    def _asked(self, work: Callable[..., bytes], data: bytes, nonce: bytes, bound: bytes) -> bytes:
        library = self._library
        parameters = library.GCMParams(nonce, bound, _TAG_BITS)
        refused = False
        try:
            with self._one_at_a_time:
                return bytes(work(data, mechanism=library.Mechanism.AES_GCM, mechanism_param=parameters))
        except (library.EncryptedDataInvalid, library.EncryptedDataLenRange):
            refused = True
        except library.GeneralError:  # what SoftHSM says to a tag that does not fit
            refused = work == self._key.decrypt
        except library.PKCS11Error:
            refused = False
        if refused:
            raise _broken()
        raise KeysUnavailable("the token that keeps the vault's root does not answer", retry_after_s=5.0)


def _refused(what: str) -> Misconfigured:
    return Misconfigured(
        what,
        path="vault_root",
        expected="pkcs11:MODULE?token=LABEL&key=LABEL, and the PIN in SHOPWARD_VAULT_PIN",
    )


def _broken() -> SealBroken:
    return SealBroken("a wrapped key cannot be opened", expected="one wrapped by this key for this place")
