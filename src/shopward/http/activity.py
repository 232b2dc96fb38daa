"""Activity: what the page "Now" shows, counted as groups are committed.

Promise: bounded memory, no user, no address, no device; an event is named by the shop's own id alone. Rates cover the
last two minutes, totals count from the start of the process, and neither is the log: a restart begins at zero.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Any, Final

from shopward.values import SECOND_MS, to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shopward.flows.decide import Group
    from shopward.flows.engine import DecisionRecord
    from shopward.flows.wording import Wording
    from shopward.http.metrics import Metrics
    from shopward.values import Clock

SECONDS: Final = 120
RATE_OVER_S: Final = 10
LATEST: Final = 40
REVIEWS: Final = 6
"""So many of those that a person should look at; kept apart, since an attack makes many others."""
REASONS_TOP: Final = 12


class Activity:
    """Counts of one process; the event loop alone counts.

    Args:
        clock: the server's clock.
        metrics: counted along.
    """

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self._since_ms = clock.now_ms()
        self._seconds: deque[tuple[int, Counter[str]]] = deque(maxlen=SECONDS)
        self._totals: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._latest: deque[tuple[int, str, DecisionRecord]] = deque(maxlen=LATEST)
        self._reviews: deque[tuple[int, str, DecisionRecord]] = deque(maxlen=REVIEWS)

    def take(self, group: Group) -> None:
        """Count a committed group."""
        if not group.decided:
            return
        now_ms = self._clock.now_ms()
        counted = Counter([(type_, record.decision) for type_, record in group.decided])
        kinds: Counter[str] = Counter()
        for (_type, kind), count in counted.items():
            kinds[kind] += count
        self._metrics.decisions.update(counted)
        self._totals.update(kinds)
        self._second(now_ms // SECOND_MS).update(kinds)
        if kinds["allow"] == len(group.decided):
            return
        for type_, record in group.decided:
            if record.decision != "allow":
                self._latest.append((now_ms, type_, record))
                if record.decision == "review":
                    self._reviews.append((now_ms, type_, record))
                if record.reasons:
                    self._reasons[record.reasons[0].code] += 1

    def shown(self, wording: Wording, language: str, words: Mapping[str, str]) -> dict[str, Any]:
        """All of it, for the page; ``words`` are those of its reader's language."""
        now_ms = self._clock.now_ms()
        return {
            "now": to_rfc3339(now_ms),
            "since": to_rfc3339(self._since_ms),
            "rate_per_s": self._rate(now_ms // SECOND_MS),
            "seconds": self._chart(now_ms // SECOND_MS),
            "decisions": {kind: self._totals[kind] for kind in ("allow", "review", "challenge", "deny")},
            "reasons": self._why(wording, language),
            **{
                name: [
                    _row(at_ms, words[f"type_{type_}"], record, wording, language)
                    for at_ms, type_, record in reversed(rows)
                ]
                for name, rows in (("latest", self._latest), ("reviews", self._reviews))
            },
        }

    def _why(self, wording: Wording, language: str) -> list[dict[str, Any]]:
        """First reasons by how often they were given; those that read the same count as one."""
        counted: Counter[str] = Counter()
        for code, count in self._reasons.items():
            counted[wording.text(code, language)] += count
        return [{"text": text, "count": count} for text, count in counted.most_common(REASONS_TOP)]

    def _second(self, at_s: int) -> Counter[str]:
        if not self._seconds or self._seconds[-1][0] != at_s:
            self._seconds.append((at_s, Counter()))
        return self._seconds[-1][1]

    def _rate(self, now_s: int) -> float:
        """Events a second over the last whole seconds."""
        counted = sum(counts.total() for at_s, counts in self._seconds if now_s - RATE_OVER_S <= at_s < now_s)
        return counted / RATE_OVER_S

    def _chart(self, now_s: int) -> list[list[int]]:
        """Per second, oldest first: allow, review, challenge, deny."""
        by_second = dict(self._seconds)
        empty: Counter[str] = Counter()
        return [
            [counts["allow"], counts["review"], counts["challenge"], counts["deny"]]
            for at_s in range(now_s - SECONDS + 1, now_s + 1)
            for counts in (by_second.get(at_s, empty),)
        ]


def _row(at_ms: int, what: str, record: DecisionRecord, wording: Wording, language: str) -> dict[str, Any]:
    return {
        "at": to_rfc3339(at_ms),
        "what": what,
        "event_id": record.event_id,
        "decision": record.decision,
        "score": record.score,
        "reasons": [
            {"code": reason.code, "text": wording.text(reason.code, language)}
            for reason in record.reasons[:3]
        ],
    }
