"""Challenges: what one asks, of whom, for what; its states; and whether an answer may be looked at.

Promise, all of it pure:

- A challenge belongs to one user, device, operation and decision. An answer for any other is refused before anything
  else is said, and before any try is counted.
- A factor that the threat excluded is refused even if the answer is right.
- ``ARROWS`` is the only place that says which state follows which. No arrow leads back to ``open``; ``passed`` is
  reached once and ``spent`` once, so a proof works once.
- Time never goes back for a challenge: it remembers the latest it saw. A clock that falls more than a minute behind
  that is refused, so an expiry cannot be undone.
- 5 tries for each challenge, counted before the answer is looked at.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from shopward.stepup.factors import LEVELS, Factor, as_factor
from shopward.stepup.refusals import RefusalCode, StepUpRefused
from shopward.values import MINUTE_MS, SECOND_MS

if TYPE_CHECKING:
    from collections.abc import Collection

LIFETIME_MS: Final = 10 * MINUTE_MS
SPEND_WITHIN_MS: Final = 10 * MINUTE_MS
CLOCK_BACK_MAX_MS: Final = MINUTE_MS
TRIES_MAX: Final = 5
CODES_MAX: Final = 3
NONCE_BYTES: Final = 32

State = Literal["open", "passed", "spent", "expired", "locked", "cancelled"]
ARROWS: Final[dict[State, frozenset[State]]] = {
    "open": frozenset({"passed", "expired", "locked", "cancelled"}),
    "passed": frozenset({"spent"}),
    "spent": frozenset(),
    "expired": frozenset(),
    "locked": frozenset(),
    "cancelled": frozenset(),
}
_CLOSED: Final[dict[State, RefusalCode]] = {
    "passed": "replayed",
    "spent": "replayed",
    "expired": "expired",
    "locked": "too_many_tries",
    "cancelled": "cancelled",
}


class Subject(Struct, frozen=True):
    """What a challenge and its proof are bound to: tokens and ids, no clear values."""

    user: str
    device: str
    operation: str
    decision_id: str


class Challenge(Struct, frozen=True):
    """One demand for a proof.

    Attributes:
        id: of the challenge.
        subject: whose, and for what.
        offered: factors that may answer, in order of preference.
        excluded: factors that the threat may own.
        level_min: what the operation asks for.
        nonce: 32 random bytes.
        state: see ``ARROWS``.
        tries: answers looked at so far.
        created_ms: when it was asked.
        expires_ms: until when it can be answered.
        seen_ms: the latest time it was touched at.
        passed_factor: which factor answered; empty before.
        passed_ms: when.
        codes_sent: codes sent for it.
        code_channel: where the newest code went.
        code_digest: its keyed hash.
        code_expires_ms: until when it holds.
    """

    id: str
    subject: Subject
    offered: tuple[Factor, ...]
    excluded: tuple[str, ...]
    level_min: int
    nonce: bytes
    state: State
    tries: int
    created_ms: int
    expires_ms: int
    seen_ms: int
    passed_factor: str = ""
    passed_ms: int = 0
    codes_sent: int = 0
    code_channel: str = ""
    code_digest: bytes = b""
    code_expires_ms: int = 0


class Verified(Struct, frozen=True):
    """A proof that held: once, for this subject, until ``good_until_ms``."""

    challenge_id: str
    subject: Subject
    factor: Factor
    level: int
    at_ms: int
    good_until_ms: int


def nonce_for(challenge: Challenge) -> bytes:
    """What an authenticator signs: the random nonce, hashed with everything that the proof is bound to."""
    subject = challenge.subject
    parts = (challenge.id, subject.user, subject.device, subject.operation, subject.decision_id)
    digest = hashlib.sha256(b"shopward/stepup/challenge/1")
    for raw in (challenge.nonce, *(part.encode() for part in parts)):
        digest.update(len(raw).to_bytes(4, "big") + raw)
    return digest.digest()


def moved(state: State, to: State) -> State:
    """The new state, if there is an arrow to it."""
    if to not in ARROWS[state]:
        raise AssertionError(f"no arrow leads from {state} to {to}")
    return to


def effective_ms(challenge: Challenge, at_ms: int) -> int:
    """The time as this challenge sees it, which never goes back.

    Raises:
        StepUpRefused: ``clock_jumped``.
    """
    behind_ms = challenge.seen_ms - at_ms
    if behind_ms > CLOCK_BACK_MAX_MS:  # fails closed: an expiry could be undone otherwise
        raise StepUpRefused(
            "clock_jumped",
            expected="a time no earlier than this challenge has seen",
            found=f"{behind_ms // SECOND_MS} s before it",
            resets_in_s=-(-behind_ms // SECOND_MS),
        )
    return max(at_ms, challenge.seen_ms)


def require_subject(challenge: Challenge, expected: Subject) -> None:
    """Refuse a proof for somebody or something else.

    Raises:
        StepUpRefused: ``wrong_subject``, naming the parts that differ and none of their values.
    """
    other = [
        name
        for name in Subject.__struct_fields__
        if getattr(challenge.subject, name) != getattr(expected, name)
    ]
    if other:
        raise StepUpRefused(
            "wrong_subject",
            expected="the user, device, operation and decision that were challenged",
            found="another " + ", ".join(other),
        )


def require_state_open(challenge: Challenge) -> None:
    """Refuse what has left ``open``.

    Raises:
        StepUpRefused: ``replayed``, ``expired``, ``too_many_tries`` or ``cancelled``.
    """
    if challenge.state != "open":
        raise StepUpRefused(_CLOSED[challenge.state], expected="an open challenge", found=challenge.state)


def require_open(challenge: Challenge, *, at_ms: int) -> int:
    """The effective time, where the challenge can still be answered.

    Raises:
        StepUpRefused: ``replayed``, ``expired``, ``too_many_tries``, ``cancelled`` or ``clock_jumped``.
    """
    require_state_open(challenge)
    now_ms = effective_ms(challenge, at_ms)
    if now_ms >= challenge.expires_ms:
        raise StepUpRefused(
            "expired",
            expected=f"an answer within {LIFETIME_MS // MINUTE_MS} minutes",
            found=f"{(now_ms - challenge.created_ms) // SECOND_MS} s",
        )
    if challenge.tries >= TRIES_MAX:
        raise StepUpRefused(
            "too_many_tries", expected=f"at most {TRIES_MAX} tries", found=str(challenge.tries)
        )
    return now_ms


def require_factor(challenge: Challenge, word: str, *, also_excluded: Collection[str] = ()) -> Factor:
    """The factor of this name, where it may answer now.

    Args:
        challenge: to be answered.
        word: the factor that the answer is of.
        also_excluded: what has become untrustworthy since the challenge was asked.

    Raises:
        StepUpRefused: ``excluded_factor``, ``weak_factor`` or ``wrong_factor``.
    """
    offered = ", ".join(challenge.offered)
    if word in challenge.excluded or word in also_excluded:
        raise StepUpRefused("excluded_factor", expected=offered, found="an excluded one")
    factor = as_factor(word)
    if factor is not None and LEVELS[factor] < challenge.level_min:
        raise StepUpRefused("weak_factor", expected=offered, found=f"one of level {LEVELS[factor]}")
    if factor is None or factor not in challenge.offered:
        raise StepUpRefused("wrong_factor", expected=offered, found="another one")
    return factor


def require_spendable(challenge: Challenge, *, operation: str, user: str, device: str, at_ms: int) -> int:
    """The effective time, where a passed challenge may be spent on its operation.

    Raises:
        StepUpRefused: ``wrong_subject``, ``no_proof``, ``replayed``, ``expired`` or ``clock_jumped``.
    """
    require_subject(challenge, Subject(user, device, operation, challenge.subject.decision_id))
    if challenge.state == "spent":
        raise StepUpRefused("replayed", expected="a proof that was not spent", found="a spent one")
    if challenge.state != "passed":
        raise StepUpRefused("no_proof", expected="a passed challenge", found=challenge.state)
    now_ms = effective_ms(challenge, at_ms)
    if now_ms >= challenge.passed_ms + SPEND_WITHIN_MS:
        raise StepUpRefused(
            "expired",
            expected=f"a proof of the last {SPEND_WITHIN_MS // MINUTE_MS} minutes",
            found=f"{(now_ms - challenge.passed_ms) // SECOND_MS} s",
        )
    return now_ms
