"""The rules: whether a password may be chosen, and why not (NIST SP 800-63B-4, section 3.1.1).

Promise:
- every character counts as one, all are allowed, spaces and every script too; no mixture of kinds is asked for;
- short ones are refused: under 15 characters where the password is the only factor, under 8 in any case;
- refused is what is known to be stolen (corpora), what the shop's own incidents hold, what is a word of the shop or of the
  person with little around it, and what takes fewer than a million guesses;
- a corpus that did not answer is said, and refuses nobody (fails open).

The answer holds codes, texts and figures, and nothing of the password.

The order: (1) form, (2) length, (3) words of the context, (4) corpora, (5) incidents, (6) guesses.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from shopward.errors import InputTooLarge, InvalidField
from shopward.screening.passwords.strength import strength_of
from shopward.screening.wording import texts

if TYPE_CHECKING:
    from shopward.screening.passwords.corpora import Corpora
    from shopward.screening.passwords.incidents import IncidentHashes

LENGTH_MIN: Final = 8
LENGTH_MIN_ALONE: Final = 15
"""NIST SP 800-63B-4, 3.1.1.2: a password that is the only factor."""
LENGTH_MAX: Final = 256
"""Longer ones are refused, not cut; NIST asks for at least 64."""
CONTEXT_WORDS_MAX: Final = 50
CONTEXT_WORD_MAX: Final = 200
SCORE_MIN: Final = 2
"""zxcvbn's: fewer than a million guesses are refused."""
_WORD_MIN: Final = 4
_AROUND_MAX: Final = 4
"""A word with no more around it than so many characters is the word."""
_SOLE_FACTOR: Final = "sole_factor"
_PARTS: Final = re.compile(r"[^\W_]+")
_LETTERS: Final = str.maketrans("013457@$!8", "oieastasib")


Context = Mapping[str, str | bool | int | float | list[str] | None]
"""What is known of the person: words by any name, one or several; figures and nothings are passed over."""


class Rules(Struct, frozen=True, kw_only=True):
    """What a shop asks for.

    Attributes:
        length_min: characters, 8 or more.
        words: of the shop: its name, domain, brands.
    """

    length_min: int = LENGTH_MIN
    words: tuple[str, ...] = ()


class PasswordReason(Struct, frozen=True):
    """One reason: a stable code and its text."""

    code: str
    text: str


class PasswordVerdict(Struct, frozen=True, kw_only=True):
    """The answer.

    Attributes:
        verdict: whether it may be chosen.
        reasons: what refuses it first, then what is worth saying.
        breach_count: how often it was seen among stolen passwords; ``null`` where no corpus answered.
        strength: 0 to 4.
        guesses_log10: the tenth power of the guesses that it takes.
    """

    verdict: Literal["accept", "reject"]
    reasons: tuple[PasswordReason, ...]
    breach_count: int | None
    strength: int
    guesses_log10: float


def screen_password(
    password: str,
    *,
    rules: Rules,
    corpora: Corpora,
    incidents: IncidentHashes | None = None,
    context: Context | None = None,
    language: str = "en",
) -> PasswordVerdict:
    """Whether a password may be chosen.

    Args:
        password: as typed.
        rules: of the shop.
        corpora: of stolen passwords.
        incidents: the shop's own.
        context: words of the person by any name (``username``, ``email``, ``name``), and ``sole_factor``: whether the
            password is all that is asked for at a login.
        language: of the texts: ``id``, ``zh`` or ``en``.

    Raises:
        InvalidField: it is no text that can be hashed.
        InputTooLarge: the context has too many or too long words.
    """
    _check_form(password)  # (1)
    context = context or {}
    words = _context_words(context, rules)
    codes: list[tuple[str, str]] = []
    alone = context.get(_SOLE_FACTOR)
    least = max(rules.length_min, LENGTH_MIN_ALONE if alone is True else LENGTH_MIN)
    if len(password) < least:  # (2)
        codes.append(("password_too_short", str(least)))
    elif len(password) > LENGTH_MAX:
        codes.append(("password_too_long", str(LENGTH_MAX)))
    if _is_word(password, words):  # (3)
        codes.append(("password_personal_word", ""))
    seen = corpora.seen(password)  # (4)
    if seen.times:
        codes.append(("password_breached", f"{seen.times:,}"))
    if incidents is not None and incidents.holds(password):  # (5)
        codes.append(("password_of_incident", ""))
    strength = strength_of(password, words)  # (6)
    if strength.score < SCORE_MIN:
        codes.append(("password_guessable", ""))
    verdict: Literal["accept", "reject"] = "reject" if codes else "accept"
    if seen.unreachable:
        codes.append(("corpus_unreachable", ""))
    if verdict == "accept" and alone is None and len(password) < LENGTH_MIN_ALONE:
        codes.append(("password_short_alone", str(LENGTH_MIN_ALONE)))
    spoken = texts(language if language in ("id", "zh") else "en")
    reasons = tuple(PasswordReason(code, spoken[code].replace("{about}", about)) for code, about in codes)
    return PasswordVerdict(
        verdict=verdict, reasons=reasons, breach_count=seen.times, strength=strength.score,
        guesses_log10=strength.guesses_log10,
    )  # fmt: skip


def _check_form(password: str) -> None:
    if not password:
        raise InvalidField(
            "there is no password", path="password", expected="1 character or more", found="none"
        )
    if any("\ud800" <= each <= "\udfff" for each in password):
        raise InvalidField(
            "not a text", path="password", expected="Unicode characters", found="half of a surrogate pair"
        )


def _context_words(context: Context, rules: Rules) -> list[str]:
    """Words of the person and the shop, whole and in their parts."""
    said = [each for value in context.values() for each in (value if isinstance(value, list) else [value])]
    given = [each for each in said if isinstance(each, str) and each]
    if len(given) > CONTEXT_WORDS_MAX or any(len(value) > CONTEXT_WORD_MAX for value in given):
        raise InputTooLarge(
            "the context is too large", path="context",
            expected=f"at most {CONTEXT_WORDS_MAX} words of {CONTEXT_WORD_MAX} characters",
        )  # fmt: skip
    words: dict[str, None] = {}
    for value in (*given, *rules.words):
        folded = unicodedata.normalize("NFKC", value).casefold()
        words |= dict.fromkeys((folded, folded.partition("@")[0], *_PARTS.findall(folded)))
    return [word for word in words if len(word) > 1]


def _is_word(password: str, words: list[str]) -> bool:
    """Whether it is a word of the context with little around it, forwards or backwards, letters as digits or not."""
    folded = unicodedata.normalize("NFKC", password).casefold()
    for form in (folded, folded.translate(_LETTERS)):
        for turned in (form, form[::-1]):
            for word in words:
                if len(word) >= _WORD_MIN and word in turned and len(turned) - len(word) <= _AROUND_MAX:
                    return True
    return False
