"""Who there is: customers with their habits, staff, partners, and agents on business WhatsApp.

Promise: every habit is drawn once from a seeded source, and a household shares its line. What it does not do: nobody
acts here (see ``visits`` and ``backoffice``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp, log
from typing import TYPE_CHECKING, Final

from shopward.testing.devices import Device, make_device
from shopward.testing.networks import Kind, Line, Network, Networks, Place
from shopward.testing.places import COUNTRIES, Country
from shopward.testing.trail import DAY_MS, token

if TYPE_CHECKING:
    from random import Random

    from shopward.testing.market import Market

PROVIDERS: Final = (("apple", 0.38), ("google", 0.24), ("alipay", 0.24), ("gopay", 0.14))
POPULAR_PASSWORDS: Final = 150
LANGUAGES: Final = ("en", "id", "zh")


@dataclass(slots=True)
class Customer:
    """An honest customer: habits that stay, and state that moves."""

    id: str
    country: Country
    language: str
    registered_ms: int
    phone: str
    phone_prefix: str
    address: str
    password: str
    card: str
    devices: list[Device]
    home: Line
    mobile: Network
    office: Line | None
    vpn: Network | None
    visits_per_day: float
    peak_hour_utc: float
    spend_log: float
    balance_minor: int
    provider: str | None
    merchants: tuple[str, ...]
    friends: tuple[str, ...]
    reuses_password: bool
    breached: bool
    uses_otp: bool
    asleep_until_ms: int = 0
    new: bool = False
    abroad: Line | None = None
    abroad_until_ms: int = 0
    remembered: str | None = None
    last_device: Device | None = None
    recent: list[tuple[str, int]] = field(default_factory=list)
    _road: Line | None = None
    _tunnel: Line | None = None

    def on_the_road(self, at_ms: int, rng: Random) -> Place:
        """The address that the carrier gives, shared with many and kept for some days."""
        if self._road is None:
            self._road = Line(self.mobile, self.home.city)
        return self._road.place(at_ms, rng)

    def tunnel(self, at_ms: int, rng: Random) -> Place:
        """The address at the far end of the customer's VPN."""
        if self.vpn is None:
            return self.home.place(at_ms, rng)
        if self._tunnel is None:
            self._tunnel = Line(self.vpn, self.vpn.city_of(0))
        return self._tunnel.place(at_ms, rng)


@dataclass(slots=True)
class Worker:
    """A member of staff (or an agent on business WhatsApp): a caseload a day and a desk."""

    id: str
    device: Device
    desk: Line
    home: Line
    reads_per_day: float
    peak_hour_utc: float
    purpose: str
    sloppy: float
    accounts: tuple[str, ...] = ()


@dataclass(slots=True)
class Partner:
    """A delivery or payment company that fetches order data."""

    id: str
    device: Device
    line: Line
    pulls_per_day: float
    purpose: str


class Settlers:
    """Makes people one after the other; some move in with those before them."""

    def __init__(self, rng: Random, networks: Networks, market: Market, start_ms: int) -> None:
        self._rng = rng
        self._networks = networks
        self._market = market
        self._start_ms = start_ms
        self._last_home: dict[str, Line] = {}
        self._offices: dict[str, list[Line]] = {}
        self._popular = [token(rng) for _ in range(POPULAR_PASSWORDS)]
        self._shares = [country.share for country in COUNTRIES]

    def customer(self, number: int, days: int) -> Customer:
        """The next customer; some of them will register during the ``days`` to come."""
        rng = self._rng
        country = rng.choices(COUNTRIES, self._shares)[0]
        language = country.language if rng.random() < 0.88 else rng.choice(LANGUAGES)
        new = rng.random() < 0.06
        registered = self._start_ms + int(
            rng.random() * days * DAY_MS if new else -DAY_MS * (2 + rng.expovariate(1 / 500))
        )
        rate = min(1.5, exp(rng.gauss(log(0.038), 1.0)))
        return Customer(
            id=f"u{number:06d}",
            country=country,
            language=language,
            registered_ms=registered,
            phone=token(rng),
            phone_prefix=rng.choice(country.phone_prefixes),
            address=token(rng),
            password=self._popular[int(rng.random() ** 2 * POPULAR_PASSWORDS)]
            if rng.random() < 0.06
            else token(rng),
            card=token(rng),
            devices=[make_device(rng, language) for _ in range(rng.choices((1, 2, 3), (0.5, 0.38, 0.12))[0])],
            home=self._home(country),
            mobile=self._networks.pick(rng, country, Kind.CARRIER),
            office=self._office(country) if rng.random() < 0.22 else None,
            vpn=self._networks.pick(rng, self._exit(country), Kind.HOSTING) if rng.random() < 0.09 else None,
            visits_per_day=rate,
            peak_hour_utc=(rng.choice((9.0, 12.5, 16.0, 19.5, 20.5)) - country.utc_offset_h) % 24,
            spend_log=rng.gauss(7.8, 0.6),
            balance_minor=int(exp(rng.gauss(8.6, 0.9))),
            provider=rng.choices([p for p, _ in PROVIDERS], [s for _, s in PROVIDERS])[0]
            if rng.random() < 0.7
            else None,
            merchants=tuple(self._market.merchant(rng) for _ in range(3)),
            friends=tuple(self._market.friend(rng) for _ in range(2)),
            reuses_password=(reuses := rng.random() < 0.3),
            breached=reuses and rng.random() < 0.25,
            uses_otp=rng.random() < 0.08,
            asleep_until_ms=self._asleep(days, new=new),
            new=new,
        )

    def _asleep(self, days: int, *, new: bool) -> int:
        """Most are awake; one in six has not been here for long and may come back in the window or later."""
        rng = self._rng
        if new or rng.random() > 0.16:
            return 0
        return self._start_ms + int(rng.random() * 3 * max(days, 60) * DAY_MS)

    def _home(self, country: Country) -> Line:
        rng = self._rng
        shared = self._last_home.get(country.code)
        if shared is not None and rng.random() < 0.3:
            return shared
        network = self._networks.pick(rng, country, Kind.RESIDENTIAL)
        line = self._last_home[country.code] = Line(network, rng.choice(country.cities))
        return line

    def _office(self, country: Country) -> Line:
        rng = self._rng
        offices = self._offices.setdefault(country.code, [])
        if not offices or rng.random() < 0.07:
            network = self._networks.pick(rng, country, Kind.OFFICE)
            offices.append(Line(network, rng.choice(country.cities)))
        return rng.choice(offices)

    def _exit(self, country: Country) -> Country:
        """VPN users mostly leave the tunnel at home, some elsewhere."""
        return country if self._rng.random() < 0.6 else self._rng.choices(COUNTRIES, self._shares)[0]

    def worker(self, name: str, accounts: tuple[str, ...] = ()) -> Worker:
        """A member of staff in the shop's own office."""
        rng = self._rng
        country = COUNTRIES[0]
        return Worker(
            id=name,
            device=make_device(rng, country.language),
            desk=self._office(country),
            home=self._home(country),
            reads_per_day=min(60.0, exp(rng.gauss(log(14), 0.45))),
            peak_hour_utc=rng.choice((3.0, 6.0, 10.0, 14.0)),
            purpose=rng.choice(("support", "support", "delivery", "refund", "dispute")),
            sloppy=rng.choice((0.02, 0.05, 0.1, 0.25)),
            accounts=accounts,
        )

    def business(self, name: str, agent: Worker) -> Customer:
        """The account that an agent answers customers on."""
        customer = self.customer(0, 0)
        customer.id, customer.new, customer.asleep_until_ms = name, False, 0
        customer.registered_ms = min(customer.registered_ms, self._start_ms - 90 * DAY_MS)
        customer.devices = [agent.device]
        return customer

    def partner(self, name: str) -> Partner:
        """A company that ships or settles, from its own fixed line."""
        rng = self._rng
        country = rng.choices(COUNTRIES, self._shares)[0]
        return Partner(
            id=name,
            device=make_device(rng, country.language),
            line=Line(self._networks.pick(rng, country, Kind.OFFICE), country.cities[0]),
            pulls_per_day=rng.uniform(4, 12),
            purpose=rng.choice(("delivery", "delivery", "settlement")),
        )
