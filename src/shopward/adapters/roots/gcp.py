"""The root in Google Cloud KMS: a key that never leaves it (extra ``gcp``), by its REST API.

Promise: keys of the tenant are wrapped by ``:encrypt`` of the named symmetric key with their place as additional
authenticated data; ``:decrypt`` finds the version of the key itself. What is wrapped begins with the version that made it,
so that the report tells which can go. Credentials are Application Default Credentials (google-auth). Each answer's CRC-32C
is not asked for: the tag tells damage. Down or refusing: ``KeysUnavailable``, fails closed (``calls``).
"""

from __future__ import annotations

import base64
import binascii
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from shopward.adapters.roots.calls import HttpCalls, misfit, named, not_allowed, not_ours, unavailable
from shopward.adapters.roots.extras import library_of
from shopward.vault.envelope import KEY_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

FORM: Final = (
    "gcp-kms:projects/P/locations/L/keyRings/R/cryptoKeys/K; ?endpoint=URL where it is not the public one"
)
PUBLIC: Final = "https://cloudkms.googleapis.com"
SCOPE: Final = "https://www.googleapis.com/auth/cloudkms"
_KEY: Final = re.compile(r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/([^/]+)")
_HINT: Final = "the account needs roles/cloudkms.cryptoKeyEncrypterDecrypter on this key"
_WRONG: Final = 400


class GcpRoot:
    """A root behind Cloud KMS.

    Args:
        calls: to the API.
        key: its resource name.
        token: gives a valid access token.
    """

    def __init__(self, calls: HttpCalls, key: str, token: _Token) -> None:
        self._calls = calls
        self._key = key
        self._token = token
        self.name = f"gcp-kms:{key.rpartition('/')[2]}"[:64]

    @classmethod
    def open(cls, rest: str) -> GcpRoot:
        """The key that the setting names. Raises ``Misconfigured`` where there are no credentials."""
        key, said = named(rest, needed=frozenset(), allowed=frozenset({"endpoint"}), expected=FORM)
        if _KEY.fullmatch(key) is None:
            raise misfit("not the name of a key", FORM, "another text")
        auth, transport = library_of("google.auth"), library_of("google.auth.transport.requests")
        if auth is None or transport is None:
            raise misfit(
                "a root in Google Cloud KMS needs google-auth",
                "pip install 'shopward[gcp]'",
                "no such library",
            )
        calls = HttpCalls(said.get("endpoint", PUBLIC), expected=FORM)
        return cls(calls, key, _Token(auth, transport.Request()))

    def wrap(self, key: bytes, bound: bytes) -> bytes:
        """The version's number, a colon, and what KMS made; raises ``KeysUnavailable``."""
        answer = self._asked("encrypt", plaintext=key, additionalAuthenticatedData=bound)
        sealed, version = _bytes(answer, "ciphertext"), str(answer.get("name", "")).rpartition("/")[2]
        if not sealed:
            raise not_allowed(_HINT)
        return version.encode() + b":" + sealed

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """The key that was wrapped for this place; raises ``SealBroken`` or ``KeysUnavailable``."""
        sealed = wrapped.partition(b":")[2]
        key = _bytes(
            self._asked("decrypt", ciphertext=sealed, additionalAuthenticatedData=bound), "plaintext"
        )
        if len(key) != KEY_BYTES:
            raise not_ours()
        return key

    def version(self, wrapped: bytes) -> str:
        """The version of the key that wrapped this."""
        return wrapped.partition(b":")[0].decode("ascii", "replace")

    def _asked(self, deed: str, **values: bytes) -> Mapping[str, Any]:
        body = {name: base64.b64encode(value).decode() for name, value in values.items()}
        headers = {"authorization": "Bearer " + self._token.valid()}
        answer = self._calls.ask("POST", f"/v1/{self._key}:{deed}", headers=headers, body=body)
        if deed == "decrypt" and answer.status == _WRONG:
            raise not_ours()
        if not answer.is_ok:
            raise not_allowed(_HINT)
        return answer.body


class _Token:
    """An access token, asked for again shortly before it ends."""

    def __init__(self, auth: Any, request: Any) -> None:
        self._request = request
        self._error: type[Exception] = auth.exceptions.GoogleAuthError
        self._credentials: Any = None
        with suppress(self._error):
            self._credentials, _project = auth.default(scopes=[SCOPE])
        if self._credentials is None:
            raise misfit(
                "there are no credentials for Google Cloud",
                "GOOGLE_APPLICATION_CREDENTIALS, or a machine's",
                "none",
            )

    def valid(self) -> str:
        """A token; raises ``KeysUnavailable`` where nobody gives one."""
        if not self._credentials.valid:
            with suppress(self._error):
                self._credentials.refresh(self._request)
        if not self._credentials.valid:
            raise unavailable("no access token")
        return str(self._credentials.token)


def _bytes(answer: Mapping[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(answer.get(name, ""), validate=True)
    except (TypeError, binascii.Error):
        return b""
