"""Keyed marks: bits that differ by recipient, and the score that finds whose copy leaked.

Promise: a bit depends on the key, the recipient and the place alone, so no table is kept and the verifier makes it again.
``score`` is the symmetric Tardos score (Skoric, Katzenbeisser, Celik 2008); its ``chance`` bounds from above how likely
an innocent recipient scores as much, **whatever the leaker did**, because the innocent's bits are secret and independent of
it: exact (binomial) where every bias is one half, Chernoff's bound otherwise. Neither is an approximation.

It does not survive that all marks are ironed out (every address rewritten in one form): then nothing is read and nobody
is named.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from enum import Enum
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_CUT: Final = 0.01
"""Biases stay this far from 0 and 1 (Tardos' cutoff)."""
_UNIT: Final = 1 << 64
KEY_BYTES_MIN: Final = 32


class Bias(Enum):
    """How often a place carries a one.

    ``HALF`` needs the fewest places against one leaker; ``ARCSINE`` (Tardos) also holds against leakers who mix copies.
    """

    HALF = "half"
    ARCSINE = "arcsine"


class Score(NamedTuple):
    """What the marks say of one recipient.

    Attributes:
        places: how many were read.
        score: expected 0 with a variance of one a place for the innocent.
        chance: at most so likely does one innocent recipient score as much.
    """

    places: int
    score: float
    chance: float


class Marks:
    """The marks of one shop under one key.

    Args:
        key: at least 32 secret bytes; who holds them can frame anybody.
        bias: how the ones are spread.
    """

    def __init__(self, key: bytes, bias: Bias = Bias.HALF) -> None:
        if len(key) < KEY_BYTES_MIN:
            raise InvalidField("the key of marks is short", expected=f"{KEY_BYTES_MIN} bytes or more", found=f"{len(key)} bytes")  # fmt: skip
        self._bits = hmac.new(key, b"shopward marks: bits", hashlib.sha256).digest()
        self._biases = hmac.new(key, b"shopward marks: biases", hashlib.sha256).digest()
        self._bias = bias

    def bias(self, place: str) -> float:
        """How likely a recipient has a one at a place."""
        if self._bias is Bias.HALF:
            return 0.5
        drawn = _fraction(self._biases, place.encode())
        low, high = math.asin(math.sqrt(_CUT)), math.asin(math.sqrt(1 - _CUT))
        return math.sin(low + drawn * (high - low)) ** 2

    def bit(self, recipient: str, place: str) -> bool:
        """The mark that a recipient's copy carries at a place, such as ``order 17/street``."""
        name = recipient.encode()
        message = len(name).to_bytes(4, "big") + name + place.encode()
        return _fraction(self._bits, message) < self.bias(place)

    def score(self, read: Mapping[str, bool], recipient: str) -> Score:
        """What the bits read from a leak say of a recipient; each place counts once."""
        total, matches, biases = 0.0, 0, []
        for place, seen in read.items():
            bias = self.bias(place)
            biases.append((bias, seen))
            if (match := self.bit(recipient, place) == seen) is True:
                matches += 1
            total += _weight(bias, seen=seen, match=match)
        if self._bias is Bias.HALF:
            return Score(len(read), total, _binomial_tail(len(read), matches))
        return Score(len(read), total, _chernoff(biases, total))

    def scores(self, read: Mapping[str, bool], recipients: Iterable[str]) -> dict[str, Score]:
        """The score of each recipient."""
        return {recipient: self.score(read, recipient) for recipient in recipients}


class MarkRing:
    """The marks of one shop under every key that was not destroyed: copies get the newest, a leak is read by all.

    Args:
        keys: gives the keys as they stand, by version; asked each time.
    """

    def __init__(self, keys: Callable[[], Mapping[int, bytes]]) -> None:
        self._keys = keys
        self._marks: dict[bytes, Marks] = {}

    def bit(self, recipient: str, place: str) -> bool:
        """The mark that a recipient's copy gets now."""
        keys = self._keys()
        return self._of(keys[max(keys)]).bit(recipient, place)

    def score(self, read: Mapping[str, bool], recipient: str) -> Score:
        """The best score of a recipient by any key; its ``chance`` is that of all of them together (union bound)."""
        keys = self._keys()
        best = min(
            (self._of(key).score(read, recipient) for key in keys.values()), key=lambda each: each.chance
        )
        return best._replace(chance=min(1.0, best.chance * len(keys)))

    def _of(self, key: bytes) -> Marks:
        made = self._marks.get(key)
        if made is None:
            made = self._marks[key] = Marks(key)
        return made


def _fraction(key: bytes, message: bytes) -> float:
    return int.from_bytes(hmac.digest(key, message, "sha256")[:8], "big") / _UNIT


def _weight(bias: float, *, seen: bool, match: bool) -> float:
    """The symmetric score of a place: rare agreement counts much, rare disagreement little."""
    ones = bias if seen else 1 - bias
    return math.sqrt((1 - ones) / ones) if match else -math.sqrt(ones / (1 - ones))


def _binomial_tail(places: int, matches: int) -> float:
    """P(at least so many heads of a fair coin), exactly."""
    if places == 0:
        return 1.0
    heads = sum(math.comb(places, count) for count in range(matches, places + 1))
    return heads / 2.0**places if places < 1_000 else float(Fraction(heads, 2**places))


def _chernoff(biases: list[tuple[float, bool]], total: float) -> float:
    """Inf over t > 0 of E[exp(t S)] exp(-t s) for the innocent's S, each place on its own."""
    if total <= 0:
        return 1.0
    steps = [(ones, _weight(bias, seen=seen, match=True), _weight(bias, seen=seen, match=False)) for bias, seen in biases for ones in [bias if seen else 1 - bias]]  # fmt: skip

    def exponent(tilt: float) -> float:
        moments = [math.log(ones * math.exp(tilt * hit) + (1 - ones) * math.exp(tilt * miss)) for ones, hit, miss in steps]  # fmt: skip
        return math.fsum(moments) - tilt * total

    low, high = 0.0, 8.0  # the exponent is convex in the tilt: thirds close in on its least value
    for _step in range(60):
        one, two = low + (high - low) / 3, high - (high - low) / 3
        if exponent(one) < exponent(two):
            high = two
        else:
            low = one
    return min(1.0, math.exp(exponent((low + high) / 2)))
