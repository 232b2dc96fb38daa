"""Enrolment: adding and removing a factor needs proof, and a removed one proves nothing."""

from __future__ import annotations

import random

import pytest

from shopward.stepup import (
    Proof,
    StepUpRefused,
    confirm_passkey,
    confirm_totp,
    enrolled,
    new_recovery_codes,
    revoke,
    revoke_by_order,
    start_passkey,
    start_totp,
)
from shopward.values import MINUTE_MS
from stepup import test_passkeys
from stepup.authenticator import Authenticator
from stepup.world import DEVICE, USER, wrong


def refusal_of(deed):
    """How a deed is refused."""
    with pytest.raises(StepUpRefused) as refusal:
        deed()
    return refusal.value.code


def test_adding_to_a_factor_needs_a_proof_spent_once(world):
    """Whoever has a factor proves it first; one proof adds one factor; a proof for something else adds none."""
    world.enrol_totp()
    add = [
        lambda proof: start_passkey(world.desk, USER, user_name="b", proof=proof, at_ms=world.now_ms),
        lambda proof: start_totp(world.desk, USER, account="b", proof=proof, at_ms=world.now_ms),
        lambda proof: new_recovery_codes(world.desk, USER, proof=proof, at_ms=world.now_ms),
    ]
    for deed in add:
        assert refusal_of(lambda deed=deed: deed(None)) == "no_proof"
        payment = world.proof("payment")
        assert refusal_of(lambda deed=deed, payment=payment: deed(payment)) == "wrong_subject"
        proof = world.proof()
        assert (
            refusal_of(lambda deed=deed, proof=proof: deed(Proof(proof.challenge_id, "other")))
            == "wrong_subject"
        )
        deed(proof)
        assert refusal_of(lambda deed=deed, proof=proof: deed(proof)) == "replayed"
        world.now_ms += 16 * MINUTE_MS


def test_recovery_codes_alone_are_a_factor_to_prove(world):
    """A thief with the password cannot enrol an app beside the printed codes."""
    new_recovery_codes(world.desk, USER, at_ms=world.now_ms)
    assert refusal_of(lambda: start_totp(world.desk, USER, account="b", at_ms=world.now_ms)) == "no_proof"


def test_an_emailed_code_adds_and_removes_nothing(world):
    """Level 1 is no proof for security settings: who reads the mailbox does not get the account."""
    factor_id = world.enrol_totp()
    mailed = world.proof(factor="email")
    add = lambda: start_passkey(world.desk, USER, user_name="b", proof=mailed, at_ms=world.now_ms)  # noqa: E731
    assert refusal_of(add) == "weak_factor"
    mailed = world.proof("mfa_remove", factor="email")
    assert (
        refusal_of(lambda: revoke(world.desk, USER, factor_id, proof=mailed, at_ms=world.now_ms))
        == "weak_factor"
    )


def test_an_app_counts_once_confirmed_in_time(world):
    """Before, with a wrong code, after ten minutes, for another user or under another id it does not."""
    offer = start_totp(world.desk, USER, account="budi", at_ms=world.now_ms)
    world.secrets[USER] = offer.secret_base32
    assert offer.secret_base32 not in repr(offer)
    assert offer.secret_base32 in offer.uri
    confirm = lambda code, user=USER, id_=offer.factor_id: confirm_totp(  # noqa: E731 -- said often below
        world.desk, user, id_, code=code, at_ms=world.now_ms
    )
    assert "totp" not in world.ask()[0].offered
    assert enrolled(world.desk, USER) == ()
    assert refusal_of(lambda: confirm(wrong(world.app_code()))) == "wrong_answer"
    assert refusal_of(lambda: confirm(world.app_code(), user="other")) == "no_proof"
    assert refusal_of(lambda: confirm(world.app_code(), id_="other")) == "no_proof"
    world.now_ms += 10 * MINUTE_MS
    assert refusal_of(lambda: confirm(world.app_code())) == "expired"
    world.now_ms -= 1
    confirm(world.app_code())
    assert refusal_of(lambda: confirm(world.app_code())) == "no_proof"
    assert "totp" in world.ask()[0].offered


def test_a_new_app_replaces_the_old_one(world):
    """The old secret answers nothing and is wiped."""
    old_id = world.enrol_totp()
    old = world.secrets[USER]
    new_id = world.enrol_totp(proof=world.proof())
    assert [each.factor_id for each in enrolled(world.desk, USER)] == [new_id]
    asked = world.ask()
    new, world.secrets[USER] = world.secrets[USER], old
    assert refusal_of(lambda: world.verify(*asked, "totp", world.app_code())) == "wrong_answer"
    world.secrets[USER] = new
    assert world.verify(*asked, "totp", world.app_code())
    kept = {row[0]: bytes(row[1]) for row in world.rows("SELECT factor_id, secret FROM stepup_factor")}
    assert kept[old_id] == b""
    assert kept[new_id] != b""


@pytest.mark.parametrize("first", ["totp", "codes"])
def test_what_was_begun_without_a_proof_counts_no_more_beside_a_first_factor(world, first):
    """A thief in the session begins a passkey; the owner has a factor before it is confirmed."""
    thief = Authenticator(random.Random(2))
    offer = start_passkey(world.desk, USER, user_name="b", at_ms=world.now_ms)
    if first == "totp":
        world.enrol_totp()
    else:
        new_recovery_codes(world.desk, USER, at_ms=world.now_ms)
    confirm = lambda: confirm_passkey(  # noqa: E731 -- one line of the story
        world.desk, USER, offer.factor_id, answer=thief.create(offer.options), at_ms=world.now_ms
    )
    assert refusal_of(confirm) == "no_proof"


def test_a_registration_is_confirmed_once_and_in_time(world):
    """A second confirmation, a late one and one for another nonce are refused."""
    device = Authenticator(random.Random(1))
    first = start_passkey(world.desk, USER, user_name="b", at_ms=world.now_ms)
    second = start_passkey(world.desk, USER, user_name="b", at_ms=world.now_ms)
    confirm = lambda offer, answer: confirm_passkey(  # noqa: E731 -- said often below
        world.desk, USER, offer.factor_id, answer=answer, at_ms=world.now_ms
    )
    assert refusal_of(lambda: confirm(first, device.create(first.options))) == "no_proof"
    assert refusal_of(lambda: confirm(second, device.create(first.options))) == "wrong_answer"
    world.now_ms += 10 * MINUTE_MS
    assert refusal_of(lambda: confirm(second, device.create(second.options))) == "expired"
    world.now_ms -= 1
    confirm(second, device.create(second.options))
    assert refusal_of(lambda: confirm(second, device.create(second.options))) == "no_proof"


def test_a_revoked_factor_proves_nothing(world):
    """Removed by its owner with proof, or by an order without: not offered, not taken, secret gone."""
    device = test_passkeys.enrolled(world)
    (passkey,) = enrolled(world.desk, USER)
    asked = world.ask()
    answer = device.get(test_passkeys.options_for(world, asked))
    assert (
        refusal_of(lambda: revoke(world.desk, USER, passkey.factor_id, proof=None, at_ms=world.now_ms))
        == "no_proof"
    )
    order = lambda factor_id: world.desk.run(  # noqa: E731 -- said often below
        lambda connection: revoke_by_order(world.desk, connection, USER, factor_id, at_ms=world.now_ms)
    )
    assert order(passkey.factor_id)
    assert not order(passkey.factor_id)
    assert not order("none")
    assert refusal_of(lambda: world.verify(*asked, "passkey", answer)) == "wrong_answer"
    factor_id = world.enrol_totp()
    proof = world.proof("mfa_remove")
    assert revoke(world.desk, USER, factor_id, proof=proof, at_ms=world.now_ms)
    codes = new_recovery_codes(world.desk, USER, at_ms=world.now_ms)
    assert [each.state for each in enrolled(world.desk, USER)] == ["10 left"]
    asked = world.ask()
    assert order("recovery_code")
    assert refusal_of(lambda: world.verify(*asked, "recovery_code", codes[0])) == "wrong_answer"


def test_ten_passkeys_are_enough(world):
    """The list is bounded."""
    test_passkeys.enrolled(world)
    for number in range(9):
        asked = world.ask(world.subject(operation="mfa_enroll"))
        device = world.device = getattr(world, "device", None) or Authenticator(random.Random(1))
        answer = device.get(test_passkeys.options_for(world, asked))
        world.verify(*asked, "passkey", answer)
        proof = Proof(asked[0].id, DEVICE)
        offer = start_passkey(world.desk, USER, user_name="b", proof=proof, at_ms=world.now_ms)
        more = Authenticator(random.Random(100 + number))
        confirm_passkey(
            world.desk, USER, offer.factor_id, answer=more.create(offer.options), at_ms=world.now_ms
        )
    asked = world.ask(world.subject(operation="mfa_enroll"))
    world.verify(*asked, "passkey", device.get(test_passkeys.options_for(world, asked)))
    late = lambda: start_passkey(  # noqa: E731 -- one line of the story
        world.desk, USER, user_name="b", proof=Proof(asked[0].id, DEVICE), at_ms=world.now_ms
    )
    assert refusal_of(late) == "too_many_factors"
