"""Proving: an answer is verified, and the proof spent.

Promise: of one challenge at most one success, and of one secret answer (TOTP step, recovery code, sent code, assertion)
at most one use, whoever races whom on whichever database.

The steps of ``verify``, in three parts:

first transaction: 1. whose and for what; 2. still open, by the time it has seen; 3. an offered factor that the threat
does not own (1 to 3 in ``admission``); 4. the try is counted, before anything is compared, so that a crash or a race
never gives one away.
without a transaction: 5. the answer is compared (``answers``): Argon2 may take its time, nobody waits for a lock.
second transaction: 6. the answer is used up; 7. the challenge passes; 8. the try is given back. All or nothing. A wrong
answer closes the challenge if it was the last.

Not here: what the shop's log hears of it (``flows`` writes the ``challenge`` event from ``Verified``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from shopward.stepup import challenges
from shopward.stepup.admission import admissible, given, known
from shopward.stepup.answers import Presented, claimed_passkey, compare
from shopward.stepup.challenges import Verified
from shopward.stepup.factors import GUESSABLE, LEVELS, as_factor
from shopward.stepup.limits import TRIES, counted, succeeded
from shopward.stepup.refusals import StepUpRefused
from shopward.stepup.store import SUSPECT

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

    from shopward.stepup.answers import Use
    from shopward.stepup.challenges import Challenge, Subject
    from shopward.stepup.desk import Desk
    from shopward.stepup.factors import Factor


def verify(
    desk: Desk,
    challenge_id: str,
    *,
    expected: Subject,
    factor: str,
    answer: str,
    also_excluded: Collection[str] = (),
    at_ms: int,
) -> Verified:
    """The proof, if the answer holds.

    Args:
        desk: what step-up works with.
        challenge_id: of the challenge.
        expected: what the caller takes the challenge to be for.
        factor: which the answer is of.
        answer: what was typed, or the browser's credential as JSON.
        also_excluded: what has become untrustworthy since the challenge was asked.
        at_ms: the server's time.

    Raises:
        StepUpRefused: with the code that says why; the try is counted where the answer was looked at.
    """

    def admit(connection: Connection) -> tuple[Factor, Presented] | StepUpRefused:
        challenge = admissible(
            desk,
            connection,
            challenge_id,
            expected=expected,
            factor=factor,
            also_excluded=also_excluded,
            at_ms=at_ms,
        )  # 1, 2, 3
        if isinstance(challenge, StepUpRefused):
            return challenge
        return _counted(desk, connection, challenge, factor=factor, answer=answer, at_ms=at_ms)  # 4

    answered_with, presented = given(desk.run(admit))
    try:
        use = compare(answered_with, presented)  # 5
    except StepUpRefused as refusal:
        refused = refusal
    else:
        return desk.run(lambda connection: _passed(desk, connection, presented, answered_with, use))
    desk.run(lambda connection: _missed(desk, connection, presented, refused))
    raise refused


def spend(
    desk: Desk,
    connection: Connection,
    challenge_id: str,
    *,
    operation: str,
    user: str,
    device: str,
    at_ms: int,
) -> Verified:
    """The proof of a passed challenge, spent on its operation in the transaction of the operation itself; once.

    Raises:
        StepUpRefused: ``unknown_challenge``, ``wrong_subject``, ``no_proof``, ``replayed`` or ``expired``; roll back.
    """
    challenge = known(desk, connection, challenge_id)
    now_ms = challenges.require_spendable(
        challenge, operation=operation, user=user, device=device, at_ms=at_ms
    )
    factor = as_factor(challenge.passed_factor)
    if factor is None or not desk.store.close(connection, challenge, "spent", seen_ms=now_ms):
        raise StepUpRefused("replayed", expected="a proof that was not spent", found="a spent one")
    return _proof(challenge, factor, challenge.passed_ms)


def _counted(
    desk: Desk, connection: Connection, challenge: Challenge, *, factor: str, answer: str, at_ms: int
) -> tuple[Factor, Presented]:
    """Count a try of the challenge and of the user's factor, and read what the answer is held against."""
    allowed = challenges.require_factor(challenge, factor)
    user = challenge.subject.user
    if allowed in GUESSABLE:
        # By the clock and not by the challenge's time, which other challenges of the user do not share.
        tally = counted(desk.store.tally(connection, user, allowed), rate=TRIES, at_ms=at_ms)
        desk.store.set_tally(connection, user, allowed, tally)
    now_ms = challenges.effective_ms(challenge, at_ms)
    challenge = replace(challenge, tries=challenge.tries + 1, seen_ms=now_ms)
    desk.store.touch(connection, challenge, tries=challenge.tries, seen_ms=now_ms)
    return allowed, Presented(
        desk,
        challenge=challenge,
        answer=answer,
        factors=desk.store.factors(connection, user),
        codes=desk.store.codes(connection, user) if allowed == "recovery_code" else (),
        now_ms=now_ms,
    )


def _passed(desk: Desk, connection: Connection, presented: Presented, factor: Factor, use: Use) -> Verified:
    """Use up the answer and pass the challenge; nothing is kept of either where one fails."""
    challenge = known(desk, connection, presented.challenge.id)
    challenges.require_state_open(challenge)
    user = challenge.subject.user
    tally = desk.store.tally(connection, user, factor) if factor in GUESSABLE else None
    if not use(connection, challenge):  # 6
        raise StepUpRefused("replayed", expected="a proof that was not used before", found="one that was")
    at_ms = max(presented.now_ms, challenge.seen_ms)
    if not desk.store.close(
        connection, challenge, "passed", passed_factor=factor, passed_ms=at_ms, seen_ms=at_ms
    ):  # 7
        raise StepUpRefused("replayed", expected="an open challenge", found="a closed one")
    if tally is not None:
        desk.store.set_tally(connection, user, factor, succeeded(tally))  # 8
    desk.witness.saw(connection, "challenge:pass", user=user, subject=challenge.id, what=factor, at_ms=at_ms)
    return _proof(challenge, factor, at_ms)


def _missed(desk: Desk, connection: Connection, presented: Presented, refused: StepUpRefused) -> None:
    """Close the challenge after its last try; put a passkey under suspicion whose counter went back."""
    challenge = known(desk, connection, presented.challenge.id)
    locks = challenge.state == "open" and challenge.tries >= challenges.TRIES_MAX
    if locks:
        desk.store.close(connection, challenge, "locked")
    if refused.code == "cloned_passkey" and (factor := claimed_passkey(presented)) is not None:
        desk.store.set_factor_state(
            connection, challenge.subject.user, factor.factor_id, state=SUSPECT, at_ms=presented.now_ms
        )
    desk.witness.saw(
        connection, "challenge:lock" if locks else "challenge:fail", user=challenge.subject.user,
        subject=challenge.id, what=refused.code, at_ms=presented.now_ms,
    )  # fmt: skip


def _proof(challenge: Challenge, factor: Factor, at_ms: int) -> Verified:
    return Verified(
        challenge_id=challenge.id,
        subject=challenge.subject,
        factor=factor,
        level=LEVELS[factor],
        at_ms=at_ms,
        good_until_ms=at_ms + challenges.SPEND_WITHIN_MS,
    )
