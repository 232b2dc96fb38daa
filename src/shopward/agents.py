"""System, browser and kind of device out of a user agent, as coarsely as rules need it.

Promise: a table read from the top, the first mark that stands in the text wins; a version is its first number. What no
mark fits stays empty: a guess would look like a change of device. Not a parser of every agent there is; a shop that has
one hands over its own words instead.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_SYSTEMS: Final = (
    (re.compile(r"Android (\d+)"), "Android"),
    (re.compile(r"(?:iPhone|iPad|iPod).*? OS (\d+)"), "iOS"),
    (re.compile(r"HarmonyOS[ /]?(\d*)"), "HarmonyOS"),
    (re.compile(r"Windows NT (\d+)"), "Windows"),
    (re.compile(r"Mac OS X (\d+)"), "macOS"),
    (re.compile(r"CrOS()"), "ChromeOS"),
    (re.compile(r"Linux()"), "Linux"),
)
_BROWSERS: Final = (
    (re.compile(r"MicroMessenger/(\d+)"), "WeChat"),
    (re.compile(r"UCBrowser/(\d+)"), "UC Browser"),
    (re.compile(r"(?:Edg|EdgA|EdgiOS)/(\d+)"), "Edge"),
    (re.compile(r"(?:OPR|Opera)/(\d+)"), "Opera"),
    (re.compile(r"SamsungBrowser/(\d+)"), "Samsung Internet"),
    (re.compile(r"(?:Firefox|FxiOS)/(\d+)"), "Firefox"),
    (re.compile(r"(?:Chrome|CriOS)/(\d+)"), "Chrome"),
    (re.compile(r"Version/(\d+).*Safari/"), "Safari"),
)


@lru_cache(maxsize=4096)
def _read(agent: str) -> tuple[str, str, str]:
    system = _named(agent, _SYSTEMS)
    browser = _named(agent, _BROWSERS)
    if "iPad" in agent or ("Android" in agent and "Mobile" not in agent):
        kind = "tablet"
    elif "Mobile" in agent or "iPhone" in agent:
        kind = "mobile"
    else:
        kind = "desktop" if system else ""
    return system, browser, kind


def described(agent: str) -> dict[str, str]:
    """``os``, ``browser`` and ``device_type`` of the event's context; empty where nothing fits."""
    return dict(zip(("os", "browser", "device_type"), _read(agent), strict=True))


def _named(agent: str, table: tuple[tuple[re.Pattern[str], str], ...]) -> str:
    for mark, name in table:
        if found := mark.search(agent):
            return f"{name} {found[1]}".rstrip()
    return ""
