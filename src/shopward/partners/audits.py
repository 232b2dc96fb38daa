"""When a partner is to be audited, and when somebody is reminded of it.

Promise: an audit is due so many days after the last one; reminders are 30 and 7 days before, on the day, and every 7 days
after it until it is done. Each is told once: the caller keeps how many were.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from shopward.partners.partner import AuditPlan, day_ms

DAY_MS: Final = 86_400_000
BEFORE_DAYS: Final = (30, 7, 0)
AFTER_EVERY_DAYS: Final = 7


class Reminder(NamedTuple):
    """A reminder that is owed: the how many-th since the last audit, and the days until the audit, below 0 if overdue."""

    number: int
    days_left: int


def due_ms(plan: AuditPlan) -> int:
    """The first moment of the day on which the next audit is due."""
    return day_ms(plan.last_on, path="audit.last_on") + plan.every_days * DAY_MS


def reminder(plan: AuditPlan, *, reminded: int, now_ms: int) -> Reminder | None:
    """The newest reminder that is owed and was not told; older ones that were missed are not made up for."""
    days_left = (due_ms(plan) - now_ms) // DAY_MS
    number = sum(days_left <= days for days in BEFORE_DAYS)
    if days_left < 0:
        number += -days_left // AFTER_EVERY_DAYS
    return Reminder(number, days_left) if number > reminded else None
