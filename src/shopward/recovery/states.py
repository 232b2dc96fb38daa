"""States of a recovery: one table of arrows; everything else asks the table.

Promise: a case goes one step after the other, in the one order there is; no step can be left out, and none leads to
``released`` but the last. Two arrows lead back, both to ``frozen``: its owner froze the account again, or the hour that
a proof is good for was over. From ``released`` there is no way on.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

from shopward.errors import Conflict

State = Literal["frozen", "proved", "renewed", "ended", "reviewed", "released"]
Verb = Literal["identity", "password", "sessions", "review", "release", "freeze", "lapse"]

STATES: Final[tuple[State, ...]] = get_args(State)

STEPS: Final[dict[State, Verb]] = {
    "frozen": "identity",
    "proved": "password",
    "renewed": "sessions",
    "ended": "review",
    "reviewed": "release",
}
"""What comes next in each state."""

FINAL: Final[frozenset[State]] = frozenset(STATES) - set(STEPS)

ARROWS: Final[dict[tuple[State, Verb], State]] = {
    ("frozen", "identity"): "proved",
    ("proved", "password"): "renewed",
    ("renewed", "sessions"): "ended",
    ("ended", "review"): "reviewed",
    ("reviewed", "release"): "released",
    ("frozen", "freeze"): "frozen",
    ("proved", "freeze"): "frozen",
    ("renewed", "freeze"): "frozen",
    ("ended", "freeze"): "frozen",
    ("reviewed", "freeze"): "frozen",
    ("proved", "lapse"): "frozen",
    ("renewed", "lapse"): "frozen",
    ("ended", "lapse"): "frozen",
    ("reviewed", "lapse"): "frozen",
}


def moved(state: State, verb: Verb) -> State:
    """The state after a step.

    Raises:
        Conflict: it is not this step's turn.
    """
    after = ARROWS.get((state, verb))
    if after is None:
        raise Conflict(
            f"a recovery that is {state} cannot take this step", code="recovery_state",
            expected=STEPS.get(state, "nothing: it is over"), found=verb,
            hint="GET /v1/recoveries/{id} says what comes next",
        )  # fmt: skip
    return after


def is_done(state: State, verb: Verb) -> bool:
    """Whether a step lies behind: taking it once more then changes nothing."""
    return STATES.index(state) > STATES.index(next(each for each, step in STEPS.items() if step == verb))
