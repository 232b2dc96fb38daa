"""What staff read of a line, in Indonesian, Chinese and English.

Promise: every state of a line and of its PIN has its sentence in each language; a test holds the file against the closed sets.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec

_Texts = dict[str, dict[str, dict[str, str]]]


def said(section: str, word: str, language: str) -> str:
    """The sentence of a word of ``states``, ``do`` or ``two_step``."""
    return texts()[section][word][language]


@cache
def texts() -> _Texts:
    """All of them: section, word, language."""
    return msgspec.toml.decode(files("shopward.lines").joinpath("texts.toml").read_bytes(), type=_Texts)
