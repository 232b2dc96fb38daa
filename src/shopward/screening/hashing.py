"""Tables of words in machine code, for what is learnt: 63 bits of FNV-1a, open addressing. Needs the extra ``fast``.

Promise: what is put in is found; what is not is taken for a word that is with a chance of one in 2 to the 63rd for each that is.
Who fills a table has to see to it that its own keys differ.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from shopward.machine_code import code_folder, compiled_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

F = TypeVar("F", bound="Callable[..., Any]")
_HERE: Final = Path(__file__).parent
SOURCES: Final = (
    Path(__file__),
    *(_HERE / "links/learned" / f"{each}.py" for each in ("features", "model", "onepass", "trees")),
    *(_HERE / "messages" / f"{each}.py" for each in ("onepass", "strings")),
)
"""All that is compiled with what stands here, and whose constants that takes."""
_FOLDER: Final = code_folder("screening", SOURCES)
_FNV_START: Final = 0xCBF29CE484222325
_FNV_PRIME: Final = 0x100000001B3
START, PRIME, _SPREAD = np.uint64(_FNV_START), np.uint64(_FNV_PRIME), np.uint64(0x9E3779B97F4A7C15)
WORD_BIT, _HALF = np.uint64(1 << 63), np.uint64(32)


def compiled(function: F) -> F:
    """The function as machine code."""
    return compiled_in(_FOLDER, function)


def table_of(weights: Mapping[int, int]) -> Any:
    """Keys and what they weigh, by turns; a key of 0 is an empty place, half of the places are."""
    known = np.zeros(2 << (2 * len(weights)).bit_length(), np.int64)
    _fill(known, np.array([*weights], np.uint64), np.array([*weights.values()], np.int64))
    return known


def fnv(text: bytes) -> Any:
    """FNV-1a of what words begin with."""
    key = _FNV_START
    for each in text:
        key = (key ^ each) * _FNV_PRIME % (1 << 64)
    return np.uint64(key)


@compiled
def _begun(text: Any, first: int, last: int, begun: Any) -> Any:
    """FNV-1a over a part of a text, on top of what was hashed before it."""
    for at in range(first, last):
        begun = (begun ^ np.uint64(text[at])) * PRIME
    return begun


@compiled
def word_key(text: Any, first: int, last: int, begun: Any) -> Any:
    """The key of a word, a part of a text behind what it begins with."""
    return _begun(text, first, last, begun) | WORD_BIT


@compiled
def place_of(key: Any, known: Any) -> Any:
    """Where a key stands, or would; what it weighs stands behind it."""
    last = len(known) - 1
    at = np.int64((key * _SPREAD) >> _HALF) << 1 & last
    while known[at] != 0 and np.uint64(known[at]) != key:
        at = at + 2 & last
    return at


@compiled
def _fill(known: Any, keys: Any, weights: Any) -> None:
    for number in range(len(keys)):
        at = place_of(keys[number], known)
        known[at] = np.int64(keys[number])
        known[at + 1] = weights[number]
