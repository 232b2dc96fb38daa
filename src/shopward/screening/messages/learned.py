"""The learned part: how much the wording of a message resembles that of known frauds.

Promise: a bundle is some thousand short strings of letters, each with a weight, and nothing else: it is read as text, never
executed; one that is damaged, foreign or too large is refused (``ModelInvalid``). Strings are of two readings of a message: its
``plain_wording``, without disguises and with markers for links, numbers and the like; and its ``letters_of``, as they were
given: case, signs, digits. What one reading loses the other keeps. In each a score is the sum over the strings that a message
has of weight times rarity, over the root of the sum of squared rarities, so that a long message does not score by length
(TF-IDF with cosine norm, without counts); the place that speaks most against a message is known. One pass each.

The format, ``shopward-messages 2``: JSON with ``about`` (who trained it, on what, how well it did), ``bias``, ``rules`` (what is
added to the weight of each rule of ``intents``), ``cues`` and ``letters`` (string to weight and rarity, of the two readings) and
``check`` (BLAKE2b-16 of the others).
"""

from __future__ import annotations

import math
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from shopward.keyring.parts import invalid_part
from shopward.screening.messages.characters import READINGS
from shopward.screening.messages.intents import ALL_CODES, BIAS, WEIGHTS
from shopward.screening.messages.strings import Strings
from shopward.values import digest16

if TYPE_CHECKING:
    from shopward.errors import ModelInvalid
    from shopward.screening.messages.normalise import Normal

FORMAT: Final = "shopward-messages 2"
BUNDLE_BYTES_MAX: Final = 4_000_000
CUES_MAX: Final = 50_000
CUE_LETTERS_MAX: Final = 12
_WEIGHT_MAX: Final = 100.0
_ASCII_MAX: Final = 0x7F
OTHER_GUISE: Final = re.compile("[^\x00-\x7f\u3400-\u4dbf\u4e00-\u9fff，。、！？：；（）【】《》“”‘’…—]")
"""All that could be a letter or digit in another guise, or invisible; most messages have nothing of it."""
MADE_BY: Final = "shopward screen train-messages"
SHIPPED: Final = "messages.json"
_SIGNS: Final = re.compile(
    r"(?<=[a-z])(?:[^\w\s]|_)+(?=[a-z])|(?<=[\u4e00-\u9fff])(?:[^\w\s,.!?:;]|_)+(?=[\u4e00-\u9fff])"
)
"""What stands inside words; markers are letters."""
_SIGNS_NEAR: Final = re.compile(r"[^\w\s\ua000-\ua007]+[a-z]")
_OTHERS: Final = re.compile(r"(?:[^\w.,!?:;]|_)+")
_OTHERS_NEAR: Final = re.compile(r"[^\w.,!?:; ]|_|  ")
"""Whether any is more than one space."""
_SINGLE: Final = re.compile(
    r"(?<![a-z])[a-z](?:[ .][a-z]){3,}(?![a-z])|(?<![\u4e00-\u9fff])[\u4e00-\u9fff](?:[ .][\u4e00-\u9fff]){3,}(?![\u4e00-\u9fff])"
)
_SPACED_NEAR: Final = re.compile(r"[ .][^ .][ .][^ .][ .]")
"""Looked for first, since most of a text is neither a space nor a dot."""
_SINGLE_NEAR: Final = re.compile(
    r"(?<![a-z\u4e00-\u9fff])[a-z\u4e00-\u9fff][ .][a-z\u4e00-\u9fff][ .][a-z\u4e00-\u9fff][ .]"
)


class Bundle(Struct, frozen=True, forbid_unknown_fields=True):
    """What a bundle's file holds.

    Attributes:
        format: ``FORMAT``.
        about: texts and figures of the training; shown, never used.
        bias: added to every message's log odds.
        rules: added to a rule's own weight, by its code.
        cues: weights and rarities of strings of the plain wording.
        letters: the same of the letters as they were given.
        check: of all the others.
    """

    format: str
    about: dict[str, Any]
    bias: float
    rules: dict[str, float]
    cues: Annotated[dict[str, tuple[float, float]], Meta(max_length=CUES_MAX)]
    letters: Annotated[dict[str, tuple[float, float]], Meta(max_length=CUES_MAX)]
    check: str = ""


class MessageModel:
    """A bundle, fit for use; safe to share between threads.

    Args:
        bundle: checked.
        strings: what looks for them.
    """

    def __init__(self, bundle: Bundle, strings: type[Strings] = Strings) -> None:
        self.version = bundle.check[:12]
        self.about = bundle.about
        self.bias = BIAS + bundle.bias
        self.rules = {code: _kept_side(own, bundle.rules.get(code, 0.0)) for code, own in WEIGHTS.items()}
        self._wording = strings(bundle.cues)
        self._letters = strings(bundle.letters)

    def score(self, wording: str, letters: str) -> float:
        """The log odds that both readings of a message speak for fraud."""
        return self._wording.score(wording) + self._letters.score(letters)

    def heaviest(self, wording: str, masked: str) -> tuple[int, int]:
        """Where in the masked text most of what speaks against it stands, in whole words."""
        start, end = self._wording.heaviest(wording)
        if end <= start:
            return 0, len(masked)
        places = range(end) if wording == masked else _places(wording[:end], masked)
        first, last = places[start], places[end - 1] + 1
        while first and _is_latin(masked[first - 1]):
            first -= 1
        while last < len(masked) and _is_latin(masked[last]):
            last += 1
        return first, last


def letters_of(given: str, normal: Normal) -> str:
    """The letters of a message as they were given, in single spaces; undisguised where a disguise was found.

    Letters and digits in other guises (full width, in circles, with accents) are read as what they stand for in any case, and
    invisible characters as none.
    """
    if normal.marks:
        text = normal.text
    else:
        text = given if OTHER_GUISE.search(given) is None else given.translate(_GUISES)
    return " ".join(text.split())


class _Guises(dict[int, str]):
    """A table for ``str.translate``: characters in their own shape, unless they stand for others."""

    def __missing__(self, point: int) -> str:
        read = READINGS[point] if point > _ASCII_MAX else chr(point)
        self[point] = read if read.isascii() and (read.isalnum() or not read) else chr(point)
        return self[point]


_GUISES: Final = _Guises()


def plain_wording(masked: str) -> str:
    """A masked text without what disguises words: signs inside them, spaces between single letters, doubled spaces."""
    text = _SIGNS.sub("", masked) if _SIGNS_NEAR.search(masked) is not None else masked
    text = _OTHERS.sub(" ", text) if _OTHERS_NEAR.search(text) is not None else text
    is_spaced = _SPACED_NEAR.search(text) is not None and _SINGLE_NEAR.search(text) is not None
    return _SINGLE.sub(_closed, text) if is_spaced else text


def _closed(found: re.Match[str]) -> str:
    return found[0].replace(" ", "").replace(".", "")


def _places(wording: str, masked: str) -> list[int]:
    """Where each character of a plain wording stands: it holds those of the masked text, in order, and single spaces."""
    places, at = [], 0
    for each in wording:
        found = masked.find(each, at)
        if found < 0:
            places.append(min(at, len(masked) - 1))
            continue
        if each != " ":
            at = found + 1
            places.append(found)
        else:
            places.append(min(at, len(masked) - 1))
    return places


def pack(bundle: Bundle) -> bytes:
    """A bundle's file."""
    return msgspec.json.encode(msgspec.structs.replace(bundle, check=_check(bundle))) + b"\n"


def load_model(raw: bytes, *, fast: bool = False) -> MessageModel:
    """The model that a file holds; raises ``ModelInvalid``.

    Args:
        raw: the file.
        fast: in machine code where the extra ``fast`` is installed, for many messages; it judges the same.
    """
    if len(raw) > BUNDLE_BYTES_MAX:
        raise _refusal(f"at most {BUNDLE_BYTES_MAX} bytes", str(len(raw)))
    try:
        if msgspec.json.decode(raw, type=_Format).format != FORMAT:
            raise _refusal(FORMAT, "another format or version")
        bundle = msgspec.json.decode(raw, type=Bundle)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _refusal(f"a whole file of {FORMAT}", "damaged or something else") from None
    if bundle.check != _check(bundle):
        raise _refusal("the sum of what it holds", "another")
    figures = (
        bundle.bias,
        *bundle.rules.values(),
        *(figure for cues in (bundle.cues, bundle.letters) for cue in cues.values() for figure in cue),
    )
    if (
        not all(1 <= len(cue) <= CUE_LETTERS_MAX for cues in (bundle.cues, bundle.letters) for cue in cues)
        or not all(math.isfinite(each) and abs(each) <= _WEIGHT_MAX for each in figures)
        or not bundle.rules.keys() <= set(ALL_CODES)
    ):
        raise _refusal("strings, weights and rules within their limits", "others")
    return MessageModel(bundle, _fast() if fast else Strings)


def _fast() -> type[Strings]:
    """Machine code, or plain Python where the extra is not installed."""
    try:
        from shopward.screening.messages.onepass import CompiledStrings  # noqa: PLC0415 -- an extra
    except ImportError:
        return Strings
    return CompiledStrings


class _Format(Struct, frozen=True):
    """What of any bundle says which release it is of."""

    format: str


def _refusal(expected: str, found: str) -> ModelInvalid:
    return invalid_part("", expected, found, MADE_BY)


@cache
def shipped_model(*, fast: bool = False) -> MessageModel:
    """The bundle that ships: what it was trained on stands in its ``about`` and in docs/screening.md."""
    return load_model((resources.files(__package__) / SHIPPED).read_bytes(), fast=fast)


def _is_latin(each: str) -> bool:
    return each.isascii() and each.isalpha()


def _kept_side(own: float, learnt: float) -> float:
    """A rule's weight with what was learnt of it: what speaks against a message never comes to speak for it."""
    return max(0.0, own + learnt) if own > 0.0 else min(0.0, own + learnt)


def _check(bundle: Bundle) -> str:
    return digest16(msgspec.json.encode(msgspec.structs.replace(bundle, check=""))).hex()
