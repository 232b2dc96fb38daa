"""Words of the pages and mails, in the three languages; ``texts.toml`` holds them, the same keys in each."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@lru_cache(maxsize=1)
def _all() -> Mapping[str, Mapping[str, str]]:
    read: dict[str, dict[str, str]] = tomllib.loads(
        resources.files(__package__).joinpath("texts.toml").read_text(encoding="utf-8")
    )
    return read


def texts(language: str) -> Mapping[str, str]:
    """By key; English where the language is none of ours."""
    return _all().get(language, _all()["en"])
