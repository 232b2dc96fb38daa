"""Words that ordinary names are made of, so that they are not taken for slips of a shop's name.

Promise: read once; English words by frequency, from the lists of the password estimator.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from zxcvbn.frequency_lists import FREQUENCY_LISTS

COMMON: Final = 5_000
"""So many of the most frequent words are compared as whole words alone where a shop is called so."""
_LISTS: Final = ("english_wikipedia", "us_tv_and_film")


@cache
def ordinary_words() -> frozenset[str]:
    """All of them."""
    return frozenset(word for name in _LISTS for word in FREQUENCY_LISTS[name])


@cache
def common_words() -> frozenset[str]:
    """The most frequent ones."""
    return frozenset(word for name in _LISTS for word in list(FREQUENCY_LISTS[name])[:COMMON])
