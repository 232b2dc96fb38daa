"""Security event tokens (RFC 8417), as the Shared Signals Framework profiles them: read, checked, or refused.

Promise: what ``verify`` gives was signed by a key of its transmitter, says what its event is defined to say, and is meant for
us. Nothing of a token is believed before its signature is right. Fails closed: what cannot be checked is refused, with the
error code of RFC 8935 (2.4) and never a value of the token.

The story of a token:
  (1) its form and its algorithm; the explicit type keeps ID tokens and access tokens of the same keys out
  (2) the signature
  (3) the claims: whose, for whom, which, when; no ``sub`` and no ``exp``
  (4) exactly one event, and whom it is about

Three profiles: ``ssf`` is the standard. ``google`` (Cross-Account Protection) leaves the type out and the subject inside of
the event. ``apple`` (server-to-server notifications) writes the event as a string of JSON and ends its tokens.

Not here: whether a token came before (the store), and whether its transmitter may speak of that customer (``flows.receive``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from msgspec import Struct

from shopward.errors import Refused
from shopward.ssf.events import VERIFICATIONS, fault_of
from shopward.ssf.keys import ALGORITHMS, KeySet
from shopward.ssf.subjects import Subject, read_subject

if TYPE_CHECKING:
    from collections.abc import Mapping

Profile = Literal["ssf", "google", "apple"]
ErrorCode = Literal[
    "invalid_request", "invalid_key", "invalid_issuer", "invalid_audience", "authentication_failed", "access_denied",
    "invalid_state",
]  # fmt: skip
TYPE: Final = "secevent+jwt"
SECEVENT: Final = "application/" + TYPE
BYTES_MAX: Final = 64 * 1024
JTI_MAX: Final = 512
SKEW_S: Final = 300
"""How far ahead of ours the clock of a transmitter may be."""
APPLE_EVENTS: Final = "https://appleid.apple.com/event-type/"
"""Apple's types are bare words; here they stand behind this, so that no two vocabularies are mixed up."""


class _Registry(jws.JWSRegistry):
    """Takes headers with a chain of certificates, too."""

    max_header_length = 16 * 1024


_registry: Final = _Registry(algorithms=list(ALGORITHMS), strict_check_header=False)


class SetRefused(Refused):
    """A token that is not taken.

    Attributes:
        err: the error code of RFC 8935, or of SSF.
    """

    code = "set_refused"
    status = 400

    def __init__(self, err: ErrorCode, message: str, *, path: str | None = None) -> None:
        super().__init__(message, path=path)
        self.err: ErrorCode = err


class KeyUnknown(SetRefused):
    """No key of the set can have signed it: where the set is old, the transmitter may have another one by now."""

    def __init__(self) -> None:
        super().__init__("invalid_key", "no key of the transmitter's fits this token", path="kid")


class Expected(NamedTuple):
    """What a transmitter's tokens have to say.

    Attributes:
        critical: members of complex subjects that have to be understood.
    """

    issuer: str
    audience: frozenset[str]
    profile: Profile = "ssf"
    critical: frozenset[str] = frozenset()


class SecurityEvent(Struct, frozen=True):
    """One event of a token that was checked.

    Attributes:
        event: the URI of its type.
        subject: none where the token names none, or one that has to be discarded.
        happened_s: when, where the transmitter says so in seconds of the past; else when the token was made.
        txn: what several tokens of one cause share.
    """

    issuer: str
    jti: str
    issued_s: int
    event: str
    payload: dict[str, Any]
    subject: Subject | None
    happened_s: int
    txn: str = ""


def verify(token: bytes, expected: Expected, keys: KeySet, *, now_s: int) -> SecurityEvent:
    """The event of a token; raises ``SetRefused``."""
    claims = _signed_claims(token, expected, keys)  # (1), (2)
    jti, issued_s = _checked(claims, expected, now_s)  # (3)
    event, payload = _event(claims, expected)  # (4)
    fault = fault_of(event, payload)
    if fault is not None:
        raise SetRefused("invalid_request", "the event is not what its type is defined to be", path=fault)
    txn = claims.get("txn", "")
    if not isinstance(txn, str):
        raise SetRefused("invalid_request", "not text", path="txn")
    return SecurityEvent(
        issuer=expected.issuer, jti=jti, issued_s=issued_s, event=event, payload=payload,
        subject=_subject(claims, event, payload, expected), happened_s=_happened(payload, issued_s), txn=txn[:JTI_MAX],
    )  # fmt: skip


def audience_of(told: Mapping[str, Any]) -> tuple[str, ...]:
    """Who is meant: ``aud`` is text or a list."""
    named = told.get("aud")
    listed = named if isinstance(named, list) else [named]
    return tuple(each for each in listed if isinstance(each, str))


def _signed_claims(token: bytes, expected: Expected, keys: KeySet) -> dict[str, Any]:
    try:
        parsed = jws.extract_compact(token, registry=_registry) if len(token) <= BYTES_MAX else None
        header: dict[str, Any] = {} if parsed is None else parsed.headers()
    except (JoseError, ValueError, TypeError, RecursionError):
        parsed, header = None, {}
    if parsed is None or not isinstance(header, dict):
        raise SetRefused("invalid_request", "no signed token")
    algorithm, kid = header.get("alg"), header.get("kid")
    if expected.profile == "ssf" and str(header.get("typ", "")).lower().removeprefix("application/") != TYPE:
        raise SetRefused("invalid_request", "the token is not typed as a security event", path="typ")
    if algorithm not in ALGORITHMS or not isinstance(kid, str | None):
        raise SetRefused("invalid_key", "not signed with an algorithm that is taken here", path="alg")
    key = keys.pick(kid, str(algorithm))
    if key is None:
        raise KeyUnknown
    if not _is_signed(parsed, key):
        raise SetRefused("invalid_key", "the signature is not the transmitter's")
    try:
        claims = msgspec.json.decode(parsed.payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise SetRefused("invalid_request", "the token holds no claims")
    return claims


def _is_signed(parsed: jws.CompactSignature, key: Any) -> bool:
    try:
        return jws.validate_compact(parsed, key, registry=_registry)
    except (JoseError, ValueError, TypeError):
        return False


def _checked(claims: dict[str, Any], expected: Expected, now_s: int) -> tuple[str, int]:
    """Its id and when it was made."""
    if claims.get("iss") != expected.issuer:
        raise SetRefused("invalid_issuer", "another issuer than the stream's", path="iss")
    if expected.audience.isdisjoint(audience_of(claims)):
        raise SetRefused("invalid_audience", "not meant for this receiver", path="aud")
    if "sub" in claims:
        raise SetRefused("invalid_request", "a subject stands in sub_id alone", path="sub")
    ends = claims.get("exp")
    if ends is not None and (expected.profile != "apple" or not isinstance(ends, int) or ends <= now_s):
        raise SetRefused("invalid_request", "an event does not expire", path="exp")
    jti, issued_s = claims.get("jti"), claims.get("iat")
    if not isinstance(jti, str) or not 0 < len(jti) <= JTI_MAX:
        raise SetRefused("invalid_request", "no id of this token", path="jti")
    if not isinstance(issued_s, int) or isinstance(issued_s, bool) or not 0 <= issued_s <= now_s + SKEW_S:
        raise SetRefused("invalid_request", "not made in the past", path="iat")
    return jti, issued_s


def _event(claims: dict[str, Any], expected: Expected) -> tuple[str, dict[str, Any]]:
    events = claims.get("events")
    if expected.profile == "apple":
        return _apple_event(events)
    if not isinstance(events, dict) or len(events) != 1:
        raise SetRefused("invalid_request", "a token holds exactly one event", path="events")
    ((event, payload),) = events.items()
    if not isinstance(payload, dict) or not 0 < len(event) <= JTI_MAX:
        raise SetRefused("invalid_request", "an event is an object", path="events")
    return event, payload


def _apple_event(events: Any) -> tuple[str, dict[str, Any]]:
    try:
        told = msgspec.json.decode(events) if isinstance(events, str) else events
    except (msgspec.DecodeError, RecursionError):
        told = None
    if not isinstance(told, dict) or not isinstance(told.get("type"), str):
        raise SetRefused("invalid_request", "no event", path="events")
    milliseconds = told.get("event_time")
    if isinstance(milliseconds, int) and milliseconds > 10**11:  # Apple writes both
        told["event_time"] = milliseconds // 1_000
    return APPLE_EVENTS + told["type"][:JTI_MAX], told


def _happened(payload: dict[str, Any], issued_s: int) -> int:
    """A moment in milliseconds, or one of the far future, is no reason to lose what is told, and not to be reckoned with."""
    told = payload.get("event_timestamp", payload.get("event_time"))
    if not isinstance(told, int | float) or isinstance(told, bool):
        return issued_s
    return int(told) if 0 <= told <= issued_s + SKEW_S else issued_s


def _subject(
    claims: dict[str, Any], event: str, payload: dict[str, Any], expected: Expected
) -> Subject | None:
    """Whom it is about; none where it has to be discarded for a member that is not understood."""
    if expected.profile == "apple":
        return read_subject({"format": "iss_sub", "iss": expected.issuer, "sub": payload.get("sub")})
    raw = claims.get("sub_id")
    if raw is None and expected.profile == "google":
        raw = payload.get("subject")
        if raw is None and event in VERIFICATIONS:
            return None
    subject = read_subject(raw)
    if subject is None:
        raise SetRefused("invalid_request", "no subject that can be read", path="sub_id")
    return None if subject.is_beyond(expected.critical) else subject
