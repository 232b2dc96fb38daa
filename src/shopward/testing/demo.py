"""A week at a small, busy shop with three attacks in it: the sample that ``shopward demo`` replays.

Promise: some thousands of events, one stuffing wave with the takeovers that follow it, one drain through a linked
identity, one export by staff; the same seed gives the same week. What it does not do: it is too small to measure a
detector on (use ``ShopSimulator`` for that).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shopward.testing.attackers import DistributedStuffing, InsiderScrape, LinkedIdentityDrain
from shopward.testing.simulator import DEFAULT_START, Planned, ShopSimulator

if TYPE_CHECKING:
    from datetime import datetime

USERS: Final = 400
DAYS: Final = 7
ACTIVITY: Final = 10.3
ATTACKS: Final = (
    Planned(3, DistributedStuffing(tries=220, minutes=60, hits=10, returns_after_h=(2.0, 40.0))),
    Planned(4, LinkedIdentityDrain(victims=18, over_h=30.0)),
    Planned(5, InsiderScrape(reads=70, days=1.2, exports=2)),
)


def demo_week(seed: int = 1, *, start: datetime = DEFAULT_START) -> ShopSimulator:
    """The week, ready to be iterated or written."""
    return ShopSimulator(seed=seed, users=USERS, days=DAYS, start=start, activity=ACTIVITY, attacks=ATTACKS)
