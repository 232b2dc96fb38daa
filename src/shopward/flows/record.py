"""The recorder: what decisions found of campaigns becomes records, and the shop is told, once.

Promise:
- a decision waits for a copy of at most ``MEMBERS_MAX`` members between two groups, and for nothing else; where writing
  is slower than finding, the book keeps what changed and the next copy holds it as it stands then;
- a record and what the shop is owed of it are one transaction, and what is owed follows from the record: after a crash, a
  rebuild or another policy the whole book is held against the records, and nothing is owed twice;
- alerts are bounded: once as a campaign opens, once as it doubles, once as it ends, of so many campaigns and findings in an
  hour; what found no room is recorded, and a campaign is told of at its next change;
- a campaign that nobody acknowledges in time is told again, a few times;
- what is a day old when it is found is history: it is recorded, and nobody is told.

The story of a step, in one transaction:
  (1) where the book is another one, what is recorded as live and unknown to it has ended
  (2) campaigns as they stand, with the members that changed, and what the shop is owed of each
  (3) findings that are not recorded yet
And of a look, in another:
  (4) campaigns that nobody acknowledged are told again
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from shopward.findings import FindingRow
from shopward.flows.found import finding_view, member_view, summary
from shopward.outbox import Topic
from shopward.values import DAY_MS, HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.findings import CampaignRow
    from shopward.findings.store import FindingStore
    from shopward.flows.arrows import Outbox
    from shopward.ports import Records
    from shopward.risk.campaigns import CampaignBook, Changes, Finding, Standing
    from shopward.values import Clock

MEMBERS_MAX: Final = 2_000
ALERTS_PER_HOUR: Final = 100
ESCALATIONS_MAX: Final = 3
NEWS_MS: Final = DAY_MS
_encode: Final = msgspec.json.Encoder(order="sorted").encode


class _Copy(NamedTuple):
    """What changed up to a position; ``known`` are all campaigns of a book that was not seen before."""

    changes: Changes
    known: frozenset[str] | None
    seq: int


class CampaignRecorder:
    """``offer`` belongs to whoever decides, ``step`` to another thread; between them stands one copy.

    Args:
        records: transactions.
        store: the rows.
        outbox: what the shop is owed to hear.
        clock: the server's.
        within_ms: how long an alert waits for somebody who acknowledges it, by the policy in force.
    """

    def __init__(
        self,
        *,
        records: Records,
        store: FindingStore,
        outbox: Outbox,
        clock: Clock,
        within_ms: Callable[[], int],
    ) -> None:
        self._records = records
        self._store = store
        self._outbox = outbox
        self._clock = clock
        self._within_ms = within_ms
        self._book: CampaignBook | None = None
        self._copy: _Copy | None = None
        self._shed_before = 0
        self.seq = 0
        self.is_behind = True
        """Whether the book may hold what was not offered: ask for an offer."""

    @property
    def shed(self) -> int:
        """How many changes were given up since this process began, because nobody could take them in time."""
        return self._shed_before + (self._book.shed if self._book is not None else 0)

    def offer(self, book: CampaignBook, seq: int) -> None:
        """Copy what changed, between two groups: everything in the book is in the log, up to ``seq``."""
        if self._copy is not None:
            self.is_behind = True
            return
        known = None
        if book is not self._book:
            self._shed_before, self._book = self.shed, book
            book.tell_all()
            known = frozenset(each.id for each in book.remembered())
        changes = book.take(most=MEMBERS_MAX)
        room = sum(
            max(1, len(each.members) + len(each.left)) for each in changes.campaigns
        )  # as the book counts
        self.is_behind = max(room, len(changes.findings)) >= MEMBERS_MAX
        if known is None and not changes.campaigns and not changes.findings:
            self.seq = seq
            return
        self._copy = _Copy(changes, known, seq)

    @property
    def is_waited_for(self) -> bool:
        """Whether a step has something to do."""
        return self._copy is not None or self.is_behind

    def step(self) -> bool:
        """Write what was offered; whether an offer is wanted.

        Raises:
            StoreError: nothing of it was done; call again.
        """
        copy = self._copy
        if copy is not None:
            self._records.write(partial(self._write, copy))
            self.seq = copy.seq
            self._copy = None
        return self.is_behind

    def look(self) -> None:
        """Tell what is due by the clock; once a second is often enough.

        Raises:
            StoreError: nothing of it was done; call again.
        """
        if any(self._is_unheard(row) for row in self._records.read(self._store.live)):
            self._records.write(self._escalate)

    def _write(self, copy: _Copy, connection: Any) -> None:
        now_ms = self._clock.now_ms()
        if copy.known is not None:  # (1)
            for row in self._store.live(connection):
                if row.id not in copy.known:
                    self._forgotten(connection, row, now_ms)
        told, told_findings = self._store.told_since(connection, now_ms - HOUR_MS)
        for standing in copy.changes.campaigns:  # (2)
            told += self._campaign(connection, standing, now_ms, has_room=told < ALERTS_PER_HOUR)
        self._add(
            connection, copy.changes.findings, now_ms, room=max(0, ALERTS_PER_HOUR - told_findings)
        )  # (3)

    def _campaign(self, connection: Any, standing: Standing, now_ms: int, *, has_room: bool) -> bool:
        """Whether the shop is owed anything."""
        shown = summary(standing)
        before = self._store.put_campaign(
            connection, standing.id, state=standing.state, body=_encode(shown).decode()
        )
        if standing.heir:
            self._store.drop_members(connection, standing.id)
        else:
            self._store.put_members(
                connection,
                standing.id,
                {user: _encode(member_view(member)).decode() for user, member in standing.members.items()}
                | dict.fromkeys(standing.left),
            )
        topic = news_of(standing, before, now_ms)
        if topic is None or not (has_room or topic is Topic.CAMPAIGN_ENDED):
            return False
        self._owe(connection, topic, standing.id, now_ms, campaign_told(shown))
        self._store.told(connection, standing.id, accounts=standing.accounts, at_ms=now_ms)
        return True

    def _forgotten(self, connection: Any, row: CampaignRow, now_ms: int) -> None:
        """A policy that watches for something else does not know it: it goes on under no name."""
        shown = msgspec.json.decode(row.body) | {"state": "ended"}
        self._store.put_campaign(connection, row.id, state="ended", body=_encode(shown).decode())
        if row.told:
            self._owe(connection, Topic.CAMPAIGN_ENDED, row.id, now_ms, campaign_told(shown))

    def _add(self, connection: Any, findings: Sequence[Finding], now_ms: int, *, room: int) -> None:
        known = self._store.known(connection, [each.id for each in findings])
        rows: dict[str, FindingRow] = {}
        for finding in findings:
            if finding.id in known:
                continue
            is_told = room > 0 and now_ms - finding.found_ms <= NEWS_MS
            room -= is_told
            shown = finding_view(finding)
            rows[finding.id] = FindingRow(
                finding.id, finding.user, finding.found_ms, finding.campaign, _encode(shown).decode(),
                told_ms=now_ms if is_told else 0,
            )  # fmt: skip
            if is_told:
                self._owe(connection, Topic.FINDING_OPENED, finding.id, now_ms, {
                    "event_id": finding.event_id, "type": finding.type,
                    **({"campaign": finding.campaign} if finding.campaign else {}),
                })  # fmt: skip
        self._store.add_findings(connection, list(rows.values()))

    def _escalate(self, connection: Any) -> None:  # (4)
        now_ms = self._clock.now_ms()
        for row in self._store.live(connection):
            if self._is_unheard(row) and self._store.escalate(connection, row, at_ms=now_ms):
                thin = campaign_told(msgspec.json.decode(row.body)) | {"escalations": row.escalations + 1}
                self._owe(connection, Topic.CAMPAIGN_ESCALATED, row.id, now_ms, thin)

    def _is_unheard(self, row: CampaignRow) -> bool:
        return is_unheard(row, self._clock.now_ms(), self._within_ms())

    def _owe(self, connection: Any, topic: Topic, subject: str, at_ms: int, payload: dict[str, Any]) -> None:
        self._outbox.owe(connection, at_ms=at_ms, topic=topic, subject=subject, payload=payload)


def news_of(standing: Standing, before: CampaignRow, now_ms: int) -> Topic | None:
    """What the shop is owed to hear of a campaign, by what it was told before; ``None`` for nothing."""
    if standing.state == "live":
        if before.told:
            return Topic.CAMPAIGN_GREW if standing.accounts >= 2 * before.told else None
        return Topic.CAMPAIGN_OPENED if now_ms - standing.last_ms <= NEWS_MS else None
    return Topic.CAMPAIGN_ENDED if before.state == "live" and before.told else None


def is_unheard(row: CampaignRow, now_ms: int, within_ms: int) -> bool:
    """Whether the shop was told of a live campaign, and nobody acknowledged it in time."""
    return (
        row.told > 0
        and not row.acknowledged_ms
        and row.escalations < ESCALATIONS_MAX
        and now_ms - row.told_ms >= within_ms
    )


def campaign_told(shown: dict[str, Any]) -> dict[str, Any]:
    """What a message says of a campaign: words and numbers."""
    names = ("kind", "state", "accounts", "confidence", "tried", "entered", "stopped", "heir")
    return {name: shown[name] for name in names if shown[name] != ""}
