"""What is bought and who is paid: merchants by popularity, private payees, and amounts.

Promise: a few merchants take most payments and hundreds take few (a Zipf law); amounts are lognormal around each
customer's own level. What it does not do: it keeps no stock, and prices are not tied to a merchant.
"""

from __future__ import annotations

from itertools import accumulate
from math import exp
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random

MERCHANTS: Final = 700
USERS_PER_COLLECTOR: Final = 60
FEWEST_COLLECTORS: Final = 8
COLLECTORS_SHARE: Final = 0.6
ZIPF_EXPONENT: Final = 1.15
SMALLEST_MINOR: Final = 60
TOPUPS_MINOR: Final = (2000, 4000, 5000, 10000, 20000)


class Market:
    """Merchants and payees of one world."""

    def __init__(self, users: int) -> None:
        self._names = [f"m{number:03d}" for number in range(1, MERCHANTS + 1)]
        self._cum = list(accumulate(1 / rank**ZIPF_EXPONENT for rank in range(1, MERCHANTS + 1)))
        self._people = max(20, users)
        self._collectors = max(FEWEST_COLLECTORS, users // USERS_PER_COLLECTOR)

    def merchant(self, rng: Random) -> str:
        """A merchant by popularity."""
        return rng.choices(self._names, cum_weights=self._cum)[0]

    def friend(self, rng: Random) -> str:
        """A private payee; most are known to one or two customers, some (landlords, group buyers) to many."""
        if rng.random() < COLLECTORS_SHARE:
            return f"p{int(rng.random() ** 2 * self._collectors):06d}"
        return f"p{self._collectors + rng.randrange(self._people):06d}"

    def mules(self, rng: Random, count: int) -> tuple[str, ...]:
        """Small merchants and private payees that also have honest payers."""
        tail = self._names[len(self._names) // 8 :]
        return tuple(rng.choice(tail) if rng.random() < 0.7 else self.friend(rng) for _ in range(count))


def amount(rng: Random, spend_log: float, factor: float = 1.0) -> int:
    """An amount around a customer's own level, sometimes rounded as prices are."""
    raw = exp(rng.gauss(spend_log, 0.8)) * factor
    cents = max(SMALLEST_MINOR, int(raw))
    if rng.random() < 0.35:
        return max(100, cents // 100 * 100 - rng.choice((0, 1, 5)))
    return cents
