"""Who may answer a challenge now: the checks that stand before every use of one.

Promise: always in this order, inside the caller's transaction, with the challenge locked: 1. whose and for what, 2. still
open by the time it has seen, 3. an offered factor that the threat does not own. An expiry that is noticed is written
down: a refusal is handed back, not raised, so that the caller's commit keeps it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

from shopward.errors import InvalidField
from shopward.stepup import challenges
from shopward.stepup.refusals import StepUpRefused
from shopward.stepup.tables import DECISION_MAX, FACTORS_MAX, ID_MAX, TOKEN_MAX, WORD_MAX

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

    from shopward.stepup.challenges import Challenge, Subject
    from shopward.stepup.desk import Desk

T = TypeVar("T")

_WORD: Final = re.compile(r"[a-z][a-z0-9_]*")
_LENGTHS: Final = {
    "user": (1, TOKEN_MAX),
    "device": (0, TOKEN_MAX),
    "operation": (1, WORD_MAX),
    "decision_id": (1, DECISION_MAX),
}


def known(desk: Desk, connection: Connection, challenge_id: str) -> Challenge:
    """The challenge of this id, locked until the commit.

    Raises:
        StepUpRefused: ``unknown_challenge``.
    """
    possible = challenge_id.isascii() and challenge_id.isprintable() and len(challenge_id) <= ID_MAX
    challenge = desk.store.lock(connection, challenge_id) if possible else None
    if challenge is None:
        raise StepUpRefused("unknown_challenge")
    return challenge


def admissible(
    desk: Desk,
    connection: Connection,
    challenge_id: str,
    *,
    expected: Subject,
    factor: str,
    also_excluded: Collection[str],
    at_ms: int,
) -> Challenge | StepUpRefused:
    """The challenge, where this factor may answer it now; otherwise the refusal, to be raised after the commit."""
    challenge = known(desk, connection, challenge_id)
    challenges.require_subject(challenge, expected)  # 1
    try:
        challenges.require_open(challenge, at_ms=at_ms)  # 2
        challenges.require_factor(challenge, factor, also_excluded=also_excluded)  # 3
    except StepUpRefused as refusal:
        if refusal.code == "expired" and challenge.state == "open":
            desk.store.close(connection, challenge, "expired", seen_ms=max(at_ms, challenge.seen_ms))
        return refusal
    return challenge


def given(result: T | StepUpRefused) -> T:
    """What a committed transaction gave; a refusal is raised now that what it wrote is kept."""
    if isinstance(result, StepUpRefused):
        raise result
    return result


def checked_subject(subject: Subject) -> None:
    """Refuse what a table would cut or SQLite would take at any length.

    Raises:
        InvalidField: with the part's name and its length.
    """
    for name, (least, most) in _LENGTHS.items():
        value = getattr(subject, name)
        if not least <= len(value) <= most or not value.isprintable():
            raise InvalidField(
                "a challenge cannot be bound to this",
                path=name,
                expected=f"{least} to {most} characters",
                found=f"{len(value)} characters",
            )


def checked_excluded(words: Collection[str]) -> tuple[str, ...]:
    """Excluded factors as they are kept, in one order.

    Raises:
        InvalidField: one is no word, or they are too many.
    """
    each = tuple(sorted(set(words)))
    if not all(_WORD.fullmatch(word) for word in each) or len(",".join(each)) > FACTORS_MAX:
        raise InvalidField(
            "these factors cannot be excluded",
            path="excluded",
            expected=f"names of factors, {FACTORS_MAX} characters together",
            found=f"{len(each)} of them",
        )
    return each
