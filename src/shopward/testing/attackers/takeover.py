"""Ways into one account after another: travel, changed details, sessions, sleepers, refunds (rows 6, 7, 13, 20, 21).

Promise: each class is a frozen record of its numbers and leaves the sequence that its row of the catalogue describes.
What it does not do: how the attacker came by the password is not told.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import asin, cos, radians, sin, sqrt
from typing import TYPE_CHECKING, ClassVar, Final

from shopward.testing.trail import Trail, token

if TYPE_CHECKING:
    from shopward.testing.agenda import Draft
    from shopward.testing.attackers.raid import Guise, Raid
    from shopward.testing.people import Customer
    from shopward.testing.places import City

MINUTE_MS: Final = 60_000
FAR_KM: Final = 1_500.0
EARTH_KM: Final = 6371.0


def distance_km(one: City, other: City) -> float:
    """The great-circle distance."""
    a, b = radians(one.lat), radians(other.lat)
    half = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(radians(other.lon - one.lon) / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(half))


@dataclass(frozen=True, slots=True)
class ImpossibleTravel:
    """Row 6: the owner signs in at home, and within the hour somebody far away does, on a device never seen."""

    name: ClassVar[str] = "impossible_travel"
    row: ClassVar[int] = 6

    victims: int = 6
    gap_min: tuple[float, float] = (10.0, 60.0)
    over_h: float = 48.0

    def launch(self, raid: Raid, at_ms: int) -> None:
        """The looks come first, then a victim who lives far from them, so that no country stands out."""
        for _ in range(self.victims):
            guise = raid.guise()
            far = [c for c in raid.world.customers if distance_km(c.home.city, guise.where) > FAR_KM]
            (victim,) = raid.pick(1, at_ms, far)
            raid.put(raid.later(at_ms, 0.0, self.over_h), partial(self._both, raid, guise, victim))

    def _both(self, raid: Raid, guise: Guise, victim: Customer, at_ms: int) -> list[Draft]:
        owner = at_home(raid, victim, at_ms)
        gap = int(raid.rng.uniform(*self.gap_min) * MINUTE_MS)
        raid.take_over_at(owner.at_ms + gap, victim, guise)
        return owner.drafts


@dataclass(frozen=True, slots=True)
class NewDeviceThenChange:
    """Row 7: a device never seen signs in; within a day it changes credentials or payees, then money leaves."""

    name: ClassVar[str] = "new_device_change"
    row: ClassVar[int] = 7

    victims: int = 8
    change_after_min: tuple[float, float] = (1.0, 300.0)
    over_h: float = 72.0

    def launch(self, raid: Raid, at_ms: int) -> None:
        """Victims one after the other."""
        for victim in raid.pick(self.victims, at_ms):
            guise = raid.guise()
            raid.put(raid.later(at_ms, 0.0, self.over_h), partial(self._enter, raid, guise, victim))

    def _enter(self, raid: Raid, guise: Guise, victim: Customer, at_ms: int) -> list[Draft]:
        trail, rng = raid.trail(at_ms, guise, victim, "ato"), raid.rng
        raid.sign_in(trail)
        trail.wait(*(60 * minutes for minutes in self.change_after_min))
        change = rng.choice(("password", "phone", "payee", "factor", "address"))
        if change == "password":
            victim.password, victim.breached = token(rng), False
            trail.add("password_change", credential={"password_hmac": victim.password, "breached": False})
        elif change == "phone":
            raid.change_contact(trail, victim)
        elif change == "factor":
            trail.add("mfa_remove", challenge={"factor": "totp"})
        elif change == "address":
            trail.change("address_add", "address", None, token(rng))
        payee = raid.payee(private=True)
        if change == "payee":
            trail.add("payee_add", properties={"payee_id": payee})
        trail.wait(30, 1800)
        raid.spend(trail, victim)
        if victim.balance_minor > 1000:
            trail.wait(30, 600)
            taken = int(victim.balance_minor * rng.uniform(0.5, 1.0))
            trail.move_money("wallet_transfer", taken, "balance", payee, attempted=True)
        return trail.drafts


@dataclass(frozen=True, slots=True)
class SessionTheft:
    """Row 13: the owner's session goes on from another network and device, without a sign-in."""

    name: ClassVar[str] = "session_theft"
    row: ClassVar[int] = 13

    victims: int = 8
    gap_min: tuple[float, float] = (1.0, 20.0)
    over_h: float = 48.0

    def launch(self, raid: Raid, at_ms: int) -> None:
        """Victims one after the other."""
        for victim in raid.pick(self.victims, at_ms):
            raid.put(raid.later(at_ms, 0.0, self.over_h), partial(self._steal, raid, victim))

    def _steal(self, raid: Raid, victim: Customer, at_ms: int) -> list[Draft]:
        owner = at_home(raid, victim, at_ms)
        guise = raid.guise()
        while guise.network.asn == owner.place.asn:
            guise = raid.guise()
        gap = int(raid.rng.uniform(*self.gap_min) * MINUTE_MS)
        trail = raid.trail(owner.at_ms + gap, guise, victim, "ato")
        trail.session = owner.session
        trail.add("session_refresh")
        raid.loot(trail)
        raid.spend(trail, victim)
        return owner.drafts + trail.drafts


@dataclass(frozen=True, slots=True)
class DormantTakeover:
    """Row 20: accounts that nobody has used for months are entered and emptied at once."""

    name: ClassVar[str] = "dormant_takeover"
    row: ClassVar[int] = 20

    victims: int = 8
    over_h: float = 96.0

    def launch(self, raid: Raid, at_ms: int) -> None:
        """Sleepers, one after the other."""
        for victim in raid.pick(self.victims, at_ms, raid.world.dormant(at_ms)):
            moment = raid.later(at_ms, 0.0, self.over_h)
            raid.put(moment, partial(self._enter, raid, raid.guise(), victim))

    def _enter(self, raid: Raid, guise: Guise, victim: Customer, at_ms: int) -> list[Draft]:
        trail = raid.trail(at_ms, guise, victim, "ato")
        raid.sign_in(trail)
        trail.wait(20, 600)
        raid.spend(trail, victim)
        raid.loot(trail)
        return trail.drafts


@dataclass(frozen=True, slots=True)
class RefundHijack:
    """Row 21: inside the account the address is changed, an order is called off, and the refund goes elsewhere."""

    name: ClassVar[str] = "refund_hijack"
    row: ClassVar[int] = 21

    victims: int = 6
    over_h: float = 72.0
    steps_min: tuple[float, float] = (2.0, 240.0)

    def launch(self, raid: Raid, at_ms: int) -> None:
        """Victims one after the other."""
        for victim in raid.pick(self.victims, at_ms):
            moment = raid.later(at_ms, 0.0, self.over_h)
            raid.put(moment, partial(self._enter, raid, raid.guise(), victim))

    def _enter(self, raid: Raid, guise: Guise, victim: Customer, at_ms: int) -> list[Draft]:
        trail, rng = raid.trail(at_ms, guise, victim, "refund_hijack"), raid.rng
        low_s, high_s = (60 * minutes for minutes in self.steps_min)
        raid.sign_in(trail, label="ato")
        trail.add("order_view")
        old, victim.address = victim.address, token(rng)
        trail.change("address_change", "address", old, victim.address)
        trail.wait(low_s, high_s)
        merchant, price = victim.recent[-1] if victim.recent else (victim.merchants[0], 4_990)
        trail.add("order_cancel", properties={"merchant": merchant})
        trail.wait(low_s, high_s)
        back = {"amount_minor": price, "currency": "USD", "instrument": "card", "instrument_id": token(rng)}
        trail.add("refund_request", "requested", transaction={**back, "payee_id": merchant})
        return trail.drafts


def at_home(raid: Raid, victim: Customer, at_ms: int) -> Trail:
    """The owner signs in at home on the usual device and reads an order: an honest, unlabelled trail."""
    owner = Trail(raid.rng, at_ms, victim.devices[0], victim.home.place(at_ms, raid.rng), victim)
    raid.visits.right_password(owner)
    owner.add("order_view")
    return owner
