"""Recovery codes: readable, strong, hashed, used once, and worthless after the next set."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopward.stepup import StepUpRefused, new_recovery_codes, recovery_codes
from stepup.world import USER, cheap_hasher

ENTROPY = random.Random(3).randbytes
CODES = recovery_codes.new_codes(ENTROPY)
HASHER = cheap_hasher(ENTROPY)
KEPT = recovery_codes.hashed(CODES, HASHER)


def test_ten_codes_of_eighty_bits_each():
    """Every random bit shows in the code: all codes of a byte source that counts are different."""
    assert len(CODES) == len(set(CODES)) == 10
    seen = {recovery_codes.new_codes(lambda count, n=n: n.to_bytes(count, "big"))[0] for n in range(2000)}
    seen |= {
        recovery_codes.new_codes(lambda count, n=n: (1 << n).to_bytes(count, "big"))[0] for n in range(11, 80)
    }
    assert len(seen) == 2069
    assert recovery_codes.CODE_BYTES * 8 >= 64


def test_codes_are_readable():
    """A digit, four groups of four, and no letter that is taken for another."""
    for code in CODES:
        assert [len(part) for part in code.split("-")] == [1, 4, 4, 4, 4]
        assert not set(code) & set("ILOU")


@given(st.sampled_from(CODES), st.data())
def test_a_code_is_read_as_it_was_meant(code, data):
    """Small letters, missing hyphens, blanks, and O for 0 or l for 1 are no mistake."""
    typed = "".join(data.draw(st.sampled_from([each, each.lower()])) for each in code)
    typed = typed.replace("-", data.draw(st.sampled_from(["", " ", "-", " - "])))
    typed = typed.replace("0", data.draw(st.sampled_from("0oO"))).replace(
        "1", data.draw(st.sampled_from("1lLiI"))
    )
    assert recovery_codes.verify_recovery_code(answer=typed, kept=KEPT, hasher=HASHER) == int(code[0])


@given(st.text(max_size=80))
def test_any_text_whatever_is_refused(answer):
    """Nothing but a code is a code."""
    with pytest.raises(StepUpRefused):
        recovery_codes.verify_recovery_code(answer=answer, kept=KEPT, hasher=HASHER)


def test_a_used_code_is_told_from_a_wrong_one():
    """The right code of a used slot was replayed; a wrong one for that slot is wrong."""
    used = tuple(recovery_codes.KeptCode(each.slot, each.hash, 1) for each in KEPT)
    for answer, code in ((CODES[2], "replayed"), ("2" + CODES[3][1:], "wrong_answer")):
        with pytest.raises(StepUpRefused) as refusal:
            recovery_codes.verify_recovery_code(answer=answer, kept=used, hasher=HASHER)
        assert refusal.value.code == code


def test_only_salted_hashes_are_kept():
    """Each has its own salt, names Argon2id, and holds nothing of the code."""
    assert len({each.hash for each in KEPT}) == 10
    for each, code in zip(KEPT, CODES, strict=True):
        assert each.hash.startswith("$argon2id$v=19$")
        assert code.replace("-", "")[1:] not in each.hash


def test_an_unknown_user_costs_the_same_hash():
    """One hash is computed for an answer, with or without codes: time tells nothing."""

    class Counting:
        calls: list[str] = []  # noqa: RUF012 -- one test's own

        def matches(self, _kept, _secret):
            self.calls.append("matches")
            return False

        def verify_nothing(self, _secret):
            self.calls.append("nothing")
            return False

    for kept in (KEPT, ()):
        with pytest.raises(StepUpRefused):
            recovery_codes.verify_recovery_code(answer=CODES[0], kept=kept, hasher=Counting())
    assert Counting.calls == ["matches", "nothing"]


def test_a_code_works_once(world):
    """Used for one decision, it is refused for the next; the other nine still work."""
    codes = new_recovery_codes(world.desk, USER, at_ms=world.now_ms)
    assert world.verify(*world.ask(), "recovery_code", codes[4]).level == 2
    asked = world.ask()
    with pytest.raises(StepUpRefused) as refusal:
        world.verify(*asked, "recovery_code", codes[4])
    assert refusal.value.code == "replayed"
    assert world.verify(*asked, "recovery_code", codes[5]).factor == "recovery_code"


def test_a_new_set_makes_the_old_one_worthless(world):
    """After the next set no old code answers, and the new ones do."""
    world.enrol_totp()
    old = new_recovery_codes(world.desk, USER, proof=world.proof(), at_ms=world.now_ms)
    new = new_recovery_codes(world.desk, USER, proof=world.proof(), at_ms=world.now_ms)
    asked = world.ask()
    with pytest.raises(StepUpRefused, match="wrong"):
        world.verify(*asked, "recovery_code", old[0])
    assert world.verify(*asked, "recovery_code", new[0])


def test_used_up_codes_are_no_longer_offered(world):
    """With the last one gone the factor is not offered."""
    codes = new_recovery_codes(world.desk, USER, at_ms=world.now_ms)
    for code in codes:
        challenge, subject = world.ask()
        assert "recovery_code" in challenge.offered
        world.verify(challenge, subject, "recovery_code", code)
    assert "recovery_code" not in world.ask()[0].offered
