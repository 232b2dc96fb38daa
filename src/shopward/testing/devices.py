"""The phones, tablets and computers of the simulated world.

Promise: operating system, browser and version are drawn by popularity, and ``like`` makes another device of the
same make, so whoever imitates a customer looks like one. What it does not do: no TLS or header fingerprints;
a device is what the contract's ``context`` can carry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random


@dataclass(frozen=True, slots=True)
class Device:
    """One device (or one cookie jar on it), as the shop sees it."""

    id: str
    os: str
    browser: str
    type: str
    language: str

    @property
    def user_agent(self) -> str:
        """A short made-up User-Agent in which system and browser can be read."""
        name, _, version = self.browser.rpartition(" ")
        return f"Mozilla/5.0 ({self.os}) {name.replace(' ', '')}/{version}.0"


_PHONE: Final = (("Chrome Mobile", 0.58), ("ShopApp", 0.26), ("MiuiBrowser", 0.10), ("Opera Mobile", 0.06))
_IPHONE: Final = (("Safari Mobile", 0.52), ("ShopApp", 0.30), ("Chrome Mobile", 0.18))
_PC: Final = (("Chrome", 0.62), ("Edge", 0.25), ("Firefox", 0.10), ("Opera", 0.03))
_MAC: Final = (("Safari", 0.5), ("Chrome", 0.4), ("Firefox", 0.1))
_LINUX: Final = (("Firefox", 0.5), ("Chrome", 0.5))

# system, device type, share, browsers by share
SYSTEMS: Final = (
    ("Android 13", "mobile", 0.24, _PHONE),
    ("Android 14", "mobile", 0.23, _PHONE),
    ("iOS 17", "mobile", 0.22, _IPHONE),
    ("iOS 16", "mobile", 0.05, _IPHONE),
    ("Windows 10", "desktop", 0.10, _PC),
    ("Windows 11", "desktop", 0.07, _PC),
    ("macOS 14", "desktop", 0.05, _MAC),
    ("iPadOS 17", "tablet", 0.03, _IPHONE),
    ("Linux", "desktop", 0.01, _LINUX),
)
_SHARES: Final = tuple(share for _, _, share, _ in SYSTEMS)
NEWEST: Final = 130
OLDEST: Final = 112


def device_id(rng: Random) -> str:
    """A fresh identifier, such as a cookie or an app installation gets."""
    return f"d{rng.getrandbits(48):012x}"


def make_device(rng: Random, language: str) -> Device:
    """A device by popularity."""
    system, kind, _, browsers = rng.choices(SYSTEMS, _SHARES)[0]
    name = rng.choices([n for n, _ in browsers], [share for _, share in browsers])[0]
    version = round(rng.triangular(OLDEST, NEWEST, NEWEST - 4))
    return Device(device_id(rng), system, f"{name} {version}", kind, language)


def like(device: Device, rng: Random) -> Device:
    """Another device of the same make, or the same one with its cookies cleared: only the id differs."""
    return Device(device_id(rng), device.os, device.browser, device.type, device.language)
