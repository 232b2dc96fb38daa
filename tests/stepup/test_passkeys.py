"""Passkeys: a real software authenticator registers and signs; whatever is tampered with is refused."""

from __future__ import annotations

import base64
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopward.stepup import StepUpRefused, confirm_passkey, passkey_options, passkeys, start_passkey
from stepup.authenticator import BE, BS, UP, UV, Authenticator, b64
from stepup.world import DEVICE, PARTY, USER

NONCE = bytes(range(32))
HANDLE = b"h" * 32


def registration(device, *, nonce=NONCE):
    """A registration's answer."""
    return device.create(
        passkeys.registration_options(
            party=PARTY, nonce=nonce, user_handle=HANDLE, user_name="budi", exclude=[]
        )
    )


def signed(device, *, nonce=NONCE, **options):
    """An authentication's answer."""
    return device.get(
        passkeys.authentication_options(party=PARTY, nonce=nonce, allow=[device.credential_id]), **options
    )


def kept(device):
    """A device and what the shop keeps of it."""
    return passkeys.verify_registration(answer=registration(device), party=PARTY, expected_nonce=NONCE)


def check(answer, new, **parts):
    """Verify an authentication."""
    expected = {
        "party": PARTY,
        "expected_nonce": NONCE,
        "expected_user_handle": HANDLE,
        "public_key": new.public_key,
        "last_sign_count": new.sign_count,
    }
    return passkeys.verify_assertion(answer=answer, **expected | parts)


def changed(answer, member, edit):
    """An answer with one member of its response edited as bytes."""
    parsed = json.loads(answer)
    raw = base64.urlsafe_b64decode(parsed["response"][member] + "==")
    parsed["response"][member] = b64(edit(raw))
    return json.dumps(parsed)


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_a_passkey_registers_and_signs(algorithm):
    """Both usual algorithms go through registration and authentication."""
    device = Authenticator(random.Random(1), algorithm=algorithm, counter=7)
    new = kept(device)
    used = check(signed(device), new)
    assert (new.sign_count, used.sign_count) == (7, 8)
    assert used.credential_id == new.credential_id == device.credential_id


def test_the_options_ask_for_a_verified_user_and_no_attestation():
    """What the browser is told: user verification required, attestation none, the shop's id, three algorithms."""
    made = json.loads(
        passkeys.registration_options(
            party=PARTY, nonce=NONCE, user_handle=HANDLE, user_name="b", exclude=[b"x"]
        )
    )
    assert made["authenticatorSelection"]["userVerification"] == "required"
    assert made["attestation"] == "none"
    assert made["rp"]["id"] == "shop.example"
    assert [each["alg"] for each in made["pubKeyCredParams"]] == [-7, -8, -257]
    assert len(made["excludeCredentials"]) == 1
    with pytest.raises(ValueError, match="16 bytes"):
        passkeys.authentication_options(party=PARTY, nonce=b"short", allow=[])


TAMPERED = {
    "origin": (lambda device: setattr(device, "origin", "https://shop.example.evil.test"), "another origin"),
    "subdomain": (lambda device: setattr(device, "origin", "https://login.shop.example"), "another origin"),
    "rp id": (lambda device: setattr(device, "rp_id", "evil.test"), "another one"),
    "no user verification": (lambda device: setattr(device, "flags", UP | BE | BS), "not verified"),
    "no presence": (lambda device: setattr(device, "flags", UV | BE | BS), "nobody"),
    "backed up but not eligible": (lambda device: setattr(device, "flags", UP | UV | BS), "not that"),
    "frame": (lambda device: device.extra.update(crossOrigin=True), "frame"),
    "type": (lambda device: device.extra.update(type="payment.get"), "not that|another ceremony"),
    "challenge": (lambda device: device.extra.update(challenge=b64(bytes(32))), "another challenge"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_an_authentication_for_something_else_is_refused(name):
    """Origin, relying party, flags, type, frame and challenge each count, even under a good signature."""
    device = Authenticator(random.Random(2))
    new = kept(device)
    tamper, found = TAMPERED[name]
    tamper(device)
    with pytest.raises(StepUpRefused, match=found) as refusal:
        check(signed(device), new)
    assert refusal.value.code in {"wrong_answer", "malformed_answer"}
    assert "evil" not in str(refusal.value)


@pytest.mark.parametrize("name", TAMPERED)
def test_a_registration_for_something_else_is_refused(name):
    """The same holds for a registration."""
    device = Authenticator(random.Random(3))
    TAMPERED[name][0](device)
    with pytest.raises(StepUpRefused):
        kept(device)


def test_an_answer_of_the_other_ceremony_is_refused():
    """A signature cannot be had by registering, nor a registration by signing."""
    device = Authenticator(random.Random(4))
    new = kept(device)
    for ours, theirs in (("webauthn.get", "webauthn.create"), ("webauthn.create", "webauthn.get")):
        device.extra = {"type": theirs}
        with pytest.raises(StepUpRefused):
            check(signed(device), new) if ours == "webauthn.get" else kept(device)


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_every_flipped_byte_of_what_is_signed_is_noticed(place, flip):
    """No byte of authenticator data or signature can be changed."""
    device = Authenticator(random.Random(5), counter=1)
    new = kept(device)
    answer = signed(device)
    for member in ("authenticatorData", "signature", "clientDataJSON"):

        def edit(raw):
            at = place % len(raw)
            return raw[:at] + bytes([raw[at] ^ flip]) + raw[at + 1 :]

        with pytest.raises(StepUpRefused):
            check(changed(answer, member, edit), new)


def test_another_key_another_user_and_another_handle_are_refused():
    """A signature of another passkey, or for another user, proves nothing."""
    device, stranger = Authenticator(random.Random(6)), Authenticator(random.Random(7))
    new, strange = kept(device), kept(stranger)
    with pytest.raises(StepUpRefused, match="another signature"):
        check(signed(device), strange)
    with pytest.raises(StepUpRefused, match="another user"):
        check(signed(device), new, expected_user_handle=b"x" * 32)


def test_a_counter_that_does_not_rise_is_noticed():
    """Equal or lower is a copy, once a counter was seen; zero for ever is a synced passkey."""
    device = Authenticator(random.Random(8), counter=5)
    new = kept(device)
    assert check(signed(device), new).sign_count == 6
    for last in (6, 7, 1000):
        device.counter = 5
        with pytest.raises(StepUpRefused) as refusal:
            check(signed(device), new, last_sign_count=last)
        assert refusal.value.code == "cloned_passkey"
    device.counter = 0
    with pytest.raises(StepUpRefused):
        check(signed(device), new, last_sign_count=1)
    assert check(signed(device), new, last_sign_count=0).sign_count == 0


@given(st.text(max_size=200) | st.recursive(st.none() | st.text(max_size=8) | st.integers() | st.booleans(),
       lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
           st.sampled_from(["id", "rawId", "type", "response", "clientDataJSON", "signature", "authenticatorData",
                            "attestationObject", "userHandle"]), inner, max_size=6), max_leaves=12).map(json.dumps))  # fmt: skip
def test_any_text_whatever_is_an_answer_or_a_refusal(answer):
    """Nothing but a refusal comes out of a stranger's text."""
    new = passkeys.NewPasskey(b"x", b"y", 0, backed_up=False)
    for attempt in (
        lambda: check(answer, new),
        lambda: passkeys.verify_registration(answer=answer, party=PARTY, expected_nonce=NONCE),
    ):
        with pytest.raises(StepUpRefused):
            attempt()


@given(st.binary(max_size=300))
def test_any_attestation_whatever_is_refused(raw):
    """No bytes in place of an attestation break the parser, or pass it."""
    answer = changed(registration(Authenticator(random.Random(9))), "attestationObject", lambda _raw: raw)
    with pytest.raises(StepUpRefused):
        passkeys.verify_registration(answer=answer, party=PARTY, expected_nonce=NONCE)


def test_an_answer_that_is_too_long_is_not_read():
    """More than 32 kB is refused unread."""
    with pytest.raises(StepUpRefused, match="not that"):
        passkeys.credential_id_of(" " * (passkeys.ANSWER_BYTES_MAX + 1))


def enrolled(world, *, seed=1, **options):
    """A passkey of the user."""
    device = Authenticator(random.Random(seed), **options)
    offer = start_passkey(world.desk, USER, user_name="budi", at_ms=world.now_ms)
    answer = device.create(offer.options)
    confirm_passkey(world.desk, USER, offer.factor_id, answer=answer, at_ms=world.now_ms)
    return device


def options_for(world, asked):
    """What the browser is told."""
    return passkey_options(world.desk, asked[0].id, expected=asked[1], at_ms=world.now_ms)


def test_a_passkey_answers_its_challenge_and_no_other(world):
    """What was signed for one decision is worthless for another, whoever carries it there."""
    device = enrolled(world)
    first, second = world.ask(), world.ask()
    answer = device.get(options_for(world, first))
    with pytest.raises(StepUpRefused, match="another challenge"):
        world.verify(*second, "passkey", answer)
    assert world.verify(*first, "passkey", answer).level == 3
    with pytest.raises(StepUpRefused) as refusal:
        world.verify(*first, "passkey", answer)
    assert refusal.value.code == "replayed"


def test_a_copied_passkey_is_put_under_suspicion(world):
    """Once its counter went back it answers nothing any more, not even rightly; it is not offered either."""
    device = enrolled(world, counter=10)
    world.enrol_totp("o" * 22)  # somebody else's is no matter
    asked = world.ask()
    world.verify(*asked, "passkey", device.get(options_for(world, asked)))
    device.counter = 4
    asked = world.ask()
    for counter in (4, 50):
        device.counter = counter
        with pytest.raises(StepUpRefused) as refusal:
            world.verify(*asked, "passkey", device.get(options_for(world, asked)))
        assert refusal.value.code == "cloned_passkey"
    assert "passkey" not in world.ask()[0].offered


def test_a_passkey_is_enrolled_once(world):
    """The same credential under a second name is refused, and nothing of it is kept."""
    device = enrolled(world)
    other = "o" * 22
    offer = start_passkey(world.desk, other, user_name="x", at_ms=world.now_ms)
    with pytest.raises(StepUpRefused) as refusal:
        confirm_passkey(
            world.desk, other, offer.factor_id, answer=device.create(offer.options), at_ms=world.now_ms
        )
    assert refusal.value.code == "already_enrolled"


def test_the_challenge_that_is_signed_is_bound_to_everything(shop):
    """User, device, operation, decision and id each change what an authenticator signs."""
    from msgspec.structs import replace  # noqa: PLC0415

    from shopward.stepup.challenges import nonce_for  # noqa: PLC0415

    challenge, subject = shop.ask()
    variants = [challenge, replace(challenge, id="chl-other"), replace(challenge, nonce=bytes(32))]
    variants += [
        replace(challenge, subject=replace(subject, **{name: "other"}))
        for name in ("user", "device", "operation", "decision_id")
    ]
    moved = replace(challenge, subject=replace(subject, user=USER + DEVICE, device=""))
    assert len({nonce_for(each) for each in [*variants, moved]}) == 8
    assert len(nonce_for(challenge)) == 32
