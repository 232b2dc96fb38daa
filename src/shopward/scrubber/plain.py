"""A text as rules read it, and the way back to the places of the text as it was given.

Promise: digits of every script, full-width letters and punctuation become their ASCII one for one; characters that
nobody sees (zero-width, variation selectors, the keycap) are left out; ``Plain.place`` maps a span back. Letters keep
their case and Han characters their form: rules decide on those.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from typing import Final, NamedTuple

_INVISIBLE: Final = re.compile(
    "[\u00ad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\u20e3]"
)
_DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d"
_SPACES: Final = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_CIRCLED: Final = {0x24EA: "0"} | {0x2460 + at: str(at + 1) for at in range(9)}
_LIKE_ASCII: Final = (
    {code: str(unicodedata.decimal(chr(code))) for code in range(0x80, sys.maxunicode) if unicodedata.category(chr(code)) == "Nd"}
    | {0xFF01 + at: chr(0x21 + at) for at in range(94)}
    | _CIRCLED
    | {ord(dash): "-" for dash in _DASHES}
    | {ord(space): " " for space in _SPACES}
)  # fmt: skip


class Plain(NamedTuple):
    """A text for the rules; ``places`` is where each character came from, None where nothing moved."""

    text: str
    places: list[int] | None

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where ``text[start:end]`` stands in the text as it was given."""
        if self.places is None:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def plain(given: str) -> Plain:
    """The text as rules read it."""
    if given.isascii():
        return Plain(given, None)
    if not _INVISIBLE.search(given):
        return Plain(given.translate(_LIKE_ASCII), None)
    places = [at for at, character in enumerate(given) if not _INVISIBLE.match(character)]
    return Plain("".join([given[at] for at in places]).translate(_LIKE_ASCII), places)
