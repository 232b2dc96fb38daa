"""Sight of a customer: what whoever looks after a case has to see, in one answer.

Promise: read from the log and the records at the moment of asking, so that it is never older than the answer; it copies
nothing and changes nothing. Only the newest ``EVENTS_MAX`` events are looked at, and ``complete`` says whether that was all.
A customer whose events were erased is shown without an id. It shows no address, no agent and no amount of anybody else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from shopward.events import Facts
from shopward.flows.recorded import EVENT, record_of_entry
from shopward.flows.wording import ReasonGiven
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.claims.claim import Claim
    from shopward.claims.store import ClaimStore
    from shopward.findings import FindingRow
    from shopward.findings.store import FindingStore
    from shopward.flows.history import History
    from shopward.flows.oversee import Overseer
    from shopward.flows.wording import Wording
    from shopward.ports import EventLog, LogEntry, Records
    from shopward.protection.orders import Standing

EVENTS_MAX: Final = 500
SHOWN_MAX: Final = 50
CLAIMS_MAX: Final = 20
_facts: Final = msgspec.json.Decoder(Facts).decode


class SeenEvent(Struct, omit_defaults=True):
    """An event of the customer, and why it was decided so."""

    id: str
    at: str
    type: str
    status: str
    decision: str
    reasons: list[ReasonGiven]
    device: str = ""
    amount_minor: int = 0
    currency: str = ""


class SeenDevice(Struct):
    """A device by its token, since when and how often it was used."""

    device: str
    first_at: str
    last_at: str
    events: int


class SeenOrder(Struct):
    """An order in force that covers the customer in anything."""

    id: str
    kind: str
    scope: tuple[str, ...]
    reason: str


class SeenCampaign(Struct):
    """A live campaign of which the account is a member: how it was reached, and whether somebody entered."""

    id: str
    kind: str
    how: str
    entered: int


class SeenClaim(Struct):
    """A claim of the customer."""

    id: str
    state: str


class CustomerSeen(Struct):
    """Everything; newest first.

    Attributes:
        user: the shop's own id; empty where no event tells it any more.
        events: the newest; ``complete`` is false where there are more than were looked at.
        devices: of all that were looked at, the newest first.
    """

    user: str
    events: list[SeenEvent]
    devices: list[SeenDevice]
    orders: list[SeenOrder]
    campaigns: list[SeenCampaign]
    claims: list[SeenClaim]
    complete: bool


class Sight:
    """May be called from any thread.

    Args:
        records: transactions.
        log: what happened.
        history: tells the shop's own id of the customer.
        overseer: orders in force.
        findings: campaigns and their members.
        claims: of the customer.
        wording: gives reasons their texts.
    """

    def __init__(
        self,
        *,
        records: Records,
        log: EventLog,
        history: History,
        overseer: Overseer,
        findings: FindingStore,
        claims: ClaimStore,
        wording: Wording,
    ) -> None:
        self._records = records
        self._log = log
        self._history = history
        self._overseer = overseer
        self._findings = findings
        self._claims = claims
        self._wording = wording

    def of(self, token: str, language: str) -> CustomerSeen:
        """What is known around a customer, by the keyed token."""
        page = self._log.timeline(token, before_seq=None, limit=EVENTS_MAX + 1)
        entries = [entry for entry in page[:EVENTS_MAX] if entry.kind == EVENT]

        def work(connection: Any) -> tuple[list[tuple[str, str, str]], list[Claim]]:
            return self._findings.live_of(connection, token), self._claims.listed(
                connection, state="", user=token, incident="", before="", limit=CLAIMS_MAX
            )

        campaigns, claims = self._records.read(work)
        return CustomerSeen(
            user=next(iter(self._history.user_ids(entries[:1])), ""),  # an erasure takes all of them
            events=[self._event(entry, language) for entry in entries[:SHOWN_MAX]],
            devices=_devices(entries),
            orders=[_order(each) for each in self._overseer.in_force_for(token)],
            campaigns=[_campaign(campaign_id, body, member) for campaign_id, body, member in campaigns],
            claims=[SeenClaim(each.id, each.state) for each in claims],
            complete=len(page) <= EVENTS_MAX,
        )

    def earlier(
        self, token: str, language: str, *, before_seq: int | None, limit: int
    ) -> tuple[list[SeenEvent], int | None]:
        """A part of the customer's history, newest first, and the place where the part after it begins, if there is one."""
        page = self._log.timeline(token, before_seq=before_seq, limit=limit + 1)
        shown = page[:limit]
        told = [self._event(entry, language) for entry in shown if entry.kind == EVENT]
        return told, shown[-1].seq if len(page) > limit else None

    def findings_of(self, token: str) -> list[FindingRow]:
        """What nobody said yet what became of it, of this customer."""
        return self._records.read(
            lambda connection: self._findings.unsettled_of(connection, token, limit=SHOWN_MAX)
        )

    def _event(self, entry: LogEntry, language: str) -> SeenEvent:
        facts = _facts(entry.facts)
        made = SeenEvent(
            entry.event_id, to_rfc3339(entry.at_ms), facts.type, facts.status, "", [], facts.device, facts.amount_minor or 0,
            facts.currency,
        )  # fmt: skip
        if entry.decision:
            decision = self._wording.decision(record_of_entry(entry), language)
            made.decision, made.reasons = decision.decision, list(decision.reasons)
        return made


def _devices(entries: Sequence[LogEntry]) -> list[SeenDevice]:
    found: dict[str, SeenDevice] = {}
    for entry in entries:  # newest first
        device, at = _facts(entry.facts).device, to_rfc3339(entry.at_ms)
        if device:
            known = found.setdefault(device, SeenDevice(device, at, at, 0))
            known.first_at, known.events = at, known.events + 1
    return list(found.values())


def _order(order: Standing) -> SeenOrder:
    return SeenOrder(order.id, order.kind, order.scope, order.reason)


def _campaign(campaign_id: str, body: str, member: str) -> SeenCampaign:
    told, of = msgspec.json.decode(body), msgspec.json.decode(member)
    return SeenCampaign(campaign_id, told["kind"], str(of["how"]), int(of["entered"]))
