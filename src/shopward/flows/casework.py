"""Casework: what people see of recorded campaigns and findings, and what they say became of them.

Promise:
- who acknowledges and who settles is the person of the key, in the row and in the audit log, in one transaction;
- a campaign is acknowledged once: the first who looks after it is named, a second time changes nothing;
- whoever escalates has the shop told at once, and no more than once in ten minutes for one campaign;
- a finding may be settled anew; the audit log keeps each time;
- a user is named only where the log still tells who the event was about, and to nobody but the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from shopward.errors import Conflict, NotFound
from shopward.flows.record import campaign_told
from shopward.outbox import Topic
from shopward.values import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.access import Caller
    from shopward.findings import CampaignRow, FindingRow
    from shopward.findings.store import FindingStore
    from shopward.flows.arrows import Outbox, Trail
    from shopward.flows.history import History
    from shopward.ports import EventLog, Records
    from shopward.values import Clock

ESCALATE_AGAIN_MS: Final = 10 * MINUTE_MS
_decode: Final = msgspec.json.decode


class MemberRow(NamedTuple):
    """A member as it is shown; ``user`` is the shop's own id, empty where the log does not tell."""

    token: str
    user: str
    shown: dict[str, Any]


class CaseDesk:
    """May be called from any thread.

    Args:
        records: transactions.
        store: the rows.
        log: where events are found that tell of users.
        trail: the audit log.
        outbox: what the shop is owed to hear.
        clock: the server's.
    """

    def __init__(
        self,
        *,
        records: Records,
        store: FindingStore,
        log: EventLog,
        history: History,
        trail: Trail,
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        self._records = records
        self._store = store
        self._log = log
        self._history = history
        self._trail = trail
        self._outbox = outbox
        self._clock = clock

    def campaign(self, campaign_id: str, *, after: str, limit: int) -> tuple[CampaignRow, list[MemberRow]]:
        """A campaign, and its members in the order of their tokens after ``after``; raises ``NotFound``."""

        def work(connection: Any) -> tuple[CampaignRow, list[tuple[str, str]]]:
            row = self._campaign(connection, campaign_id)
            return row, self._store.members(connection, campaign_id, after=after, limit=limit)

        row, members = self._records.read(work)
        shown = [(token, _decode(body)) for token, body in members]
        users = self._users([each["event_id"] for _token, each in shown])
        return row, [MemberRow(token, users.get(each["event_id"], ""), each) for token, each in shown]

    def live(self) -> list[CampaignRow]:
        """Every campaign that is recorded as live, newest last."""
        return self._records.read(self._store.live)

    def findings(
        self, *, state: str | None, before: str | None, limit: int, campaign: str | None = None
    ) -> list[tuple[FindingRow, str]]:
        """Findings, newest first, each with the shop's id of its user; raises ``NotFound`` for a page of no finding."""

        def work(connection: Any) -> list[FindingRow]:
            last = None if before is None else self._finding(connection, before)
            return self._store.findings(connection, state=state, before=last, limit=limit, campaign=campaign)

        rows = self._records.read(work)
        events = [str(_decode(row.body)["event_id"]) for row in rows]
        users = self._users(events)
        return [(row, users.get(event, "")) for row, event in zip(rows, events, strict=True)]

    def finding(self, finding_id: str) -> tuple[FindingRow, str]:
        """One finding with the shop's id of its user; raises ``NotFound``."""
        row = self._records.read(lambda connection: self._finding(connection, finding_id))
        event = str(_decode(row.body)["event_id"])
        return row, self._users([event]).get(event, "")

    def open_findings(self) -> int:
        """How many findings nobody has looked at."""
        return self._records.read(self._store.open_findings)

    def acknowledge(self, caller: Caller, campaign_id: str) -> CampaignRow:
        """The caller looks after a campaign; raises ``NotFound``."""
        now_ms = self._clock.now_ms()

        def work(connection: Any) -> CampaignRow:
            row = self._campaign(connection, campaign_id)
            if row.acknowledged_ms:
                return row
            self._store.acknowledge(connection, campaign_id, person=caller.person, at_ms=now_ms)
            self._trail.append(
                connection, at_ms=now_ms, actor=caller.key, deed="campaign:acknowledge", subject=campaign_id,
                details={},
            )  # fmt: skip
            return row._replace(acknowledged_by=caller.person, acknowledged_ms=now_ms)

        return self._records.write(work)

    def escalate(self, caller: Caller, campaign_id: str) -> CampaignRow:
        """The caller has the shop told of a live campaign again, now.

        Raises:
            NotFound: there is none.
            Conflict: it is over, or the shop was told within ten minutes.
        """
        now_ms = self._clock.now_ms()

        def work(connection: Any) -> CampaignRow:
            row = self._campaign(connection, campaign_id)
            if row.state != "live":
                raise Conflict(
                    "the campaign is over", code="campaign_over", expected="a live campaign", found=row.state
                )
            is_due = row.escalations == 0 or now_ms - row.told_ms >= ESCALATE_AGAIN_MS
            if not is_due or not self._store.escalate(connection, row, at_ms=now_ms):
                raise Conflict(
                    "the shop was told a moment ago", code="told_already", expected="ten minutes between two escalations",
                    found="less",
                )  # fmt: skip
            self._outbox.owe(
                connection, at_ms=now_ms, topic=Topic.CAMPAIGN_ESCALATED, subject=campaign_id,
                payload=campaign_told(_decode(row.body)) | {"escalations": row.escalations + 1},
            )  # fmt: skip
            self._trail.append(
                connection, at_ms=now_ms, actor=caller.key, deed="campaign:escalate", subject=campaign_id,
                details={"escalations": row.escalations + 1},
            )  # fmt: skip
            return row._replace(escalations=row.escalations + 1, told_ms=now_ms)

        return self._records.write(work)

    def settle(self, caller: Caller, finding_id: str, state: str) -> tuple[FindingRow, str]:
        """The caller says what became of a finding; raises ``NotFound``."""
        now_ms = self._clock.now_ms()

        def work(connection: Any) -> FindingRow:
            row = self._finding(connection, finding_id)
            self._store.settle(connection, finding_id, state=state, person=caller.person, at_ms=now_ms)
            self._trail.append(
                connection, at_ms=now_ms, actor=caller.key, deed="finding:settle", subject=finding_id,
                details={"state": state},
            )  # fmt: skip
            return row._replace(state=state, changed_by=caller.person, changed_ms=now_ms)

        row = self._records.write(work)
        event = str(_decode(row.body)["event_id"])
        return row, self._users([event]).get(event, "")

    def _users(self, event_ids: Sequence[str]) -> dict[str, str]:
        """The shop's ids of users by the events that were told of them."""
        found = self._log.find(event_ids) if event_ids else {}
        return dict(zip(found, self._history.user_ids(list(found.values())), strict=True))

    def _campaign(self, connection: Any, campaign_id: str) -> CampaignRow:
        row = self._store.campaign(connection, campaign_id)
        if row is None:
            raise NotFound("no such campaign", path="id", expected="the id of a campaign", found="another id")
        return row

    def _finding(self, connection: Any, finding_id: str) -> FindingRow:
        row = self._store.finding(connection, finding_id)
        if row is None:
            raise NotFound("no such finding", path="id", expected="the id of a finding", found="another id")
        return row
