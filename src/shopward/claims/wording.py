"""What a customer reads of a claim, in Indonesian, Chinese and English.

Promise: every state, every reason and every stop of the clock has its sentence in each language; a test holds the file against
the closed lists.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

KINDS: Final = ("states", "reasons", "stops")
_Texts = dict[str, dict[str, dict[str, str]]]


def said(kind: str, word: str, language: str) -> str:
    """The sentence of a word; empty for no word."""
    return texts()[kind][word][language] if word else ""


@cache
def texts() -> _Texts:
    """All of them: kind, word, language."""
    raw = files("shopward.claims").joinpath("texts.toml").read_bytes()
    return msgspec.toml.decode(raw, type=_Texts)
