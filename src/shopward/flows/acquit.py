"""What a mailing means for the duty that it was made for: told when everybody was reached, owed again when somebody was not.

Promise, in the transaction of the mailing's own change:
- a mailing that is done and reached everybody is the notice of its rule, with its id as the receipt;
- somebody of it for whom no way is left opens the duty again, with the reason in the incident's timeline;
- where the step is not possible (the notice is incomplete, late without a reason, the incident closed or not ours) nothing
  changes: the duty stays as it was, for a person to look at (fails closed).

It never says that somebody was told whom only a part of the channels may have reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from shopward.errors import ShopwardError
from shopward.flows.arrows import SYSTEM
from shopward.flows.stepped import Steps
from shopward.incidents import steps
from shopward.incidents.law import shipped_rules
from shopward.notices.mailing import UNREACHED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shopward.flows.arrows import Outbox, Trail
    from shopward.incidents.incident import Incident
    from shopward.incidents.store import IncidentStore
    from shopward.notices import Mailing

_LOST: Final = "somebody was not reached by any way"


class Acquittal:
    """Keeps duties and mailings in step.

    Args:
        store: the incidents.
        trail: the audit log.
        outbox: what the shop is owed to hear.
    """

    def __init__(self, *, store: IncidentStore, trail: Trail, outbox: Outbox) -> None:
        self._store = store
        self._steps = Steps(trail, outbox)

    def done(self, connection: Any, mailing: Mailing, counts: Mapping[str, int], now_ms: int) -> None:
        """A mailing has nobody left to tell."""
        if any(counts.get(state) for state in UNREACHED):
            self.lost(connection, mailing, now_ms)
            return

        def told(incident: Incident) -> Incident:
            if _is_told_by(incident, mailing):
                return incident  # done again, after somebody's next way
            return steps.notice_sent(
                incident, shipped_rules(), mailing.rule, receipt=_receipt(mailing), late_reason="",
                by=mailing.started_by, now_ms=now_ms,
            )  # fmt: skip

        self._step(connection, mailing, "sent", told, now_ms)

    def lost(self, connection: Any, mailing: Mailing, now_ms: int) -> None:
        """Somebody of a mailing has no way left."""

        def owed(incident: Incident) -> Incident:
            if not _is_told_by(incident, mailing):
                return incident  # it was never counted as told, or by other means
            return steps.notice_void(incident, mailing.rule, reason=_LOST, by=SYSTEM, now_ms=now_ms)

        self._step(connection, mailing, "void", owed, now_ms)

    def _step(
        self, connection: Any, mailing: Mailing, name: str, take: Callable[[Incident], Incident], now_ms: int
    ) -> None:
        before = self._store.get(connection, mailing.incident, lock=True) if mailing.rule else None
        if before is None:
            return
        try:
            after = take(before)
        except ShopwardError:
            return
        if after is before:
            return
        self._store.put(connection, after, at_ms=now_ms)
        self._steps.told(connection, SYSTEM, after, name, now_ms)


def _is_told_by(incident: Incident, mailing: Mailing) -> bool:
    """Whether the last notice of the rule that stands is this mailing."""
    live = [each.receipt for each in incident.sent if each.rule == mailing.rule and not each.void]
    return live[-1:] == [_receipt(mailing)]


def _receipt(mailing: Mailing) -> str:
    return f"mailing {mailing.id}"
