"""The root in Azure Key Vault: an RSA key that never leaves it (extra ``azure``), by its REST API.

Promise: keys of the tenant are wrapped by ``wrapkey`` with RSA-OAEP-256; their place lies sealed beside them and is compared,
since RSA binds to nothing. What is wrapped begins with the version of the key that made it, and is opened by that version
alone. Credentials are azure-identity's default chain. Down or refusing: ``KeysUnavailable``, fails closed (``calls``).

RSA wraps with a public key: it tells nobody who wrapped. Who can write the store and knows the public key could plant a
tenant key of his own; the audit log then has no ``vault:rotate`` for it (docs/vault.md).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Any, Final

from shopward.adapters.roots.calls import HttpCalls, misfit, named, not_allowed, not_ours, unavailable
from shopward.adapters.roots.extras import library_of
from shopward.vault.envelope import KEY_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

FORM: Final = "azure-kv:https://VAULT.vault.azure.net/keys/NAME"
SCOPE: Final = "https://vault.azure.net/.default"
_URL: Final = re.compile(r"(https?://[^/]+)/keys/([0-9A-Za-z-]{1,127})")
_VERSION: Final = re.compile(rb"[0-9a-z]{1,64}")
_API: Final = "api-version=7.4"
_ALGORITHM: Final = "RSA-OAEP-256"
_WRONG: Final = 400
_HINT: Final = "the identity needs the rights wrapKey and unwrapKey on this key, of the kind RSA"


class AzureRoot:
    """A root behind Key Vault.

    Args:
        calls: to the key vault.
        key: its name.
        credential: of azure-identity, an extra.
        error: what that raises, of azure-core.
    """

    def __init__(self, calls: HttpCalls, key: str, credential: Any, error: type[Exception]) -> None:
        self._calls = calls
        self._key = key
        self._credential = credential
        self._error = error
        self.name = f"azure-kv:{calls.host.partition('.')[0]}/{key}"[:64]

    @classmethod
    def open(cls, rest: str) -> AzureRoot:
        """The key that the setting names; nobody is asked yet. Raises ``Misconfigured``."""
        url, _said = named(rest, needed=frozenset(), allowed=frozenset(), expected=FORM)
        found = _URL.fullmatch(url)
        if found is None:
            raise misfit("not the address of a key", FORM, "another text")
        identity, core = library_of("azure.identity"), library_of("azure.core.exceptions")
        if identity is None or core is None:
            raise misfit(
                "a root in Azure Key Vault needs azure-identity",
                "pip install 'shopward[azure]'",
                "no such library",
            )
        calls = HttpCalls(found[1], expected=FORM)
        return cls(calls, found[2], identity.DefaultAzureCredential(), core.AzureError)

    def wrap(self, key: bytes, bound: bytes) -> bytes:
        """The version's name, a colon, and what the key vault made; raises ``KeysUnavailable``."""
        answer = self._asked("wrapkey", "", hashlib.sha256(bound).digest() + key)
        sealed, version = _bytes(answer), str(answer.get("kid", "")).rpartition("/")[2].encode()
        if not sealed or _VERSION.fullmatch(version) is None:
            raise not_allowed(_HINT)
        return version + b":" + sealed

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """The key that was wrapped for this place; raises ``SealBroken`` or ``KeysUnavailable``."""
        version, _, sealed = wrapped.partition(b":")
        if _VERSION.fullmatch(version) is None:
            raise not_ours()
        plain = _bytes(self._asked("unwrapkey", "/" + version.decode(), sealed))
        place, key = plain[:KEY_BYTES], plain[KEY_BYTES:]
        if len(key) != KEY_BYTES or not hmac.compare_digest(place, hashlib.sha256(bound).digest()):
            raise not_ours()
        return key

    def version(self, wrapped: bytes) -> str:
        """The version of the key that wrapped this."""
        return wrapped.partition(b":")[0].decode("ascii", "replace")

    def _asked(self, deed: str, version: str, value: bytes) -> Mapping[str, Any]:
        try:
            token = self._credential.get_token(SCOPE).token
        except self._error:
            token = ""
        if not token:
            raise unavailable("no access token")
        body = {"alg": _ALGORITHM, "value": base64.urlsafe_b64encode(value).rstrip(b"=").decode()}
        answer = self._calls.ask(
            "POST",
            f"/keys/{self._key}{version}/{deed}?{_API}",
            headers={"authorization": "Bearer " + token},
            body=body,
        )
        if deed == "unwrapkey" and answer.status == _WRONG:
            raise not_ours()
        if not answer.is_ok:
            raise not_allowed(_HINT)
        return answer.body


def _bytes(answer: Mapping[str, Any]) -> bytes:
    """Base64 for URLs without its filling, as Key Vault has it."""
    try:
        raw = str(answer.get("value", "")).encode()
        return base64.urlsafe_b64decode(raw + b"=" * (-len(raw) % 4))
    except (ValueError, binascii.Error):
        return b""
