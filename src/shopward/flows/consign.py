"""Consigning: records of the vault go to a partner, a page at a time, as they are when the page is asked for.

Promise:
- nothing is copied when a share is made: it names records, and a page is made of them in the transaction that gives it. What
  was erased, is past its time or is locked meanwhile is not on it; what was corrected is on it corrected;
- who was given what, in which version and which fields in clear, is written down in the vault's own log of accesses in that
  transaction, where the customer sees it and a trace finds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from shopward.errors import InvalidField, NotFound
from shopward.flows.guard import locked
from shopward.flows.parcel import can_give, clear, parcel
from shopward.vault.rows import Access

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.flows.strongroom import Strongroom
    from shopward.partners import Partner, Share
    from shopward.vault.rows import Stored

PARTNER: Final = "partner:"
"""Stands before a partner's id in the log of accesses, and in a trace."""


class Consigner:
    """Works inside transactions of the caller's.

    Args:
        room: the vault.
    """

    def __init__(self, room: Strongroom) -> None:
        self._room = room

    def check(self, connection: Any, fields: Sequence[str], records: Sequence[str]) -> None:
        """Raise ``NotFound``, ``InvalidField`` or ``Refused`` where these cannot be shared now."""
        if not all(map(can_give, fields)):
            raise InvalidField(
                "the vault has no such field", path="fields",
                expected="fields of its records, address, or either with _masked behind it", found="another",
            )  # fmt: skip
        rows = self._room.sealed.rows(connection, records)
        if len(rows) != len(set(records)) or len(rows) != len(records):
            raise NotFound(
                "no such record", path="records", expected="ids of records, each once",
                found=f"{len(records) - len(rows)} others",
            )  # fmt: skip
        lock = self._room.accesses.locked(connection, _targets(rows))
        if lock is not None:
            raise locked(lock)

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
    ) -> list[dict[str, str]]:
        """The rows of a page, by the fields of the share; and who was given them is written down."""
        known = clear(share.fields)
        given, accesses = [], []
        for opened in self._room.sealed.open(connection, rows):
            row = opened.row
            given.append({"id": row.id, **parcel(row.kind, opened.values, row.region, share.fields)})
            accesses.append(Access(
                self._room.ids.new("va", now_ms), now_ms, PARTNER + partner.id, share.purpose[:32], "", "", row.subject,
                row.id, row.version, ",".join(name for name in opened.values if name in known), "pulled",
            ))  # fmt: skip
        self._room.accesses.note(connection, accesses)
        return given


def _targets(rows: Sequence[Stored]) -> list[tuple[str, str]]:
    return [("record", row.id) for row in rows] + [("subject", row.subject) for row in rows]
