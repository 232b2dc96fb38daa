"""Complaining: a complaint comes in, is answered by a person in time, and by another one on appeal.

Promise:
- a step is one transaction: the complaint, what the shop is owed to hear, the line of the audit log;
- sent again under the same ``key``, a complaint is the one that is there; with other words it is refused;
- what it is about is looked up before it is taken: an event of this customer's, an order, a claim of this customer's. Who
  made that (placed the order, decided the claim) is barred from deciding the complaint;
- of the statement only the text with its personal values masked is kept (``scrubber``: a net under what people type), sealed
  under the customer's key (``flows.words``): once that is erased, the complaint stays and says nothing;
- a remedy that names an order or a claim names one that there is. It is not carried out here: the order is released and the
  claim reopened by their own calls, under their own rules of two persons;
- the shop is told of each date that passes, once.

The story of a complaint that comes in:
  (1) whose, from the log's token; what it is about is there, and who made it
  (2) under the lock: the one of its key, if there is one
  (3) both clocks begin; the row, the words, what the shop is owed to hear, the line of the audit log, last; commit
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from shopward.complaints import regime_of, states
from shopward.complaints.complaint import About, Complaint, Remedy
from shopward.complaints.regimes import DEFAULT
from shopward.errors import Conflict, InvalidField, NotFound
from shopward.flows.arrows import SYSTEM
from shopward.outbox import Topic
from shopward.scrubber import scrub

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.access import Caller
    from shopward.claims.store import ClaimStore
    from shopward.complaints.complaint import ExtendReason, Outcome, Reason
    from shopward.complaints.store import ComplaintStore
    from shopward.flows.arrows import Outbox, Trail
    from shopward.flows.oversee import Overseer
    from shopward.flows.words import Words
    from shopward.ports import EventLog, Fence, Records
    from shopward.values import Clock, IdSource

KIND: Final = "complaint"
"""What its words are called."""
SWEEP_MAX: Final = 100
UNDECIDED: Final = "none"
NAMES_SUBJECT: Final = frozenset({"decision", "order", "claim"})
Name = Annotated[str, Meta(max_length=128)]


class Complained(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a customer complains about.

    Attributes:
        user: the shop's id.
        about: what kind of thing; a decision by its event, an order and a claim by their ids in ``subject``.
        statement: in their words; personal values are masked before it is kept.
        against: the person of staff, by the name of their key; for ``staff``.
        key: the shop's own name for this complaint: sent again, it is the same one.
    """

    user: Annotated[str, Meta(min_length=1, max_length=128)]
    about: About
    statement: Annotated[str, Meta(min_length=1, max_length=8_000)]
    subject: Annotated[str, Meta(max_length=130)] = ""
    against: Name = ""
    regime: Annotated[str, Meta(max_length=32)] = DEFAULT
    key: Name = ""


class ComplaintDesk:
    """Tells the story; may be called from any thread.

    Args:
        records: transactions.
        fence: lets one complaint be taken at a time.
        store: complaints.
        claims: what a complaint may be about, and what a remedy may name.
        overseer: the same of orders.
        log: the same of decisions.
        words: keeps what customers say.
        token_of: makes a token of the shop's id of a user.
        trail: the audit log.
        outbox: what the shop is owed to hear.
        clock: the server's.
        ids: names complaints.
    """

    def __init__(
        self,
        *,
        records: Records,
        fence: Fence,
        store: ComplaintStore,
        claims: ClaimStore,
        overseer: Overseer,
        log: EventLog,
        words: Words,
        token_of: Callable[[str], str],
        trail: Trail,
        outbox: Outbox,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._records = records
        self._fence = fence
        self._store = store
        self._claims = claims
        self._overseer = overseer
        self._log = log
        self._words = words
        self._token_of = token_of
        self._trail = trail
        self._outbox = outbox
        self._clock = clock
        self._ids = ids

    def now_ms(self) -> int:
        """By which clock dates are read."""
        return self._clock.now_ms()

    def file(self, caller: Caller, said: Complained) -> Complaint:
        """A complaint comes in.

        Raises:
            InvalidField: it lacks what it is about, or names what its kind is not about.
            NotFound: what it is about, or the regime, is not there.
            Conflict: its key was used for other words.
        """
        now_ms, user, regime = self._clock.now_ms(), self._token_of(said.user), regime_of(said.regime)
        makers = self._makers(said, user)  # (1)
        plain = hashlib.sha256(msgspec.json.encode(said)).hexdigest()
        digest = self._words.keyed(plain)
        made = states.received(
            self._ids.new("cp", now_ms), user, said.about, regime, subject=said.subject, against=said.against,
            barred=makers, statement=scrub(said.statement).text, at_ms=now_ms, by=caller.person,
        )  # fmt: skip

        def work(connection: Any) -> Complaint:
            self._fence.exclusive(connection)
            known = self._store.of_key(connection, said.key) if said.key else None  # (2)
            if known is None:
                without = msgspec.structs.replace(made, statement="")
                self._store.add(connection, without, key=said.key, digest=digest)  # (3)
                self._words.keep(connection, KIND, made.id, made.statement, subject=user, user=said.user)
                self._tell(connection, caller.key, made, now_ms)
                return made
            if known[1] not in {digest, plain}:  # as an earlier version kept it, until it is sealed
                raise Conflict(
                    "this key was used for another complaint", path="key", expected="the same words, or a new key",
                    found="other words",
                )  # fmt: skip
            return self._whole(connection, [known[0]])[0]

        return self._records.write(work)

    def get(self, complaint_id: str) -> Complaint:
        """One of them; raises ``NotFound``."""
        return self._records.read(
            lambda connection: self._whole(connection, [self._got(connection, complaint_id)])[0]
        )

    def listed(
        self, *, state: str = "", user_id: str = "", is_overdue: bool = False, before: str = "", limit: int
    ) -> list[Complaint]:
        """Complaints, newest first; an empty word asks for all."""
        user = self._token_of(user_id) if user_id else ""

        def work(connection: Any) -> list[Complaint]:
            found = self._store.listed(
                connection, state=state, user=user, is_overdue=is_overdue, before=before, limit=limit
            )
            return self._whole(connection, found)

        return self._records.read(work)

    def acknowledge(self, caller: Caller, complaint_id: str) -> Complaint:
        """The customer was told that it is dealt with."""
        return self._step(caller, complaint_id, partial(states.acknowledged, by=caller.person))

    def take(self, caller: Caller, complaint_id: str) -> Complaint:
        """Who asks looks after it."""
        return self._step(caller, complaint_id, partial(states.taken, by=caller.person))

    def extend(self, caller: Caller, complaint_id: str, reason: ExtendReason) -> Complaint:
        """More time, once, with a reason."""

        def step(complaint: Complaint, *, at_ms: int) -> Complaint:
            regime = regime_of(complaint.regime)
            return states.extended(complaint, regime, reason, at_ms=at_ms, by=caller.person)

        return self._step(caller, complaint_id, step)

    def decide(
        self, caller: Caller, complaint_id: str, outcome: Outcome, reason: Reason, remedies: Sequence[Remedy]
    ) -> Complaint:
        """A person decides, on appeal for good; raises ``NotFound`` where a remedy names what is not there."""
        user = self.get(complaint_id).user
        for at, each in enumerate(remedies):
            if each.kind == "order_release" and each.reference:
                self._order_makers(each.reference)
            elif each.kind == "claim" and each.reference:
                self._claim_makers(each.reference, user, f"remedies[{at}].reference")

        def step(complaint: Complaint, *, at_ms: int) -> Complaint:
            regime = regime_of(complaint.regime)
            return states.decided(complaint, regime, outcome, reason, remedies, at_ms=at_ms, by=caller.person)

        return self._step(caller, complaint_id, step)

    def appeal(self, caller: Caller, complaint_id: str) -> Complaint:
        """The customer does not agree."""

        def step(complaint: Complaint, *, at_ms: int) -> Complaint:
            return states.appealed(complaint, regime_of(complaint.regime), at_ms=at_ms, by=caller.person)

        return self._step(caller, complaint_id, step)

    def withdraw(self, caller: Caller, complaint_id: str) -> Complaint:
        """The customer takes it back."""
        return self._step(caller, complaint_id, partial(states.withdrawn, by=caller.person))

    def sweep(self) -> int:
        """What the clock does: overdue ones are told, decisions that nobody appealed are final; how many. Run by the server."""
        now_ms = self._clock.now_ms()
        due = self._records.read(lambda each: self._store.due(each, at_ms=now_ms, limit=SWEEP_MAX))
        return sum(self._records.write(partial(self._by_clock, each, now_ms)) for each in due)

    def _by_clock(self, complaint_id: str, now_ms: int, connection: Any) -> bool:
        try:
            complaint = states.passed(self._got(connection, complaint_id, lock=True), at_ms=now_ms)
        except Conflict:
            return False  # somebody acted meanwhile
        self._store.put(connection, complaint)
        self._tell(connection, SYSTEM, complaint, now_ms)
        return True

    def _step(self, caller: Caller, complaint_id: str, step: Callable[..., Complaint]) -> Complaint:
        now_ms = self._clock.now_ms()

        def work(connection: Any) -> Complaint:
            complaint = step(self._got(connection, complaint_id, lock=True), at_ms=now_ms)
            self._store.put(connection, complaint)
            self._tell(connection, caller.key, complaint, now_ms)
            return self._whole(connection, [complaint])[0]

        return self._records.write(work)

    def _tell(self, connection: Any, actor: str, complaint: Complaint, now_ms: int) -> None:
        """What the shop is owed to hear, and the line of the audit log, which is last."""
        last = complaint.history[-1]
        told = {
            "step": last.step,
            "state": complaint.state,
            "about": complaint.about,
            "outcome": complaint.outcome or UNDECIDED,
        }
        topic = Topic.COMPLAINT_OVERDUE if last.step == "overdue" else Topic.COMPLAINT_STEPPED
        self._outbox.owe(connection, at_ms=now_ms, topic=topic, subject=complaint.id, payload=told)
        details = {**told, "reason": last.reason, "remedies": [each.kind for each in complaint.remedies]}
        self._trail.append(
            connection,
            at_ms=now_ms,
            actor=actor,
            deed="complaint:step",
            subject=complaint.id,
            details=details,
        )

    def _makers(self, said: Complained, user: str) -> list[str]:
        """(1) The persons who made what it is about; raises where that is not there."""
        if (said.about in NAMES_SUBJECT) is not bool(said.subject):
            raise InvalidField(
                "a decision, an order and a claim are named, and nothing else is", path="subject",
                expected="an id for " + ", ".join(sorted(NAMES_SUBJECT)) + ", nothing for the others",
                found="an id" if said.subject else "nothing",
            )  # fmt: skip
        if said.about == "staff" and not said.against:
            raise InvalidField(
                "whom it is about is missing", path="against", expected="the name of a person's key", found="nothing"
            )  # fmt: skip
        if said.about == "decision":
            entry = self._log.find([said.subject]).get(said.subject)
            if entry is None or entry.user_token != user:
                raise _nothing("subject", "the id of an event of this customer")
            return []
        if said.about == "order":
            return self._order_makers(said.subject)
        return self._claim_makers(said.subject, user, "subject") if said.about == "claim" else []

    def _order_makers(self, order_id: str) -> list[str]:
        order, _released = self._overseer.get(order_id)
        return [each for each in (order.author, order.approver, order.released_by) if each and each != SYSTEM]

    def _claim_makers(self, claim_id: str, user: str, path: str) -> list[str]:
        claim = self._records.read(lambda connection: self._claims.get(connection, claim_id))
        if claim is None or claim.user != user:
            raise _nothing(path, "the id of a claim of this customer")
        decided = ("approved", "partly_approved", "decline_proposed", "decline_confirmed")
        return [each.by for each in claim.history if each.step in decided]

    def _whole(self, connection: Any, complaints: Sequence[Complaint]) -> list[Complaint]:
        """Complaints with what they say."""
        return with_statements(self._words, connection, complaints)

    def _got(self, connection: Any, complaint_id: str, *, lock: bool = False) -> Complaint:
        complaint = self._store.get(connection, complaint_id, lock=lock)
        if complaint is None:
            raise NotFound(
                "no such complaint", path="id", expected="the id of a complaint", found="another id"
            )
        return complaint


def with_statements(words: Words, connection: Any, complaints: Sequence[Complaint]) -> list[Complaint]:
    """Complaints with what they say; nothing where it was erased."""
    told = words.of(connection, KIND, [each.id for each in complaints])
    return [
        msgspec.structs.replace(each, statement=told[each.id]) if each.id in told else each
        for each in complaints
    ]


def _nothing(path: str, expected: str) -> NotFound:
    return NotFound("there is nothing of this id", path=path, expected=expected, found="another id")
