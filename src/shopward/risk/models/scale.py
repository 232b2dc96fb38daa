"""The scale: log-odds become the contract's score.

Promise: ``score = 100 p / (p + (1 - p) / 29)`` where ``p`` is the chance that the event is fraud: strictly rising in
``p``, below 100, and the same for every model and event type, so that scores are comparable because chances are.
A score of 50 says one in thirty, 57 one in twenty-two, 90 one in four: what the rules' scores of 50 and 57 turned out
to say on the first 30 days of three simulated shops, so that a policy's thresholds mean the same for both.
"""

from __future__ import annotations

import math
from typing import Any, Final

from msgspec import Struct

ONE_IN_THIRTY: Final = math.log(29.0)
"""What is added to the log-odds, so that one in thirty reads 50: where the default policy begins to review."""
_LOG_ODDS_MAX: Final = 20.0
_DIGITS: Final = 9


class Line(Struct, frozen=True, array_like=True):
    """``intercept + slope * x``."""

    intercept: float
    slope: float

    def at(self, x: Any) -> Any:
        """Its value at ``x``, a number or an array of them."""
        return self.intercept + self.slope * x


LINE_AS_IS: Final = Line(0.0, 1.0)


def score_of_log_odds(log_odds: float) -> float:
    """The score of a chance given as log-odds."""
    bounded = max(-_LOG_ODDS_MAX, min(_LOG_ODDS_MAX, log_odds + ONE_IN_THIRTY))
    return round(100.0 / (1.0 + math.exp(-bounded)), _DIGITS)
