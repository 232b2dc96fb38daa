"""Our own keys of Shared Signals, and tokens signed with them.

Promise: RS256 under an RSA key of 2,048 bits, which every receiver of the interoperability profile takes; ``kid`` is the key's
thumbprint (RFC 7638). A private key leaves this module sealed or not at all.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from joserfc import jws
from joserfc.jwk import RSAKey

from shopward.ssf.keys import RSA_BITS_MIN
from shopward.ssf.sets import TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping

ALGORITHM: Final = "RS256"
OVERLAP_DAYS: Final = 7
"""So long stays the key of before published: tokens that it signed may still be on their way."""


class Made(NamedTuple):
    """A key: its id, its private half to be sealed, its public half to be published."""

    kid: str
    private: bytes
    public: dict[str, Any]


def new_key() -> Made:
    """Another key; takes a tenth of a second."""
    key = RSAKey.generate_key(RSA_BITS_MIN, auto_kid=True)
    public = dict(key.as_dict(private=False)) | {"alg": ALGORITHM, "use": "sig"}
    return Made(key.thumbprint(), msgspec.json.encode(key.as_dict(private=True)), public)


@lru_cache(maxsize=2)
def signer(private: bytes) -> RSAKey:
    """A key that was sealed; kept, since its primes are tested when it is read, which takes longer than all that it signs."""
    return RSAKey.import_key(msgspec.json.decode(private))


def sign(claims: Mapping[str, Any], key: RSAKey) -> str:
    """A security event token."""
    header = {"alg": ALGORITHM, "typ": TYPE, "kid": key.thumbprint()}
    return jws.serialize_compact(header, msgspec.json.encode(claims), key, [ALGORITHM])
