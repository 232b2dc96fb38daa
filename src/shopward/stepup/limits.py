"""How often a factor of one user may be tried, over all challenges.

Promise, a pure function of the kept row and the time:

- 5 tries in 15 minutes, counted before the answer is looked at, so that answers in parallel do not get more. A right
  answer gives its try back.
- 100 tries in a row without a right answer disable the factor until it is enrolled again (NIST SP 800-63B-4, Rate
  Limiting).
- A clock that jumps back never gives tries back and never locks for longer than one more window.

The lock is on one factor of one user: somebody who guesses cannot lock the customer out of the others (ASVS V6.1.1).
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from shopward.stepup.refusals import RefusalCode, StepUpRefused
from shopward.values import HOUR_MS, MINUTE_MS, SECOND_MS

IN_A_ROW_MAX: Final = 100


class Rate(Struct, frozen=True):
    """So many in a window, how many in a row without success (0: any number), and the code of the refusal."""

    count_max: int
    window_ms: int
    in_a_row_max: int
    code: RefusalCode


TRIES: Final = Rate(5, 15 * MINUTE_MS, IN_A_ROW_MAX, "too_many_tries")
CODES_SENT: Final = Rate(5, HOUR_MS, 0, "too_many_codes")
"""Codes sent to one user over one channel: against bombing the customer and pumping the bill."""


class Tally(Struct, frozen=True):
    """What is kept of one user and factor: since when, how many in this window and in a row."""

    since_ms: int = 0
    count: int = 0
    in_a_row: int = 0


def counted(tally: Tally, *, rate: Rate, at_ms: int) -> Tally:
    """The tally with one more.

    Raises:
        StepUpRefused: the code of the rate with ``resets_in_s``, or ``factor_disabled``.
    """
    if rate.in_a_row_max and tally.in_a_row >= rate.in_a_row_max:
        raise StepUpRefused(
            "factor_disabled",
            expected=f"a right answer among {rate.in_a_row_max}",
            found=f"{tally.in_a_row} others in a row",
        )
    # A window that began in the future was begun by a clock that has jumped back since: it begins now instead.
    since_ms = min(tally.since_ms, at_ms)
    count = tally.count
    if count == 0 or at_ms - since_ms >= rate.window_ms:
        since_ms, count = at_ms, 0
    if count >= rate.count_max:
        raise StepUpRefused(
            rate.code,
            expected=f"at most {rate.count_max} in {rate.window_ms // MINUTE_MS} minutes",
            found=f"{count}",
            resets_in_s=-(-(since_ms + rate.window_ms - at_ms) // SECOND_MS),
        )
    return Tally(since_ms, count + 1, tally.in_a_row + 1)


def succeeded(tally: Tally) -> Tally:
    """The tally after a right answer: its try is given back, and the row is broken."""
    return Tally(tally.since_ms, max(0, tally.count - 1), 0)
