"""Shadow rules, counted as they run beside the real ones.

Promise: what a rule on trial saw is counted from committed groups, so that it costs the decision nothing: how often
it fired, what was decided there without it, how often its own decision would have been stronger, and what labels said of
its events later. Memory is bounded: labels find the newest ``HITS_MAX`` events that a shadow rule fired on.

Counts begin with the process, and a rule's own decision is looked at, not what its points would do to the score:
``policy backtest --data`` tells both over the whole log. There is no whole second policy
in shadow: it would need features and a kernel of its own on the hot path. Its rules run in shadow inside the policy in
force, on the same features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from shopward.flows.recorded import EVENT, facts_of_entry
from shopward.risk.policy import STRENGTH

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.events import Facts
    from shopward.flows.decide import Group
    from shopward.flows.engine import DecisionRecord
    from shopward.risk.policy import Policy

HITS_MAX: Final = 100_000
POLICIES_MAX: Final = 8
"""Versions whose counts are kept, the newest."""


class ShadowCounts(Struct):
    """What one shadow rule of one policy did since the process began.

    Attributes:
        policy: name and version.
        rule: its name.
        decision: what it would decide by itself.
        fired: events that it fired on.
        enforced: what was decided there without it.
        would_strengthen: events where its own decision is stronger than the one that was enforced.
        agrees: events that were not allowed by the others either.
        fraud: of its events, those that a label called fraud later.
        genuine: those that a label called genuine.
    """

    policy: str
    rule: str
    decision: str
    fired: int
    enforced: dict[str, int]
    would_strengthen: int = 0
    agrees: int = 0
    fraud: int = 0
    genuine: int = 0


class _Hit(Struct):
    """An event that shadow rules fired on, and what a label said of it, if any."""

    counts: tuple[ShadowCounts, ...]
    is_fraud: bool | None = None


class ShadowBook:
    """The counts of one process.

    Args:
        policy: gives the policy in force.
    """

    def __init__(self, policy: Callable[[], Policy]) -> None:
        self._policy = policy
        self._by_policy: dict[str, dict[str, ShadowCounts]] = {}
        self._hits: dict[str, _Hit] = {}
        self._transactions: dict[str, _Hit] = {}

    def take(self, group: Group) -> None:
        """Count a committed group."""
        if not any(record.shadow or type_ == "label" for type_, record in group.decided):
            return
        events = (entry for entry in group.entries if entry.kind == EVENT)
        for entry, (type_, record) in zip(events, group.decided, strict=True):
            if record.shadow:
                self._fired(facts_of_entry(entry), record)
            if type_ == "label":
                self._label(facts_of_entry(entry))

    def counts(self) -> list[ShadowCounts]:
        """Every shadow rule of the policy in force, fired or not, then those of policies before it."""
        policy = self._policy()
        now = self._of(policy.version, policy)
        earlier = [
            each
            for version, rules in self._by_policy.items()
            if version != policy.version
            for each in rules.values()
        ]
        return [*now.values(), *earlier]

    def _fired(self, facts: Facts, record: DecisionRecord) -> None:
        policy = self._policy()
        rules = self._of(record.policy, policy if record.policy == policy.version else None)
        hit = _Hit(tuple(rules[name] for name in record.shadow if name in rules))
        if not hit.counts:
            return
        for counts in hit.counts:
            counts.fired += 1
            counts.enforced[record.decision] += 1
            counts.would_strengthen += STRENGTH[counts.decision] > STRENGTH[record.decision]
            counts.agrees += record.decision != "allow"
        _keep(self._hits, facts.id, hit)
        if facts.transaction:
            _keep(self._transactions, facts.transaction, hit)

    def _of(self, version: str, policy: Policy | None) -> dict[str, ShadowCounts]:
        """The counts of a policy's shadow rules, made when it is first met."""
        rules = self._by_policy.get(version)
        if rules is None:
            shadows = () if policy is None else [rule for rule in policy.spec.rules if rule.shadow]
            rules = self._by_policy[version] = {
                rule.name: ShadowCounts(version, rule.name, rule.decision, 0, dict.fromkeys(STRENGTH, 0))
                for rule in shadows
            }
            while len(self._by_policy) > POLICIES_MAX:
                del self._by_policy[next(iter(self._by_policy))]
        return rules

    def _label(self, facts: Facts) -> None:
        is_fraud = facts.status == "fraud"
        found = {
            id(hit): hit
            for hit in (self._hits.get(facts.labelled), self._transactions.get(facts.transaction))
            if hit
        }
        for hit in found.values():
            for counts in hit.counts:
                if hit.is_fraud is not None:  # the last word wins: a dispute that was honoured
                    counts.fraud -= hit.is_fraud
                    counts.genuine -= not hit.is_fraud
                counts.fraud += is_fraud
                counts.genuine += not is_fraud
            hit.is_fraud = is_fraud


def _keep(hits: dict[str, _Hit], key: str, hit: _Hit) -> None:
    """Remember, and forget the oldest."""
    if len(hits) >= HITS_MAX and key not in hits:
        del hits[next(iter(hits))]
    hits[key] = hit
