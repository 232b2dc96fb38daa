"""Challenges: who may answer what, with which factor, until when, and what each refusal says."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shopward.errors import InvalidField, StoreUnavailable
from shopward.risk.policy import spec as policy_spec
from shopward.stepup import REFUSALS, StepUpRefused, cancel_challenge, spend
from shopward.stepup.challenges import ARROWS, moved
from shopward.stepup.factors import LEVELS, offer
from shopward.values import MINUTE_MS
from stepup.world import DEVICE, USER

WORDS = sorted({*LEVELS, "sms", "captcha", "carrier_pigeon"})


def refusal_of(deed):
    """How a deed is refused."""
    with pytest.raises(StepUpRefused) as refusal:
        deed()
    return refusal.value


@given(
    st.lists(st.sampled_from(WORDS), max_size=7),
    st.sets(st.sampled_from(WORDS)),
    st.sets(st.sampled_from(WORDS)),
    st.integers(1, 3),
)
def test_what_is_offered_is_wanted_had_strong_and_not_the_threats(preferred, excluded, available, level_min):
    """For any sets: exactly the intersection, in the order of preference; an empty one is a refusal."""
    right = [
        word
        for word in dict.fromkeys(preferred)
        if word in LEVELS and word not in excluded and word in available and LEVELS[word] >= level_min
    ]
    try:
        given_ = offer(preferred=preferred, excluded=excluded, available=available, level_min=level_min)
    except StepUpRefused as refusal:
        assert refusal.code == "no_factor_left"
        assert right == []
    else:
        assert list(given_) == right


def test_the_factors_are_words_of_the_policy():
    """Every factor that can be proved here is one that a policy can ask for."""
    assert set(LEVELS) <= set(policy_spec.Factor.__args__)


def test_the_arrows_lead_forward_alone():
    """No arrow leads back to open; passed is reached from open and spent from passed, and nothing follows an end."""
    assert all("open" not in ends for ends in ARROWS.values())
    assert {state for state, ends in ARROWS.items() if "passed" in ends} == {"open"}
    assert {state for state, ends in ARROWS.items() if "spent" in ends} == {"passed"}
    for state, to in itertools.product(ARROWS, ARROWS):
        if to in ARROWS[state]:
            assert moved(state, to) == to
        else:
            with pytest.raises(AssertionError):
                moved(state, to)


def test_an_excluded_factor_is_refused_though_the_answer_is_right(world):
    """The threat owns the mailbox: no code is sent there, none is taken, and no try is counted."""
    world.enrol_totp()
    challenge, subject = world.ask(excluded=("email", "sms"))
    assert "email" not in challenge.offered
    assert refusal_of(lambda: world.send(challenge, subject)).code == "excluded_factor"
    for _try in range(6):
        refusal = refusal_of(lambda: world.verify(challenge, subject, "email", "12345678"))
        assert refusal.code == "excluded_factor"
    assert world.verify(challenge, subject, "totp", world.app_code())


def test_what_became_untrustworthy_since_is_refused_too(world):
    """A threat seen after the challenge was asked takes its factor out at once, also for a code already sent."""
    asked = world.ask()
    code = world.send(*asked)
    refusal = refusal_of(lambda: world.verify(*asked, "email", code, also_excluded={"email"}))
    assert refusal.code == "excluded_factor"


def test_nothing_left_is_a_refusal(world):
    """Where the threat owns all that the customer has, there is no challenge to pass."""
    world.enrol_totp()
    refusal = refusal_of(lambda: world.ask(excluded=("totp", "email", "whatsapp")))
    assert refusal.code == "no_factor_left"


def test_a_strong_operation_takes_no_code_from_a_mailbox(world):
    """At level 2 e-mail is neither offered nor taken; at level 3 only a passkey would be."""
    world.enrol_totp()
    challenge, subject = world.ask(level_min=2)
    assert challenge.offered == ("totp",)
    assert refusal_of(lambda: world.verify(challenge, subject, "email", "12345678")).code == "weak_factor"
    assert refusal_of(lambda: world.ask(level_min=3)).code == "no_factor_left"


def test_a_factor_that_was_not_asked_for_is_refused(world):
    """Not offered, not a word, or not provable here: the wrong factor, naming the right ones."""
    challenge, subject = world.ask(preferred=("email",))
    for word in ("totp", "sms", "carrier_pigeon", ""):
        refusal = refusal_of(lambda word=word: world.verify(challenge, subject, word, "123456"))
        assert (refusal.code, refusal.expected) == ("wrong_factor", "email")


@pytest.mark.parametrize("part", ["user", "device", "operation", "decision_id"])
def test_a_proof_for_something_else_is_refused(world, part):
    """Another user, device, operation or decision is named, no value of either is, and no try is counted."""
    challenge, subject = world.ask()
    code = world.send(challenge, subject)
    other = replace(subject, **{part: "something-else"})
    for _try in range(6):
        refusal = refusal_of(lambda: world.verify(challenge, other, "email", code))
        assert refusal.code == "wrong_subject"
        assert part in refusal.found
        assert "something-else" not in str(refusal)
        assert getattr(subject, part) not in str(refusal)
    assert world.verify(challenge, subject, "email", code)


def test_a_decision_has_one_challenge(world):
    """Asked again it is the same one, with its tries and its exclusions; for another device it is refused."""
    challenge, subject = world.ask(excluded=("email",))
    again, _subject = world.ask(subject, excluded=())
    assert again == challenge
    assert refusal_of(lambda: world.ask(replace(subject, device="other"))).code == "wrong_subject"


def test_a_row_that_has_moved_on_is_not_moved_again(world):
    """The write itself asks for the state that was read: a stale reader changes nothing."""
    challenge, subject = world.ask()
    cancel_challenge(world.desk, challenge.id, expected=subject, at_ms=world.now_ms)
    assert not world.desk.run(lambda connection: world.desk.store.close(connection, challenge, "passed"))


def test_a_cancelled_challenge_takes_no_answer(world):
    """A customer's "that was not me" closes it; cancelling for somebody else does not."""
    challenge, subject = world.ask()
    code = world.send(challenge, subject)
    other = replace(subject, user="other")
    cancel = lambda whose: cancel_challenge(world.desk, challenge.id, expected=whose, at_ms=world.now_ms)  # noqa: E731 -- said twice below
    assert refusal_of(lambda: cancel(other)).code == "wrong_subject"
    cancel(subject)
    assert refusal_of(lambda: world.verify(challenge, subject, "email", code)).code == "cancelled"
    assert refusal_of(lambda: cancel(subject)).code == "cancelled"


@pytest.mark.parametrize("challenge_id", ["", "chl-none", "x" * 5000, "a\x00b", "\udc80", "挑战"])
def test_an_unknown_challenge_is_not_found(world, challenge_id):
    """Any text that is no id is not found, on both databases."""
    challenge, subject = world.ask()
    nobody = replace(challenge, id=challenge_id)
    refusal = refusal_of(lambda: world.verify(nobody, subject, "email", "12345678"))
    assert (refusal.code, refusal.status) == ("unknown_challenge", 404)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("user", ""),
        ("user", "u" * 65),
        ("device", "d" * 65),
        ("operation", "o" * 33),
        ("decision_id", "a\x00b"),
    ],
)
def test_what_a_table_cannot_hold_is_refused(world, part, value):
    """Lengths and control characters are refused before anything is written."""
    with pytest.raises(InvalidField) as refusal:
        world.ask(replace(world.subject(), **{part: value}))
    assert refusal.value.path == part


def test_excluded_factors_are_words(world):
    """A list that no table holds, or that would read as another list, is refused."""
    for excluded in (("a,b",), tuple(f"f{n}" for n in range(100)), ("",)):
        with pytest.raises(InvalidField):
            world.ask(excluded=excluded)


def test_a_passed_challenge_is_spent_once_on_its_operation(world):
    """The operation spends its proof in its own transaction; a rollback gives it back, a commit does not."""
    challenge, subject = world.ask(world.subject(operation="withdrawal"))

    def spent(**parts):
        wanted = {"operation": "withdrawal", "user": USER, "device": DEVICE, "at_ms": world.now_ms} | parts
        return world.desk.run(lambda connection: spend(world.desk, connection, challenge.id, **wanted))

    assert refusal_of(spent).code == "no_proof"
    world.verify(challenge, subject, "email", world.send(challenge, subject))
    assert refusal_of(lambda: spent(operation="payment")).code == "wrong_subject"
    assert refusal_of(lambda: spent(user="other")).code == "wrong_subject"
    assert refusal_of(lambda: spent(device="other")).code == "wrong_subject"
    assert refusal_of(lambda: spent(at_ms=world.now_ms + 10 * MINUTE_MS)).code == "expired"

    def fails(connection):
        spend(
            world.desk,
            connection,
            challenge.id,
            operation="withdrawal",
            user=USER,
            device=DEVICE,
            at_ms=world.now_ms,
        )
        raise RuntimeError

    with pytest.raises(RuntimeError):
        world.desk.run(fails)
    assert spent().factor == "email"
    assert refusal_of(spent).code == "replayed"


def test_a_broken_store_is_unavailable_and_quotes_nothing(world):
    """A driver's text never leaves, and nothing is proved."""
    challenge, subject = world.ask()
    world.tamper("DROP TABLE stepup_challenge")
    with pytest.raises(StoreUnavailable) as refusal:
        world.verify(challenge, subject, "email", "12345678")
    assert "stepup" not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__context__ is None


def test_every_refusal_has_a_status_a_sentence_and_a_hint():
    """The table of codes is whole, and an error carries its row."""
    for code, (status, sentence, hint) in REFUSALS.items():
        refusal = StepUpRefused(code, expected="a", found="b", resets_in_s=3)
        assert (refusal.code, refusal.status, refusal.message) == (code, status, sentence)
        assert refusal.diagnostics() == {"expected": "a", "found": "b", "hint": hint, "retry_after_s": 3}
