"""Everything of Shared Signals that lies sealed in SQL, row by row: to be sealed anew when another key is in use.

Promise: works inside the caller's transaction, a batch at a time from where the last one ended; a row is sealed for the same place
as before, and twice does no harm. What our own keys sign, and until when which of them are published, does not change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import select, tuple_, update

from shopward.ssf.tables import ssf_key, ssf_receiver, ssf_subject, ssf_transmitter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Column, Connection

    from shopward.keyring import Entropy, RenewableSealer

BATCH: Final = 500
"""Rows that are looked at in one transaction: a few milliseconds."""


class _Kind(NamedTuple):
    """A sealed column, the columns that lead its rows, and the word before these in the place that it is sealed for."""

    sealed: Column[bytes]
    keys: tuple[Column[str], ...]
    word: tuple[str, ...]


_KINDS: Final = (
    _Kind(ssf_transmitter.c.secrets, (ssf_transmitter.c.id,), ()),
    _Kind(ssf_receiver.c.secret, (ssf_receiver.c.partner,), ("header",)),
    _Kind(ssf_subject.c.subject, (ssf_subject.c.partner, ssf_subject.c.user_token), ("subject",)),
    _Kind(ssf_key.c.sealed, (ssf_key.c.kid,), ("key",)),
)


class Cursor(NamedTuple):
    """Where a batch ended: behind which row of which kind."""

    kind: int = 0
    key: tuple[str, ...] = ()


START: Final = Cursor()


class SealedRows:
    """Those of one tenant.

    Args:
        tenant: leads every key.
        sealer: opens by any key, and seals by the one in use.
        entropy: makes nonces.
    """

    def __init__(self, tenant: str, sealer: RenewableSealer, entropy: Entropy) -> None:
        self._tenant, self._sealer, self._entropy = tenant, sealer, entropy

    def reseal(self, connection: Connection, cursor: Cursor) -> tuple[int, Cursor | None]:
        """Seal the next rows by the key in use, where an older one is needed; how many were, and where to go on, if anywhere."""
        self._sealer.reload()
        kind = _KINDS[cursor.kind]
        rows, moved = self._rows(connection, kind, cursor.key, limit=BATCH), 0
        for key, sealed in rows:
            context = (self._tenant, *kind.word, *key)
            if not sealed or self._sealer.is_by_the_newest(sealed, context=context):
                continue
            plain = self._sealer.unseal(sealed, context=context)
            anew = self._sealer.seal(plain, context=context, entropy=self._entropy)
            mine = tuple_(*kind.keys) == key
            connection.execute(
                update(kind.sealed.table)
                .where(kind.sealed.table.c.tenant == self._tenant, mine)
                .values({kind.sealed.name: anew})
            )
            moved += 1
        if len(rows) == BATCH:
            return moved, Cursor(cursor.kind, rows[-1][0])
        return moved, Cursor(cursor.kind + 1) if cursor.kind + 1 < len(_KINDS) else None

    def by_older_keys(self, connection: Connection) -> int:
        """How many rows still need an older key; opens all of them."""
        self._sealer.reload()
        return sum(
            not self._sealer.is_by_the_newest(sealed, context=(self._tenant, *kind.word, *key))
            for kind in _KINDS
            for key, sealed in self._all(connection, kind)
            if sealed
        )

    def _all(self, connection: Connection, kind: _Kind) -> Iterator[tuple[tuple[str, ...], bytes]]:
        after: tuple[str, ...] = ()
        while rows := self._rows(connection, kind, after, limit=BATCH, lock=False):
            yield from rows
            after = rows[-1][0]

    def _rows(
        self, connection: Connection, kind: _Kind, after: tuple[str, ...], *, limit: int, lock: bool = True
    ) -> list[tuple[tuple[str, ...], bytes]]:
        asked = (
            select(*kind.keys, kind.sealed)
            .where(kind.sealed.table.c.tenant == self._tenant)
            .order_by(*kind.keys)
            .limit(limit)
        )
        if after:
            asked = asked.where(tuple_(*kind.keys) > after)
        found: list[Any] = list(connection.execute(asked.with_for_update() if lock else asked))
        return [(tuple(row[:-1]), bytes(row[-1])) for row in found]
