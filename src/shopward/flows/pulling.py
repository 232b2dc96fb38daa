"""A partner pulls a page of a share.

The story of a pull; it fails closed at every step:
  (1) the token opens the share; else nobody learns whether there is one
  (2) partner, agreement, share, scope and page allow it at this moment
  (3) a trap among its records suspends the partner there and then (``flows.canary``); the decision engine hears of it as ``partner_pull``, with how many records, and its decision is obeyed
  (4) under the partner's row (2) is asked again; the page is made, marked, sealed and written down: who was given what
  (5) the page leaves, after that is on the disk

Between (2) and (4) the caller has the event decided. A suspension or a ``deny`` in the middle of a download ends it with the
next page. A refusal is audited with its code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import msgspec

from shopward.errors import NotFound, Refused
from shopward.flows.consign import PARTNER
from shopward.flows.guard import CANARY
from shopward.leaks.channels import write
from shopward.outbox import Topic
from shopward.partners import refusal_of, seal_page
from shopward.partners.shares import PAGE_ROWS, opens
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shopward.flows.arrows import Outbox, Trail
    from shopward.flows.consign import Consigner
    from shopward.leaks import MarkRing
    from shopward.partners import Partner, Share
    from shopward.partners.store import PartnerStore
    from shopward.ports import Records
    from shopward.values import Clock, IdSource
    from shopward.vault.rows import Stored

OBEYED: Final = frozenset({"allow", "review"})
DENIED: Final = "pull_denied"
T = TypeVar("T")


class PullAsk(NamedTuple):
    """Which page is asked for, and with what."""

    partner: str
    share: str
    page: int
    token: str


class PendingPull(NamedTuple):
    """A pull between (2) and (4): the event to have decided."""

    ask: PullAsk
    event: dict[str, Any]


class Pulled(NamedTuple):
    """A page that may leave, and how many aliases its rows lack."""

    sealed: bytes
    aliases_missing: int = 0


class PullDesk:
    """May be called from any thread.

    Args:
        records: transactions.
        store: rows of partners.
        marks: the bits of partners' copies.
        consigner: makes pages of the vault's records.
        trail: the audit log.
        outbox: what the shop is owed to hear.
        clock: the server's.
        ids: makes ids.
    """

    def __init__(
        self, *, records: Records, store: PartnerStore, marks: MarkRing, consigner: Consigner, trail: Trail, outbox: Outbox,
        clock: Clock, ids: IdSource,
    ) -> None:  # fmt: skip
        self._records, self._store, self._marks, self._consigner = records, store, marks, consigner
        self._trail, self._outbox, self._clock, self._ids = trail, outbox, clock, ids

    def prepare(self, ask: PullAsk) -> PendingPull:
        """(1) to (3); raises ``NotFound`` for a wrong token as for no share, ``Refused`` for what is over."""
        now_ms = self._clock.now_ms()

        def work(connection: Any) -> dict[str, Any] | Refused:
            met = self._met(connection, ask, now_ms)
            if isinstance(met, Refused):
                return met
            partner, share = met
            if share.source == "rows":
                return _access(share, min(PAGE_ROWS, share.rows - ask.page * PAGE_ROWS))
            rows = self._consigner.met(connection, self._on_page(connection, ask))
            traps = self._consigner.traps(connection, partner, rows)
            if not traps:
                return _access(share, len(rows))
            self._caught(connection, partner, share, traps, now_ms)
            caught = {"purpose": CANARY, "records": len(traps)}
            return {
                "status": "failed",
                "user": {"id": self._consigner.user_of(connection, traps[0])},
                "access": caught,
            }

        told = self._kept(work)
        event = {
            "id": self._ids.new("pull", now_ms), "type": "partner_pull", "status": "succeeded", "time": to_rfc3339(now_ms),
            "actor": {"type": "partner", "id": ask.partner}, **told,
        }  # fmt: skip
        return PendingPull(ask, event)

    def finish(self, pending: PendingPull, decisions: Sequence[str]) -> Pulled:
        """(4) and (5), with the decision on the event.

        Raises:
            Refused: the engine does not let it happen, or something ended meanwhile.
        """
        ask, now_ms = pending.ask, self._clock.now_ms()
        if len(decisions) != 1 or not OBEYED.issuperset(decisions):
            self._records.write(lambda connection: self._line(connection, ask, DENIED, now_ms))
            raise Refused(
                "the decision engine does not let this page be pulled", code="pull_denied", expected="allow or review",
                found=decisions[0] if decisions else "no decision", hint="ask the shop: it has the reasons",
            )  # fmt: skip

        def work(connection: Any) -> Pulled | Refused:
            met = self._met(connection, ask, now_ms)
            if isinstance(met, Refused):
                return met
            pulled = self._page(connection, *met, ask, now_ms)
            if pulled is None:
                return self._refusal(connection, ask, "share_over", "the share is over", now_ms)
            self._line(connection, ask, "given", now_ms)
            return pulled

        return self._kept(work)

    # The steps.

    def _met(self, connection: Any, ask: PullAsk, now_ms: int) -> tuple[Partner, Share] | Refused:
        """(1) and (2), with the partner's row held until the commit."""
        partner = self._store.get(connection, ask.partner, lock=True)
        share = self._store.share(connection, ask.partner, ask.share)
        if partner is None or share is None or not opens(share, ask.token):
            raise NotFound("no such share", expected="a share's id and its token")
        refusal = refusal_of(partner, share, page=ask.page, now_ms=now_ms)
        if refusal is not None:
            return self._refusal(connection, ask, refusal.code, refusal.message, now_ms)
        return partner, share

    def _page(
        self, connection: Any, partner: Partner, share: Share, ask: PullAsk, now_ms: int
    ) -> Pulled | None:
        """The sealed page; none where a share of rows lost its pages."""
        if share.source == "rows":
            sealed = self._store.page(connection, share.id, ask.page)
            return None if sealed is None else Pulled(sealed)
        rows = self._consigner.met(connection, self._on_page(connection, ask))
        given, missing = self._consigner.page(connection, partner, share, rows, now_ms)
        copies = [marked(self._marks, partner.id, row) for row in given]
        return Pulled(seal_page(partner, share.id, ask.page, copies), missing)

    def _caught(
        self, connection: Any, partner: Partner, share: Share, traps: Sequence[Stored], now_ms: int
    ) -> None:
        """A trap was pulled: the partner is suspended in the transaction that saw it."""
        self._consigner.caught(connection, PARTNER + partner.id, share.id, traps, now_ms)
        self._store.put(connection, msgspec.structs.replace(partner, state="suspended", why=CANARY))
        self._outbox.owe(
            connection,
            at_ms=now_ms,
            topic=Topic.PARTNER_CHANGED,
            subject=partner.id,
            payload={"state": "suspended"},
        )
        details = {"step": "suspend", "state": "suspended", "cause": CANARY}
        self._trail.append(
            connection,
            at_ms=now_ms,
            actor=partner.id,
            deed="partner:change",
            subject=partner.id,
            details=details,
        )

    def _on_page(self, connection: Any, ask: PullAsk) -> list[str]:
        return self._store.named(connection, ask.share, first=ask.page * PAGE_ROWS, count=PAGE_ROWS)

    def _refusal(self, connection: Any, ask: PullAsk, code: str, message: str, now_ms: int) -> Refused:
        self._line(connection, ask, code, now_ms)
        return Refused(message, code=code)

    def _line(self, connection: Any, ask: PullAsk, outcome: str, now_ms: int) -> None:
        details = {"partner": ask.partner, "page": min(ask.page, 9_999), "outcome": outcome}
        self._trail.append(
            connection, at_ms=now_ms, actor=ask.partner, deed="share:pull", subject=ask.share, details=details
        )

    def _kept(self, work: Callable[[Any], T | Refused]) -> T:
        """What a transaction gives; a refusal is raised after it, so that its line in the audit log is kept."""
        answer = self._records.write(work)
        if isinstance(answer, Refused):
            raise answer
        return answer


def _access(share: Share, records: int) -> dict[str, Any]:
    return {"access": {"purpose": share.purpose, "records": records}}


def marked(marks: MarkRing, partner_id: str, row: Mapping[str, str]) -> dict[str, str]:
    """A row as this partner's copy has it; a mark's place is the row's id and the way of writing."""
    return write(row, lambda channel: marks.bit(partner_id, f"{row['id']}/{channel}"))
