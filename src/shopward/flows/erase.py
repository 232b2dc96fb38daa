"""Erasing, holding, retaining: what a customer may ask for, what the law keeps, and what a backup must not bring back.

The story of an erasure:
  (1) what a legal hold keeps stays, and is erased when the hold ends; the rest is meant
  (2) the journal has the erasure on the disk
  (3) in one transaction the keys of the customer are destroyed, the rows that they sealed removed, the events as they were
      sent that hang from the key of a day (``flows.keeping``) emptied in the log, what people wrote about them removed, addresses taken off the mailings, and
      certificate, audit line and message written
  (4) the certificate says what is gone, what stays and why, and when the last backup of the keys lapses: until then somebody
      with that backup and the root key could read what a backup holds; where one key seals for the whole shop there is none to
      destroy, the rows alone go, and the certificate says that

A store that is opened has the erasures of the journal that it does not know done again before it serves anybody.

What stays: facts and state hold keyed tokens, models hold none, snapshots hold tokens and counts, the outbox ids and numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import msgspec
from msgspec import Struct

from shopward.errors import Conflict, InvalidField, Misconfigured, NotFound
from shopward.outbox import Topic
from shopward.values import DAY_MS, to_rfc3339
from shopward.vault.journal import Erased
from shopward.vault.kinds import CLASSES, EVENTS, SUPPORT
from shopward.vault.rows import BEFORE, Hold, hold_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.access import Caller
    from shopward.flows.strongroom import Strongroom
    from shopward.flows.words import Words

HOLD: Final = "hold"
ERASURE: Final = "erasure"
"""What the words of both are called."""
ERASABLE: Final = (*CLASSES, EVENTS)
DAY_KEY_MS: Final = 2 * DAY_MS
"""So long after an event at most its day's key is there, and comes into backups: the day itself, and time to settle it."""
_EXPIRED_AT_ONCE: Final = 200


class StoreErased(Struct, frozen=True):
    """One place that an erasure empties, or one of the decisions' stores that it leaves as they are.

    Attributes:
        rows: how many were destroyed, removed or made unreadable.
        holds: ``personal`` values, sealed or keyed; ``tokens``, beside counts and numbers, which name nobody and stay; or ``nothing`` of
            a person, as a model of trees.
    """

    store: str
    rows: int
    holds: Literal["personal", "tokens", "nothing"] = "personal"


class Certificate(Struct, frozen=True):
    """What an erasure did.

    Attributes:
        customer: the keyed token; the certificate names nobody.
        classes: what is gone; ``held`` what a legal hold keeps for now.
        keys, records, events: how many were destroyed, removed, made unreadable.
        addresses: how many mailings do not have the customer's addresses any more; they go with the class ``profile``.
        backups_lapse_at: when the last backup that can hold the keys, or the rows, is gone, if the shop keeps to its setting.
        by: ``keys`` where the customer's keys were destroyed: a backup of the records alone is noise; ``rows`` where the shop has
            one key for everybody: the rows are gone, and until then every backup of the store opens under that key.
        stores: each place by itself, also where nothing of the customer was; empty in a dry run and in certificates of before.
    """

    id: str
    customer: str
    classes: tuple[str, ...]
    held: tuple[str, ...]
    keys: int
    records: int
    events: int
    at: str
    backups_lapse_at: str
    reason: str
    is_dry_run: bool = False
    by: str = "keys"
    addresses: int = 0
    stores: tuple[StoreErased, ...] = ()


class Gone(NamedTuple):
    """How much an erasure took.

    Attributes:
        indexes: rows by which the records were found, ``past`` those by which corrected values were.
        texts: what people wrote about the customer.
        log_keys: the customer's keys of settled days of the log.
        receivers: partners that heard of the customer.
    """

    keys: int
    records: int
    events: int
    addresses: int
    indexes: int = 0
    past: int = 0
    texts: int = 0
    log_keys: int = 0
    receivers: int = 0

    def told(self) -> dict[str, int]:
        """What the shop and the audit log hear of it."""
        return {
            "keys": self.keys,
            "records": self.records,
            "events": self.events,
            "addresses": self.addresses,
        }

    def stores(self) -> tuple[StoreErased, ...]:
        """By store, all of them."""
        return (
            StoreErased("vault_records", self.records),
            StoreErased("vault_indexes", self.indexes),
            StoreErased("vault_past", self.past),
            StoreErased("vault_texts", self.texts),
            StoreErased("vault_keys", self.keys),
            StoreErased("log_events", self.events),
            StoreErased("log_keys", self.log_keys),
            StoreErased("mailings", self.addresses),
            StoreErased("signals", self.receivers),
            StoreErased("log_facts", 0, "tokens"),
            StoreErased("snapshots", 0, "tokens"),
            StoreErased("outbox", 0, "tokens"),
            StoreErased("models", 0, "nothing"),
        )


class EraseDesk:
    """May be called from any thread.

    Args:
        room: the vault.
        words: has nothing left in clear that an erasure would not reach.
        forget_addresses: takes a customer, by token, off the mailings; of how many.
        backup_days: how long a backup of the keys is kept.
    """

    def __init__(
        self, room: Strongroom, words: Words, forget_addresses: Callable[[Any, str], int], *, backup_days: int
    ) -> None:
        self._room = room
        self._words = words
        self._forget_addresses = forget_addresses
        self._backup_days = backup_days

    def at_start(self) -> int:
        """Do again what the journal has and the store does not know, as after a restored backup; how many.

        Raises:
            Misconfigured: the journal is shorter than what the store knows, or was changed. Fails closed.
        """
        lines, now_ms = self._room.journal.read(), self._room.clock.now_ms()
        known = self._room.records.read(self._room.erasures.last_seq)
        if known > max((line.seq for line in lines), default=0):
            raise Misconfigured(
                "the journal of erasures is missing or cut", path="vault.erasures",
                expected=f"erasures up to number {known}", found="fewer",
                hint="restore the file: without it a restored backup of the store would bring back who was erased",
            )  # fmt: skip
        missing = [line for line in lines if line.seq > known]
        for line in missing:
            self._room.records.write(lambda connection, line=line: self._again(connection, line, now_ms))  # type: ignore[misc]
        if missing:
            self._words.settle()
        return len(missing)

    def erase(
        self, caller: Caller, user_id: str, *, classes: Sequence[str], reason: str, dry_run: bool
    ) -> Certificate:
        """Erase a customer's classes, all of them where none is named; raises ``InvalidField`` and ``NotFound``."""
        wanted = _checked(classes)
        subject, now_ms = self._room.subject(user_id), self._room.clock.now_ms()

        def work(connection: Any) -> Certificate:
            self._room.fence.one_user(connection, "vault:erasures")
            self._room.fenced(connection, [subject])
            held = tuple(
                each.retention
                for each in self._room.erasures.holds(connection, subject)
                if each.retention in wanted
            )
            free = tuple(each for each in wanted if each not in held)
            if dry_run:
                return self._foreseen(connection, subject, free, held, reason, now_ms)
            self._room.erasures.erase_after(connection, subject, held)  # (1)
            return self._erased(connection, caller.key, subject, free, held, reason, now_ms)

        if dry_run:
            return self._room.records.read(work)
        self._words.settle()
        return self._room.records.write(work)

    def certificates(self, user_id: str) -> list[Certificate]:
        """What was erased of a customer, oldest first."""
        subject = self._room.subject(user_id)

        def work(connection: Any) -> list[Certificate]:
            rows = self._room.erasures.certificates(connection, subject)
            found = [msgspec.json.decode(each, type=Certificate) for each in rows]
            told = self._words.of(connection, ERASURE, [each.id for each in found])
            return [msgspec.structs.replace(each, reason=told.get(each.id, each.reason)) for each in found]

        return self._room.records.read(work)

    def hold(self, caller: Caller, user_id: str, *, classes: Sequence[str], reason: str) -> list[Hold]:
        """Keep a customer's classes whatever is asked, for a reason of law; what is held now."""
        wanted, subject, now_ms = _checked(classes), self._room.subject(user_id), self._room.clock.now_ms()

        def work(connection: Any) -> list[Hold]:
            self._room.fenced(connection, [subject])
            for each in wanted:
                if self._room.erasures.hold(connection, Hold(subject, each, "", caller.person, now_ms)):
                    self._words.keep(connection, HOLD, hold_name(subject, each), reason, subject="")
            self._room.line(
                connection, caller.key, "personal:hold", subject, {"classes": list(wanted)}, now_ms
            )
            return self._held(connection, subject)

        return self._room.records.write(work)

    def release(self, caller: Caller, user_id: str, *, classes: Sequence[str]) -> Certificate | None:
        """End holds by another person than who placed them; the erasure that waited for it, if one did.

        Raises:
            NotFound: nothing of it is held.
            Conflict: the caller placed one of them.
        """
        wanted, subject, now_ms = _checked(classes), self._room.subject(user_id), self._room.clock.now_ms()

        def work(connection: Any) -> Certificate | None:
            self._room.fence.one_user(connection, "vault:erasures")
            self._room.fenced(connection, [subject])
            ended = self._room.erasures.release(connection, subject, wanted)
            if not ended:
                raise NotFound("nothing of it is held", path="classes", expected="classes that are held")
            if any(each.person == caller.person for each in ended):
                raise Conflict(
                    "a hold is ended by another person",
                    code="second_person_needed",
                    expected="another person",
                )
            names = [each.retention for each in ended]
            self._words.drop(connection, HOLD, [hold_name(subject, each) for each in names])
            self._room.line(connection, caller.key, "personal:release", subject, {"classes": names}, now_ms)
            due = tuple(each.retention for each in ended if each.erase_after)
            if not due:
                return None
            return self._erased(connection, caller.key, subject, due, (), "the legal hold ended", now_ms)

        self._words.settle()
        return self._room.records.write(work)

    def forget_expired(self) -> int:
        """Remove records whose time is over, and quotas of days that are; how many records."""
        now_ms, gone = self._room.clock.now_ms(), 0

        def work(connection: Any) -> int:
            rows = self._room.sealed.expired(connection, now_ms, _EXPIRED_AT_ONCE)
            self._room.fenced(connection, [row.subject for row in rows])
            # Whoever held a customer before us may have given a record more time, or erased it.
            again = self._room.sealed.rows(connection, [row.id for row in rows])
            rows = [row for row in again if 0 < row.expires_ms <= now_ms]
            held = {
                (each.subject, each.retention)
                for subject in {row.subject for row in rows}
                for each in self._room.erasures.holds(connection, subject)
            }
            free = [row for row in rows if (row.subject, row.retention) not in held]
            if free:
                self._room.sealed.drop(connection, free)
                self._room.line(
                    connection, "shopward", "record:expire", "vault", {"records": len(free)}, now_ms
                )
            return len(free)

        while done := self._room.records.write(work):
            gone += done
        yesterday = now_ms // DAY_MS - 1  # another server's clock may be behind
        self._room.records.write(
            lambda connection: self._room.accesses.forget_days(connection, before_day=yesterday)
        )
        return gone

    # The steps.

    def _erased(
        self, connection: Any, actor: str, subject: str, free: tuple[str, ...], held: tuple[str, ...], reason: str,
        now_ms: int,
    ) -> Certificate:  # fmt: skip
        """(2) and (3)."""
        known = max((line.seq for line in self._room.journal.read()), default=0)
        seq = 1 + max(known, self._room.erasures.last_seq(connection))
        erased = Erased(seq, subject, free, now_ms)
        self._room.journal.append(erased)  # (2)
        gone = self._shredded(connection, erased, free)
        certificate = self._certificate(erased, held, gone, reason, self._by(connection))
        self._noted(connection, erased, certificate, now_ms)
        counts = gone.told()
        self._room.outbox.owe(
            connection, at_ms=now_ms, topic=Topic.VAULT_ERASED, subject=certificate.id, payload={"classes": list(free), **counts}
        )  # fmt: skip
        details = {"classes": list(free), "held": list(held), **counts}
        self._room.line(connection, actor, "personal:erase", subject, details, now_ms)
        return certificate

    def _again(self, connection: Any, line: Erased, now_ms: int) -> None:
        standing = self._room.erasures.classes(connection, line.subject, until_ms=line.until_ms)
        known = [each for each in line.retention if each in standing or each == EVENTS]
        gone = self._shredded(connection, line, known)
        certificate = self._certificate(
            line, (), gone, "done again on a restored store", self._by(connection)
        )
        self._noted(connection, line, certificate, now_ms)
        counts = gone.told()
        self._room.line(
            connection, "shopward", "personal:erase", line.subject, {"again": True, **counts}, now_ms
        )

    def _noted(self, connection: Any, erased: Erased, certificate: Certificate, now_ms: int) -> None:
        """The certificate in its row, and why apart from it: that is somebody's words."""
        body = msgspec.json.encode(msgspec.structs.replace(certificate, reason="")).decode()
        self._room.erasures.note(connection, erased, at_ms=now_ms, certificate=body)
        if certificate.reason:
            self._words.keep(connection, ERASURE, certificate.id, certificate.reason, subject="")

    def _held(self, connection: Any, subject: str) -> list[Hold]:
        """What is held of a customer, with the words of those who placed it."""
        held = self._room.erasures.holds(connection, subject)
        told = self._words.of(connection, HOLD, [hold_name(subject, each.retention) for each in held])
        return [
            each._replace(reason=told.get(hold_name(subject, each.retention), each.reason)) for each in held
        ]

    def _shredded(self, connection: Any, erased: Erased, keyed: Sequence[str]) -> Gone:
        """(3), with the keys of these classes."""
        shredded = self._room.sealed.shred(connection, erased.subject, keyed)
        texts = self._room.texts.shred(connection, erased.subject) if SUPPORT in keyed else 0
        is_meant = EVENTS in erased.retention
        events, log_keys, receivers = self._forgotten(connection, erased) if is_meant else (0, 0, 0)
        is_known = "profile" in erased.retention
        addresses = self._forget_addresses(connection, erased.subject) if is_known else 0
        return Gone(
            shredded.keys, shredded.records, events, addresses, shredded.indexes, shredded.past, texts,
            log_keys, receivers,
        )  # fmt: skip

    def _forgotten(self, connection: Any, erased: Erased) -> tuple[int, int, int]:
        """Events whose keys are destroyed, and those under the key of a day that lives, which are emptied; no partner hears of them any more.

        How many events, keys, and partners that did.
        """
        receivers = self._room.told.unname_everywhere(connection, erased.subject)
        periods = self._room.periods
        living_from = min((period.number for period in periods.living(connection)), default=BEFORE)
        keys = periods.shred(connection, erased.subject)
        destroyed = {each for each in keys if each < living_from}
        events = self._room.column.erase(
            connection, erased.subject, erased.until_ms, living_from=living_from, destroyed=destroyed
        )
        return events, len(keys), receivers

    def _foreseen(
        self,
        connection: Any,
        subject: str,
        free: tuple[str, ...],
        held: tuple[str, ...],
        reason: str,
        now_ms: int,
    ) -> Certificate:
        rows = self._room.sealed.of_subject(connection, subject)
        mine = [row for row in rows if row.retention in free]
        erased = Erased(0, subject, free, now_ms)
        by = self._by(connection)
        standing = self._room.erasures.classes(connection, subject, until_ms=now_ms)
        keys = len(set(standing) & set(free)) if by == "keys" else 0
        made = self._certificate(erased, held, Gone(keys, len(mine), 0, 0), reason, by)
        return msgspec.structs.replace(made, is_dry_run=True, stores=())

    def _by(self, connection: Any) -> str:
        return "keys" if self._room.keys.ring(connection).width == "customer" else "rows"

    def _certificate(
        self, erased: Erased, held: tuple[str, ...], gone: Gone, reason: str, by: str
    ) -> Certificate:
        lapse_ms = erased.until_ms + self._backup_days * DAY_MS
        if gone.events and by == "keys":
            lapse_ms += DAY_KEY_MS
        return Certificate(
            f"ve-{erased.seq}", erased.subject, erased.retention, held, gone.keys, gone.records, gone.events,
            to_rfc3339(erased.until_ms), to_rfc3339(lapse_ms), reason, by=by, addresses=gone.addresses, stores=gone.stores(),
        )  # fmt: skip


def _checked(classes: Sequence[str]) -> tuple[str, ...]:
    unknown = [each for each in classes if each not in ERASABLE]
    if unknown:
        raise InvalidField(
            "no such class", path="classes", expected=" or ".join(ERASABLE), found=f"{len(unknown)} others"
        )
    return tuple(each for each in ERASABLE if each in classes) if classes else ERASABLE
