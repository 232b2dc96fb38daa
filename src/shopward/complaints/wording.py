"""What a customer reads of a complaint, in Indonesian, Chinese and English.

Promise: every state, outcome, reason and remedy has its sentence in each language; a test holds the file against the closed
sets.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec

_Texts = dict[str, dict[str, dict[str, str]]]


def said(section: str, word: str, language: str) -> str:
    """The sentence of a word of ``states``, ``outcomes``, ``reasons`` or ``remedies``; empty for no word."""
    return texts()[section][word][language] if word else ""


@cache
def texts() -> _Texts:
    """All of them: section, word, language."""
    return msgspec.toml.decode(files("shopward.complaints").joinpath("texts.toml").read_bytes(), type=_Texts)
