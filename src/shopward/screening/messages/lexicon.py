"""The words of intents, and where a message has them.

Promise: ``lexicon.toml`` is read once into one automaton; a search is one pass over letters and digits alone, so that spaces, dots
and pictures between letters hide nothing; a short Latin word counts only where it stands alone.
"""

from __future__ import annotations

import tomllib
import unicodedata
from functools import cache
from importlib import resources
from itertools import compress
from typing import Final, NamedTuple

import ahocorasick

_ALONE_MAX: Final = 5


class Squeezed(NamedTuple):
    """Letters, digits and markers of a text, without anything else.

    Attributes:
        letters: of ``masked``.
        masked: the normalised text with markers for things.
    """

    letters: str
    masked: str

    def places(self) -> list[int]:
        """Where each letter stands in ``masked``."""
        return list(compress(range(len(self.masked)), map(str.isalnum, self.masked)))


class Word(NamedTuple):
    """A word of the lexicon: its group, how many letters it has, how it has to stand.

    Attributes:
        group: its name.
        size: letters.
        starts, ends: whether a word has to begin, or end, with it.
    """

    group: str
    size: int
    starts: bool
    ends: bool


class Hit(NamedTuple):
    """A word that a message has: where in the normalised text."""

    group: str
    start: int
    end: int


def squeeze(masked: str) -> Squeezed:
    """The letters of a masked text."""
    return Squeezed(_letters(masked), masked)


def hits_in(squeezed: Squeezed) -> list[Hit]:
    """Which words of intents a text has, by their places."""
    found = [(end, words) for end, words in _automaton().iter(squeezed.letters)]
    if not found:
        return []
    places, masked = squeezed.places(), squeezed.masked
    hits: list[Hit] = []
    for end, words in found:
        last = places[end]
        for word in words:
            first = places[end - word.size + 1]
            if word.starts and first and _is_latin(masked[first - 1]):
                continue
            if word.ends and last + 1 < len(masked) and _is_latin(masked[last + 1]):
                continue
            hits.append(Hit(word.group, first, last + 1))
    return hits


@cache
def groups() -> tuple[str, ...]:
    """The names of all groups."""
    return tuple(_said())


@cache
def known_words() -> frozenset[str]:
    """Latin words of the lexicon that are one word, for telling a disguised word from a code."""
    return frozenset(
        word
        for spoken in _said().values()
        for phrases in spoken.values()
        for phrase in phrases.split(",")
        for word in phrase.split()
        if word.isascii() and word.isalpha() and len(word) >= 3
    )


@cache
def _automaton() -> ahocorasick.Automaton:
    words: dict[str, dict[Word, None]] = {}
    for group, spoken in _said().items():
        for phrases in spoken.values():
            for phrase in phrases.split(","):
                letters = _letters(unicodedata.normalize("NFKC", phrase).lower())
                latin = letters.isascii()
                word = Word(group, len(letters), latin, latin and len(letters) <= _ALONE_MAX)
                words.setdefault(letters, {})[word] = None
    automaton = ahocorasick.Automaton()
    for letters, known in words.items():
        automaton.add_word(letters, tuple(known))
    automaton.make_automaton()
    return automaton


@cache
def _said() -> dict[str, dict[str, str]]:
    text = (resources.files(__package__) / "lexicon.toml").read_text(encoding="utf-8")
    said: dict[str, dict[str, str]] = tomllib.loads(text)
    return said


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _is_latin(each: str) -> bool:
    return each.isascii() and each.isalpha()
