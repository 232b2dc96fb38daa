"""Challenges: which reasons a customer has already answered, and for how long.

Promise: a challenge passed with a factor that was not excluded satisfies the same rule for the same user, device and
operation (event type) for the policy's time, 10 minutes by default. A proof for another user or device, with an
excluded or unnamed factor, or for a decision that asked for none satisfies nothing. State is plain data and bounded by
time; it is a pure function of the ordered log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from shopward.values import DAY_MS

if TYPE_CHECKING:
    from shopward.events.facts import Facts

PENDING_MS: Final = DAY_MS
_SUBJECT: Final = "\x1f"


class Pending(Struct, array_like=True):
    """A challenge that was asked for: of whom, for which operation and rules, and which factors prove nothing."""

    user: str
    device: str
    operation: str
    rules: tuple[str, ...]
    exclude: tuple[str, ...]
    at_ms: int


class ChallengeBook(Struct):
    """Challenges asked and passed."""

    pending: dict[str, Pending] = {}
    passed: dict[str, dict[str, int]] = {}

    def ask(self, decision_id: str, pending: Pending) -> None:
        """Remember that a decision asked for a challenge."""
        while self.pending:
            oldest = next(iter(self.pending))
            if self.pending[oldest].at_ms > pending.at_ms - PENDING_MS:
                break
            del self.pending[oldest]
        self.pending[decision_id] = pending

    def prove(self, facts: Facts, *, satisfied_for_ms: int) -> bool:
        """Take a succeeded ``challenge`` event as proof; whether it satisfied anything."""
        asked = self.pending.get(facts.challenged_decision)
        if asked is None or asked.at_ms < facts.at_ms - PENDING_MS:
            return False
        if not facts.factor or facts.factor in asked.exclude:
            return False
        if (facts.user, facts.device) != (asked.user, asked.device):
            return False
        del self.pending[facts.challenged_decision]
        self._forget(facts.at_ms)
        answered = self.passed.setdefault(_SUBJECT.join((asked.user, asked.device, asked.operation)), {})
        for rule in asked.rules:
            answered[rule] = facts.at_ms + satisfied_for_ms
        return True

    def satisfied(self, facts: Facts) -> tuple[str, ...]:
        """Rules that need no further proof for this user, device and operation now."""
        if not self.passed:
            return ()
        answered = self.passed.get(_SUBJECT.join((facts.user, facts.device, facts.type)))
        if not answered:
            return ()
        return tuple(rule for rule, until_ms in answered.items() if until_ms >= facts.at_ms)

    def _forget(self, at_ms: int) -> None:
        over = [subject for subject, rules in self.passed.items() if max(rules.values()) < at_ms]
        for subject in over:
            del self.passed[subject]
