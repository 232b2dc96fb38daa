"""One customer in a scenario: does what the test says, nothing else.

Promise: each method is one honest step at the shop's present time, moves the clock on by the seconds that it took, and
returns the last event that it left. What it does not do: no chance decides what happens, only details such as tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shopward.testing.devices import Device, make_device
from shopward.testing.networks import Kind, Line
from shopward.testing.places import COUNTRIES
from shopward.testing.trail import DAY_MS, Trail, token

if TYPE_CHECKING:
    from random import Random

    from shopward.testing.agenda import Json
    from shopward.testing.people import Customer
    from shopward.testing.shop import Shop
    from shopward.testing.visits import Visits


class Person:
    """A customer as a test handles one."""

    def __init__(self, shop: Shop, customer: Customer, visits: Visits, rng: Random) -> None:
        self.customer = customer
        self.device: Device = customer.devices[0]
        self.session: str | None = None
        self._shop = shop
        self._visits = visits
        self._rng = rng

    @property
    def id(self) -> str:
        """The user id in the events."""
        return self.customer.id

    def login(self, *, typos: int = 0) -> Json:
        """Sign in on the present device, after some wrong passwords."""
        trail = self._trail()
        for _ in range(typos):
            self._visits.wrong_password(trail)
        self._visits.right_password(trail)
        return self._done(trail)

    def fail_login(self) -> Json:
        """A wrong password, and no more."""
        trail = self._trail()
        self._visits.wrong_password(trail)
        return self._done(trail)

    def code(self) -> Json:
        """Ask for a one-time code and type it in, on the present device."""
        trail = self._trail()
        trail.add("otp", "requested", properties={"phone_prefix": self.customer.phone_prefix})
        trail.wait(5, 30)
        trail.add("otp")
        return self._done(trail)

    def do(self, kind: str, status: str = "succeeded", **parts: Any) -> Json:
        """Any event of the contract, with its further parts."""
        trail = self._trail()
        trail.add(kind, status, **parts)
        return self._done(trail)

    def pay(
        self,
        amount_minor: int = 2_500,
        *,
        payee: str | None = None,
        instrument: str = "card",
        provider: str | None = None,
        kind: str = "payment",
    ) -> Json:
        """Pay a merchant (the usual one unless said), or redeem, transfer or withdraw by ``kind``."""
        trail = self._trail()
        to = self.customer.merchants[0] if payee is None else payee
        trail.move_money(kind, amount_minor, instrument, to, provider=provider)
        return self._done(trail)

    def change(self, field: str = "phone", kind: str | None = None) -> Json:
        """Change the phone, email or address; the event is ``<field>_change`` unless said."""
        trail = self._trail()
        trail.change(kind or f"{field}_change", field, token(self._rng), token(self._rng))
        return self._done(trail)

    def reset_password(self) -> Json:
        """Ask for a reset and carry it through."""
        trail = self._trail()
        self._visits.reset_password(trail)
        return self._done(trail)

    def visit(self) -> list[Json]:
        """An ordinary visit, as the residents make; its events."""
        drafts = self._visits.visit(self.customer, self._shop.now_ms)
        self.session = self.customer.remembered
        return self._shop.happen(drafts, 1 + max((d.at_ms for d in drafts), default=self._shop.now_ms))

    def take_new_phone(self) -> Device:
        """From now on another device, never seen."""
        self.device = self.customer.devices[0] = make_device(self._rng, self.customer.language)
        self.session = None
        return self.device

    def travel(self, country: str, days: float = 7.0) -> None:
        """From now on, for some days, in another country."""
        there = next(place for place in COUNTRIES if place.code == country)
        network = self._shop.world.networks.pick(self._rng, there, Kind.CARRIER)
        self.customer.abroad = Line(network, there.cities[0])
        self.customer.abroad_until_ms = self._shop.now_ms + int(days * DAY_MS)

    def _trail(self) -> Trail:
        now_ms, customer = self._shop.now_ms, self.customer
        away = customer.abroad if customer.abroad_until_ms > now_ms else None
        place = (away or customer.home).place(now_ms, self._rng)
        return Trail(self._rng, now_ms, self.device, place, customer, self.session)

    def _done(self, trail: Trail) -> Json:
        self.session = trail.session
        return self._shop.happen(trail.drafts, trail.at_ms)[-1]
