"""The networks that customers, and those who attack them, come from.

Promise:

* a residential network has a pool of addresses, and a line changes its address when its lease ends;
* a carrier has few addresses, with many customers behind each (carrier-grade NAT);
* an office or a family is one line that several customers share;
* a hosting network carries honest VPN users beside others, so being in one proves nothing.

What it does not do: numbers are made up. AS numbers are from the private-use range (RFC 6996) and addresses are
arbitrary; neither says anything about a network that exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.testing.places import COUNTRIES, City, Country

if TYPE_CHECKING:
    from random import Random

DAY_MS: Final = 86_400_000
BLOCKS: Final = 16
NAT_ADDRESSES_PER_CITY: Final = 3
FIRST_ASN: Final = 64_600


class Kind(StrEnum):
    """What a network is for."""

    RESIDENTIAL = "residential"
    CARRIER = "carrier"
    OFFICE = "office"
    HOSTING = "hosting"


PLAN: Final = (
    (Kind.RESIDENTIAL, (0.5, 0.3, 0.15, 0.05)),
    (Kind.CARRIER, (0.55, 0.3, 0.15)),
    (Kind.OFFICE, (1.0,)),
    (Kind.HOSTING, (0.7, 0.3)),
)


LEASES_DAYS: Final = {
    Kind.RESIDENTIAL: (7.0, 30.0, 120.0, 365.0),
    Kind.CARRIER: (10.0, 40.0),
    Kind.OFFICE: (365.0,),
    Kind.HOSTING: (5.0, 20.0),
}


class Place(NamedTuple):
    """Where a request comes from, as the shop's edge sees it."""

    ip: str
    asn: int
    country: str
    city: City


@dataclass(frozen=True, slots=True)
class Network:
    """One autonomous system: some blocks of addresses, each in a city."""

    asn: int
    kind: Kind
    country: Country
    prefix: str
    lease_days: float
    first_city: int = 0

    def city_of(self, block: int) -> City:
        """The city that a block of addresses is located in."""
        return self.country.cities[(block + self.first_city) % len(self.country.cities)]

    def place(self, rng: Random, city: City | None = None) -> Place:
        """An address of this network, in ``city`` if one is named and served here."""
        blocks = [b for b in range(BLOCKS) if city is None or self.city_of(b) is city] or list(range(BLOCKS))
        block = rng.choice(blocks)
        if self.kind is Kind.CARRIER:
            host = 1 + rng.randrange(NAT_ADDRESSES_PER_CITY)
            block = blocks[0] if city is not None else block % len(self.country.cities)
        else:
            host = 1 + rng.randrange(254)
        return Place(f"{self.prefix}.{block}.{host}", self.asn, self.country.code, self.city_of(block))


class Line:
    """A connection at a fixed place (a home, an office): one address until its lease ends."""

    __slots__ = ("_place", "_until_ms", "city", "network")

    def __init__(self, network: Network, city: City) -> None:
        self.network = network
        self.city = city
        self._place: Place | None = None
        self._until_ms = 0

    def place(self, at_ms: int, rng: Random) -> Place:
        """The address at this moment; everyone on the line has the same."""
        if self._place is None or at_ms >= self._until_ms:
            self._place = self.network.place(rng, self.city)
            self._until_ms = at_ms + int(rng.expovariate(1 / self.network.lease_days) * DAY_MS)
        return self._place


class Networks:
    """Every network of the world, by country and kind."""

    def __init__(self, rng: Random) -> None:
        self._by: dict[tuple[str, Kind], tuple[list[Network], tuple[float, ...]]] = {}
        asn, second = FIRST_ASN, 0
        for number, country in enumerate(COUNTRIES):
            for kind, shares in PLAN:
                networks = []
                for _ in shares:
                    lease = rng.choice(LEASES_DAYS[kind])
                    prefix = f"{20 + number}.{second % 250}"
                    networks.append(Network(asn, kind, country, prefix, lease, rng.randrange(5)))
                    asn, second = asn + 1, second + 7
                self._by[country.code, kind] = (networks, shares)

    def pick(self, rng: Random, country: Country, kind: Kind) -> Network:
        """A network of this kind in this country, by how many customers it has."""
        networks, shares = self._by[country.code, kind]
        return rng.choices(networks, shares)[0]

    def every(self) -> list[Network]:
        """All networks, in a fixed order."""
        return [network for networks, _ in self._by.values() for network in networks]
