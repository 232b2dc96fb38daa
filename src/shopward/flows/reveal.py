"""Revealing: personal values are shown for a purpose, to a person, once the decision engine lets it happen.

The story of a reveal; it fails closed at every step:
  (1) the purpose is named and explained by a case or an order, and gives the fields that are asked for
  (2) nothing that is asked for, and not the person, is locked; the records open, and are not too old for the purpose; where
      it rests on consent, every customer has given it and not withdrawn it; where it is for trained persons, this one is
  (3) where it is about many, or the purpose says so, a second person has agreed to this very reveal
  (4) a canary locks the reader there and then; so does one in an export, or found by a value that is nobody's else
  (5) the decision engine hears of it, an event for each customer, and its decision is obeyed
      where it asks for a proof, this person's own factor gives it (``flows.looked``), and the same ask comes back with it, once
  (6) the locks and the consents are looked at again, the person's quota of the day is taken, a proof is spent, who sees what is
      written down and audited
  (7) the values leave, after that is on the disk

Between (4) and (6) the caller has the events decided: that is I/O of its own. A try that ends at (2), (4), (5) or (6) is
audited as a refusal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from shopward.errors import Conflict, InvalidField, NotFound, Refused
from shopward.flows.guard import CANARY, locked, request_state
from shopward.flows.looked import LookProofs
from shopward.flows.looks import SEARCHED, Hits, Pending, Proved, RevealAsk, digest_of, used_up
from shopward.outbox import Topic
from shopward.stepup.refusals import StepUpRefused
from shopward.values import DAY_MS, MINUTE_MS, to_rfc3339
from shopward.vault.kinds import wanted
from shopward.vault.purposes import (
    QUOTA_DAYS,
    RECORDS_MAX,
    check_allowed,
    check_explained,
    needs_two,
    purpose_of,
    quota,
)
from shopward.vault.rows import Access, Lock, RevealRequest
from shopward.vault.search import check_asked, index_name, matches, terms

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from shopward.access import Caller
    from shopward.flows.guard import GuardDesk
    from shopward.flows.processing import Lawful
    from shopward.flows.staff import StaffDesk
    from shopward.flows.strongroom import Strongroom
    from shopward.flows.training import Trained
    from shopward.flows.unexplained import ReadingWatch
    from shopward.vault.rows import Opened, Stored

REQUEST_MS: Final = 60 * MINUTE_MS
"""A second person has so long to agree, and the first so long to use it."""
SUBJECT_ACCESS: Final = "subject_access"
SEARCH: Final = "search"
OWN_FIELDS: Final = frozenset({"phone", "email", "order_id", "waybill", "wechat", "number", "case_id"})
"""Who looks for such a value has it from somewhere; a name, or four digits, an honest search may share with a canary."""
_CANDIDATES_MAX: Final = 1_000


class RevealDesk:
    """May be called from any thread.

    Args:
        room: the vault.
        guard: locks, and who agreed to what.
        lawful: whether the customers have agreed, where the purpose rests on that.
        trained: whether this person is trained, where the purpose is for who is.
        staff: proofs of persons of staff.
        readings: hears who read messages of conversations.
    """

    def __init__(
        self,
        room: Strongroom,
        guard: GuardDesk,
        lawful: Lawful,
        trained: Trained,
        staff: StaffDesk,
        readings: ReadingWatch,
    ) -> None:
        self._room = room
        self._guard = guard
        self._lawful = lawful
        self._trained = trained
        self._proofs = LookProofs(staff)
        self._readings = readings

    def prepare(
        self,
        caller: Caller,
        ask: RevealAsk,
        request_id: str = "",
        *,
        challenge_id: str = "",
        bound: str = "",
    ) -> Pending | RevealRequest:
        """(1) to (4); a request, where a second person has to agree first.

        Args:
            caller: who asks.
            ask: for what.
            request_id: what a second person agreed to.
            challenge_id: the proof that is handed in.
            bound: tells what a proof is of, where it is not of these very records.

        Raises:
            BadInput: the purpose does not exist or is not explained, or a field does not exist.
            NotFound: a record or the request is not there.
            Refused: a lock, a field or an age that the purpose does not give, another person's request, or a challenge that
                this person has not passed for this very ask.
        """
        purpose = purpose_of(ask.purpose)  # (1)
        check_explained(purpose, ask.case_id, ask.order_id)
        if not 1 <= len(set(ask.records)) == len(ask.records) <= RECORDS_MAX or not ask.fields:
            most = f"1 to {RECORDS_MAX} records, a field"
            raise InvalidField("nothing, too much or twice the same", path="records", expected=most)
        now_ms = self._room.clock.now_ms()
        opened, rows, lock = self._room.records.read(lambda connection: self._met(connection, caller, ask))
        for row in rows:
            wanted(row.kind, ask.fields)
        self._raise(caller, ask, rows, None if lock is None else locked(lock), now_ms)  # (2)
        check_allowed(purpose, rows, ask.fields, now_ms)
        refusal = self._room.records.read(
            lambda connection: (
                self._trained.refusal(connection, ask.purpose, caller.person, now_ms)
                or self._unlawful(connection, ask, rows)
            )
        )
        self._raise(caller, ask, rows, refusal, now_ms)
        proved = Pending(ask, (), "revealed", challenge_id=challenge_id, bound=bound).proved
        self._check_proof(caller, proved, ask, rows, now_ms)
        request = None
        if needs_two(purpose, len(rows)):  # (3)
            request = self._agreed(caller, ask, request_id, now_ms)
            if request.state == "waiting":
                return request
        events, refusal = self._watched(caller, ask, opened, "pii_view", now_ms)  # (4)
        return Pending(ask, events, "revealed", refusal, request, challenge_id, bound=bound)

    def prepare_export(
        self, caller: Caller, user_id: str, case_id: str, *, challenge_id: str = ""
    ) -> Pending:
        """The same for everything of one customer, which they asked for: a subject access export.

        Raises:
            InvalidField: no case is named.
            NotFound: there is nothing of this customer.
            Refused: something is locked, or the challenge is not one that this person passed for this very export.
        """
        if not case_id:
            raise InvalidField(
                "an export needs to be explained", path="case_id", expected="case_id", found="nothing"
            )
        now_ms, subject = self._room.clock.now_ms(), self._room.subject(user_id)
        found = self._room.records.read(lambda connection: self._room.sealed.of_subject(connection, subject))
        if not found:
            raise NotFound("nothing is kept of this customer", path="id", expected="a customer with records")
        ask = RevealAsk(tuple(row.id for row in found), (), SUBJECT_ACCESS, case_id)
        opened, rows, lock = self._room.records.read(lambda connection: self._met(connection, caller, ask))
        self._raise(caller, ask, rows, None if lock is None else locked(lock), now_ms)
        untrained = self._room.records.read(
            lambda connection: self._trained.refusal(connection, SUBJECT_ACCESS, caller.person, now_ms)
        )
        self._raise(caller, ask, rows, untrained, now_ms)
        proved = Pending(ask, (), "exported", challenge_id=challenge_id).proved
        self._check_proof(caller, proved, ask, rows, now_ms)
        events, refusal = self._watched(caller, ask, opened, "pii_export", now_ms)  # (4)
        return Pending(ask, events, "exported", refusal, None, challenge_id)

    def finish(
        self,
        caller: Caller,
        pending: Pending,
        decisions: Sequence[str],
        *,
        excluded: Collection[str] | None = None,
    ) -> list[Opened]:
        """(6) and (7), with the decisions on the events in their order.

        Args:
            caller: who asked.
            pending: what (4) gave.
            decisions: on its events.
            excluded: factors that prove nothing here, as the decisions say; ``None`` where nobody could come back with a proof.

        Raises:
            RevealChallenged: the engine asks for a proof, which this person can give.
            Refused: the engine does not let it happen, something was locked meanwhile, or the quota is used up.
        """
        ask, now_ms = pending.ask, self._room.clock.now_ms()
        refusal = pending.refusal
        is_met = self._proofs.is_met(pending.proved, decisions) and len(decisions) == len(pending.events)
        if refusal is None and not is_met:
            refusal = self._proofs.refusal(
                caller,
                pending.proved,
                pending.events,
                decisions,
                excluded,
                purpose=ask.purpose,
                case=ask.case_id,
                order=ask.order_id,
            )  # fmt: skip -- (5)
            self._refused(caller, ask, self._rows(ask), "refused", now_ms)
        if refusal is not None:
            raise refusal

        try:
            return self._room.records.write(
                lambda each: self._taken(each, caller, pending, excluded or (), now_ms)
            )  # (7)
        except (
            Refused,
            Conflict,
        ):  # nothing of (6) is kept: no quota, proof or word of a second person is used up
            self._refused(caller, ask, self._rows(ask), "refused", now_ms)
            raise

    def search(
        self,
        caller: Caller,
        *,
        kind: str,
        field: str,
        transform: str,
        value: str,
        limit: int,
        challenge_id: str = "",
    ) -> Hits:
        """Records of a value, to be shown masked once ``check`` has let the events pass; no quota is taken.

        Raises:
            InvalidField: there is no such index, or the value is too short for it.
            Refused: the person is locked, or the challenge is not one that this person passed for this very search.
        """
        check_asked(kind, field, transform, value)
        proved = Proved(SEARCHED, digest_of((kind, field, transform, value, limit)), challenge_id)
        self._proofs.check(caller, proved)
        now_ms, name = self._room.clock.now_ms(), index_name(kind, field, transform)

        def work(connection: Any) -> list[Opened]:
            lock = self._room.accesses.locked(connection, [("person", caller.person)])
            if lock is not None:
                raise locked(lock)
            if transform == "ngram" and name not in self._room.sealed.ngrams(connection):
                raise InvalidField(
                    "this index is not switched on", path="transform", expected="exact or last4"
                )
            wanted_terms = terms(field, transform, value)
            ids = self._room.sealed.find(connection, name, wanted_terms, _CANDIDATES_MAX)
            rows = self._room.sealed.rows(connection, ids)
            opened = self._room.sealed.open(connection, rows)
            fits = [
                each
                for each in opened
                if matches(field, transform, each.values.get(field, ""), value, each.row.region)
            ]
            return fits[:limit]

        found = self._room.records.read(work)
        details = {"index": name, "found": len(found)}
        self._room.records.write(
            lambda connection: self._room.line(
                connection, caller.key, "personal:search", caller.person, details, now_ms
            )
        )
        ask = RevealAsk(tuple(each.row.id for each in found), (), SEARCH)
        if transform == "exact" and field in OWN_FIELDS and found and all(each.row.canary for each in found):
            events, refusal = self._watched(caller, ask, found, SEARCHED, now_ms)  # (4)
            return Hits((), events, proved, refusal)
        events = self._events(caller, ask, found[:1], SEARCHED, now_ms, records=len(found))
        return Hits(found, events, proved)

    def check(
        self,
        caller: Caller,
        hits: Hits,
        decisions: Sequence[str],
        *,
        excluded: Collection[str] | None = None,
    ) -> None:
        """Raise ``Refused`` unless the decisions on a search let it happen, and spend the proof that was handed in. Fails closed."""
        if hits.refusal is not None:
            raise hits.refusal
        if not self._proofs.is_met(hits.proved, decisions):
            raise self._proofs.refusal(caller, hits.proved, hits.events, decisions, excluded, purpose=SEARCH)
        if not (hits.events and hits.proved.challenge_id):
            return

        def spend(connection: Any) -> None:
            told = self._proofs.spend(connection, caller, hits.proved, excluded or ())
            now_ms, details = self._room.clock.now_ms(), {"found": len(hits.found), "proved": told}
            self._room.line(connection, caller.key, "personal:search", caller.person, details, now_ms)

        self._room.records.write(spend)

    # The steps.

    def _met(
        self, connection: Any, caller: Caller, ask: RevealAsk
    ) -> tuple[list[Opened], list[Stored], Lock | None]:
        """The records, opened as far as to know whose they are, and a lock on any of it."""
        by_id = {row.id: row for row in self._room.sealed.rows(connection, ask.records)}
        if len(by_id) != len(ask.records):
            found = f"{len(ask.records) - len(by_id)} other ids"
            raise NotFound("no such record", path="records", expected="ids of records", found=found)
        rows = [by_id[record_id] for record_id in ask.records]
        targets = [("person", caller.person)]
        targets += [("record", row.id) for row in rows] + [("subject", row.subject) for row in rows]
        lock = self._room.accesses.locked(connection, targets)
        return ([] if lock else self._room.sealed.open(connection, rows, ())), rows, lock

    def _taken(
        self, connection: Any, caller: Caller, pending: Pending, excluded: Collection[str], now_ms: int
    ) -> list[Opened]:
        """(6) in its transaction: the values, written down as seen; raises ``Refused``: roll back."""
        ask = pending.ask
        rows = self._room.sealed.rows(connection, ask.records)
        self._room.fenced(connection, [row.subject for row in rows])
        _opened, rows, lock = self._met(connection, caller, ask)
        if lock is not None:
            raise locked(lock)
        unlawful = self._unlawful(connection, ask, rows)
        if unlawful is not None:
            raise unlawful
        request = pending.request
        if request is not None and not self._room.accesses.move(connection, request, "used"):
            raise request_state()
        if pending.outcome == "revealed" and pending.is_metered:
            most = quota(self._room.sealed.orders_since(connection, now_ms - QUOTA_DAYS * DAY_MS))
            day = now_ms // DAY_MS
            if not self._room.accesses.take(connection, caller.person, day=day, records=len(rows), most=most):
                raise used_up(most, now_ms)
        proved = self._proofs.spend(connection, caller, pending.proved, excluded)
        opened = self._room.sealed.open(connection, rows, ask.fields or None)
        self._note(connection, caller, ask, opened, pending, proved, now_ms)
        return opened

    def _unlawful(self, connection: Any, ask: RevealAsk, rows: Sequence[Stored]) -> Refused | None:
        return self._lawful.refusal(connection, ask.purpose, [row.subject for row in rows])

    def _check_proof(
        self, caller: Caller, proved: Proved, ask: RevealAsk, rows: Sequence[Stored], now_ms: int
    ) -> None:
        """Refuse a proof that could not be spent on this, before anybody decides or agrees. Fails closed."""
        try:
            self._proofs.check(caller, proved)
        except StepUpRefused:
            self._refused(caller, ask, rows, "refused", now_ms)
            raise

    def _rows(self, ask: RevealAsk) -> list[Stored]:
        return self._room.records.read(lambda connection: self._room.sealed.rows(connection, ask.records))

    def _agreed(self, caller: Caller, ask: RevealAsk, request_id: str, now_ms: int) -> RevealRequest:
        """(3) The approved request that this reveal uses up, or a new one that waits."""
        if request_id:
            request = self._room.records.read(lambda connection: self._guard.request(connection, request_id))
            if request.person != caller.person or request.digest != ask.digest():
                raise Refused(
                    "the second person agreed to another reveal", code="second_person_needed", path="request_id",
                    expected="the very reveal that was agreed to, by who asked for it",
                )  # fmt: skip
            if request.state != "approved" or request.ends_ms <= now_ms:
                raise request_state()
            return request
        body = msgspec.json.encode(ask).decode()
        request = RevealRequest(
            self._room.ids.new("vr", now_ms), caller.person, caller.key, ask.digest(), body, "waiting", now_ms,
            now_ms + REQUEST_MS,
        )  # fmt: skip

        def work(connection: Any) -> None:
            self._room.accesses.ask(connection, request)
            payload = {"purpose": ask.purpose, "records": len(ask.records)}
            self._room.outbox.owe(
                connection,
                at_ms=now_ms,
                topic=Topic.VAULT_REVEAL_REQUESTED,
                subject=request.id,
                payload=payload,
            )
            self._room.line(connection, caller.key, "personal:request", request.id, payload, now_ms)

        self._room.records.write(work)
        return request

    def _watched(
        self, caller: Caller, ask: RevealAsk, opened: Sequence[Opened], kind: str, now_ms: int
    ) -> tuple[tuple[dict[str, Any], ...], Refused | None]:
        """(4) The events of an access, and the refusal where a canary is among its records."""
        canaries = [each.row for each in opened if each.row.canary]
        if not canaries:
            return self._events(caller, ask, opened, kind, now_ms), None
        self._caught(caller, ask, canaries, now_ms)
        touched = msgspec.structs.replace(ask, purpose=CANARY)
        events = self._events(caller, touched, opened, kind, now_ms, is_refused=True)
        return events, locked(Lock("person", caller.person, CANARY, "", now_ms))

    def _caught(self, caller: Caller, ask: RevealAsk, canaries: Sequence[Stored], now_ms: int) -> None:
        """(4) Nobody has a reason to read this: the reader is locked, and the shop hears of it."""
        lock = Lock("person", caller.person, CANARY, "shopward", now_ms)

        def work(connection: Any) -> None:
            self._room.accesses.note(connection, self._accesses(caller, ask, canaries, "canary", now_ms))
            self._room.outbox.owe(
                connection, at_ms=now_ms, topic=Topic.VAULT_CANARY_READ, subject=canaries[0].id,
                payload={"person": caller.person, "purpose": ask.purpose},
            )  # fmt: skip
            if self._room.accesses.lock(connection, lock):
                self._guard.tell_lock(connection, caller.key, lock, now_ms)

        self._room.records.write(work)

    def _note(
        self,
        connection: Any,
        caller: Caller,
        ask: RevealAsk,
        opened: Sequence[Opened],
        pending: Pending,
        proved: dict[str, str],
        now_ms: int,
    ) -> None:
        """(6) Who saw what: a row for each record, and the line of the audit log, which is last."""
        accesses = self._accesses(caller, ask, [each.row for each in opened], pending.outcome, now_ms, opened)
        self._room.accesses.note(connection, accesses)
        messages = {each.row.id for each in opened if each.row.kind == "conversation"}
        if messages and pending.outcome == "revealed":
            events = {self._room.subject(each["user"]["id"]): str(each["id"]) for each in pending.events}
            self._readings.read(connection, [each for each in accesses if each.record in messages], events)
        deed = "personal:reveal" if pending.outcome == "revealed" else "personal:export"
        details: dict[str, Any] = {
            "purpose": ask.purpose, "records": len(opened), "fields": list(ask.fields), "case": ask.case_id,
            "order": ask.order_id, "customers": sorted({each.row.subject for each in opened}),
        }  # fmt: skip
        if pending.request is not None:
            details["agreed_by"] = pending.request.approved_by
        if proved:
            details["proved"] = proved
        self._room.line(connection, caller.key, deed, accesses[0].id, details, now_ms)

    def _raise(
        self, caller: Caller, ask: RevealAsk, rows: Sequence[Stored], refusal: Refused | None, now_ms: int
    ) -> None:
        """A refusal, once it is written down."""
        if refusal is not None:
            self._refused(caller, ask, rows, "refused", now_ms)
            raise refusal

    def _refused(
        self, caller: Caller, ask: RevealAsk, rows: Sequence[Stored], outcome: str, now_ms: int
    ) -> None:
        def work(connection: Any) -> None:
            self._room.accesses.note(connection, self._accesses(caller, ask, rows, outcome, now_ms))
            details = {"purpose": ask.purpose, "records": len(rows)}
            self._room.line(connection, caller.key, "personal:refuse", caller.person, details, now_ms)

        self._room.records.write(work)

    def _accesses(
        self, caller: Caller, ask: RevealAsk, rows: Sequence[Stored], outcome: str, now_ms: int,
        opened: Sequence[Opened] = (),
    ) -> list[Access]:  # fmt: skip
        seen = {each.row.id: ",".join(each.values) for each in opened}
        asked = ",".join(ask.fields)
        return [
            Access(
                self._room.ids.new("va", now_ms), now_ms, caller.person, ask.purpose, ask.case_id, ask.order_id,
                row.subject, row.id, row.version, seen.get(row.id, asked), outcome,
            )
            for row in rows
        ]  # fmt: skip

    def _events(
        self, caller: Caller, ask: RevealAsk, opened: Sequence[Opened], kind: str, now_ms: int, *, records: int = 0,
        is_refused: bool = False,
    ) -> tuple[dict[str, Any], ...]:  # fmt: skip
        """(5) What the engine hears: an event for each customer; values of nobody."""
        counts: dict[str, int] = {}
        for each in opened:
            counts[each.user] = counts.get(each.user, 0) + 1
        return tuple(
            {
                "id": self._room.ids.new("pii", now_ms), "type": kind,
                "status": "failed" if is_refused else "succeeded", "time": to_rfc3339(now_ms), "user": {"id": user},
                "actor": {"type": "staff" if caller.is_person else "service", "id": caller.person},
                "access": {
                    "purpose": ask.purpose, "case_id": ask.case_id, "order_id": ask.order_id,
                    "records": records or count,
                },
            }
            for user, count in counts.items()
        )  # fmt: skip
