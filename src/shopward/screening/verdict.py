"""The verdict: what screening found of one link, message or sender, and how strong it is.

Promise: a verdict never says "safe". ``official`` and ``known_good`` say whose something is; all else is a score from the
findings, and each finding raises it: without one of them the score is lower, never the same. Spans are positions in the
text as it was given, so that the one who asks can show what was meant. Pure; texts for people are in ``wording``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

Level = Literal["official", "known_good", "unknown", "suspicious", "dangerous"]
LEVELS: Final[tuple[Level, ...]] = ("official", "known_good", "unknown", "suspicious", "dangerous")
SUSPICIOUS: Final = 45.0
"""A score from which a person should look; 0 to 100."""
DANGEROUS: Final = 75.0
"""A score from which nobody should act on it."""
_WEIGHT_MAX: Final = 0.99


class Finding(NamedTuple):
    """One reason.

    Attributes:
        code: stable; its texts are in ``texts/``.
        weight: 0 to 1, how likely it alone makes it bad; 0 for what explains a good verdict.
        start, end: where in the given text, end exclusive.
        about: what the text speaks of (a name, a domain, a figure); fills ``{about}``.
    """

    code: str
    weight: float
    start: int
    end: int
    about: str = ""


class Verdict(NamedTuple):
    """What was found.

    Attributes:
        level: ``official`` and ``known_good`` say whose it is; never "safe".
        score: 0 to 100.
        findings: strongest first.
        brand: the shop that it is of, or pretends to be of; empty where nothing says so.
    """

    level: Level
    score: float
    findings: tuple[Finding, ...]
    brand: str = ""

    @property
    def is_flagged(self) -> bool:
        """Whether somebody should be warned."""
        return self.level in ("suspicious", "dangerous")


def score_of(findings: Iterable[Finding]) -> float:
    """0 to 100: each finding is an independent chance that it is bad (a noisy or), so each one raises it."""
    honest = 1.0
    for finding in findings:
        honest *= 1.0 - min(finding.weight, _WEIGHT_MAX)
    return 100.0 * (1.0 - honest)


def level_of(score: float) -> Level:
    """The level of something that is nobody's whom we know."""
    if score >= DANGEROUS:
        return "dangerous"
    return "suspicious" if score >= SUSPICIOUS else "unknown"


def judged(findings: Iterable[Finding], brand: str = "") -> Verdict:
    """The verdict on something that is nobody's whom we know."""
    ordered = tuple(findings)
    if len(ordered) > 1:
        ordered = tuple(sorted(ordered, key=_strength))
    score = score_of(ordered)
    return Verdict(level_of(score), score, ordered, brand)


def _strength(finding: Finding) -> tuple[float, int, str]:
    return (-finding.weight, finding.start, finding.code)
