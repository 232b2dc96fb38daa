"""Hashes that only say where to look: equality is always decided on the whole key.

Tokens are keyed and even already; the multiplications are for numbers and texts, which are neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from shopward.risk.features.compiled.jit import inlined

if TYPE_CHECKING:
    from shopward.risk.features.compiled import Words

_FIRST: Final = np.uint64(0x9E3779B97F4A7C15)
_SECOND: Final = np.uint64(0xD6E8FEB86659FD93)
_HALF: Final = np.uint64(32)


@inlined
def mixed(high: int, low: int) -> int:
    """A hash of two words."""
    value = (np.uint64(high) ^ (np.uint64(low) * _FIRST)) * _SECOND
    value ^= value >> _HALF
    value *= _SECOND
    value ^= value >> _HALF
    return np.int64(value)  # type: ignore[return-value]


@inlined
def hash_of(words: Words, at: int, count: int) -> int:
    """A hash of some words."""
    value = 0
    for each in range(at, at + count):
        value = mixed(value, words[each])
    return value
