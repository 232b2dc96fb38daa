"""Two at once: whatever is raced on whichever database succeeds once."""

from __future__ import annotations

import random
import threading

import pytest
from sqlalchemy import event

from shopward.stepup import StepUpRefused, new_recovery_codes, open_challenge, spend
from shopward.stepup.enrolment import confirm_passkey, confirm_totp, start_passkey, start_totp
from stepup.authenticator import Authenticator
from stepup.test_passkeys import enrolled, options_for
from stepup.world import DEVICE, USER, wrong

RACERS = 6


def race(*deeds):
    """What each deed gave or how it was refused, all started together."""
    gate, results = threading.Barrier(len(deeds)), [None] * len(deeds)

    def run(place, deed):
        gate.wait()
        try:
            results[place] = ("done", deed())
        except StepUpRefused as refusal:
            results[place] = (refusal.code, None)
        except Exception as error:  # noqa: BLE001 -- a thread's failure must reach the test
            results[place] = (repr(error), None)

    threads = [threading.Thread(target=run, args=each) for each in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return [code for code, _result in results]


def answers_for(world, factor):
    """A challenge and its right answer."""
    if factor == "passkey":
        device = enrolled(world, counter=1)
        asked = world.ask()
        return asked, device.get(options_for(world, asked))
    if factor == "recovery_code":
        codes = new_recovery_codes(world.desk, USER, at_ms=world.now_ms)
        return world.ask(), codes[0]
    if factor == "totp":
        world.enrol_totp()
        return world.ask(), world.app_code()
    asked = world.ask()
    return asked, world.send(*asked, factor)


@pytest.mark.parametrize("factor", ["totp", "passkey", "recovery_code", "email"])
def test_one_proof_raced_by_many_requests_succeeds_once(world, factor):
    """The same right answer to the same challenge from many threads: one proof, every other one is refused."""
    asked, answer = answers_for(world, factor)
    codes = race(*[lambda: world.verify(*asked, factor, answer)] * 4)
    assert codes.count("done") == 1, codes
    assert set(codes) <= {"done", "replayed"}


@pytest.mark.parametrize("factor", ["totp", "recovery_code"])
def test_one_answer_raced_over_many_challenges_succeeds_once(world, factor):
    """A code that could answer several challenges answers one."""
    first, answer = answers_for(world, factor)
    asked = [first, *[world.ask() for _challenge in range(3)]]
    codes = race(*[lambda each=each: world.verify(*each, factor, answer) for each in asked])
    assert codes.count("done") == 1, codes
    assert set(codes) <= {"done", "replayed"}


def test_guesses_in_parallel_get_no_more_tries(world):
    """Twelve guesses at once: five are looked at, and the right code is worthless afterwards."""
    asked = world.ask()
    code = world.send(*asked)
    codes = race(*[lambda: world.verify(*asked, "email", wrong(code))] * 12)
    assert codes.count("wrong_answer") <= 5, codes
    assert set(codes) <= {"wrong_answer", "too_many_tries"}
    assert race(lambda: world.verify(*asked, "email", code)) == ["too_many_tries"]


def test_a_decision_raced_by_two_servers_has_one_challenge(world):
    """Opened at once from many threads it is one challenge, given to all."""
    subject, found = world.subject(), []

    def ask():
        found.append(
            open_challenge(
                world.desk,
                subject,
                preferred=("email",),
                excluded=(),
                reachable=("email",),
                at_ms=world.now_ms,
            ).id
        )

    assert race(*[ask] * RACERS) == ["done"] * RACERS
    assert len(set(found)) == 1


def test_a_proof_is_spent_once_by_whoever_races(world):
    """Many operations with the same passed challenge: one goes through."""
    challenge, subject = world.ask()
    world.verify(challenge, subject, "email", world.send(challenge, subject))

    def deed():
        world.desk.run(
            lambda connection: spend(
                world.desk,
                connection,
                challenge.id,
                operation="payment",
                user=USER,
                device=DEVICE,
                at_ms=world.now_ms,
            )
        )

    codes = race(*[deed] * RACERS)
    assert codes.count("done") == 1, codes
    assert set(codes) == {"done", "replayed"}


def test_a_code_replaced_while_it_is_compared_is_worthless(world):
    """A newer code that commits between comparing and passing wins; the older answer is refused, and nothing passed."""
    asked = world.ask()
    code = world.send(*asked)
    original = world.desk.keys.code_digest
    done = []

    def slow(*args, **options):
        digest = original(*args, **options)
        if not done:
            done.append(True)
            world.send(*asked)
        return digest

    world.desk.keys.code_digest = slow
    with pytest.raises(StepUpRefused) as refusal:
        world.verify(*asked, "email", code)
    assert refusal.value.code == "replayed"
    assert world.verify(*asked, "email", world.mailbox.code())


def test_two_authenticators_never_share_a_seed():
    """The software authenticators of these tests differ where they should."""
    one, other = Authenticator(random.Random(1)), Authenticator(random.Random(2))
    assert one.credential_id != other.credential_id


def test_what_is_begun_while_the_first_factor_comes_to_count_never_counts(world):
    """A stranger who begins without a proof, and writes it down after the owner's app counts, has begun nothing."""
    offer = start_totp(world.desk, USER, account="budi", at_ms=world.now_ms)
    world.secrets[USER] = offer.secret_base32
    has_looked, counts = threading.Event(), threading.Event()

    def pause(_connection, _cursor, statement, *_):
        if threading.current_thread().name == "stranger" and statement.startswith(
            "INSERT INTO stepup_factor"
        ):
            has_looked.set()
            counts.wait(0.5)  # or nobody can count before this is written

    event.listen(world.engine, "before_cursor_execute", pause)
    begun = []
    begin = lambda: begun.append(start_passkey(world.desk, USER, user_name="x", at_ms=world.now_ms))  # noqa: E731
    stranger = threading.Thread(target=begin, name="stranger")
    stranger.start()
    assert has_looked.wait(10)
    confirm_totp(world.desk, USER, offer.factor_id, code=world.app_code(), at_ms=world.now_ms)
    counts.set()
    stranger.join(10)
    event.remove(world.engine, "before_cursor_execute", pause)
    with pytest.raises(StepUpRefused) as refused:
        confirm_passkey(world.desk, USER, begun[0].factor_id, answer="{}", at_ms=world.now_ms)
    assert refused.value.code == "no_proof"
