"""Who touched a canary is a finding: it waits for a person, who says what became of it.

Promise: each event of a canary becomes one finding, once, and the shop is told ``finding.opened``. The reader is locked already
(``flows.reveal``, ``flows.pulling``); a finding stops nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from shopward.findings import FindingRow
from shopward.flows.consequences import NEWS_MS
from shopward.flows.found import finding_view
from shopward.flows.guard import CANARY
from shopward.outbox import Topic
from shopward.risk.campaigns.campaign import Finding

if TYPE_CHECKING:
    from shopward.findings.store import FindingStore
    from shopward.flows.arrows import Outbox
    from shopward.flows.follow import Heard
    from shopward.values import Clock

_TOUCHED: Final = b'"purpose":"canary"'
_SCORE_CENTI: Final = 10_000


class CanaryWatch:
    """Listens to the log.

    Args:
        store: the findings.
        outbox: what the shop is owed to hear.
        clock: the server's.
    """

    def __init__(self, store: FindingStore, outbox: Outbox, clock: Clock) -> None:
        self._store, self._outbox, self._clock = store, outbox, clock

    def hears(self, facts: bytes, decisions: bytes) -> bool:  # noqa: ARG002 -- the port's signature
        """Whether any may be about a canary."""
        return _TOUCHED in facts

    def act(self, connection: Any, heard: Heard) -> bool:
        """Open the finding; no order changes."""
        facts, now_ms = heard.facts, self._clock.now_ms()
        found = Finding(
            "f-" + facts.id, facts.id, facts.user, facts.at_ms, heard.recorded_ms, facts.type, "actor.id", "",
            round(heard.record.score * 100), _SCORE_CENTI,
        )  # fmt: skip
        if facts.purpose != CANARY or self._store.known(connection, [found.id]):
            return False
        is_told = now_ms - heard.recorded_ms <= NEWS_MS
        body = msgspec.json.encode(finding_view(found)).decode()
        row = FindingRow(found.id, found.user, found.found_ms, "", body, told_ms=now_ms if is_told else 0)
        self._store.add_findings(connection, [row])
        if is_told:
            self._outbox.owe(
                connection, at_ms=now_ms, topic=Topic.FINDING_OPENED, subject=found.id,
                payload={"event_id": found.event_id, "type": found.type},
            )  # fmt: skip
        return False
