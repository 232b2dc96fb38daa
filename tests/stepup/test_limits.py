"""Time and tries: an end is an end, a lock ends, and a clock that jumps changes neither."""

from __future__ import annotations

import pytest

from shopward.stepup import StepUpRefused
from shopward.stepup.limits import Tally
from shopward.values import HOUR_MS, MINUTE_MS
from stepup.world import USER, wrong


def refusal_of(deed):
    """How a deed is refused."""
    with pytest.raises(StepUpRefused) as refusal:
        deed()
    return refusal.value


def test_an_expired_challenge_stays_expired(world):
    """Ten minutes, to the millisecond; a clock that goes back afterwards does not open it again."""
    challenge, subject = world.ask()
    code = world.send(challenge, subject)
    world.now_ms += 10 * MINUTE_MS
    assert refusal_of(lambda: world.verify(challenge, subject, "email", code)).code == "expired"
    world.now_ms -= 30_000
    assert refusal_of(lambda: world.verify(challenge, subject, "email", code)).code == "expired"


def test_ten_minutes_are_ten_minutes_for_a_factor_without_an_end_of_its_own(world):
    """A fresh code of the app is taken a millisecond before the end and refused at the end."""
    world.enrol_totp()
    for late, ok in ((10 * MINUTE_MS - 1, True), (10 * MINUTE_MS, False)):
        asked = world.ask()
        world.now_ms += late
        if ok:
            assert world.verify(*asked, "totp", world.app_code())
        else:
            assert (
                refusal_of(lambda asked=asked: world.verify(*asked, "totp", world.app_code())).code
                == "expired"
            )


def test_five_tries_whichever_the_factors(world):
    """Three guesses at the app and two at the mail are five: the challenge is locked, by word in its row."""
    world.enrol_totp()
    asked = world.ask()
    code = world.send(*asked)
    for factor in ("totp", "email", "totp", "email", "totp"):
        answer = wrong(code) if factor == "email" else wrong(world.app_code())
        deed = lambda factor=factor, answer=answer: world.verify(*asked, factor, answer)  # noqa: E731 -- in a loop
        assert refusal_of(deed).code == "wrong_answer"
    assert [row[0] for row in world.rows("SELECT state FROM stepup_challenge")] == ["locked"]
    assert refusal_of(lambda: world.verify(*asked, "email", code)).code == "too_many_tries"


def test_a_lock_outlives_a_clock_that_jumps_and_not_by_more_than_a_window(world):
    """Locked by a clock a year ahead: when it is set right the tries stay counted, and the lock ends in 15 minutes."""
    world.enrol_totp()
    now_ms = world.now_ms
    world.now_ms += 365 * 24 * HOUR_MS
    asked = world.ask()
    for _try in range(4):
        refusal_of(lambda: world.verify(*asked, "totp", wrong(world.app_code())))
    world.now_ms = now_ms
    asked = world.ask()
    assert refusal_of(lambda: world.verify(*asked, "totp", wrong(world.app_code()))).code == "wrong_answer"
    refusal = refusal_of(lambda: world.verify(*asked, "totp", world.app_code()))
    assert (refusal.code, refusal.resets_in_s) == ("too_many_tries", 900)
    world.now_ms += 15 * MINUTE_MS
    assert world.verify(*world.ask(), "totp", world.app_code())


def test_a_clock_that_jumps_back_is_refused_and_said(world):
    """An hour behind what the challenge has seen: refused with the wait; the right time works again."""
    challenge, subject = world.ask()
    code = world.send(challenge, subject)
    world.now_ms -= HOUR_MS
    refusal = refusal_of(lambda: world.verify(challenge, subject, "email", code))
    assert (refusal.code, refusal.resets_in_s) == ("clock_jumped", 3600)
    world.now_ms += HOUR_MS
    assert world.verify(challenge, subject, "email", code)


def test_a_clock_that_goes_back_a_little_gains_nothing(world):
    """Within a minute the challenge keeps the latest time it saw."""
    challenge, subject = world.ask()
    world.now_ms += 10 * MINUTE_MS - 1
    code = world.send(challenge, subject)
    world.now_ms -= 30_000
    verified = world.verify(challenge, subject, "email", code)
    assert verified.at_ms == challenge.expires_ms - 1


def test_a_hundred_in_a_row_disable_a_factor(world):
    """However slowly somebody guesses, after a hundred wrong answers the factor is off until it is enrolled again."""
    world.enrol_totp()
    world.desk.run(lambda connection: world.desk.store.set_tally(connection, USER, "totp", Tally(0, 0, 99)))
    challenge, subject = world.ask()
    code = world.app_code()
    assert refusal_of(lambda: world.verify(challenge, subject, "totp", wrong(code))).code == "wrong_answer"
    assert refusal_of(lambda: world.verify(challenge, subject, "totp", code)).code == "factor_disabled"
    assert world.verify(challenge, subject, "email", world.send(challenge, subject))


def test_old_challenges_can_be_forgotten(world):
    """Those made before a time go, the others stay."""
    old, _subject = world.ask()
    world.now_ms += HOUR_MS
    new, subject = world.ask()
    gone = world.desk.run(
        lambda connection: world.desk.store.forget_challenges(connection, before_ms=world.now_ms)
    )
    assert gone == 1
    assert refusal_of(lambda: world.verify(old, subject, "email", "12345678")).code == "unknown_challenge"
    assert world.verify(new, subject, "email", world.send(new, subject))
