"""Dates that come near or pass: whoever has to act hears of each before it is late, and once more when it is.

Promise:
- each date of an incident at work is told once when it is near and once when it has passed, in one message an incident
  and step; a date that is moved is told anew;
- claims, complaints and cases whose date is less than eight hours away are told once, in one message of each kind with their number: a
  queue of thousands makes no thousand mails. That they passed is told elsewhere: an overdue claim is approved by
  the server, complaints and cases are told one by one;
- what is told and that it was told are one transaction.

Fails open: nothing waits for it, and what could not be told is told by the next look. It decides nothing and changes no record.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from shopward.incidents.deadlines import dates_of, nearness
from shopward.incidents.law import shipped_rules
from shopward.outbox import Topic
from shopward.outbox.telling import Telling
from shopward.values import DAY_MS, HOUR_MS, to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shopward.claims.store import ClaimStore
    from shopward.complaints.store import ComplaintStore
    from shopward.flows.arrows import Outbox
    from shopward.incidents.store import IncidentStore
    from shopward.outbox.told import Told
    from shopward.ports import Records
    from shopward.screening.reports.store import ReportStore
    from shopward.values import Clock

QUEUE_NEAR_MS: Final = 8 * HOUR_MS
"""A working day: many are to be answered within one, and would be near from their first moment if it were more."""
QUEUE_MAX: Final = 1_000
"""So many of a queue are looked at; of more than that the later ones are told when the first are done."""
NAMED_MAX: Final = 16
"""So many dates are named in a message; the rest are in the number."""
KEPT_MS: Final = 400 * DAY_MS
_TOPICS: Final = {"near": Topic.DEADLINE_NEAR, "passed": Topic.DEADLINE_PASSED}


class DeadlineDesk:
    """Run by the server now and then, from one thread.

    Args:
        records: transactions.
        incidents, claims, complaints, reports: whose dates they are.
        told: what was told.
        outbox: what the shop is owed to hear.
        clock: the server's.
    """

    def __init__(
        self,
        *,
        records: Records,
        incidents: IncidentStore,
        claims: ClaimStore,
        complaints: ComplaintStore,
        reports: ReportStore,
        told: Told,
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        self._records = records
        self._incidents = incidents
        self._queues = {"claim": claims.near, "complaint": complaints.near, "case": reports.near}
        self._told = told
        self._outbox = outbox
        self._clock = clock

    def step(self) -> int:
        """Tell what is to be told now; how many messages."""
        now_ms = self._clock.now_ms()
        due = self._records.read(lambda each: list(self._due(each, now_ms)))
        return sum(self._records.write(partial(self._tell, kind, tellings, now_ms)) for kind, tellings in due)

    def forget(self) -> None:
        """What was told of dates that are long over; not of an incident that is still worked on, which would be told again."""
        before_ms = self._clock.now_ms() - KEPT_MS

        def work(connection: Any) -> None:
            at_work = [each.id for each in self._incidents.at_work(connection)]
            self._told.forget(connection, before_ms=before_ms, but=at_work)

        self._records.write(work)

    def _due(self, connection: Any, now_ms: int) -> Iterator[tuple[str, list[Telling]]]:
        """What nobody was told yet, as it goes into one message each."""
        for incident in self._incidents.at_work(connection):
            dates = dates_of(incident, shipped_rules(), at_ms=now_ms)
            for step in _TOPICS:
                yield from self._fresh(
                    connection, "incident",
                    [Telling(incident.id, each.of, each.due_ms, step)
                     for each in dates if nearness(each, at_ms=now_ms) == step],
                )  # fmt: skip
        for kind, near in self._queues.items():
            found = near(connection, at_ms=now_ms, until_ms=now_ms + QUEUE_NEAR_MS, limit=QUEUE_MAX)
            yield from self._fresh(
                connection, kind, [Telling(name, kind, due, "near") for name, due in found]
            )

    def _fresh(
        self, connection: Any, kind: str, tellings: list[Telling]
    ) -> Iterator[tuple[str, list[Telling]]]:
        if tellings and (untold := self._told.untold(connection, tellings)):
            yield kind, untold

    def _tell(self, kind: str, tellings: Sequence[Telling], now_ms: int, connection: Any) -> int:
        untold = self._told.untold(connection, tellings)  # another process may have told some meanwhile
        if not untold:
            return 0
        self._told.put(connection, untold)
        first = untold[0]
        payload: dict[str, str | int | Sequence[str]] = {
            "kind": kind,
            "dates": len(untold),
            "due_at": to_rfc3339(first.due_ms),
            "hours_left": max(first.due_ms - now_ms, 0) // HOUR_MS,
        }
        if kind == "incident":
            payload["of"] = [each.of for each in untold[:NAMED_MAX]]
        self._outbox.owe(
            connection, at_ms=now_ms, topic=_TOPICS[first.step], subject=first.subject, payload=payload
        )
        return 1
