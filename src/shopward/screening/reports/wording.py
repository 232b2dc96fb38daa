"""What who reported reads of a case: what happens next, what can be done at once, why it was settled so.

Promise: every kind, every offer and every reason has its sentence in Indonesian, Chinese and English; a test holds the file
against the closed lists. No sentence holds a link or a value of anybody's.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec

_Texts = dict[str, dict[str, dict[str, str]]]


def said(section: str, word: str, language: str, **given: object) -> str:
    """The sentence of a word of ``next``, ``offers`` or ``reasons``; empty for no word."""
    return texts()[section][word][language].format(**given) if word else ""


@cache
def texts() -> _Texts:
    """All of them: section, word, language."""
    raw = files("shopward.screening.reports").joinpath("texts.toml").read_bytes()
    return msgspec.toml.decode(raw, type=_Texts)
