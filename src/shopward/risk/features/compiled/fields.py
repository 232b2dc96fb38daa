"""Fields: how an event's facts become the words of a record.

Promise: a token of 22 characters is its 128 bits, and nothing else is written for it in Python: the machine reads the
characters. A number is itself. Any other text is 128 bits of BLAKE2b, or, where its text is asked for again, a number in the
kernel's list of texts. What is empty is zero. Two values of one field have the same words only if they are equal.
"""

from __future__ import annotations

import binascii
import hashlib
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any, Final

from shopward.risk.features.compiled import machine
from shopward.risk.features.declare import FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from shopward.events.facts import Facts

PLACE: Final = "context.place"
"""Not a field of the event: latitude and longitude in one number."""
KIND: Final = "decision.kind"
SCORE: Final = "decision.score_centi"
TRANSACTION: Final = "transaction.id"
_CODES_MAX: Final = 10_000
_WORDS: Final = struct.Struct(">qq")


class Fields:
    """Where each field stands in a record.

    Args:
        paths: fields that some key, sum, distinct count or last value needs.
        bits: how many filters one kind of event can have.
        knowns: how many slots ask for condemnations.
        texts: how many slots keep a text.
        cells: words that all readings take.
    """

    def __init__(self, paths: Iterable[str], *, bits: int, knowns: int, texts: int, cells: int) -> None:
        named = sorted({TRANSACTION, PLACE, KIND, SCORE, *paths})
        self.bit_words = bits // machine.BITS_A_WORD + 1
        self.bits_at = machine.RECORD_HEAD
        self.numbers_at = self.bits_at + self.bit_words
        self.late_bits_at = self.numbers_at + 2 * len(named) + texts
        self.untils_at = self.late_bits_at + self.bit_words
        self.texts_at = self.untils_at + knowns
        """The first of these words is zero for good: for slots that keep no text."""
        fields_at = self.texts_at + 1 + texts
        self.at = {path: fields_at + 2 * position for position, path in enumerate(named)}
        self.text_at = fields_at + 2 * len(named)
        self.cells_at = self.text_at + 3 * len(named) + 1
        self.words = self.cells_at + cells

    def filler(
        self,
        plan: int,
        tokens: list[str],
        numbers: list[str],
        bits: list[str],
        names: dict[str, Any],
    ) -> Callable[[Facts, Any, int], None]:
        """A function that writes a record for one plan.

        Args:
            plan: where the plan stands in the program.
            tokens: attributes whose characters the machine reads.
            numbers: expressions over the facts ``e`` for the plan's numbers, in order.
            bits: expressions that are true where a filter gives leave, in the order of the bits.
            names: what the expressions name.
        """
        longest = max(0, (machine.TOKEN_CHARACTERS + 1) * len(tokens) - 1)
        text = 8 * self.text_at
        words = [
            " | ".join(f"({1 << position} if {bit} else 0)" for position, bit in enumerate(chunk)) or "0"
            for chunk in _chunks(bits, self.bit_words)
        ]
        body = "\\n".join(f"{{e.{attribute}}}" for attribute in tokens)
        lines = ["def fill(e, buffer, at):"]
        if tokens:
            lines += [
                f' characters = f"{body}".encode("utf-8", "replace")',
                " length = len(characters)",
                f" if length > {longest}: characters, length = b'!', 1",  # no token: the machine refuses it
                f" buffer[at + {text}:at + {text} + length] = characters",
            ]
        else:
            lines.append(" length = 0")
        values = ", ".join([*words, *numbers])
        lines.append(f" pack(buffer, at, e.at_ms, {plan}, length, {values})")
        count = machine.RECORD_HEAD + self.bit_words + sum(2 if "*" in each else 1 for each in numbers)
        namespace = names | {"pack": struct.Struct(f"<{count}q").pack_into}
        exec("\n".join(lines), namespace)  # noqa: S102 -- attribute names of our own table
        return namespace["fill"]  # type: ignore[no-any-return]


def present(key: tuple[str, ...]) -> str:
    """An expression over ``e`` that holds where no part of a key is empty."""
    return " and ".join(f"e.{FIELDS[path].attribute}" for path in key) or "True"


def place_of(facts: Facts) -> int:
    """Where the event happened, in whole degrees, as one number; 0 where that is not known."""
    return (facts.lat_deg + 90) * 1000 + facts.lon_deg + 180 + 1 if facts.located else 0


def degrees_of(place: int) -> list[int]:
    """Latitude and longitude of a place that is known."""
    return [(place - 1) // 1000 - 90, (place - 1) % 1000 - 180]


def token_words(text: str) -> tuple[int, int] | None:
    """The 128 bits of a token; ``None`` where the text is no token of ours, or is the one whose bits mean "empty"."""
    if not text:
        return 0, 0
    if len(text) != machine.TOKEN_CHARACTERS or not text.isascii():
        return None
    try:
        raw = urlsafe_b64decode(text + "==")
    except binascii.Error:
        return None
    return _WORDS.unpack(raw) if any(raw) and len(raw) == _WORDS.size and _spelt(raw) == text else None


def token_text(high: int, low: int) -> str:
    """The token with these bits; the empty token has none."""
    return _spelt(_WORDS.pack(high, low)) if high or low else ""


class Codes:
    """Words of texts that are no tokens, with a bounded cache."""

    def __init__(self) -> None:
        self._codes: dict[str, tuple[int, int]] = {"": (0, 0)}

    def __call__(self, text: str) -> tuple[int, int]:
        """The words of a text."""
        code = self._codes.get(text)
        if code is None:
            if len(self._codes) >= _CODES_MAX:
                self._codes = {"": (0, 0)}
            digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
            code = self._codes[text] = _WORDS.unpack(digest)
        return code


def _spelt(raw: bytes) -> str:
    return urlsafe_b64encode(raw)[: machine.TOKEN_CHARACTERS].decode("ascii")


def _chunks(bits: list[str], words: int) -> list[list[str]]:
    size = machine.BITS_A_WORD
    return [bits[each * size : (each + 1) * size] for each in range(words)]
