"""Honest doings that look like an attack; whoever stops these has stopped a customer.

Promise: every draft here is honest and unlabelled. What it does not do: nothing random decides whether the look-alike
happens; it is what was asked for, so that a scenario can rely on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shopward.testing.agenda import Draft
from shopward.testing.devices import make_device
from shopward.testing.networks import Kind, Line, Place
from shopward.testing.places import COUNTRIES
from shopward.testing.trail import Trail, token

if TYPE_CHECKING:
    from random import Random

    from shopward.testing.backoffice import BackOffice
    from shopward.testing.people import Customer
    from shopward.testing.visits import Visits
    from shopward.testing.world import World

MINUTE_MS: Final = 60_000
FLIGHT_H: Final = 16.0
CARRIER_TYPOS: Final = 0.3


class Lookalikes:
    """Each method gives the drafts of one honest story that begins at ``at_ms``."""

    def __init__(self, world: World, visits: Visits, office: BackOffice, rng: Random) -> None:
        self._world = world
        self._visits = visits
        self._office = office
        self._rng = rng

    def family(self, at_ms: int, members: int, minutes: float) -> list[Draft]:
        """A family (or a dormitory) behind one address; everybody signs in, one of three mistypes once."""
        family = [self._world.settle() for _ in range(members)]
        home = family[0].home
        drafts: list[Draft] = []
        for number, member in enumerate(family):
            member.home = home
            moment = at_ms + int(minutes * MINUTE_MS * number / members)
            drafts += self._sign_in(member, moment, home.place(moment, self._rng), typos=int(number % 3 == 0))
        return drafts

    def carrier(self, at_ms: int, customers: int, minutes: float) -> list[Draft]:
        """Many customers of one carrier behind one of its addresses, three in ten with a typo."""
        rng = self._rng
        first = self._world.settle()
        place = first.mobile.place(rng, first.home.city)
        drafts: list[Draft] = []
        for number in range(customers):
            customer = first if number == 0 else self._world.settle()
            customer.mobile = first.mobile
            moment = at_ms + int(minutes * MINUTE_MS * number / customers)
            drafts += self._sign_in(customer, moment, place, typos=int(rng.random() < CARRIER_TYPOS))
        return drafts

    def staff_peak(self, at_ms: int, reads: int, hours: float) -> list[Draft]:
        """A sale day at one desk: very many reads, each with its case or order."""
        worker = self._world.hire()
        worker.sloppy = 0.0
        drafts: list[Draft] = []
        for number in range(reads):
            moment = at_ms + int(hours * 60 * MINUTE_MS * number / reads)
            drafts += self._office.read(worker, moment)
        return drafts

    def traveller(self, at_ms: int, customer: Customer) -> list[Draft]:
        """Signs in at home, flies, and signs in abroad after ``FLIGHT_H`` hours with the same phone."""
        rng = self._rng
        drafts = self._sign_in(customer, at_ms, customer.home.place(at_ms, rng))
        abroad = next(c for c in COUNTRIES if c is not customer.country)
        landed = at_ms + int(FLIGHT_H * 60 * MINUTE_MS)
        network = self._world.networks.pick(rng, abroad, Kind.CARRIER)
        customer.abroad, customer.abroad_until_ms = Line(network, abroad.cities[0]), landed + 7 * 86_400_000
        return drafts + self._sign_in(customer, landed, customer.abroad.place(landed, rng))

    def new_phone(self, at_ms: int, customer: Customer) -> list[Draft]:
        """A new phone: a code is asked for and typed in on it, at home, then an order is read and paid for."""
        customer.devices[0] = make_device(self._rng, customer.language)
        trail = Trail(self._rng, at_ms, customer.devices[0], customer.home.place(at_ms, self._rng), customer)
        self._visits.one_time_code(trail)
        self._visits.right_password(trail)
        trail.add("order_view")
        self._visits.errands.buy(trail, customer)
        return trail.drafts

    def lost_phone(self, at_ms: int, customer: Customer) -> list[Draft]:
        """A phone is lost: the operator gives a new SIM for the number, and a new phone signs in at home and buys."""
        return new_sim(self._rng, at_ms, customer) + self.new_phone(at_ms + 3 * 60 * MINUTE_MS, customer)

    def _sign_in(self, customer: Customer, at_ms: int, place: Place, typos: int = 0) -> list[Draft]:
        trail = Trail(self._rng, at_ms, customer.devices[0], place, customer)
        for _ in range(typos):
            self._visits.wrong_password(trail)
        self._visits.right_password(trail)
        trail.add("order_view")
        return trail.drafts


def new_sim(rng: Random, at_ms: int, customer: Customer) -> list[Draft]:
    """The operator's word of a new SIM behind a customer's number; nobody's device or place stands in it."""
    body = {
        "user": {"id": customer.id},
        "actor": {"type": "service", "id": "operator"},
        "changes": [{"field": "sim", "new_token": token(rng)}],
    }
    return [Draft(at_ms, "custom", "succeeded", body, "", "")]
