"""What honest customers do in a visit to the shop.

Promise: a visit is a sign-in with its typos, one-time codes and forgotten passwords, some reading of orders, and now
and then money or a change of details, at the rates in ``Rates``, which are near those of a shop's recorded stream.
What it does not do: nothing here is an attack, though much of it looks a little like one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shopward.testing.devices import Device, like, make_device
from shopward.testing.errands import Errands
from shopward.testing.networks import Kind, Line, Place
from shopward.testing.places import COUNTRIES
from shopward.testing.trail import DAY_MS, Trail, session_id, token

if TYPE_CHECKING:
    from random import Random

    from shopward.testing.agenda import Draft
    from shopward.testing.people import Customer
    from shopward.testing.world import World


@dataclass(frozen=True, slots=True)
class Rates:
    """How often a visit has what. Measured against a shop's stream of 450,000 events (see docs/simulator.md)."""

    stays_signed_in: float = 0.06
    mistypes_password: float = 0.185
    mistypes_name: float = 0.006
    forgets_password: float = 0.016
    asked_for_code: float = 0.085
    mistypes_code: float = 0.045
    code_on_other_device: float = 0.05
    clears_cookies: float = 0.14
    borrows_device: float = 0.015
    new_phone: float = 0.006
    travels: float = 0.012
    signs_out: float = 0.025
    pays_by_one_tap: float = 0.05
    on_the_road: float = 0.36
    elsewhere: float = 0.08


SHOP_RATES: Final = Rates()
GIVES_UP_AFTER: Final = 4


class Visits:
    """Makes visits of honest customers."""

    def __init__(self, world: World, rng: Random, rates: Rates = SHOP_RATES) -> None:
        self._world = world
        self._rng = rng
        self._rates = rates
        self.errands = Errands(world.market, rng)

    def visit(self, customer: Customer, at_ms: int) -> list[Draft]:
        """One visit from sign-in to the end."""
        rng = self._rng
        if rng.random() < self._rates.travels and customer.abroad_until_ms < at_ms:
            self.send_abroad(customer, at_ms)
        if customer.provider is not None and not customer.new and rng.random() < self._rates.pays_by_one_tap:
            return self.one_tap(customer, at_ms)
        device = self.device(customer)
        trail = Trail(rng, at_ms, device, self.place(customer, device, at_ms), customer)
        if not self.enter(trail):
            return trail.drafts
        self.errands.run(trail)
        if rng.random() < self._rates.signs_out:
            trail.add("logout")
            customer.remembered = None
        return trail.drafts

    def one_tap(self, customer: Customer, at_ms: int) -> list[Draft]:
        """A payment through a linked identity without a visit: the other company vouches for the customer."""
        device = self.device(customer)
        trail = Trail(self._rng, at_ms, device, self.place(customer, device, at_ms), customer)
        trail.session = session_id(self._rng)
        self.errands.pay_linked(trail, customer)
        return trail.drafts

    def enter(self, trail: Trail) -> bool:
        """Get in: by a remembered session, by registering, or by signing in. False if the customer gives up."""
        customer, rng = trail.customer, self._rng
        if customer is None:
            return False
        if customer.new:
            customer.new = False
            trail.session = session_id(rng)
            trail.add("registration")
        elif (
            customer.remembered
            and trail.device is customer.last_device
            and rng.random() < self._rates.stays_signed_in
        ):
            trail.session = customer.remembered
            trail.add("session_refresh")
        elif not self.sign_in(trail):
            return False
        customer.remembered = trail.session
        customer.last_device = trail.device
        return True

    def sign_in(self, trail: Trail) -> bool:
        """Typos, a forgotten password, a one-time code, then in."""
        customer, rng, rates = trail.customer, self._rng, self._rates
        if customer is None:
            return False
        if rng.random() < rates.mistypes_name:
            self.wrong_name(trail)
        tries = 0
        while rng.random() < rates.mistypes_password and tries < GIVES_UP_AFTER:
            self.wrong_password(trail)
            tries += 1
        if tries == GIVES_UP_AFTER or rng.random() < rates.forgets_password:
            if rng.random() < 0.15:
                return False
            self.reset_password(trail)
        if customer.uses_otp or rng.random() < rates.asked_for_code:
            self.one_time_code(trail)
        self.right_password(trail)
        return True

    def wrong_name(self, trail: Trail) -> None:
        """A sign-in with a name that the shop does not know."""
        user = {"id": f"x{self._rng.randrange(10**7):07d}", "known": False}
        trail.add("login", "failed", user=user, credential={"password_hmac": token(self._rng)})
        trail.wait(2, 10)

    def wrong_password(self, trail: Trail) -> None:
        """A sign-in with a password that is not the customer's."""
        trail.add("login", "failed", credential={"password_hmac": token(self._rng)})
        trail.wait(2, 14)

    def right_password(self, trail: Trail) -> None:
        """A sign-in that succeeds."""
        customer = trail.customer
        if customer is None:
            return
        trail.session = session_id(self._rng)
        trail.add("login", credential={"password_hmac": customer.password, "breached": customer.breached})
        trail.wait(1, 15)

    def reset_password(self, trail: Trail) -> None:
        """The link in the mail, and a new password."""
        customer = trail.customer
        if customer is None:
            return
        trail.add("password_reset_request", "requested")
        trail.wait(30, 400)
        customer.password, customer.breached = token(self._rng), False
        trail.add("password_reset")
        trail.wait(3, 20)

    def one_time_code(self, trail: Trail) -> None:
        """A code asked for and typed in, sometimes wrongly first, sometimes on another device."""
        customer, rng = trail.customer, self._rng
        if customer is None:
            return
        device, place = trail.device, trail.place
        if len(customer.devices) > 1 and rng.random() < self._rates.code_on_other_device:
            other = rng.choice(customer.devices)
            trail.move(other, self.place(customer, other, trail.at_ms))
        trail.add("otp", "requested", properties={"phone_prefix": customer.phone_prefix})
        trail.move(device, place)
        trail.wait(4, 50)
        if rng.random() < self._rates.mistypes_code:
            trail.add("otp", "failed")
            trail.wait(4, 20)
            if rng.random() < 0.3:
                trail.add("otp", "requested", properties={"phone_prefix": customer.phone_prefix})
                trail.wait(4, 50)
        trail.add("otp")

    def device(self, customer: Customer) -> Device:
        """One of the customer's devices; at times a new phone, cleared cookies, or somebody else's computer."""
        rng, rates = self._rng, self._rates
        if rng.random() < rates.new_phone:
            self.replace_phone(customer)
        which = 0 if rng.random() < 0.7 else rng.randrange(len(customer.devices))
        if rng.random() < rates.clears_cookies:
            fresh = like(customer.devices[which], rng)
            if rng.random() < 0.6:
                customer.devices[which] = fresh
            return fresh
        if rng.random() < rates.borrows_device:
            return make_device(rng, customer.language)
        return customer.devices[which]

    def replace_phone(self, customer: Customer) -> Device:
        """The old first device is gone; from now on there is another."""
        customer.devices[0] = make_device(self._rng, customer.language)
        return customer.devices[0]

    def send_abroad(self, customer: Customer, at_ms: int, days: float | None = None) -> Line:
        """A journey to another country, for some days."""
        rng = self._rng
        country = rng.choices(COUNTRIES, [c.share for c in COUNTRIES])[0]
        if country is customer.country:
            country = COUNTRIES[(COUNTRIES.index(country) + 1) % len(COUNTRIES)]
        kind = Kind.CARRIER if rng.random() < 0.4 else Kind.RESIDENTIAL
        customer.abroad = Line(self._world.networks.pick(rng, country, kind), rng.choice(country.cities))
        customer.abroad_until_ms = at_ms + int((days or rng.uniform(2, 9)) * DAY_MS)
        return customer.abroad

    def place(self, customer: Customer, device: Device, at_ms: int) -> Place:
        """Where the customer is: at home, at work, on the road, behind a VPN, or abroad."""
        rng = self._rng
        if customer.abroad is not None and at_ms < customer.abroad_until_ms:
            return customer.abroad.place(at_ms, rng)
        if customer.vpn is not None and rng.random() < 0.45:
            return customer.tunnel(at_ms, rng)
        if device.type == "mobile" and rng.random() < self._rates.on_the_road:
            return customer.on_the_road(at_ms, rng)
        if rng.random() < self._rates.elsewhere:
            return self._world.networks.pick(rng, customer.country, Kind.RESIDENTIAL).place(rng)
        if customer.office is not None and rng.random() < 0.35:
            return customer.office.place(at_ms, rng)
        return customer.home.place(at_ms, rng)
