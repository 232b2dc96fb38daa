"""Factors: which there are, what each is worth, and which of them a challenge may offer.

Promise: the threat chooses. What it may own is never offered, whatever the policy prefers; of what is left, only what
the customer has and what is strong enough for the operation. Nothing left is a refusal, never a weaker challenge.

``sms`` and ``captcha`` of the policy's vocabulary are not here: nobody here sends or solves them. An e-mailed code
proves access to a mailbox and no device (ASVS V6.3.6): it is level 1, and level 2 never takes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from shopward.stepup.refusals import StepUpRefused

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

Factor = Literal["passkey", "totp", "recovery_code", "whatsapp", "email"]

LEVELS: Final[dict[Factor, int]] = {"passkey": 3, "totp": 2, "recovery_code": 2, "whatsapp": 1, "email": 1}
"""3: phishing-resistant. 2: something only the customer has. 1: a code over a channel that others may read."""

CHANNEL_FACTORS: Final[frozenset[Factor]] = frozenset({"whatsapp", "email"})
GUESSABLE: Final[frozenset[Factor]] = frozenset({"totp", "recovery_code", "whatsapp", "email"})
"""Factors whose tries are counted for each user, over all challenges."""


def as_factor(word: str) -> Factor | None:
    """The factor of this name; ``None`` for what cannot be proved here."""
    return next((factor for factor in LEVELS if factor == word), None)


def offer(
    *, preferred: Sequence[str], excluded: Collection[str], available: Collection[str], level_min: int = 1
) -> tuple[Factor, ...]:
    """The factors to offer, in the order of preference.

    Args:
        preferred: what the policy asks for; words that cannot be proved here are passed over.
        excluded: what the threat may own.
        available: what this customer has enrolled, or can be reached by.
        level_min: what the operation asks for (``LEVELS``).

    Raises:
        StepUpRefused: ``no_factor_left``.
    """
    known = [factor for word in dict.fromkeys(preferred) if (factor := as_factor(word)) is not None]
    left = tuple(
        factor
        for factor in known
        if factor not in excluded and factor in available and LEVELS[factor] >= level_min
    )
    if not left:  # fails closed: a challenge that proves nothing must not let anybody through
        raise StepUpRefused(
            "no_factor_left",
            expected=f"a factor of level {level_min} or more that is enrolled and not excluded",
            found=f"{len(set(available))} available, {len(set(excluded))} excluded",
        )
    return left
