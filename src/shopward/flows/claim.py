"""Claiming: the form that fills itself, the platform's own evidence, decisions by two, deadlines, and the debt in the books.

Promise:
- a step is one transaction: the claim, its events, what is owed in the books, its payouts, what the shop is owed to hear and
  the line of the audit log stand together or not at all;
- what is approved is owed from that moment; what an earlier round approved is not owed twice;
- an event is disputed by one claim; filing it again names the claim that has it;
- the clock works though nobody asks: ``sweep`` approves what was not decided in time and credits what is due meanwhile.

The story of a claim that comes in:
  (1) whose account, from the log's token; which of its events are movements of value
  (2) what is known of each: device, session, factor, orders, and when the platform was first told
  (3) the claim is locked, its events are taken, its clock begins
  (4) it is assessed; a certain one is approved in the same step
  (5) what is approved is accrued, and its payouts are promised
  (6) the shop is owed to hear of it; the line of the audit log, last; commit
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from shopward.claims import states
from shopward.claims.assess import assess
from shopward.claims.claim import OPEN, Claim, Happened, Item, borne, claimed, deadline_ms
from shopward.claims.evidence import Seen, known_of
from shopward.claims.regimes import regime_of
from shopward.errors import InvalidField, NotFound
from shopward.events import Facts
from shopward.events.catalogue import MONEY_TYPES
from shopward.flows import debts
from shopward.flows.arrows import SYSTEM
from shopward.flows.claim_words import sealed, with_reasons
from shopward.outbox import Topic
from shopward.values import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shopward.access import Caller
    from shopward.claims.claim import PlatformEvidence, Reason, StopReason
    from shopward.claims.payouts import Instrument, Payout
    from shopward.flows.claiming import Claiming
    from shopward.ports import LogEntry

LOOK_BACK_MS: Final = 400 * DAY_MS
EVENTS_MAX: Final = 5_000
"""So many of an account's newest events are looked at."""
ITEMS_MAX: Final = 200
SWEEP_MAX: Final = 100
_PAGE: Final = 500
_DOUBTED: Final = frozenset({"review", "challenge", "deny"})
_facts: Final = msgspec.json.Decoder(Facts).decode


class _Decided(msgspec.Struct):
    """What is read of a recorded decision."""

    decision: str = ""
    orders: tuple[str, ...] = ()


class _Transaction(msgspec.Struct):
    id: str = ""


class _Told(msgspec.Struct):
    """What is read of an event as it was sent."""

    transaction: _Transaction = msgspec.field(default_factory=_Transaction)


_decided: Final = msgspec.json.Decoder(_Decided).decode
_told: Final = msgspec.json.Decoder(_Told).decode


class Filing(NamedTuple):
    """What a customer says when he sends the form in.

    Attributes:
        event_ids: what he disputes.
        notice_ms: when the platform was first told; now where 0.
        learned_ms: when he learned of it, for regimes that ask.
        statement_ms: when a statement showed it.
        instrument: how he wants it back.
    """

    event_ids: tuple[str, ...]
    notice_ms: int = 0
    learned_ms: int = 0
    statement_ms: int = 0
    instrument: Instrument = "original"
    is_vulnerable: bool = False


class ClaimDesk:
    """Tells the story; may be called from any thread.

    Args:
        on: what the story stands on.
    """

    def __init__(self, on: Claiming) -> None:
        self._on = on

    def draft(
        self,
        caller: Caller,
        user_id: str,
        *,
        regime: str,
        incident: str = "",
        since_ms: int = 0,
        until_ms: int = 0,
    ) -> Claim:
        """The form, filled in: every movement of value that succeeded, ticked where something was wrong.

        Args:
            caller: who asks.
            user_id: the shop's own id.
            regime: by name.
            incident: a sealed victim set whose accounts were touched, if it is about one.
            since_ms: when the incident began; 400 days ago where 0.
            until_ms: when it ended; now where 0.
        """
        now_ms, user = self._on.clock.now_ms(), self._on.maker.user_token(user_id)
        regime_of(regime)
        if incident:
            self._on.members(incident)
        entries = self._account(user, now_ms - LOOK_BACK_MS)
        account = [seen(entry) for entry in entries]
        window = (since_ms or now_ms - LOOK_BACK_MS, until_ms or now_ms)
        items = [
            msgspec.structs.replace(item, is_proposed=_is_ticked(item, window if since_ms else None))
            for entry, told in zip(entries, self._on.history.told(entries), strict=True)
            if (item := item_of(entry, told, account)) is not None
        ]
        made = Claim(
            id=self._on.ids.new("c", now_ms), user=user, state="draft", regime=regime, created_ms=now_ms,
            items=tuple(items[-ITEMS_MAX:]), incident=incident, window_from_ms=window[0], window_until_ms=window[1],
            history=(Happened(now_ms, "drafted", caller.person),),
        )  # fmt: skip

        def work(connection: Any) -> Claim:
            self._on.store.add(connection, [made])
            self._line(connection, caller.key, made, now_ms)
            return made

        return self._on.records.write(work)

    def submit(self, caller: Caller, claim_id: str, filing: Filing) -> Claim:
        """The form comes in; assessed at once from what the platform knows."""
        now_ms = self._on.clock.now_ms()
        if filing.notice_ms > now_ms:
            raise InvalidField(
                "a notice lies behind us", path="notice_at", expected="a past moment", found="a future one"
            )

        def work(connection: Any) -> Claim:
            draft = self._got(connection, claim_id)
            regime = regime_of(draft.regime)
            items = _chosen(draft, filing.event_ids)
            claim = states.received(
                msgspec.structs.replace(draft, is_vulnerable=filing.is_vulnerable), regime, items,
                notice_ms=filing.notice_ms, at_ms=now_ms, by=caller.person,
            )  # fmt: skip
            self._on.store.take_items(connection, claim, filing.event_ids)
            is_victim = bool(claim.incident) and claim.user in self._on.members(claim.incident)
            found = assess(
                claim,
                regime,
                is_victim=is_victim,
                learned_ms=filing.learned_ms,
                statement_ms=filing.statement_ms,
            )
            claim = states.assessed(claim, found, at_ms=now_ms)
            return self._kept(connection, claim, caller.key, now_ms, instrument=filing.instrument)

        return self._on.records.write(work)

    def get(self, claim_id: str) -> tuple[Claim, list[Payout]]:
        """A claim and its payouts; raises ``NotFound``."""

        def work(connection: Any) -> tuple[Claim, list[Payout]]:
            claim = self._on.store.get(connection, claim_id)
            if claim is None:
                raise _unknown()
            (whole,) = with_reasons(self._on.words, connection, [claim])
            return whole, self._on.store.payouts_of(connection, claim_id)

        return self._on.records.read(work)

    def listed(self, *, state: str, user_id: str, incident: str, before: str, limit: int) -> list[Claim]:
        """Claims, newest first; an empty word asks for all."""
        user = self._on.maker.user_token(user_id) if user_id else ""

        def work(connection: Any) -> list[Claim]:
            found = self._on.store.listed(
                connection, state=state, user=user, incident=incident, before=before, limit=limit
            )
            return with_reasons(self._on.words, connection, found)

        return self._on.records.read(work)

    def owners(self, claims: Sequence[Claim]) -> dict[str, str]:
        """The shop's own ids of whose claims they are, by the token; empty of somebody who was erased."""
        return self._on.history.users(sorted({each.user for each in claims}))

    def counts(self) -> dict[str, int]:
        """How many claims stand in each state."""
        return self._on.records.read(self._on.store.counts)

    def approve(
        self,
        caller: Caller,
        claim_id: str,
        amounts: Mapping[str, int],
        *,
        is_goodwill: bool,
        instrument: Instrument,
    ) -> Claim:
        """A person approves as assessed, or more of an item."""
        reason: Reason | None = "goodwill" if is_goodwill else None
        return self._step(
            caller,
            claim_id,
            lambda claim, at_ms: states.approved(
                claim, amounts, at_ms=at_ms, by=caller.person, reason=reason
            ),
            instrument=instrument,
        )

    def propose(self, caller: Caller, claim_id: str, amounts: Mapping[str, int], reason: Reason) -> Claim:
        """A person proposes to refuse, whole or in part."""
        return self._step(
            caller,
            claim_id,
            lambda claim, at_ms: states.proposed(
                claim, amounts, reason=reason, at_ms=at_ms, by=caller.person
            ),
        )

    def confirm(self, caller: Caller, claim_id: str, *, instrument: Instrument) -> Claim:
        """A second person agrees to a refusal."""
        return self._step(
            caller,
            claim_id,
            lambda claim, at_ms: states.confirmed(claim, at_ms=at_ms, by=caller.person),
            instrument=instrument,
        )

    def reject(self, caller: Caller, claim_id: str) -> Claim:
        """A second person does not agree to a refusal."""
        return self._step(
            caller, claim_id, lambda claim, at_ms: states.rejected(claim, at_ms=at_ms, by=caller.person)
        )

    def add_evidence(
        self, caller: Caller, claim_id: str, event_id: str, kind: PlatformEvidence, reference: str
    ) -> Claim:
        """Evidence against an item, and where it can be seen."""
        return self._step(
            caller,
            claim_id,
            lambda claim, at_ms: states.with_evidence(
                claim, event_id, kind, reference=reference, at_ms=at_ms, by=caller.person
            ),
        )

    def stop_clock(self, caller: Caller, claim_id: str, reason: StopReason) -> Claim:
        """The clock stands, with a reason."""
        return self._step(
            caller,
            claim_id,
            lambda claim, at_ms: states.clock_stopped(claim, reason, at_ms=at_ms, by=caller.person),
        )

    def start_clock(self, caller: Caller, claim_id: str) -> Claim:
        """The clock runs again."""
        return self._step(
            caller, claim_id, lambda claim, at_ms: states.clock_started(claim, at_ms=at_ms, by=caller.person)
        )

    def appeal(self, caller: Caller, claim_id: str) -> Claim:
        """The customer does not agree."""
        return self._step(
            caller,
            claim_id,
            lambda claim, at_ms: states.appealed(
                claim, regime_of(claim.regime), at_ms=at_ms, by=caller.person
            ),
        )

    def reopen(self, caller: Caller, claim_id: str, reason: str) -> Claim:
        """A person opens it again."""
        return self._step(
            caller,
            claim_id,
            lambda claim, at_ms: states.reopened(
                claim, regime_of(claim.regime), reason, at_ms=at_ms, by=caller.person
            ),
        )

    def withdraw(self, caller: Caller, claim_id: str) -> Claim:
        """The customer takes it back; its events may be disputed again."""

        def step(claim: Claim, at_ms: int) -> Claim:
            return states.withdrawn(claim, at_ms=at_ms, by=caller.person)

        return self._step(caller, claim_id, step, frees=True)

    def repay(self, caller: Caller, claim_id: str, instrument: Instrument) -> Claim:
        """What a failed payout did not bring is promised anew, by another way."""
        now_ms = self._on.clock.now_ms()

        def work(connection: Any) -> Claim:
            claim = self._got(connection, claim_id)
            if claim.state == "approved" and debts.promise(
                connection, self._on.store, self._on.book, claim, instrument, now_ms
            ):
                self._line(connection, caller.key, claim, now_ms)
            return with_reasons(self._on.words, connection, [claim])[0]

        return self._on.records.write(work)

    def sweep(self) -> int:
        """Approve what was not decided in time and credit what is due meanwhile; how many. Run by the server."""
        now_ms = self._on.clock.now_ms()
        overdue = self._on.records.read(
            lambda each: self._on.store.overdue(each, at_ms=now_ms, limit=SWEEP_MAX)
        )
        return sum(self._on.records.write(partial(self._by_clock, claim_id, now_ms)) for claim_id in overdue)

    def _by_clock(self, claim_id: str, now_ms: int, connection: Any) -> bool:
        claim = self._got(connection, claim_id)
        if claim.state not in OPEN:
            return False  # somebody decided meanwhile
        if now_ms > deadline_ms(claim):
            expired = states.expired(claim, at_ms=now_ms)
            self._kept(connection, expired, SYSTEM, now_ms, instrument="original")
            return True
        if claim.provisional_minor or not 0 < claim.provisional_due_ms < now_ms:
            return False  # its clock was stopped meanwhile
        credited = states.credited(claim, at_ms=now_ms)
        debts.credit(connection, self._on.store, self._on.book, credited, now_ms)
        self._kept(connection, credited, SYSTEM, now_ms, instrument="original")
        return True

    def _step(
        self,
        caller: Caller,
        claim_id: str,
        step: Callable[[Claim, int], Claim],
        *,
        instrument: Instrument = "original",
        frees: bool = False,
    ) -> Claim:
        now_ms = self._on.clock.now_ms()

        def work(connection: Any) -> Claim:
            claim = step(self._got(connection, claim_id), now_ms)
            if frees:
                self._on.store.free_items(connection, claim)
            return self._kept(connection, claim, caller.key, now_ms, instrument=instrument)

        return self._on.records.write(work)

    def _kept(
        self, connection: Any, claim: Claim, actor: str, now_ms: int, *, instrument: Instrument
    ) -> Claim:
        """Steps (5) and (6): what is approved is owed and on its way, the shop hears of it, the line, the row."""
        if claim.state == "approved":
            claim = debts.owe(connection, self._on.store, self._on.book, claim, instrument, now_ms)
        row = sealed(self._on.words, connection, claim)
        self._on.store.put(connection, row)
        last = claim.history[-1]
        self._on.outbox.owe(
            connection, at_ms=now_ms, topic=Topic.CLAIM_STEPPED, subject=claim.id,
            payload={"state": claim.state, "step": last.step, "round": claim.round},
        )  # fmt: skip
        self._line(connection, actor, claim, now_ms)
        return with_reasons(self._on.words, connection, [row])[0]

    def _line(self, connection: Any, actor: str, claim: Claim, now_ms: int) -> None:
        last = claim.history[-1]
        self._on.trail.append(
            connection, at_ms=now_ms, actor=actor, deed="claim:step", subject=claim.id,
            details={"step": last.step, "state": claim.state, "round": claim.round, "items": len(claim.items)},
        )  # fmt: skip

    def _account(self, user: str, since_ms: int) -> list[LogEntry]:
        """The account's newest events, oldest first."""
        found: list[LogEntry] = []
        before = None
        while len(found) < EVENTS_MAX:
            page = self._on.log.timeline(user, before_seq=before, limit=_PAGE)
            found += [entry for entry in page if entry.at_ms >= since_ms]
            if len(page) < _PAGE or page[-1].at_ms < since_ms:
                break
            before = page[-1].seq
        return found[::-1]

    def _got(self, connection: Any, claim_id: str) -> Claim:
        claim = self._on.store.get(connection, claim_id, lock=True)
        if claim is None:
            raise _unknown()
        return claim


def amounts_of(claim: Claim) -> dict[str, tuple[int, int]]:
    """By currency, what is claimed and what is borne."""
    owed = borne(claim)
    return {currency: (amount, owed.get(currency, 0)) for currency, amount in claimed(claim).items()}


def item_of(entry: LogEntry, told: bytes, account: Sequence[Seen]) -> Item | None:
    """A movement of value that succeeded, with what is known of it and the shop's own id of it."""
    facts = _facts(entry.facts)
    if facts.type not in MONEY_TYPES or facts.status != "succeeded" or not facts.amount_minor:
        return None
    return Item(
        event_id=entry.event_id, transaction_id=_told(told).transaction.id, at_ms=facts.time_ms or entry.at_ms, type=facts.type,
        amount_minor=facts.amount_minor, currency=facts.currency, known=known_of(entry.event_id, account),
    )  # fmt: skip


def seen(entry: LogEntry) -> Seen:
    """What a claim reads of an entry of the log."""
    facts = _facts(entry.facts)
    decided = _decided(entry.decision) if entry.decision else _Decided()
    return Seen(
        entry.event_id, facts.type, facts.status, facts.time_ms or entry.at_ms, facts.device, facts.session, facts.factor,
        facts.challenged_decision, decided.decision, decided.orders,
    )  # fmt: skip


def _is_ticked(item: Item, window: tuple[int, int] | None) -> bool:
    """Whether the form ticks it: inside the incident, doubted when it happened, or on a device that was new."""
    if window is not None:
        return window[0] <= item.at_ms <= window[1]
    is_new = item.known.device_since_ms == 0 or item.at_ms - item.known.device_since_ms < DAY_MS
    return item.known.decision in _DOUBTED or is_new


def _chosen(draft: Claim, event_ids: Sequence[str]) -> list[Item]:
    known = {item.event_id: item for item in draft.items}
    wanted = dict.fromkeys(event_ids)
    if not wanted.keys() <= known.keys():
        raise InvalidField(
            "the form has no such event", path="events", expected="events of this claim's form", found="another event",
            hint="draft the claim again where the event is newer than the form",
        )  # fmt: skip
    return [known[event_id] for event_id in wanted]


def _unknown() -> NotFound:
    return NotFound("no such claim", path="id", expected="the id of a claim", found="another id")
