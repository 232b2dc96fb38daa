"""Counsel: which advice fits what just happened to an account, the most urgent first.

Promise: pure; it picks words of a closed set and writes none. At most ``SAID_MAX`` are picked, since who reads ten pieces of advice
follows none; where nothing happened, that is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, get_args

from shopward.events.catalogue import MONEY_TYPES
from shopward.values import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.flows.lately import Happened

Word = Literal[
    "frozen", "new_sim", "money_stopped", "way_changed", "asked", "new_device", "breached", "guessing", "noticed", "data_breach", "provider",
    "impostors", "gift_cards", "reached", "calm",
]  # fmt: skip
WORDS: Final[tuple[Word, ...]] = get_args(Word)
"""The most urgent first."""
SAID_MAX: Final = 3
FRESH_MS: Final = 3 * DAY_MS
TOLD_MS: Final = 30 * DAY_MS
"""So long thieves use what became known."""
GUESSES: Final = 3
_WAYS: Final = frozenset(
    {"password_change", "password_reset", "email_change", "phone_change", "mfa_enroll", "mfa_remove", "identity_link"}
)  # fmt: skip
_BY_REASON: Final[dict[str, Word]] = {
    "data_breach": "data_breach",
    "insider": "data_breach",
    "linked_identity_breach": "provider",
    "phishing": "impostors",
    "gift_card_fraud": "gift_cards",
    "credential_stuffing": "guessing",
}


class Protection(NamedTuple):
    """An order in force: its kind and its reason."""

    kind: str
    reason: str


def counsel(
    happened: Sequence[Happened],
    *,
    protections: Sequence[Protection],
    is_breached: bool,
    is_reached: bool,
    new_sim_ms: int = 0,
    told_ms: int = 0,
    at_ms: int,
) -> list[Word]:
    """What to advise.

    Args:
        happened: newest first.
        protections: the orders in force that cover the account.
        is_breached: whether its password stands in a list of stolen ones.
        is_reached: whether a campaign that is live reached it.
        new_sim_ms: when the customer's number was found on another SIM; 0 for never.
        told_ms: when the shop last told this customer of an incident; 0 for never.
        at_ms: now.
    """
    fresh = [each for each in happened if each.at_ms > at_ms - FRESH_MS]
    tries = sum(each.times for each in fresh if each.type == "login" and each.outcome == "failed")
    found: set[Word] = {_BY_REASON[each.reason] for each in protections if each.reason in _BY_REASON}
    fits: dict[Word, bool] = {
        "frozen": any(each.kind == "freeze" for each in protections),
        "money_stopped": any(
            each.type in MONEY_TYPES and each.outcome in ("stopped", "asked") for each in fresh
        ),
        "way_changed": any(each.type in _WAYS and each.outcome in ("done", "let") for each in fresh),
        "asked": any(each.type not in MONEY_TYPES and each.outcome == "asked" for each in fresh),
        "new_device": any(
            each.type == "login" and each.is_new_device and each.outcome in ("done", "let") for each in fresh
        ),
        "breached": is_breached,
        "guessing": tries >= GUESSES,
        "new_sim": new_sim_ms > at_ms - FRESH_MS,
        "noticed": told_ms > at_ms - TOLD_MS,
        "reached": is_reached,
    }
    found |= {word for word, does_fit in fits.items() if does_fit}
    return [word for word in WORDS if word in found][:SAID_MAX] or ["calm"]
