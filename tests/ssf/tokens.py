"""A transmitter of tests: its keys, and tokens that it signs as somebody asks for them."""

from __future__ import annotations

import json
import warnings

from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from shopward.ssf import Expected, read_keys

ISSUER = "https://idp.example.com/"
AUDIENCE = "https://shop.example/signals"
NOW_S = 1_767_571_200
SUBJECT = {"format": "iss_sub", "iss": ISSUER, "sub": "7375626A656374"}
HIJACKED = {"https://schemas.openid.net/secevent/risc/event-type/account-disabled": {"reason": "hijacking"}}
ANY_ALGORITHM = jws.JWSRegistry(
    algorithms=["RS256", "PS256", "ES256", "HS256", "none"], strict_check_header=False
)

RSA = RSAKey.generate_key(2048, {"kid": "r1"})
OTHER = RSAKey.generate_key(2048, {"kid": "r2"})
with warnings.catch_warnings(action="ignore"):  # the library says that it is small
    SMALL = RSAKey.generate_key(1024, {"kid": "small"})
EC = ECKey.generate_key("P-256", {"kid": "e1"})
SECRET = OctKey.generate_key(256, {"kid": "s1"})


def published(*keys):
    """The JWK set of some keys, as a transmitter publishes it."""
    return json.dumps({"keys": [each.as_dict(private=False) for each in keys]}).encode()


KEYS = read_keys(published(RSA, EC))


def expected(profile="ssf", critical=(), issuer=ISSUER, audience=(AUDIENCE,)):
    """What the transmitter's tokens have to say."""
    return Expected(issuer, frozenset(audience), profile, frozenset(critical))


def claims(**changes):
    """Those of a token that is right; what is changed to ``None`` is left out."""
    made = {
        "iss": ISSUER, "aud": AUDIENCE, "iat": NOW_S, "jti": "756E6971", "txn": "8675309", "sub_id": SUBJECT, "events": HIJACKED,
    }  # fmt: skip
    return {name: value for name, value in (made | changes).items() if value is not None}


def signed(told, key=RSA, **header):
    """A token; what is changed to ``None`` in its header is left out."""
    algorithm = {"RSA": "RS256", "EC": "ES256", "oct": "HS256"}[key.key_type]
    made = {"typ": "secevent+jwt", "alg": algorithm, "kid": key.kid} | header
    given = {name: value for name, value in made.items() if value is not None}
    return jws.serialize_compact(given, json.dumps(told), key, registry=ANY_ALGORITHM).encode()
