"""Wording: a verdict in the contract's shape, with each reason in the reader's language.

Promise: every code has a text in Indonesian, Chinese and English (a test holds the files in ``texts/`` against each
other); a text fills in nothing but ``{about}``, which a finding chose. Same verdict, same bytes.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

if TYPE_CHECKING:
    from shopward.screening.verdict import Finding, Verdict

LANGUAGES: Final = ("id", "zh", "en")
INPUT_MAX: Final = 2_048
"""So much of what was given comes back; spans always speak of the whole."""


class Reason(Struct, frozen=True):
    """Why: a stable code, its text in the language asked for, and where: ``[start, end]`` in what was given."""

    code: str
    text: str
    span: tuple[int, int]


class Screened(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The contract's screening verdict.

    Attributes:
        id: of the line that asked, where it had one.
        input: what was given, shortened where it is long.
        verdict: one of the five levels.
        score: 0 to 100, two decimals.
        reasons: strongest first.
        brand: the shop that it is of or pretends to be of; ``null`` where nothing says so.
        profile: version of the shop's profile that judged.
        model: version of the learned part that judged; absent where none had a say.
    """

    id: str | None = None
    input: str
    verdict: str
    score: float
    reasons: tuple[Reason, ...]
    brand: str | None
    profile: str
    model: str = ""


def screened(
    verdict: Verdict, given: str, language: str, *, profile: str, model: str = "", id_: str | None = None
) -> Screened:
    """A verdict as it is answered."""
    return Screened(
        id=id_,
        input=given if len(given) <= INPUT_MAX else given[:INPUT_MAX],
        verdict=verdict.level,
        score=round(verdict.score, 2),
        reasons=tuple(reason_of(finding, language) for finding in verdict.findings),
        brand=verdict.brand or None,
        profile=profile,
        model=model,
    )


def reason_of(finding: Finding, language: str) -> Reason:
    """A finding with its text."""
    known = texts(language if language in LANGUAGES else "en")
    text = known[finding.code].replace("{about}", finding.about)
    return Reason(finding.code, text, (finding.start, finding.end))


@cache
def texts(language: str) -> dict[str, str]:
    """All texts of a language by code, of every file in ``texts/``."""
    known: dict[str, str] = {}
    for file in sorted(
        (resources.files("shopward.screening") / "texts").iterdir(), key=lambda each: each.name
    ):
        if file.name.endswith(".toml"):
            spoken: dict[str, dict[str, Any]] = tomllib.loads(file.read_text(encoding="utf-8"))
            known |= {code: said[language] for code, said in spoken.items()}
    return known
