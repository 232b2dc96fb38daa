"""When who comes: at each midnight the day's visits, cases, pulls and chats are put on the agenda.

Promise: visits follow each customer's rate and hours; some days are sale days, on which everybody comes more and
staff read much more; those asleep stay away until they wake. What it does not do: no weekday pattern and no public
holidays.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from shopward.testing.backoffice import BackOffice
from shopward.testing.trail import DAY_MS
from shopward.testing.visits import Visits
from shopward.testing.world import HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from shopward.testing.agenda import Agenda, Draft
    from shopward.testing.people import Customer
    from shopward.testing.world import World

W = TypeVar("W")

SALE_EVERY_DAYS: Final = 15
SALE_VISITS: Final = 1.7
SALE_READS: Final = 2.5
EXPORTS_PER_DAY: Final = 0.05
CHATS_PER_DAY: Final = 5.0
RELINKS_PER_DAY: Final = 0.05


class Calendar:
    """Plans honest days."""

    def __init__(self, world: World, agenda: Agenda, rng: Random, *, activity: float = 1.0) -> None:
        self._world = world
        self._agenda = agenda
        self._rng = rng
        self._activity = activity
        self._first_day = world.start_ms // DAY_MS
        self._sale_offset = rng.randrange(4, SALE_EVERY_DAYS)
        self.visits = Visits(world, rng)
        self.office = BackOffice(world, rng)
        agenda.put(world.start_ms, self.plan)

    def is_sale(self, at_ms: int) -> bool:
        """Whether this is a sale day."""
        return (at_ms // DAY_MS - self._first_day) % SALE_EVERY_DAYS == self._sale_offset

    def plan(self, day_ms: int) -> list[Draft]:
        """The day that begins now, and the planning of the next."""
        sale = self.is_sale(day_ms)
        self._plan_customers(day_ms, self._activity * (SALE_VISITS if sale else 1.0))
        self._plan_office(day_ms, SALE_READS if sale else 1.0)
        self._agenda.put(day_ms + DAY_MS, self.plan)
        return []

    def _plan_customers(self, day_ms: int, factor: float) -> None:
        rng, put = self._rng, self._agenda.put
        for customer in self._world.residents:
            if customer.new:
                if day_ms <= customer.registered_ms < day_ms + DAY_MS:
                    put(customer.registered_ms, partial(self._visit, customer))
                continue
            left = customer.visits_per_day * factor
            while rng.random() < left:
                left -= 1.0
                self._put_visit(customer, day_ms)

    def _put_visit(self, customer: Customer, day_ms: int) -> None:
        at_ms = day_ms + int(self._world.hour(self._rng, customer) * HOUR_MS)
        if at_ms >= customer.asleep_until_ms and at_ms > customer.registered_ms:
            self._agenda.put(at_ms, partial(self._visit, customer))

    def _visit(self, customer: Customer, at_ms: int) -> list[Draft]:
        return self.visits.visit(customer, at_ms)

    def _plan_office(self, day_ms: int, factor: float) -> None:
        world, rng = self._world, self._rng
        if not world.residents:
            return
        for worker in world.staff:
            self._put_some(
                day_ms, worker.reads_per_day * factor, worker.peak_hour_utc, self.office.read, worker
            )
            self._put_some(day_ms, EXPORTS_PER_DAY, worker.peak_hour_utc, self.office.export, worker)
        for agent in world.agents:
            self._put_some(day_ms, CHATS_PER_DAY * factor, agent.peak_hour_utc, self.office.chat, agent)
            self._put_some(day_ms, RELINKS_PER_DAY, agent.peak_hour_utc, self.office.relink, agent)
        for company in world.partners:
            self._put_some(day_ms, company.pulls_per_day, rng.uniform(0, 24), self.office.pull, company)

    def _put_some(
        self, day_ms: int, mean: float, peak_hour: float, deed: Callable[[W, int], list[Draft]], who: W
    ) -> None:
        """About ``mean`` deeds around an hour of the day."""
        rng = self._rng
        count = int(rng.random() < mean) if mean < 1 else max(0, round(rng.gauss(mean, mean**0.5)))
        for _ in range(count):
            at_ms = day_ms + int((rng.gauss(peak_hour, 3.0) % 24) * HOUR_MS)
            self._agenda.put(at_ms, partial(deed, who))
