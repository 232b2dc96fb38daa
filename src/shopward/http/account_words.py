"""What the page about one's own account is written with: its sentences, names of places, and moments as the reader knows them.

Promise: pure. Moments are in the zone that the shop named, to the minute. A country that has no name here keeps its code.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from shopward.values import from_ms

if TYPE_CHECKING:
    from shopward.flows.lately import Happened

HERE: Final = Path(__file__).parent
_MONTHS: Final = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "id": ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"),
}


@cache
def words(language: str, shop: str) -> dict[str, Any]:
    """The sentences of ``account.toml``, with the shop's name."""
    texts: dict[str, Any] = tomllib.loads((HERE / "account.toml").read_text(encoding="utf-8"))[language]
    return filled(texts, shop)


@cache
def countries(language: str) -> dict[str, str]:
    """Names of countries and regions by their code."""
    found: dict[str, str] = tomllib.loads((HERE / "countries.toml").read_text(encoding="utf-8"))[language]
    return found


def when(at_ms: int, zone: str, language: str) -> str:
    """``26 Nov 2026, 14:07``, as the language writes it."""
    return f"{day(at_ms, zone, language)}{' ' if language == 'zh' else ', '}{clock(at_ms, zone, language)}"


def day(at_ms: int, zone: str, language: str) -> str:
    """``26 Nov 2026``."""
    at = from_ms(at_ms).astimezone(ZoneInfo(zone))
    if language == "zh":
        return f"{at.year}年{at.month}月{at.day}日"
    return f"{at.day} {_MONTHS[language][at.month - 1]} {at.year}"


def clock(at_ms: int, zone: str, language: str) -> str:
    """``14:07``; Indonesian has a point between hours and minutes."""
    return from_ms(at_ms).astimezone(ZoneInfo(zone)).strftime("%H.%M" if language == "id" else "%H:%M")


def device(happened: Happened, texts: dict[str, Any]) -> str:
    """``Chrome on Android``, as far as it is known; versions are left out, since nobody knows theirs."""
    os, browser = _unversioned(happened.os), _unversioned(happened.browser)
    if os and browser:
        return str(texts["on"].format(os=os, browser=browser))
    return os or browser or str(texts["unknown_device"])


def _unversioned(name: str) -> str:
    head, _, version = name.rpartition(" ")
    return head if head and version.isdigit() else name


def filled(texts: dict[str, Any], shop: str) -> dict[str, Any]:
    """The same sentences with the shop's name."""
    return {key: _named(each, shop) for key, each in texts.items()}


def _named(said: Any, shop: str) -> Any:
    if isinstance(said, dict):
        return filled(said, shop)
    if isinstance(said, list):
        return [_named(each, shop) for each in said]
    return said.replace("{shop}", shop)
