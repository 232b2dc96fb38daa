"""The dates of an incident that somebody has to keep, and when he hears of them.

Promise: pure. Notices that are owed, what comes after one, steps of the playbook, tasks, and vendors that are to be asked again; what
is done has no date. A date is near when a third of its time is left and at most three days: of 72 hours the last 24, of 4
hours the last 80 minutes. What is owed at once is near from its first moment and never late by itself.

Not here: who is told, and that each is told once (``flows.deadlines``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from shopward.incidents.obligations import obligations
from shopward.incidents.playbooks import running
from shopward.values import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shopward.incidents.incident import Incident
    from shopward.incidents.law import Rule
    from shopward.incidents.obligations import Obligation

Nearness = Literal["near", "passed"]
NEAR_MAX_MS: Final = 3 * DAY_MS
FIRST_AND_LAST: Final = 2
"""Phases of a notice after which nothing more is owed: the first, and what the law wants after it."""


class Date(NamedTuple):
    """A date: of what, as ``duty:RULE``, ``followup:RULE``, ``step:ID``, ``task:ID`` or ``vendor:NUMBER``; since when, until when."""

    of: str
    began_ms: int
    due_ms: int


def dates_of(incident: Incident, rules: Mapping[str, Rule], *, at_ms: int) -> list[Date]:
    """What is still to be kept, the soonest first."""
    found: list[Date] = []
    for each in obligations(incident, rules, at_ms=at_ms):
        if each.status in ("open", "overdue") and each.due_ms:
            found.append(Date(f"duty:{each.rule}", each.started_ms, each.due_ms))
        if owes_followup(each):
            found.append(Date(f"followup:{each.rule}", each.sent_ms, each.followup_due_ms))
    begun_ms = incident.run.begun_ms if incident.run is not None else 0
    found += [
        Date(f"step:{each.step.id}", begun_ms, each.due_ms)
        for each in running.standings(incident)
        if each.due_ms and each.state in ("open", "waiting")
    ]
    found += [
        Date(f"task:{each.id}", incident.created_ms, each.due_ms)
        for each in incident.tasks
        if each.due_ms and not each.done_ms
    ]
    found += [
        Date(f"vendor:{number}", each.asks[-1].at_ms, each.asks[-1].next_ms)
        for number, each in enumerate(incident.vendors, 1)
        if each.asks[-1].next_ms
    ]
    return sorted(found, key=lambda each: (each.due_ms, each.of))


def owes_followup(owed: Obligation) -> bool:
    """Whether a first notice was sent and what the law wants after it was not."""
    return bool(owed.followup_due_ms) and owed.phases < FIRST_AND_LAST and owed.status != "exempt"


def nearness(date: Date, *, at_ms: int) -> Nearness | None:
    """Where a moment stands to a date."""
    lasts_ms = max(date.due_ms - date.began_ms, 0)
    if at_ms > date.due_ms and lasts_ms:
        return "passed"
    return "near" if at_ms >= date.due_ms - min(lasts_ms // 3, NEAR_MAX_MS) else None
