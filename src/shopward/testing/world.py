"""One shop's world: its networks, its market and its people, made from a seed.

Promise: the same seed, size and start give the same world; ``somebody`` draws a customer by how often they come, so
whoever copies that customer's network, device and hour is distributed as the visits are. What it does not do: nothing
moves here by itself (see ``calendar``).
"""

from __future__ import annotations

from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING, Final

from shopward.testing.market import Market
from shopward.testing.networks import Networks
from shopward.testing.people import Customer, Partner, Settlers, Worker
from shopward.testing.trail import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

CUSTOMERS_PER_WORKER: Final = 750
FEWEST_WORKERS: Final = 3
LONG_AGO_DAYS: Final = 90
HOUR_MS: Final = 3_600_000


class World:
    """Everything that exists at the start. ``residents``: how many come by themselves (None: all)."""

    def __init__(
        self, *, seed: int, users: int, days: int, start_ms: int, residents: int | None = None
    ) -> None:
        rng = Random(f"{seed}/world")
        self.seed = seed
        self.days = days
        self.start_ms = start_ms
        self.networks = Networks(rng)
        self.market = Market(users)
        self._settlers = Settlers(rng, self.networks, self.market, start_ms)
        self.customers = [self._settlers.customer(number, days) for number in range(1, users + 1)]
        count = max(FEWEST_WORKERS, users // CUSTOMERS_PER_WORKER)
        self.staff = [self._settlers.worker(f"s{number:03d}") for number in range(1, count + 1)]
        agents = max(1, count // 8)
        self.agents = [
            self._settlers.worker(f"a{number:02d}", (f"wa-{number:02d}",)) for number in range(1, agents + 1)
        ]
        self.partners: list[Partner] = [
            self._settlers.partner(f"partner-{number}") for number in range(1, 2 + count // 10)
        ]
        self.residents = self.customers[:residents]
        self.accounts: dict[str, Customer] = {
            agent.accounts[0]: self._settlers.business(agent.accounts[0], agent) for agent in self.agents
        }
        self._cum = self._weights()

    def _weights(self) -> list[float]:
        return list(accumulate(0.0 if c.asleep_until_ms else c.visits_per_day for c in self.customers))

    def settle(self) -> Customer:
        """One more customer, who has been one for a while and comes only when told to."""
        customer = self._settlers.customer(len(self.customers) + 1, self.days)
        customer.new = False
        customer.asleep_until_ms = 0
        customer.registered_ms = min(customer.registered_ms, self.start_ms - 200 * DAY_MS)
        self.customers.append(customer)
        self._cum = self._weights()
        return customer

    def hire(self) -> Worker:
        """One more member of staff."""
        worker = self._settlers.worker(f"s{len(self.staff) + 1:03d}")
        self.staff.append(worker)
        return worker

    def somebody(self, rng: Random) -> Customer:
        """A customer, drawn as visits are."""
        return rng.choices(self.customers, cum_weights=self._cum)[0]

    def several(
        self, rng: Random, count: int, *, at_ms: int, among: Sequence[Customer] | None = None
    ) -> list[Customer]:
        """Different customers who are registered at ``at_ms``; fewer if there are not so many."""
        pool = [c for c in (self.customers if among is None else among) if c.registered_ms < at_ms - DAY_MS]
        return rng.sample(pool, min(count, len(pool)))

    def dormant(self, at_ms: int) -> list[Customer]:
        """Customers who have not been here for long and are not due back soon."""
        return [c for c in self.customers if c.asleep_until_ms > at_ms + 10 * DAY_MS and not c.new]

    def moment(self, rng: Random, day_ms: int) -> int:
        """A time of day on which customers are here, on the day that begins at ``day_ms``."""
        return day_ms + int(self.hour(rng, self.somebody(rng)) * HOUR_MS)

    @staticmethod
    def hour(rng: Random, customer: Customer) -> float:
        """An hour of the day (UTC) at which this customer would come."""
        return rng.gauss(customer.peak_hour_utc, 2.8) % 24
