"""The public keys of a transmitter, out of its JWK set (RFC 7517).

Promise: only keys that can sign under an algorithm of ours are taken: RSA of 2,048 bits and more, P-256 and P-384. Never ``none``
and never a shared secret, whatever the set or a token says. What is of another kind is passed over, as the RFC wants; a set
without any key that can be used is none. Fails closed.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from typing import Any, Final

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "ES384")
RSA_BITS_MIN: Final = 2_048
KEYS_MAX: Final = 64
_CURVES: Final = {"P-256": "ES256", "P-384": "ES384"}
_RSA: Final = frozenset({"RS256", "PS256"})

PublicKey = RSAKey | ECKey


class KeySet:
    """Keys by their ids.

    Args:
        keys: id, key, and what it may sign with.
    """

    def __init__(self, keys: list[tuple[str, PublicKey, frozenset[str]]]) -> None:
        self._keys = keys

    def __bool__(self) -> bool:
        return bool(self._keys)

    def pick(self, kid: str | None, algorithm: str) -> PublicKey | None:
        """The key of this id for this algorithm; where a token names none, the only one that there is."""
        fitting = [(name, key) for name, key, signs in self._keys if algorithm in signs]
        if kid is None:
            return fitting[0][1] if len(fitting) == 1 else None
        return next((key for name, key in fitting if name == kid), None)


def read_keys(raw: bytes) -> KeySet:
    """The usable keys of a set; none where the bytes are no set."""
    try:
        listed = msgspec.json.decode(raw)["keys"][:KEYS_MAX]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError, IndexError):
        return KeySet([])
    return KeySet([found for each in listed if isinstance(each, dict) and (found := _key(each)) is not None])


def _key(raw: dict[str, Any]) -> tuple[str, PublicKey, frozenset[str]] | None:
    kid = raw.get("kid", "")
    if not isinstance(kid, str) or raw.get("use", "sig") != "sig":
        return None
    public: dict[str, Any] = {name: raw[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in raw}
    try:
        key: PublicKey
        if raw.get("kty") == "RSA":
            if int.from_bytes(urlsafe_b64decode(public["n"] + "==")).bit_length() < RSA_BITS_MIN:
                return None
            key, signs = RSAKey.import_key(public), _RSA
        elif raw.get("kty") == "EC" and raw.get("crv") in _CURVES:
            key, signs = ECKey.import_key(public), frozenset({_CURVES[raw["crv"]]})
        else:
            return None
        allowed = signs & {raw["alg"]} if "alg" in raw else signs
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return kid, key, allowed
