"""What every attacker has: somebody's looks, a list of victims, and loot to carry off.

Promise: an attacker's country, network, system, browser, language and hour are a customer's (drawn as visits are),
so no single field tells them apart; only the device id and the address are their own. Every event that a raid leaves
is labelled. What it does not do: attackers do not learn and do not stop when they are stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final, Protocol

from shopward.testing.devices import Device, like
from shopward.testing.market import amount
from shopward.testing.networks import Kind
from shopward.testing.trail import DAY_MS, Trail, session_id, token
from shopward.testing.visits import Visits
from shopward.testing.world import HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from shopward.testing.agenda import Agenda, Deed, Draft
    from shopward.testing.networks import Network, Place
    from shopward.testing.people import Customer
    from shopward.testing.places import City
    from shopward.testing.world import World

MINUTE_MS: Final = 60_000
THROUGH_A_PROXY: Final = 0.08
A_DAY_H: Final = 24.0
MULES: Final = 20
PAYS_A_MULE: Final = 0.35


class Attack(Protocol):
    """One way to attack a shop: its numbers are its fields, so an instance is a profile."""

    name: ClassVar[str]
    row: ClassVar[int]

    def launch(self, raid: Raid, at_ms: int) -> None:
        """Put the attack's deeds on the agenda, none before ``at_ms``."""
        ...


@dataclass(frozen=True, slots=True)
class Guise:
    """What an attacker looks like: a device, and a network to take addresses from."""

    device: Device
    network: Network
    city: City

    @property
    def where(self) -> City:
        """Where the addresses are located (for a tunnel that ends abroad: one of several cities)."""
        return self.city if self.city in self.network.country.cities else self.network.city_of(0)

    def place(self, rng: Random) -> Place:
        """A fresh address of the network."""
        return self.network.place(rng, self.where)


class Raid:
    """One campaign of one attacker in one world."""

    def __init__(self, world: World, agenda: Agenda, rng: Random, campaign: str) -> None:
        self.world = world
        self.agenda = agenda
        self.rng = rng
        self.campaign = campaign
        self.visits = Visits(world, rng)
        self.victims: list[Customer] = []
        self.pending = 0
        self.last_ms = 0
        self._mules = world.market.mules(rng, MULES)

    def begin(self, attack: Attack, at_ms: int) -> None:
        """Have ``attack`` start at ``at_ms``."""

        def deed(at_ms: int) -> list[Draft]:
            attack.launch(self, at_ms)
            return []

        self.put(at_ms, deed)

    def put(self, at_ms: int, deed: Deed) -> None:
        """Have a deed of this raid done; ``pending`` is zero and ``last_ms`` set once all are."""

        def counted(at_ms: int) -> list[Draft]:
            drafts = deed(at_ms)
            self.pending -= 1
            self.last_ms = max([self.last_ms, at_ms, *(draft.at_ms for draft in drafts)])
            return drafts

        self.pending += 1
        self.agenda.put(at_ms, counted)

    def guise(self) -> Guise:
        """Looks copied from a customer who could be visiting, under a device id of one's own."""
        rng = self.rng
        donor = self.world.somebody(rng)
        which = 0 if rng.random() < 0.7 else rng.randrange(len(donor.devices))
        device = like(donor.devices[which], rng)
        if rng.random() < THROUGH_A_PROXY or (donor.vpn is not None and rng.random() < 0.45):
            network = donor.vpn or self.world.networks.pick(rng, donor.country, Kind.HOSTING)
        elif device.type == "mobile" and rng.random() < 0.36:
            network = donor.mobile
        elif donor.office is not None and rng.random() < 0.35:
            network = donor.office.network
        else:
            network = donor.home.network
        return Guise(device, network, donor.home.city)

    def pick(self, count: int, at_ms: int, among: Sequence[Customer] | None = None) -> list[Customer]:
        """Different victims; a shop that has too few gets more customers."""
        chosen = self.world.several(self.rng, count, at_ms=at_ms, among=among)
        chosen += [self.world.settle() for _ in range(count - len(chosen))]
        self.victims += chosen
        return chosen

    def trail(self, at_ms: int, guise: Guise, victim: Customer | None, label: str) -> Trail:
        """The attacker, from a fresh address of the guise's network."""
        place = guise.place(self.rng)
        return Trail(self.rng, at_ms, guise.device, place, victim, label=label, campaign=self.campaign)

    def later(self, at_ms: int, low_h: float, high_h: float) -> int:
        """A moment some hours on; a day or more on, at an hour at which customers are here."""
        when = at_ms + int(self.rng.uniform(low_h, high_h) * HOUR_MS)
        moment = self.world.moment(self.rng, when // DAY_MS * DAY_MS)
        return moment if high_h >= A_DAY_H and moment >= at_ms + low_h * HOUR_MS else when

    def unknown_name(self) -> dict[str, object]:
        """A user name from a stolen list that this shop does not know."""
        return {"id": f"x{self.rng.randrange(10**7):07d}", "known": False}

    def payee(self, *, private: bool = False) -> str:
        """Who gets the money: often a mule, else a merchant whose goods sell on, or (``private``) a person."""
        rng = self.rng
        if private:
            return self.world.market.friend(rng)
        return rng.choice(self._mules) if rng.random() < PAYS_A_MULE else self.world.market.merchant(rng)

    def sign_in(self, trail: Trail, *, label: str | None = None) -> None:
        """A sign-in with the right password."""
        victim = trail.customer
        if victim is None:
            return
        trail.session = session_id(self.rng)
        credential = {"password_hmac": victim.password, "breached": victim.breached}
        trail.add("login", label=label, credential=credential)

    def take_over_at(self, at_ms: int, victim: Customer, guise: Guise) -> None:
        """Come back later, sign in, and loot."""
        self.put(at_ms, partial(self._take_over, victim, guise))

    def _take_over(self, victim: Customer, guise: Guise, at_ms: int) -> list[Draft]:
        trail = self.trail(at_ms, guise, victim, "ato")
        self.sign_in(trail)
        self.loot(trail)
        return trail.drafts

    def loot(self, trail: Trail) -> None:
        """What an intruder does: look around, lock the owner out, spend. Labelled as the trail is."""
        victim, rng = trail.customer, self.rng
        if victim is None:
            return
        for _ in range(rng.choice((0, 0, 1, 1, 2))):
            trail.wait(10, 120)
            trail.add("order_view")
        if rng.random() < 0.22:
            trail.wait(20, 300)
            self.change_contact(trail, victim)
        if rng.random() < 0.12:
            trail.wait(20, 200)
            trail.change("address_add", "address", None, token(rng))
        if rng.random() < 0.2:
            trail.wait(20, 300)
            self.redeem(trail)
        for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 3))):
            trail.wait(20, 400)
            self.spend(trail, victim)

    def change_contact(self, trail: Trail, victim: Customer) -> None:
        """The owner's phone number goes."""
        old, victim.phone = victim.phone, token(self.rng)
        trail.change("phone_change", "phone", old, victim.phone)

    def redeem(self, trail: Trail) -> None:
        """One of the owner's gift cards."""
        worth = amount(self.rng, self.world.somebody(self.rng).spend_log)
        trail.move_money("gift_card_redeem", worth, "gift_card", self.payee())

    def spend(self, trail: Trail, victim: Customer) -> None:
        """The owner's balance if there is any, else what is stored with the account."""
        rng = self.rng
        price = amount(rng, self.world.somebody(rng).spend_log, rng.uniform(0.9, 1.8))
        kind, provider = self.visits.errands.instrument(victim, price)
        if rng.random() < 0.22 and victim.balance_minor > 300:
            kind, provider, price = "balance", None, min(price, victim.balance_minor)
        trail.move_money("payment", price, kind, self.payee(), provider=provider)
