"""Passkeys (WebAuthn Level 3): registration and authentication, checked by ``webauthn``.

Promise:

- The caller says which relying party, origin and challenge are expected; an answer for others is refused.
- The authenticator has verified its user (PIN, finger, face), and was not asked from inside a foreign frame.
- A signature counter that did not rise after it was ever above zero is noticed: ``cloned_passkey``. Synced passkeys keep
  it at zero; for them there is nothing to notice.
- Only ES256, EdDSA and RS256; only attestation ``none`` and ``packed``, of which nothing is concluded.
- Any bytes whatever give an answer or a ``StepUpRefused``.

Not here: storage, and the challenge's making (``challenges.nonce_for`` binds it to user, device and operation).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
import webauthn
from msgspec import Struct
from webauthn.helpers import base64url_to_bytes, parse_client_data_json
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from shopward.stepup.refusals import StepUpRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

ANSWER_BYTES_MAX: Final = 32_768
TIMEOUT_MS: Final = 300_000
NONCE_BYTES_MIN: Final = 16
ALGORITHMS: Final = (
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
)
_ATTESTATIONS: Final = ("none", "packed")
_WHICH: Final = (
    ("Client data challenge", "this challenge", "another challenge"),
    ("Unexpected client data origin", "the shop's origin", "another origin"),
    ("Unexpected client data type", "an answer of this ceremony", "one of another ceremony"),
    ("Unexpected RP ID hash", "the shop's relying party id", "another one"),
    ("User verification is required", "a verified user", "a user who was not verified"),
    ("User was not present", "a present user", "nobody"),
    ("User presence was required", "a present user", "nobody"),
    ("Could not verify authentication signature", "a signature of the enrolled key", "another signature"),
)
"""How a message of ``webauthn`` begins, and what it means; its own words may quote the answer, so they stay inside."""


class RelyingParty(Struct, frozen=True):
    """The shop as authenticators know it.

    Attributes:
        id: the domain that passkeys belong to, such as ``shop.example``.
        name: the shop's name.
        origins: the origins that may ask, such as ``https://shop.example``.
    """

    id: str
    name: str
    origins: tuple[str, ...]


class NewPasskey(Struct, frozen=True):
    """A verified registration, to be kept."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    backed_up: bool


class UsedPasskey(Struct, frozen=True):
    """A verified authentication; ``sign_count`` is to be kept."""

    credential_id: bytes
    sign_count: int


def registration_options(
    *, party: RelyingParty, nonce: bytes, user_handle: bytes, user_name: str, exclude: Sequence[bytes]
) -> str:
    """JSON for ``navigator.credentials.create()``: a discoverable passkey, user verification required."""
    return webauthn.options_to_json(
        webauthn.generate_registration_options(
            rp_id=party.id,
            rp_name=party.name,
            user_id=user_handle,
            user_name=user_name,
            challenge=_enough(nonce),
            timeout=TIMEOUT_MS,
            attestation=AttestationConveyancePreference.NONE,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in exclude],
            supported_pub_key_algs=list(ALGORITHMS),
        )
    )


def authentication_options(*, party: RelyingParty, nonce: bytes, allow: Sequence[bytes]) -> str:
    """JSON for ``navigator.credentials.get()``: one of this user's passkeys, user verification required."""
    return webauthn.options_to_json(
        webauthn.generate_authentication_options(
            rp_id=party.id,
            challenge=_enough(nonce),
            timeout=TIMEOUT_MS,
            allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in allow],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def credential_id_of(answer: str) -> bytes:
    """Which passkey an answer claims to be of; nothing of it is verified.

    Raises:
        StepUpRefused: ``malformed_answer``.
    """
    return _guarded(lambda: base64url_to_bytes(str(_parsed(answer)["rawId"])))


def verify_registration(*, answer: str, party: RelyingParty, expected_nonce: bytes) -> NewPasskey:
    """The new passkey of a registration.

    Raises:
        StepUpRefused: ``malformed_answer`` or ``wrong_answer``.
    """
    credential = _guarded(lambda: _own_frame(_parsed(answer)))
    found = _guarded(
        lambda: webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=expected_nonce,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            require_user_verification=True,
            supported_pub_key_algs=list(ALGORITHMS),
        )
    )
    if found.fmt not in _ATTESTATIONS:
        raise StepUpRefused("wrong_answer", expected="attestation none", found="another attestation")
    return NewPasskey(
        found.credential_id, found.credential_public_key, found.sign_count, found.credential_backed_up
    )


def verify_assertion(
    *,
    answer: str,
    party: RelyingParty,
    expected_nonce: bytes,
    expected_user_handle: bytes,
    public_key: bytes,
    last_sign_count: int,
) -> UsedPasskey:
    """The use of an enrolled passkey.

    Raises:
        StepUpRefused: ``malformed_answer``, ``wrong_answer``, or ``cloned_passkey`` where all is right but the counter.
    """
    credential = _guarded(lambda: _own_frame(_parsed(answer)))
    handle = credential["response"].get("userHandle")
    if handle and _guarded(lambda: base64url_to_bytes(str(handle))) != expected_user_handle:
        raise StepUpRefused("wrong_answer", expected="a passkey of this user", found="one of another user")
    found = _guarded(
        lambda: webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=expected_nonce,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            credential_public_key=public_key,
            credential_current_sign_count=0,  # held against the kept one below, under a code of its own
            require_user_verification=True,
        )
    )
    if (last_sign_count or found.new_sign_count) and found.new_sign_count <= last_sign_count:
        raise StepUpRefused(
            "cloned_passkey",
            expected=f"a counter above {last_sign_count}",
            found=str(found.new_sign_count),
        )
    return UsedPasskey(found.credential_id, found.new_sign_count)


def _parsed(answer: str) -> dict[str, Any]:
    if len(answer) > ANSWER_BYTES_MAX:
        raise ValueError
    return msgspec.json.decode(answer, type=dict[str, Any])


def _own_frame(credential: dict[str, Any]) -> dict[str, Any]:
    """The answer, unless it was given inside a frame of another origin."""
    data = parse_client_data_json(base64url_to_bytes(credential["response"]["clientDataJSON"]))
    if data.cross_origin:
        raise StepUpRefused(
            "wrong_answer", expected="an answer of the shop's own page", found="one from a frame"
        )
    return credential


def _guarded(work: Callable[[], T]) -> T:
    """What ``work`` gives; anything that a stranger's bytes make it raise becomes a refusal. Fails closed."""
    try:
        return work()
    except StepUpRefused:
        raise
    except Exception as error:  # noqa: BLE001 -- parsers of CBOR, JSON and keys raise what they like
        said = str(error)
    raise _refusal(said)


def _refusal(said: str) -> StepUpRefused:
    for start, expected, found in _WHICH:
        if said.startswith(start):
            return StepUpRefused("wrong_answer", expected=expected, found=found)
    return StepUpRefused(
        "malformed_answer", expected="what the browser's credential gives as JSON", found="not that"
    )


def _enough(nonce: bytes) -> bytes:
    if len(nonce) < NONCE_BYTES_MIN:
        raise ValueError(f"a challenge has at least {NONCE_BYTES_MIN} bytes")
    return nonce
