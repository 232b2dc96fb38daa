"""The normaliser: a message as it is read, with the place of each character in the message as it was given.

Promise: linear and bounded; it never raises. What was undone is told with its span, since a disguise is itself a reason.

The steps:

1. characters as they are read (``characters``): width, case, accents, invisible ones, boxes, traditional ones;
2. letters of other scripts inside Latin words, or whole words of look-alikes in a text that has no such script;
3. digits and signs that stand for letters inside words (``k0de``, ``p4ssw0rd``), links left out.

What stands between letters (spaces, dots, pictures) is not taken away here: words are looked for in letters and digits alone
(``Squeezed``), so that ``o.t.p`` and ``验🌟证🌟码`` are found where they stand.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from shopward.screening.confusables import LATIN_OF
from shopward.screening.messages.characters import READINGS
from shopward.screening.messages.lexicon import known_words

MESSAGE_MAX: Final = 4_000
"""Characters that are read, the beginning of a long mail; the verdict says where more was given."""
_OTHER_SCRIPT: Final = re.compile(
    "[\u0180-\u02af\u0370-\u058f\u13a0-\u16ff\u1d00-\u1dbf\u2c60-\u2dff\ua640-\ua7ff\uab30-\uabbf\U00010280-\U0001d7ff]"
)
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_LEET_NEAR: Final = re.compile(r"[0134578@$!|€][a-z]")
_LEET: Final = re.compile(
    r"(?<![\w@.$/#*+-])(?=[a-z]*[0134578@$!|€]{1,2}[a-z])[a-z0134578@$!|€]{3,24}(?![\w@/]|\.\w)"
)
"""A word with a letter behind a substitute."""
_LETTERS: Final = str.maketrans("0134578@$!|€", "oieastbasiie")
_NUMBERED: Final = re.compile(r"[a-z]+[0-9!|]+|[0-9]+[a-z]{1,4}|[a-z]{1,2}[0-9]+[a-z]{0,2}")
"""A word with a number behind it, a number with a unit, a short code: no disguise unless the
lexicon knows the word behind it."""
_LATIN: Final = re.compile("[a-z]")


class Mark(NamedTuple):
    """Something that was undone: a code of ``texts``, and where in the text as given."""

    code: str
    start: int
    end: int


class Normal(NamedTuple):
    """A message as it is read.

    Attributes:
        text: lower case, compatible, undisguised.
        places: of each character in the message as given; ``None`` where they are the same.
        marks: what was undone.
    """

    text: str
    places: list[int] | None
    marks: tuple[Mark, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a part of ``text`` stands in the message as given."""
        if self.places is None or end <= start:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def normalise(given: str) -> Normal:
    """See the module; ``given`` has ``MESSAGE_MAX`` characters at most."""
    marks: list[Mark] = []
    places: list[int] | None = None
    if given.isascii():
        text = given.lower()
    else:
        text, places = _read(given, marks)  # 1
        if _OTHER_SCRIPT.search(text) is not None:
            text = _latin(text, places, marks)  # 2
    if _LEET_NEAR.search(text) is not None:
        text = _letters(text, places, marks)  # 3
    return Normal(text, places, tuple(marks))


def _read(given: str, marks: list[Mark]) -> tuple[str, list[int] | None]:
    text = given.translate(READINGS)
    if READINGS.irregular.isdisjoint(given):
        return text, None
    parts: list[str] = []
    places: list[int] = []
    hidden: list[int] = []
    for place, character in enumerate(given):
        read = READINGS[ord(character)]
        parts.append(read)
        places += [place] * len(read)
        if not read and _splits_word(given, place):
            hidden.append(place)
    if hidden:
        marks.append(Mark("hidden_in_words", hidden[0], hidden[-1] + 1))
    return "".join(parts), places


def _splits_word(given: str, place: int) -> bool:
    """Whether a character that is read as none stands between two letters that need nothing between them."""
    before, after = given[place - 1 : place], given[place + 1 : place + 2]
    return before.isalnum() and after.isalnum() and (before.isascii() or before >= "\u3400")


def _latin(text: str, places: list[int] | None, marks: list[Mark]) -> str:
    """Letters that look like Latin ones, in words that have Latin ones beside them, or in a text of Latin words."""
    parts: list[str] = []
    done = 0
    for word in _WORD.finditer(text):
        said = word[0]
        if said.isascii() or _OTHER_SCRIPT.search(said) is None:
            continue
        read = said.translate(LATIN_OF)
        mixed = _LATIN.search(said) is not None
        if read == said or not (mixed or read.isascii()):
            continue
        if not mixed and _LATIN.search(text) is None:
            continue
        parts += (text[done : word.start()], read)
        done = word.end()
        start, end = Normal(text, places, ()).span(word.start(), word.end())
        marks.append(Mark("mixed_letters", start, end))
    return "".join((*parts, text[done:])) if parts else text


def _letters(text: str, places: list[int] | None, marks: list[Mark]) -> str:
    """Words with their letters back; same length."""

    def read(found: re.Match[str]) -> str:
        said = found[0]
        if said.isalpha():
            return said
        if _NUMBERED.fullmatch(said) and said.translate(_LETTERS) not in known_words():
            return said
        start, end = Normal(text, places, ()).span(found.start(), found.end())
        marks.append(Mark("digits_as_letters", start, end))
        tail = len(said) - len(said.rstrip("!"))
        return said[: len(said) - tail].translate(_LETTERS) + "!" * tail

    return _LEET.sub(read, text)
