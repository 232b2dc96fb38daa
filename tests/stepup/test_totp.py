"""TOTP: the RFC's vectors, the window, the replay guard, and a clock that goes wrong."""

from __future__ import annotations

import base64
import urllib.parse

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopward.errors import InvalidField, StoreError
from shopward.stepup import StepUpRefused, totp
from shopward.values import MINUTE_MS
from stepup.world import NOW_MS, USER, wrong

RFC_SECRET = b"12345678901234567890"
RFC_6238_B = {59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924",
              2000000000: "69279037", 20000000000: "65353130"}  # fmt: skip


def app_of(secret):
    """An app with this secret."""
    return pyotp.TOTP(base64.b32encode(secret).decode())


def refused(**parts):
    """The code of a refusal."""
    with pytest.raises(StepUpRefused) as refusal:
        totp.verify_totp(**{"secret": RFC_SECRET, "last_step": totp.NO_STEP, "at_ms": NOW_MS} | parts)
    return refusal.value


@pytest.mark.parametrize(("at_s", "code"), RFC_6238_B.items())
def test_the_vectors_of_rfc_6238_hold(at_s, code):
    """The last six digits of appendix B's SHA-1 codes are accepted at their time and give their step."""
    step = totp.verify_totp(code=code[2:], secret=RFC_SECRET, last_step=totp.NO_STEP, at_ms=at_s * 1000)
    assert step == at_s // 30


@given(st.binary(min_size=20, max_size=20), st.integers(10**6, 2**33), st.integers(-4, 4))
def test_a_code_holds_one_step_to_either_side(secret, at_s, steps):
    """Whatever the secret and the time, a code counts exactly within a step of its own."""
    code = app_of(secret).at(at_s + 30 * steps)
    try:
        step = totp.verify_totp(code=code, secret=secret, last_step=totp.NO_STEP, at_ms=at_s * 1000)
    except StepUpRefused as refusal:
        assert refusal.code == "wrong_answer"
        assert abs(steps) > 1
    else:  # a code may be that of another step by chance
        assert abs(step - at_s // 30) <= 1


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-1, 1)), min_size=1, max_size=30))
def test_a_step_is_used_once_however_the_clock_jumps(moves):
    """Over any walk of the clock, no accepted step is accepted again and steps only rise."""
    at_ms, last, used = NOW_MS, totp.NO_STEP, []
    app = app_of(RFC_SECRET)
    for jump, drift in moves:
        at_ms += jump * 20_000
        code = app.at((at_ms + drift * 30_000) // 1000)
        try:
            last = totp.verify_totp(code=code, secret=RFC_SECRET, last_step=last, at_ms=at_ms)
        except StepUpRefused as refusal:
            assert refusal.code == "replayed"
        else:
            used.append(last)
    assert used == sorted(set(used))


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "\uff11\uff12\uff13\uff14\uff15\uff16", "abcdef", "12345\n6", "-12345"]
)
def test_what_is_no_code_is_malformed(code):
    """Only six ASCII digits are a code; the refusal repeats nothing of what was typed."""
    refusal = refused(code=code)
    assert refusal.code == "malformed_answer"
    assert not code.strip() or code.strip() not in str(refusal)


def test_a_replayed_code_says_when_the_next_one_comes():
    """A used step is refused with the seconds until the next."""
    code = app_of(RFC_SECRET).at(NOW_MS // 1000)
    refusal = refused(code=code, last_step=NOW_MS // 30_000)
    assert refusal.code == "replayed"
    assert 0 < refusal.resets_in_s <= 30


def test_the_uri_has_what_an_app_needs():
    """Secret of 160 bits, issuer and account stand in the URI; a colon in a name is refused."""
    uri = totp.provisioning_uri(RFC_SECRET, account="budi@mail.example", issuer="Toko Contoh")
    parsed = urllib.parse.urlsplit(uri)
    assert (parsed.scheme, parsed.netloc) == ("otpauth", "totp")
    assert urllib.parse.parse_qs(parsed.query)["issuer"] == ["Toko Contoh"]
    assert pyotp.parse_uri(uri).byte_secret() == RFC_SECRET
    with pytest.raises(InvalidField):
        totp.provisioning_uri(RFC_SECRET, account="a:b", issuer="Toko")


def test_a_secret_comes_whole_from_the_source_of_randomness():
    """160 bits are asked for, and nothing else is mixed in."""
    asked = []
    assert totp.new_secret(lambda count: asked.append(count) or bytes(count)) == bytes(20)
    assert asked == [20]


def test_a_confirmed_app_answers_a_challenge(world):
    """Enrolled, confirmed, asked, verified; the level of the proof is 2."""
    world.enrol_totp()
    challenge, subject = world.ask()
    verified = world.verify(challenge, subject, "totp", world.app_code())
    assert (verified.subject, verified.factor, verified.level) == (subject, "totp", 2)


def test_the_code_that_confirmed_an_app_is_used(world):
    """The confirmation uses up its step."""
    world.enrol_totp()
    world.now_ms -= MINUTE_MS
    challenge, subject = world.ask()
    with pytest.raises(StepUpRefused, match="used before"):
        world.verify(challenge, subject, "totp", world.app_code())


def test_one_code_passes_one_of_two_challenges(world):
    """A code seen by somebody who looks over the shoulder passes no second challenge, nor one at an earlier time."""
    world.enrol_totp()
    first, second = world.ask(), world.ask()
    code = world.app_code()
    world.verify(*first, "totp", code)
    with pytest.raises(StepUpRefused) as refusal:
        world.verify(*second, "totp", code)
    assert refusal.value.code == "replayed"
    world.now_ms -= 30_000
    with pytest.raises(StepUpRefused) as refusal:
        world.verify(*second, "totp", world.app_code())
    assert refusal.value.code == "replayed"


def test_five_tries_in_fifteen_minutes_over_all_challenges(world):
    """The sixth try of a user is refused with the time left, whatever the challenge; another factor still works."""
    world.enrol_totp()
    for _challenge in range(2):
        asked = world.ask()
        for _try in range(3 if _challenge == 0 else 2):
            with pytest.raises(StepUpRefused) as refusal:
                world.verify(*asked, "totp", wrong(world.app_code()))
            assert refusal.value.code == "wrong_answer"
    with pytest.raises(StepUpRefused) as refusal:
        world.verify(*asked, "totp", world.app_code())
    assert refusal.value.code == "too_many_tries"
    assert refusal.value.resets_in_s == 900
    assert refusal.value.status == 429
    assert world.verify(*asked, "email", world.send(*asked)).factor == "email"
    world.now_ms += 15 * MINUTE_MS
    assert world.verify(*world.ask(), "totp", world.app_code()).factor == "totp"


def test_the_secret_at_rest_opens_for_its_own_user_and_factor_alone(world):
    """The table holds no secret, and a row copied to another user does not open."""
    world.enrol_totp()
    other = "o" * 22
    world.enrol_totp(other)
    rows = world.rows("SELECT user_token, secret FROM stepup_factor")
    for _user, sealed in rows:
        assert all(pyotp.TOTP(each).byte_secret() not in bytes(sealed) for each in world.secrets.values())
    mine = next(bytes(sealed) for user, sealed in rows if user == USER)
    world.tamper("UPDATE stepup_factor SET secret = :s WHERE user_token = :u", s=mine, u=other)
    asked = world.ask(world.subject(user=other))
    with pytest.raises(StoreError, match="cannot be opened"):
        world.verify(*asked, "totp", world.app_code(other))
