"""Texts: what people write about a customer beside the records (complaints, notes of cases, reports), each sealed alone.

Promise:
- a text lies under the key of the customer whom it is about, in the class ``support``, and goes with that key, in old backups
  too; what is about nobody who was named, or about several, lies under a key of the shop's own, whose subject is empty;
- it opens for its customer, kind and id, or not at all (``SealBroken``);
- it follows rotations: the key of a customer is wrapped anew with all others, and where one key seals for the whole shop texts are
  sealed anew in steps.

Not here: who reads it, and what lay in clear before (``flows.words``). No ledger names texts: one that somebody takes out of the
store reads like one that was erased.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, update

from shopward.bulk import put_rows
from shopward.vault.drawers import Drawers, parts
from shopward.vault.envelope import customer_prefix, padded, unpadded, whole_suffix
from shopward.vault.kinds import SUPPORT
from shopward.vault.tables import vault_subject, vault_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection

    from shopward.keyring import Entropy
    from shopward.vault.envelope import Cipher
    from shopward.vault.keys import Ring, TenantKeys
    from shopward.vault.rows import Text


class SealedTexts:
    """The texts of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
        keys: of the tenant.
        entropy: makes keys of customers.
    """

    def __init__(self, tenant: str, keys: TenantKeys, entropy: Entropy) -> None:
        self._tenant = tenant
        self._keys = keys
        self._drawers = Drawers(tenant, entropy)

    def has_key(self, connection: Connection, subject: str) -> bool:
        """Whether a customer has a key of the class already."""
        table = vault_subject.c
        mine = (table.tenant == self._tenant) & (table.subject == subject) & (table.retention == SUPPORT)
        return bool(connection.scalar(select(func.count()).where(mine)))

    def put(self, connection: Connection, texts: Sequence[Text], now_ms: int) -> None:
        """Keep texts, in the place of those that their names have; the caller holds the fence of each customer, and the shop's while that has no key."""
        ring = self._keys.ring(connection)
        users = {(each.subject, SUPPORT): each.user for each in sorted(texts, key=lambda each: each.user)}
        drawers = self._drawers.of(connection, ring, users)
        new = {name: drawer for name, drawer in drawers.items() if drawer.is_new}
        self._drawers.write(connection, new, now_ms)
        rows = []
        for each in texts:
            cipher = ring.newest if ring.width == "shop" else drawers[each.subject, SUPPORT].cipher
            sealed = cipher.seal(padded(each.text.encode()), self._place(each.subject, each.kind, each.id))
            rows.append((self._tenant, each.kind, each.id, each.subject, cipher.key_id, sealed, now_ms))
        put_rows(connection, vault_text, rows, replacing=("subject", "sealed_by", "sealed"))

    def read(self, connection: Connection, kind: str, ids: Sequence[str]) -> dict[str, str]:
        """Texts by their ids, those that there are; raises ``SealBroken`` where one was changed or moved. Fails closed."""
        table = vault_text.c
        rows: list[Any] = []
        for part in parts(ids):
            query = select(table.id, table.subject, table.sealed_by, table.sealed).where(
                table.tenant == self._tenant, table.kind == kind, table.id.in_(part)
            )
            rows += connection.execute(query).all()
        if not rows:
            return {}
        ring, found = self._keys.ring(connection), {}
        standing = self._drawers.standing(connection, ring, {(row.subject, SUPPORT) for row in rows})
        for text_id, subject, sealed_by, sealed in rows:
            drawer = standing.get((subject, SUPPORT))
            if drawer is not None:  # else its key is gone
                cipher = _cipher(ring, drawer.cipher, sealed_by)
                place = self._place(subject, kind, text_id)
                found[text_id] = unpadded(cipher.open(bytes(sealed), place)).decode()
        return found

    def drop(self, connection: Connection, kind: str, ids: Sequence[str]) -> None:
        """Remove texts that are not wanted any more."""
        for part in parts(ids):
            mine = (vault_text.c.tenant == self._tenant) & (vault_text.c.kind == kind)
            connection.execute(delete(vault_text).where(mine, vault_text.c.id.in_(part)))

    def count(self, connection: Connection, subject: str) -> int:
        """How many there are of a customer."""
        return int(connection.scalar(select(func.count()).where(self._of(subject))) or 0)

    def shred(self, connection: Connection, subject: str) -> int:
        """Remove a customer's, whose key goes too; how many."""
        return connection.execute(delete(vault_text).where(self._of(subject))).rowcount

    def reseal(self, connection: Connection, count: int) -> int:
        """Seal some anew under the shop's newest key, where one seals for all; how many."""
        ring, table = self._keys.ring(connection), vault_text.c
        query = (
            select(table.kind, table.id, table.subject, table.sealed_by, table.sealed)
            .where(table.tenant == self._tenant, table.sealed_by < ring.data_version)
            .limit(count)
            .with_for_update()
        )
        rows = connection.execute(query).all()
        for kind, text_id, subject, sealed_by, sealed in rows:
            place = self._place(subject, kind, text_id)
            anew = ring.newest.seal(ring.data_of(sealed_by).open(bytes(sealed), place), place)
            connection.execute(
                update(vault_text)
                .where(table.tenant == self._tenant, table.kind == kind, table.id == text_id)
                .values(sealed=anew, sealed_by=ring.data_version)
            )
        return len(rows)

    def sealed_by(self, connection: Connection, version: int) -> int:
        """How many lie under a version of the key that seals for the whole shop."""
        mine = (vault_text.c.tenant == self._tenant) & (vault_text.c.sealed_by == version)
        return int(connection.scalar(select(func.count()).where(mine)) or 0)

    def _of(self, subject: str) -> ColumnElement[bool]:
        return (vault_text.c.tenant == self._tenant) & (vault_text.c.subject == subject)

    def _place(self, subject: str, kind: str, text_id: str) -> bytes:
        return customer_prefix(self._tenant, subject) + whole_suffix(kind, text_id, 0)


def _cipher(ring: Ring, own: Cipher, sealed_by: int) -> Cipher:
    """What opens a text: its customer's key, or the version of the shop's that sealed it."""
    return ring.data_of(sealed_by) if ring.width == "shop" else own
