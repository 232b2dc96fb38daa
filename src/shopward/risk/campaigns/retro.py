"""Recent successes by what they came from, so that those of a source condemned later are found.

Promise: a success is remembered for the look-back of its kind under every source that it came from; ``found`` hands each out
once. At most ``PER_SOURCE_MAX`` successes a source and ``SOURCES_MAX`` sources a path are kept; the oldest go first.
"""

from __future__ import annotations

import math
from typing import Final

from msgspec import Struct

from shopward.risk.campaigns.campaign import Finding

PER_SOURCE_MAX: Final = 200
SOURCES_MAX: Final = 100_000
_SCORE_SCALE: Final = 50.0
_CERTAIN_CENTI: Final = 9_999


class Success(Struct, array_like=True, frozen=True):
    """Something that went ahead: whose account, when, what."""

    event_id: str
    user: str
    at_ms: int
    type: str
    score_centi: int


class Recent(Struct):
    """Recent successes by path and token of their source, and those that were found already."""

    by_source: dict[str, dict[str, list[Success]]] = {}
    found: dict[str, Finding] = {}

    def keep(self, path: str, token: str, success: Success) -> None:
        """Remember a success under one of its sources."""
        sources = self.by_source.setdefault(path, {})
        kept = sources.pop(token, None)
        if kept is None:
            kept = []
            if len(sources) >= SOURCES_MAX:
                del sources[next(iter(sources))]
        elif len(kept) >= PER_SOURCE_MAX:
            del kept[0]
        kept.append(success)
        sources[token] = kept

    def findings(
        self,
        path: str,
        token: str,
        *,
        since_ms: int,
        now_ms: int,
        campaign: str,
        points: float,
        least_centi: int,
    ) -> list[Finding]:
        """The successes of a source since a time that nobody was told of yet and that score enough with more points."""
        kept = self.by_source.get(path, {}).get(token)
        if not kept:
            return []
        findings = []
        for success in kept:
            rescored = rescored_centi(success.score_centi, points)
            if success.at_ms < since_ms or success.event_id in self.found or rescored < least_centi:
                continue
            finding = Finding(
                "f-" + success.event_id, success.event_id, success.user, success.at_ms, now_ms, success.type, path,
                campaign, success.score_centi, rescored,
            )  # fmt: skip
            self.found[success.event_id] = finding
            findings.append(finding)
        return findings

    def forget(self, before_ms: int) -> None:
        """Drop what is older; sources stand in the order of their newest success."""
        for sources in self.by_source.values():
            for token in _old(sources, before_ms):
                del sources[token]
        for event_id in [event_id for event_id, each in self.found.items() if each.at_ms < before_ms]:
            del self.found[event_id]


def rescored_centi(score_centi: int, points: float) -> int:
    """A score with more points: scores are ``100 * (1 - exp(-points / 50))``."""
    remaining = 1.0 - min(score_centi, _CERTAIN_CENTI) / 10_000
    return round(10_000 * (1.0 - remaining * math.exp(-points / _SCORE_SCALE)))


def _old(sources: dict[str, list[Success]], before_ms: int) -> list[str]:
    old = []
    for token, kept in sources.items():
        if kept[-1].at_ms >= before_ms:
            break
        old.append(token)
    return old
