"""The root in AWS KMS: a key that never leaves it (extra ``aws``).

Promise: keys of the tenant are wrapped by ``Encrypt`` under the named key with their place as encryption context, which KMS
binds (it is authenticated, and CloudTrail shows it); only ciphertext of that very key is opened (``KeyId`` of ``Decrypt``).
Credentials come as botocore finds them: environment, profile, role of the machine. Time-outs and no second try of the
library's own. Down, throttled or refusing: ``KeysUnavailable``, fails closed (``calls``).
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from shopward.adapters.roots.calls import (
    TIMEOUT_S,
    HttpCalls,
    misfit,
    named,
    not_allowed,
    not_ours,
    unavailable,
)
from shopward.adapters.roots.extras import library_of
from shopward.vault.envelope import KEY_BYTES

FORM: Final = "aws-kms:KEY_ARN?region=NAME, or an alias; &endpoint=URL where it is not the public one"
_NOT_OURS: Final = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
_LATER: Final = frozenset(
    {"ThrottlingException", "DependencyTimeoutException", "KMSInternalException", "LimitExceededException"}
)
_HINT: Final = "the role needs kms:Encrypt and kms:Decrypt on this key, which must be enabled"


class AwsRoot:
    """A root behind KMS.

    Args:
        exceptions: ``botocore.exceptions``, of an extra.
        client: of KMS.
        key: its ARN, id or alias.
    """

    def __init__(self, exceptions: Any, client: Any, key: str) -> None:
        self._exceptions = exceptions
        self._client = client
        self._key = key
        self.name = f"aws-kms:{key.rpartition(':')[2]}"[:64]

    @classmethod
    def open(cls, rest: str) -> AwsRoot:
        """The key that the setting names; nobody is asked yet. Raises ``Misconfigured``."""
        key, said = named(rest, needed=frozenset({"region"}), allowed=frozenset({"endpoint"}), expected=FORM)
        session, config, exceptions = map(
            library_of, ("botocore.session", "botocore.config", "botocore.exceptions")
        )
        if session is None or config is None or exceptions is None:
            raise misfit("a root in AWS KMS needs botocore", "pip install 'shopward[aws]'", "no such library")
        endpoint = said.get("endpoint")
        if endpoint is not None:
            HttpCalls(endpoint, expected=FORM)  # refuses what is not under TLS
        once = config.Config(
            connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, retries={"total_max_attempts": 1}
        )
        try:
            client = session.get_session().create_client(
                "kms", region_name=said["region"], endpoint_url=endpoint, config=once
            )
        except (exceptions.BotoCoreError, ValueError):
            client = None
        if client is None:
            raise misfit(
                "AWS KMS cannot be used", FORM, "a region, profile or endpoint that botocore refuses"
            )
        return cls(exceptions, client, key)

    def wrap(self, key: bytes, bound: bytes) -> bytes:
        """What KMS makes of a key; raises ``KeysUnavailable``."""
        said = self._asked("encrypt", Plaintext=key, bound=bound)
        return bytes(said["CiphertextBlob"])

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """The key that was wrapped for this place; raises ``SealBroken`` or ``KeysUnavailable``."""
        key = bytes(self._asked("decrypt", CiphertextBlob=wrapped, bound=bound)["Plaintext"])
        if len(key) != KEY_BYTES:
            raise not_ours()
        return key

    def version(self, wrapped: bytes) -> str:  # noqa: ARG002 -- the port's
        """KMS keeps every version of a key itself and names none."""
        return ""

    def _asked(self, deed: str, *, bound: bytes, **values: bytes) -> Any:
        place = {"shopward": hashlib.sha256(bound).hexdigest()}
        word = ""
        try:
            return getattr(self._client, deed)(KeyId=self._key, EncryptionContext=place, **values)
        except self._exceptions.ClientError as refused:
            error = refused.response.get("Error", {})
            word = str(error.get("Code", "")) or "refused"
            status = refused.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            word = "LimitExceededException" if status >= 500 else word
        except self._exceptions.BotoCoreError:  # no route, a time-out, no credentials
            pass
        if deed == "decrypt" and word in _NOT_OURS:
            raise not_ours()
        if not word or word in _LATER:
            raise unavailable(word or "no answer, or no credentials")
        raise not_allowed(_HINT)
