"""States of an order: one table of arrows; everything else asks the table.

Promise: an order moves along an arrow of ``ARROWS`` or not at all; from a final state there is none. Only ``active``
orders are in force, and an order that is in force leaves that state by three ways alone: its end came, a release was
allowed, or an order at least as strong took its place.

``scheduled`` stands between approval and a start that lies ahead.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

from shopward.errors import Conflict

State = Literal["draft", "pending_approval", "scheduled", "active", "expired", "cancelled", "superseded"]
Verb = Literal["submit", "activate", "schedule", "begin", "expire", "cancel", "supersede"]

STATES: Final[tuple[State, ...]] = get_args(State)
NOT_AGREED: Final[tuple[State, ...]] = ("draft", "pending_approval")
"""Nobody let it begin; ending it is discarding it."""
VERBS: Final[tuple[Verb, ...]] = get_args(Verb)

ARROWS: Final[dict[tuple[State, Verb], State]] = {
    ("draft", "submit"): "pending_approval",
    ("draft", "activate"): "active",
    ("draft", "schedule"): "scheduled",
    ("draft", "cancel"): "cancelled",
    ("pending_approval", "activate"): "active",
    ("pending_approval", "schedule"): "scheduled",
    ("pending_approval", "cancel"): "cancelled",
    ("scheduled", "begin"): "active",
    ("scheduled", "cancel"): "cancelled",
    ("active", "expire"): "expired",
    ("active", "cancel"): "cancelled",
    ("active", "supersede"): "superseded",
}

FINAL: Final[frozenset[State]] = frozenset(STATES) - {start for start, _verb in ARROWS}
"""States without a way out."""


def moved(state: State, verb: Verb) -> State:
    """The state after an arrow.

    Raises:
        Conflict: there is no such arrow.
    """
    after = ARROWS.get((state, verb))
    if after is None:
        ways = sorted(way for start, way in ARROWS if start == state)
        raise Conflict(
            f"an order that is {state} cannot {verb}",
            code="order_state",
            expected="one of " + ", ".join(ways) if ways else "nothing: this state is final",
            found=verb,
        )
    return after
