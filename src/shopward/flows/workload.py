"""What waits for people: incidents, duties to tell, claims, complaints, cases, and how many of them are late.

Promise: counts alone, so that nothing of a customer or of who works on it is told. One read transaction over indexes; of the open
incidents, which are few, the records are read, since what the law asks follows from them and from the moment. Duties of a
proposed incident count: its clocks run.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, get_args

from msgspec import Struct

from shopward.incidents.deadlines import owes_followup
from shopward.incidents.incident import Severity
from shopward.incidents.law import shipped_rules
from shopward.incidents.obligations import obligations

if TYPE_CHECKING:
    from shopward.claims.store import ClaimStore
    from shopward.complaints.store import ComplaintStore
    from shopward.incidents.store import IncidentStore
    from shopward.ports import Records
    from shopward.screening.reports.store import ReportStore
    from shopward.values import Clock

LATE_MAX: Final = 1_000
"""So many claims are looked at to say how many are past their deadline; the server approves those, so that there are few."""


class Standing(Struct, frozen=True):
    """How many wait, and how many of these are late."""

    open: int = 0
    overdue: int = 0


class Workload(Struct, frozen=True):
    """What waits.

    Attributes:
        incidents: open ones by severity, every severity named.
        proposed: incidents that the server proposed and nobody opened or dismissed.
        duties: to tell somebody of an incident; one that waits for its clock is not counted.
        followups: what the law wants after a first notice, until it was sent.
        cases: of reports.
    """

    incidents: dict[str, int]
    proposed: int = 0
    duties: Standing = Standing()
    followups: Standing = Standing()
    claims: Standing = Standing()
    complaints: Standing = Standing()
    cases: Standing = Standing()


NOTHING: Final = Workload(dict.fromkeys(get_args(Severity), 0))


class WorkloadDesk:
    """May be called from any thread.

    Args:
        records: transactions.
        incidents, claims, complaints, reports: what is counted.
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
        clock: Clock,
    ) -> None:
        self._records = records
        self._incidents = incidents
        self._claims = claims
        self._complaints = complaints
        self._reports = reports
        self._clock = clock

    def now(self) -> Workload:
        """What waits at this moment."""
        at_ms = self._clock.now_ms()

        def work(connection: Any) -> Workload:
            severities, duties, proposed = Counter(NOTHING.incidents), Counter[str](), 0
            later = Counter[bool]()
            for each in self._incidents.at_work(connection):
                proposed += each.state == "proposed"
                severities[each.severity] += each.state != "proposed"
                owed = obligations(each, shipped_rules(), at_ms=at_ms)
                duties.update(duty.status for duty in owed)
                later.update(at_ms > duty.followup_due_ms for duty in owed if owes_followup(duty))
            return Workload(
                dict(severities),
                proposed,
                Standing(duties["open"] + duties["overdue"], duties["overdue"]),
                Standing(later.total(), later[True]),
                Standing(*self._claims.standing(connection, at_ms=at_ms, limit=LATE_MAX)),
                Standing(*self._complaints.standing(connection, at_ms=at_ms)),
                Standing(*self._reports.standing(connection, at_ms=at_ms)),
            )

        return self._records.read(work)
