"""Consigning: records of the vault go to a partner, a page at a time, as they are when the page is asked for.

Promise:
- nothing is copied when a share is made: it names records, and a page is made of them in the transaction that gives it. What
  was erased, is past its time or is locked meanwhile is not on it; what was corrected is on it corrected;
- a share carries some of the canaries that were planted for its partner, at places that nobody can tell; any other canary
  in a share is a trap: who puts it there is locked, and a partner who pulls it is suspended;
- who was given what, in which version and which fields in clear, is written down in the vault's own log of accesses in that
  transaction, where the customer sees it and a trace finds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from shopward.errors import InvalidField, NotFound
from shopward.flows.guard import CANARY, locked
from shopward.flows.parcel import can_give, clear, parcel
from shopward.outbox import Topic
from shopward.partners.aliases import KINDS_OF_ALIAS, SUFFIX
from shopward.vault.rows import Access, Lock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.access import Caller
    from shopward.errors import Refused
    from shopward.flows.alias import AliasDesk
    from shopward.flows.guard import GuardDesk
    from shopward.flows.strongroom import Strongroom
    from shopward.partners import Partner, Share
    from shopward.vault.rows import Stored

PARTNER: Final = "partner:"
"""Stands before a partner's id in the log of accesses, and in a trace."""
RECORDS_OF_A_CANARY: Final = 20
"""A share carries a canary of the partner's for each so many records, and one more."""
ALIASES: Final = frozenset(kind + SUFFIX for kind in KINDS_OF_ALIAS)


class Consigned(NamedTuple):
    """The rows of a page, and how many aliases could not be given."""

    rows: list[dict[str, str]]
    aliases_missing: int


class Consigner:
    """Works inside transactions of the caller's.

    Args:
        room: the vault.
        guard: locks.
        aliases: gives virtual contact data.
        entropy: chooses where in a share a canary stands.
    """

    def __init__(
        self, room: Strongroom, guard: GuardDesk, aliases: AliasDesk, entropy: Callable[[int], bytes]
    ) -> None:
        self._room, self._guard, self._aliases, self._entropy = room, guard, aliases, entropy

    def named(self, connection: Any, partner: Partner, records: Sequence[str]) -> list[str]:
        """The records of a share with some of the partner's own canaries among them, where it has any."""
        own = self._room.canaries.of(
            connection, PARTNER + partner.id, 1 + len(records) // RECORDS_OF_A_CANARY
        )
        there = {row.id for row in self._room.sealed.rows(connection, own)} - set(records)
        mixed = list(records)
        for record in sorted(there):
            mixed.insert(int.from_bytes(self._entropy(8), "big") % (len(mixed) + 1), record)
        return mixed

    def traps(self, connection: Any, partner: Partner, rows: Sequence[Stored]) -> list[Stored]:
        """The canaries among some records that were not planted for this partner."""
        canaries = [row for row in rows if row.canary]
        for_whom = self._room.canaries.recipients(connection, [row.id for row in canaries])
        return [row for row in canaries if for_whom.get(row.id) != PARTNER + partner.id]

    def caught(self, connection: Any, person: str, share: str, traps: Sequence[Stored], now_ms: int) -> None:
        """Somebody asked for a trap: it is written down, and the shop is owed to hear of it."""
        self._room.accesses.note(connection, [
            Access(
                self._room.ids.new("va", now_ms), now_ms, person, CANARY, "", "", row.subject, row.id, row.version, "",
                CANARY,
            )
            for row in traps
        ])  # fmt: skip
        self._room.outbox.owe(
            connection, at_ms=now_ms, topic=Topic.VAULT_CANARY_READ, subject=traps[0].id,
            payload={"person": person, "purpose": "share", "share": share},
        )  # fmt: skip

    def lock(self, connection: Any, caller: Caller, now_ms: int) -> Refused:
        """Lock who put a trap into a share; what they hear."""
        lock = Lock("person", caller.person, CANARY, "shopward", now_ms)
        if self._room.accesses.lock(connection, lock):
            self._guard.tell_lock(connection, caller.key, lock, now_ms)
        return locked(lock)

    def user_of(self, connection: Any, row: Stored) -> str:
        """The shop's id of the customer of a record."""
        return self._room.sealed.open(connection, [row], ())[0].user

    def check(
        self, connection: Any, caller: Caller, fields: Sequence[str], records: Sequence[str]
    ) -> list[Stored]:
        """The records of a share; raise ``NotFound``, ``InvalidField`` or ``Refused`` where these cannot be shared now."""
        if not all(field in ALIASES or can_give(field) for field in fields):
            raise InvalidField(
                "the vault has no such field", path="fields",
                expected="fields of its records, address, either with _masked behind it, phone_alias or email_alias",
                found="another",
            )  # fmt: skip
        rows = self._room.sealed.rows(connection, records)
        if len(rows) != len(records):
            raise NotFound(
                "no such record", path="records", expected="ids of records, each once",
                found=f"{len(records) - len(rows)} others",
            )  # fmt: skip
        lock = self._room.accesses.locked(connection, [("person", caller.person), *_targets(rows)])
        if lock is not None:
            raise locked(lock)
        return rows

    def met(self, connection: Any, records: Sequence[str]) -> list[Stored]:
        """The records of a page that may be given now, in the page's order. Fails closed: a lock takes its records away."""
        locks = {(each.kind, each.target) for each in self._room.accesses.locks(connection)}
        if ("vault", "") in locks:
            return []
        by_id = {row.id: row for row in self._room.sealed.rows(connection, records)}
        rows = [by_id[each] for each in records if each in by_id]
        return [row for row in rows if locks.isdisjoint(_targets([row]))]

    def page(
        self, connection: Any, partner: Partner, share: Share, rows: Sequence[Stored], now_ms: int
    ) -> Consigned:
        """The rows of a page, by the fields of the share; and who was given them is written down."""
        known = clear(share.fields)
        given, accesses = [], []
        all_opened = self._room.sealed.open(connection, rows)
        aliases = self._aliases.given(connection, share, all_opened, now_ms)
        for opened in all_opened:
            row = opened.row
            made = parcel(row.kind, opened.values, row.region, share.fields)
            given.append({"id": row.id, **made, **aliases.fields.get(row.id, {})})
            accesses.append(Access(
                self._room.ids.new("va", now_ms), now_ms, PARTNER + partner.id, share.purpose[:32], "", "", row.subject,
                row.id, row.version, ",".join(name for name in opened.values if name in known), "pulled",
            ))  # fmt: skip
        self._room.accesses.note(connection, accesses)
        return Consigned(given, aliases.missing)


def _targets(rows: Sequence[Stored]) -> list[tuple[str, str]]:
    return [("record", row.id) for row in rows] + [("subject", row.subject) for row in rows]
