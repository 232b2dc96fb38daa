"""Names and hosts folded so that look-alikes meet: case, width, accents, letters of other scripts, digits for letters.

Promise: pure, linear, and only ever used to compare with names that are protected: two folded texts that are equal look
alike, they need not be alike (Unicode UTS 39, section 4, says the same of skeletons).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from shopward.screening.confusables import LATIN_OF

_DIGITS: Final = str.maketrans("01345789", "oleastbg")
"""Digits that stand for letters: 0 o, 1 l, 3 e, 4 a, 5 s, 7 t, 8 b, 9 g."""
_SHAPES: Final = str.maketrans("eiouvwym", "aaaaaaan")
_DOUBLED: Final = re.compile(r"(.)\1+")
_PAIRS: Final = (("rn", "m"), ("vv", "w"), ("cl", "d"))


@lru_cache(maxsize=16_384)
def plain(text: str) -> str:
    """Lower-case letters and digits as they would be read by somebody who expects Latin ones; the rest is kept."""
    if text.isascii():
        return text.lower()
    shown = unicodedata.normalize("NFKD", text).casefold().translate(LATIN_OF)
    return "".join(each for each in shown if not unicodedata.combining(each) and each.isprintable())


def squeezed(text: str) -> str:
    """``plain`` without anything but letters and digits."""
    return "".join(filter(str.isalnum, plain(text)))


def skeleton(text: str) -> str:
    """What ``text`` looks like at a glance: digits as letters, ``rn`` as ``m``, ``i`` as ``l``."""
    folded = text if text.isalpha() else text.translate(_DIGITS)
    for pair, one in _PAIRS:
        if pair in folded:
            folded = folded.replace(pair, one)
    return folded.replace("i", "l")


def shape(text: str) -> str:
    """What is left of a word that was scrambled to escape filters: vowels alike, m as n, doubled letters once."""
    folded = text.translate(_DIGITS).replace("rn", "m").translate(_SHAPES)
    return _DOUBLED.sub(r"\1", folded)
