"""Rules of platforms as presets: which fields for which purpose, how many rows at once, for how long.

Promise: they ship as data with their source; a share of a partner under a preset stays within it. They are what was
known of the platforms' rules, not the platforms' own words.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct


class Preset(Struct, frozen=True, forbid_unknown_fields=True):
    """One platform's rules; days and rows are of one share."""

    source: str
    days_max: int
    rows_max: int
    purposes: dict[str, tuple[str, ...]]


@cache
def presets() -> dict[str, Preset]:
    """All that ship, by name."""
    text = resources.files("shopward.partners").joinpath("presets.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Preset])
