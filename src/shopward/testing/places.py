"""The countries and cities where the simulated customers live.

Promise: shares, languages and hour offsets are plain data, and no country is riskier than another: attackers
take theirs from the customers' (see ``attackers.raid``). What it does not do: it is no geography; a country here
is a handful of cities with rounded coordinates, and one hour offset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class City:
    """A place that an address is located in."""

    name: str
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Country:
    """Where customers live: how many of them, when they wake, what they speak."""

    code: str
    share: float
    utc_offset_h: int
    language: str
    phone_prefixes: tuple[str, ...]
    cities: tuple[City, ...]


COUNTRIES: Final = (
    Country(
        "ID", 0.46, 7, "id", ("+62811", "+62812", "+62821", "+62857", "+62878"),
        (
            City("Jakarta", -6.2, 106.8), City("Surabaya", -7.3, 112.7), City("Bandung", -6.9, 107.6),
            City("Medan", 3.6, 98.7), City("Makassar", -5.1, 119.4),
        ),
    ),
    Country(
        "CN", 0.24, 8, "zh", ("+86135", "+86136", "+86138", "+86159", "+86186"),
        (
            City("Shanghai", 31.2, 121.5), City("Beijing", 39.9, 116.4), City("Guangzhou", 23.1, 113.3),
            City("Chengdu", 30.7, 104.1), City("Wuhan", 30.6, 114.3),
        ),
    ),
    Country("SG", 0.06, 8, "en", ("+658", "+659"), (City("Singapore", 1.4, 103.8),)),
    Country(
        "MY", 0.05, 8, "ms", ("+6012", "+6013", "+6019"),
        (City("Kuala Lumpur", 3.1, 101.7), City("Penang", 5.4, 100.3), City("Johor Bahru", 1.5, 103.7)),
    ),
    Country(
        "US", 0.05, -6, "en", ("+1212", "+1415", "+1312"),
        (City("New York", 40.7, -74.0), City("San Francisco", 37.8, -122.4), City("Chicago", 41.9, -87.6)),
    ),
    Country(
        "IN", 0.03, 5, "en", ("+9198", "+9199"), (City("Mumbai", 19.1, 72.9), City("Bengaluru", 13.0, 77.6)),
    ),
    Country("AU", 0.02, 10, "en", ("+614",), (City("Sydney", -33.9, 151.2), City("Perth", -32.0, 115.9))),
    Country("GB", 0.02, 0, "en", ("+447",), (City("London", 51.5, -0.1), City("Manchester", 53.5, -2.2))),
    Country("DE", 0.02, 1, "de", ("+4915", "+4917"), (City("Berlin", 52.5, 13.4), City("Munich", 48.1, 11.6))),
    Country("NL", 0.02, 1, "nl", ("+316",), (City("Amsterdam", 52.4, 4.9),)),
    Country("BR", 0.015, -3, "pt", ("+5511", "+5521"), (City("Sao Paulo", -23.6, -46.6),)),
    Country("VN", 0.015, 7, "vi", ("+849",), (City("Hanoi", 21.0, 105.8), City("Ho Chi Minh City", 10.8, 106.7))),
)  # fmt: skip
