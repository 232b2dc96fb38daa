"""Working with partners: registered, suspended, audited, and given shares that end with them.

Promise:
- a step, its line in the audit log and what the shop is owed to hear are one transaction; who took it is told by the key;
- a share of rows is marked for the partner, sealed to its key and kept sealed; one of the vault's records names them and
  copies nothing (``flows.consign``); the token that opens it is answered once;
- what is suspended here gets no page any more (``flows.pulling``).
"""

from __future__ import annotations

import base64
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shopward.errors import Conflict, InvalidField, NotFound, Refused
from shopward.flows.pulling import marked
from shopward.outbox import Topic
from shopward.partners import (
    AuditPlan,
    Partner,
    Share,
    check_partner,
    check_rows,
    check_share,
    refusal_of,
    reminder,
    seal_page,
)
from shopward.partners.aliases import alias_fields
from shopward.partners.partner import end_ms
from shopward.partners.shares import DAY_MS, PAGE_ROWS, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shopward.access import Caller
    from shopward.flows.arrows import Outbox, Trail
    from shopward.flows.consign import Consigner
    from shopward.leaks import MarkRing
    from shopward.partners.alias_store import AliasStore
    from shopward.partners.store import PartnerStore
    from shopward.ports import Records
    from shopward.values import Clock, IdSource

TOKEN_BYTES: Final = 32
SYSTEM: Final = "system"
_LOOK_AT: Final = 200


class PartnerDesk:
    """May be called from any thread.

    Args:
        records: transactions.
        store: rows.
        aliases: end with their share.
        marks: the bits of partners' copies.
        consigner: knows the vault's records.
        trail: the audit log.
        outbox: what the shop is owed to hear.
        clock: the server's.
        ids: makes ids.
        entropy: makes tokens.
    """

    def __init__(
        self, *, records: Records, store: PartnerStore, aliases: AliasStore, marks: MarkRing, consigner: Consigner, trail: Trail,
        outbox: Outbox, clock: Clock, ids: IdSource, entropy: Callable[[int], bytes],
    ) -> None:  # fmt: skip
        self._records, self._store, self._marks, self._consigner = records, store, marks, consigner
        self._aliases = aliases
        self._trail, self._outbox, self._clock, self._ids, self._entropy = trail, outbox, clock, ids, entropy

    def register(self, caller: Caller, partner: Partner) -> Partner:
        """A new partner, active; raises ``Conflict`` where the id is taken by another."""
        check_partner(partner)
        now_ms = self._clock.now_ms()

        def work(connection: Any) -> Partner:
            if self._store.get(connection, partner.id, lock=True) is not None:
                raise Conflict("there is a partner of this id", path="id", expected="a free id", found="a taken one")  # fmt: skip
            self._store.add(connection, partner)
            self._audited(connection, caller.key, "partner:change", partner.id, now_ms, step="register")
            return partner

        return self._records.write(work)

    def suspend(self, caller: Caller, partner_id: str, reason: str) -> Partner:
        """Nothing leaves to this partner from now on."""
        return self._step(
            caller, partner_id, "suspend", lambda each: _moved(each, "active", "suspended", reason)
        )

    def resume(self, caller: Caller, partner_id: str, reason: str) -> Partner:
        """Lift a suspension."""
        return self._step(
            caller, partner_id, "resume", lambda each: _moved(each, "suspended", "active", reason)
        )

    def end(self, caller: Caller, partner_id: str, reason: str) -> Partner:
        """Over for good."""
        return self._step(caller, partner_id, "end", lambda each: _moved(each, "", "ended", reason))

    def audited(self, caller: Caller, partner_id: str, on: str, *, passed: bool) -> Partner:
        """An audit was held; one that was not passed suspends the partner in the same transaction."""

        def change(partner: Partner) -> Partner:
            plan = AuditPlan(partner.audit.every_days, on)
            held = msgspec.structs.replace(partner, audit=plan, reminded=0)
            check_partner(held)
            if passed or held.state != "active":
                return held
            return msgspec.structs.replace(held, state="suspended", why="an audit was not passed")

        return self._step(caller, partner_id, "audit", change)

    def get(self, partner_id: str) -> Partner:
        """One; raises ``NotFound``."""
        return self._records.read(lambda connection: self._got(connection, partner_id))

    def listed(self, *, after: str, limit: int) -> list[Partner]:
        """By id."""
        return self._records.read(lambda connection: self._store.listed(connection, after=after, limit=limit))

    def shares(self, partner_id: str, *, before: str, limit: int) -> list[Share]:
        """A partner's, newest first; raises ``NotFound`` for no partner."""

        def work(connection: Any) -> list[Share]:
            self._got(connection, partner_id)
            return self._store.shares(connection, partner_id, before=before, limit=limit)

        return self._records.read(work)

    def share(
        self, caller: Caller, partner_id: str, *, purpose: str, fields: Sequence[str], days: int,
        rows: Sequence[Mapping[str, str]] = (), records: Sequence[str] = (),
    ) -> tuple[Share, str]:  # fmt: skip
        """Share some rows, or records of the vault; the share and the token that opens it."""
        now_ms = self._clock.now_ms()
        token = "sh_" + base64.urlsafe_b64encode(self._entropy(TOKEN_BYTES)).decode().rstrip("=")
        if bool(rows) == bool(records):
            raise InvalidField("rows or records are shared", path="rows", expected="one of rows and records", found="both or neither")  # fmt: skip

        def work(connection: Any) -> Share | Refused:
            partner = self._got(connection, partner_id, lock=True)
            named = self._consigner.named(connection, partner, records) if records else ()
            count = len(rows) or len(named)
            check_share(partner, purpose, fields, rows=count, days=days)
            share = Share(
                id=self._ids.new("sh", now_ms), partner=partner.id, purpose=purpose, fields=tuple(fields), rows=count,
                pages=-(-count // PAGE_ROWS), digest=digest_of(token), made_by=caller.key, made_ms=now_ms,
                expires_ms=min(now_ms + days * DAY_MS, end_ms(partner.agreement)),
                source="vault" if records else "rows",
            )  # fmt: skip
            if (refusal := refusal_of(partner, share, page=0, now_ms=now_ms)) is not None:
                raise Refused(refusal.message, code=refusal.code)
            if records:
                met = self._consigner.check(connection, caller, fields, named)
                if traps := self._consigner.traps(connection, partner, met):
                    self._consigner.caught(connection, caller.person, share.id, traps, now_ms)
                    return self._consigner.lock(connection, caller, now_ms)
                self._store.add_share(connection, share, records=named)
            else:
                if alias_fields(fields):
                    raise InvalidField("aliases stand for fields of the vault's records", path="fields", expected="no alias beside rows", found="an alias")  # fmt: skip
                check_rows(fields, rows)
                self._store.add_share(connection, share, pages=self._pages(partner, share, rows))
            self._audited(connection, caller.key, "share:change", share.id, now_ms, step="create", partner=partner.id, rows=count, source=share.source)  # fmt: skip
            return share

        made = self._records.write(work)
        if isinstance(made, Refused):  # raised here so that the lock is kept
            raise made
        return made, token

    def _pages(self, partner: Partner, share: Share, rows: Sequence[Mapping[str, str]]) -> list[bytes]:
        """Rows that the caller gave, marked and sealed at once."""
        copies = [marked(self._marks, partner.id, row) for row in rows]
        return [
            seal_page(partner, share.id, number, copies[number * PAGE_ROWS : (number + 1) * PAGE_ROWS])
            for number in range(share.pages)
        ]

    def close(self, caller: Caller, partner_id: str, share_id: str) -> Share:
        """End a share early; its pages are deleted."""
        now_ms = self._clock.now_ms()

        def work(connection: Any) -> Share:
            share = self._share_of(connection, partner_id, share_id)
            self._store.close_share(connection, share)
            self._aliases.end(connection, share.id, now_ms=now_ms)
            self._audited(connection, caller.key, "share:change", share.id, now_ms, step="close", partner=partner_id)  # fmt: skip
            return msgspec.structs.replace(share, state="closed")

        return self._records.write(work)

    def remind(self) -> int:
        """Tell the shop of audits that come due, and forget the pages of shares that are over; how many were told."""
        now_ms, told, after = self._clock.now_ms(), 0, ""
        self._records.write(lambda connection: self._store.forget_over(connection, now_ms=now_ms))
        self._records.write(lambda connection: self._aliases.forget(connection, now_ms=now_ms))
        while partners := self.listed(after=after, limit=_LOOK_AT):
            after = partners[-1].id
            for partner in partners:
                if partner.state != "ended" and reminder(
                    partner.audit, reminded=partner.reminded, now_ms=now_ms
                ):
                    told += self._records.write(partial(self._remind, partner_id=partner.id, now_ms=now_ms))
        return told

    def _remind(self, connection: Any, *, partner_id: str, now_ms: int) -> int:
        partner = self._got(connection, partner_id, lock=True)
        owed = reminder(partner.audit, reminded=partner.reminded, now_ms=now_ms)
        if owed is None:  # another process told it meanwhile
            return 0
        self._store.put(connection, msgspec.structs.replace(partner, reminded=owed.number))
        self._outbox.owe(connection, at_ms=now_ms, topic=Topic.PARTNER_AUDIT_DUE, subject=partner.id, payload={"days_left": owed.days_left, "number": owed.number})  # fmt: skip
        return 1

    def _step(
        self, caller: Caller, partner_id: str, step: str, change: Callable[[Partner], Partner]
    ) -> Partner:
        now_ms = self._clock.now_ms()

        def work(connection: Any) -> Partner:
            before = self._got(connection, partner_id, lock=True)
            after = change(before)
            self._store.put(connection, after)
            self._audited(
                connection, caller.key, "partner:change", after.id, now_ms, step=step, state=after.state
            )
            if after.state != before.state:
                self._outbox.owe(connection, at_ms=now_ms, topic=Topic.PARTNER_CHANGED, subject=after.id, payload={"state": after.state})  # fmt: skip
            return after

        return self._records.write(work)

    def _got(self, connection: Any, partner_id: str, *, lock: bool = False) -> Partner:
        partner = self._store.get(connection, partner_id, lock=lock)
        if partner is None:
            raise NotFound("no such partner", path="id", expected="a partner's id")
        return partner

    def _share_of(self, connection: Any, partner_id: str, share_id: str) -> Share:
        share = self._store.share(connection, partner_id, share_id)
        if share is None:
            raise NotFound("no such share", path="share", expected="a share's id")
        return share

    def _audited(self, connection: Any, actor: str, deed: str, subject: str, now_ms: int, **details: str | int) -> None:  # fmt: skip
        self._trail.append(connection, at_ms=now_ms, actor=actor, deed=deed, subject=subject, details=details)


def _moved(partner: Partner, wanted: str, state: Any, reason: str) -> Partner:
    if partner.state == "ended" or (wanted and partner.state != wanted):
        raise Conflict("the partner is not in that state", path="state", expected=wanted or "active or suspended", found=partner.state)  # fmt: skip
    return msgspec.structs.replace(partner, state=state, why=reason)
