"""How many guesses a password takes: zxcvbn's estimate with words of the shop's customers, of the shop and of the person.

Promise: pure but for lists that are read once; bounded: what is estimated is the first 48 characters, and letters written
as digits are looked for only where there are few kinds of them, since that search doubles with each kind. A password that
goes on behind is not guessed more easily. ``score`` is zxcvbn's: 0 (under a thousand guesses) to 4 (over ten thousand million).

Source: Wheeler, "zxcvbn: Low-Budget Password Strength Estimation", USENIX Security 2016.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final, NamedTuple

from zxcvbn import matching, scoring, time_estimates

if TYPE_CHECKING:
    from collections.abc import Iterable

ESTIMATED_MAX: Final = 48
_DISGUISES_MAX: Final = 5
_DISGUISES: Final = frozenset("4@8({[<369!1|70$5+%2")
_LANGUAGES: Final = ("id", "zh", "en")
_MATCHERS: Final = (
    matching.dictionary_match,
    matching.reverse_dictionary_match,
    matching.spatial_match,
    matching.sequence_match,
    matching.regex_match,
    matching.date_match,
)


class Strength(NamedTuple):
    """An estimate.

    Attributes:
        score: 0 to 4.
        guesses_log10: the tenth power of the guesses that it takes.
    """

    score: int
    guesses_log10: float


def strength_of(password: str, words: Iterable[str] = ()) -> Strength:
    """How hard a password is to guess for somebody who knows these words.

    Args:
        password: of any length.
        words: of the shop and the person, the likeliest first.
    """
    text = unicodedata.normalize("NFKC", password)[:ESTIMATED_MAX]
    dictionaries = {**_dictionaries(), "user_inputs": _ranked(words)}
    matches = [match for matcher in _MATCHERS for match in matcher(text, _ranked_dictionaries=dictionaries)]
    if len(_DISGUISES.intersection(text)) <= _DISGUISES_MAX:
        matches += matching.l33t_match(text, _ranked_dictionaries=dictionaries)
        matches += matching.repeat_match(
            text, _ranked_dictionaries=dictionaries
        )  # it looks for such letters too
    matches.sort(key=lambda each: (each["i"], each["j"]))
    guesses = scoring.most_guessable_match_sequence(text, matches)
    return Strength(
        time_estimates.guesses_to_score(guesses["guesses"]), round(float(guesses["guesses_log10"]), 2)
    )


@cache
def _dictionaries() -> dict[str, dict[str, int]]:
    """The library's lists and ours; it keeps its own in one place for all, which stays as it is."""
    ours = {f"shop_words_{language}": _ranked(_words(language)) for language in _LANGUAGES}
    theirs = {name: ranks for name, ranks in matching.RANKED_DICTIONARIES.items() if name != "user_inputs"}
    return theirs | ours


def _words(language: str) -> list[str]:
    text = (resources.files(__package__) / "words" / f"{language}.txt").read_text(encoding="utf-8")
    return [word for line in text.splitlines() if not line.startswith("#") for word in line.split()]


def _ranked(words: Iterable[str]) -> dict[str, int]:
    folded = dict.fromkeys(unicodedata.normalize("NFKC", word).lower() for word in words)
    return {word: rank for rank, word in enumerate(folded, 1) if word}
