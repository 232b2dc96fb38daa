"""When a message is tried again, and when its receiver counts as gone; pure.

Promise: pauses grow from seconds to half a day and are spread by a fifth either way, so that a receiver that comes back
is not met by everybody at once; a message is tried ``TRIES`` times, over a little more than three days. A receiver that
took nothing for ``DEAD_AFTER_MS``, or says 410 Gone, is switched off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shopward.values import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

if TYPE_CHECKING:
    import random

PAUSES_MS: Final = (
    5 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS, 10 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS,
    8 * HOUR_MS, 12 * HOUR_MS, 12 * HOUR_MS, 12 * HOUR_MS, 12 * HOUR_MS, 12 * HOUR_MS,
)  # fmt: skip
TRIES: Final = len(PAUSES_MS) + 1
DEAD_AFTER_MS: Final = 5 * DAY_MS
GONE: Final = "http_410"
MAIL_TAKEN: Final = "mail_taken"
_SPREAD: Final = 0.2


def is_taken(code: str) -> bool:
    """Whether a receiver took the message: any 2xx, or a mail server; a redirect is none, and is not followed."""
    return code.startswith("http_2") or code == MAIL_TAKEN


def next_due_ms(tries: int, *, at_ms: int, random: random.Random) -> int | None:
    """When the next try is due after so many that failed; ``None`` where none is left."""
    if tries >= TRIES:
        return None
    return at_ms + pause_ms(tries, random=random)


def pause_ms(tries: int, *, random: random.Random) -> int:
    """How long to wait after so many tries that failed; the longest pause comes again and again."""
    return round(PAUSES_MS[min(tries, len(PAUSES_MS)) - 1] * random.uniform(1 - _SPREAD, 1 + _SPREAD))


def is_dead(code: str, *, failing_since_ms: int, at_ms: int) -> bool:
    """Whether a receiver that fails now is not coming back."""
    return code == GONE or is_silent(failing_since_ms=failing_since_ms, at_ms=at_ms)


def is_silent(*, failing_since_ms: int, at_ms: int) -> bool:
    """Whether a receiver took nothing for so long that it is given up; 0 is one that does not fail."""
    return 0 < failing_since_ms <= at_ms - DEAD_AFTER_MS
