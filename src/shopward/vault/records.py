"""Sealed records: kept, read, found and forgotten, on a connection of the caller's.

Promise:
- the values of a record are one envelope under the key of its customer and retention class, bound to record and version: none
  can be taken out, put back or moved apart from the others, and the store shows neither their names nor their lengths. Who
  asks for one value is given that one; the others are in memory while it is opened, and go no further. The wrapped key lies
  in ``vault_subject`` and nowhere else;
- records from before that, each value an envelope of its own, are read as ever and become one with their next version;
- the ledger of a customer's class, sealed with its epoch, names each record and its version: a record that was put back,
  taken away or brought in behind our back is ``record_rolled_back`` when it is read. Where record and ledger are put back
  together the epoch is older than the one in the audit log, which tells it (``docs/vault.md``);
- a write moves records, index rows and ledger in the caller's transaction; two writers of one customer come one after the
  other where the caller holds the fence of that customer.

Not here: who may read (``flows.reveal``), when something is erased (``flows.erase``).
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import and_, delete, func, or_, select, update

from shopward.bulk import put_rows
from shopward.errors import Conflict
from shopward.vault.drawers import Drawers, parts, rolled_back
from shopward.vault.envelope import FORM, broken, padded_record, record_suffix, unpadded, whole_suffix
from shopward.vault.erasures import overwrite_freed
from shopward.vault.kinds import KINDS, checked
from shopward.vault.ngrams import ngrams_on, switch_ngrams
from shopward.vault.past import Past
from shopward.vault.rows import Opened, Shredded, Stored
from shopward.vault.tables import vault_hold, vault_index, vault_record, vault_subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from shopward.keyring import Entropy
    from shopward.vault.drawers import Drawer
    from shopward.vault.keys import Ring, TenantKeys
    from shopward.vault.rows import Write

RECORDS_MAX: Final = 20_000
"""Of one customer and class: the ledger names them all."""
IndexRow = tuple[str, str, int, bytes, str]
"""Tenant, index, version of its key, value, record."""
_WHOLE: Final = bytes((FORM,))
"""Begins a record that is one envelope; a map in MessagePack, which those of fields apart are, begins with another byte."""
_NAMES_INSIDE: Final = 0
"""What the ledger has for a record whose envelope holds the names of its fields: no two forms of one version pass for each other."""
_pack: Final = msgspec.msgpack.Encoder().encode
_unpack: Final = msgspec.msgpack.Decoder(dict[str, str]).decode
_unpack_apart: Final = msgspec.msgpack.Decoder(dict[str, bytes]).decode


class SealedRecords:
    """The records of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
        keys: of the tenant.
        entropy: makes keys of customers.
    """

    def __init__(self, tenant: str, keys: TenantKeys, entropy: Entropy) -> None:
        self._tenant = tenant
        self._keys = keys
        self._drawers = Drawers(tenant, entropy)
        self.past = Past(tenant)

    def put(
        self,
        connection: Connection,
        writes: Sequence[Write],
        now_ms: int,
        *,
        standing: Sequence[Stored] | None = None,
    ) -> list[Stored]:
        """Keep records, each as its next version, in the order given.

        Args:
            connection: in a transaction.
            writes: the records.
            now_ms: the time.
            standing: what there is under their ids, where the caller has read it under the fence; looked up otherwise.

        Raises:
            BadInput: one is no record of its kind.
            Conflict: an id belongs to another customer or kind, or a customer has too many records.
        """
        for write in writes:
            checked(write.kind, write.values)
        ring = self._keys.ring(connection)
        if standing is None:
            standing = self.rows(connection, [write.id for write in writes])
        before = {row.id: row for row in standing}
        drawers = self._drawers.of(
            connection, ring, {(write.subject, KINDS[write.kind].retention): write.user for write in writes}
        )
        ngrams = self.ngrams(connection)
        done: dict[str, Stored] = {}
        indexed: dict[str, list[IndexRow]] = {}
        for write in writes:
            old = done.get(write.id) or before.get(write.id)
            drawer = drawers[write.subject, KINDS[write.kind].retention]
            row = self._sealed(write, old, drawer, now_ms)
            if len(drawer.ledger.records) >= RECORDS_MAX and old is None:
                raise Conflict(
                    "too many records of one customer",
                    code="record_conflict",
                    path="user",
                    expected=f"at most {RECORDS_MAX}",
                    found="one more",
                    hint="what has an expires_at goes by itself when that is past, within the hour; else keep less of one customer, or erase",
                )
            drawer.ledger.records[row.id] = (row.version, _NAMES_INSIDE)
            done[row.id] = row
            indexed[row.id] = self._index_rows(ring, row, write.values, ngrams)
        self._write_rows(connection, done, before)
        now = {
            record: {(name, value) for _tenant, name, _version, value, _record in indexed[record]}
            for record in before
        }
        self.past.keep(connection, {name: row.version for name, row in before.items()}, now)
        self._drop_index(connection, [each for each in done if each in before])
        put_rows(connection, vault_index, [each for rows in indexed.values() for each in rows])
        self._drawers.write(connection, drawers, now_ms)
        return [done[write.id] for write in writes]

    def rows(self, connection: Connection, ids: Sequence[str]) -> list[Stored]:
        """The records of these ids that there are, as they lie."""
        found: list[Stored] = []
        for part in parts(ids):
            query = self._select().where(vault_record.c.id.in_(part))
            found += map(Stored._make, connection.execute(query).all())
        return found

    def of_subject(
        self,
        connection: Connection,
        subject: str,
        *,
        kind: str | None = None,
        after: str = "",
        limit: int = RECORDS_MAX,
    ) -> list[Stored]:
        """A customer's records in the order of their ids."""
        query = self._select().where(vault_record.c.subject == subject, vault_record.c.id > after)
        if kind is not None:
            query = query.where(vault_record.c.kind == kind)
        return [Stored(*row) for row in connection.execute(query.order_by(vault_record.c.id).limit(limit))]

    def open(
        self, connection: Connection, rows: Sequence[Stored], fields: Iterable[str] | None = None
    ) -> list[Opened]:
        """Records with their values, or those of ``fields`` alone.

        Raises:
            SealBroken: a value, a key or a ledger was changed or moved.
            StoreError: a record is another version than the ledger names, or its key is retired or erased.
        """
        ring = self._keys.ring(connection)
        drawers = self._drawers.of(connection, ring, {(row.subject, row.retention): None for row in rows})
        names = None if fields is None else frozenset(fields)
        opened = []
        for row in rows:
            drawer = drawers[row.subject, row.retention]
            opened.append(Opened(row, drawer.ledger.user, self._checked_values(row, drawer, names)))
        return opened

    def find(self, connection: Connection, name: str, terms: Sequence[str], limit: int) -> list[str]:
        """The ids of records that have all these terms under an index, by any key version that is in use."""
        ring = self._keys.ring(connection)
        found: set[str] | None = None
        table = vault_index.c
        for term in terms:
            wanted = [
                and_(table.version == version, table.value == key.value(name, term))
                for version, key in ring.indexes.items()
            ]
            query = select(table.record).where(table.tenant == self._tenant, table.name == name, or_(*wanted))
            ids = (
                set(connection.scalars(query.limit(limit * len(wanted))))
                if len(terms) == 1
                else set(connection.scalars(query))
            )
            found = ids if found is None else found & ids
        return sorted(found or ())[:limit]

    def drop(self, connection: Connection, rows: Sequence[Stored]) -> None:
        """Forget single records; the ledger forgets them too."""
        if not rows:
            return
        ring = self._keys.ring(connection)
        drawers = self._drawers.of(connection, ring, {(row.subject, row.retention): None for row in rows})
        for row in rows:
            drawers[row.subject, row.retention].ledger.records.pop(row.id, None)
        ids = [row.id for row in rows]
        self._drop_index(connection, ids)
        self.past.forget(connection, ids)
        for part in parts(ids):
            mine = (vault_record.c.tenant == self._tenant) & vault_record.c.id.in_(part)
            connection.execute(delete(vault_record).where(mine))
        self._drawers.write(connection, drawers)

    def shred(self, connection: Connection, subject: str, retention: Sequence[str]) -> Shredded:
        """Destroy the keys of a customer's classes and what they sealed."""
        overwrite_freed(connection)
        table, keys = vault_record.c, vault_subject.c
        mine = (table.tenant == self._tenant) & (table.subject == subject) & table.retention.in_(retention)
        ids = list(connection.scalars(select(table.id).where(mine)))
        indexes = self._drop_index(connection, ids)
        past = self.past.forget(connection, ids)
        connection.execute(delete(vault_record).where(mine))
        whose = (keys.tenant == self._tenant) & (keys.subject == subject) & keys.retention.in_(retention)
        own = sum(1 for wrapped in connection.scalars(select(keys.wrapped).where(whose)) if wrapped)
        connection.execute(delete(vault_subject).where(whose))
        return Shredded(own, len(ids), indexes, past)

    def reseal(self, connection: Connection, names: Sequence[tuple[str, str]]) -> int:
        """Seal customers' classes anew under the shop's newest key; how many records. Versions stay as they are.

        Raises:
            StoreError: a record is not the one that its ledger names: it must not get a good envelope. Fails closed.
        """
        ring, moved = self._keys.ring(connection), 0
        new = ring.data_of(ring.data_version)
        before = self._drawers.of(connection, ring, dict.fromkeys(names))
        for (subject, retention), drawer in before.items():
            query = self._select().where(
                vault_record.c.subject == subject, vault_record.c.retention == retention
            )
            for row in [Stored(*each) for each in connection.execute(query)]:
                place = drawer.place + whole_suffix(row.kind, row.id, row.version)
                sealed = new.seal(padded_record(_pack(self._checked_values(row, drawer, None))), place)
                drawer.ledger.records[row.id] = (row.version, _NAMES_INSIDE)
                connection.execute(
                    update(vault_record)
                    .where(vault_record.c.tenant == self._tenant, vault_record.c.id == row.id)
                    .values(sealed=sealed)
                )
                moved += 1
        after = {name: each._replace(cipher=new, kek=ring.data_version) for name, each in before.items()}
        self._drawers.write(connection, after)
        return moved

    def expired(self, connection: Connection, now_ms: int, limit: int) -> list[Stored]:
        """Records whose time is over and that no legal hold keeps: however many are held, they stand before no others."""
        table, hold = vault_record.c, vault_hold.c
        held = select(hold.subject).where(
            hold.tenant == self._tenant, hold.subject == table.subject, hold.retention == table.retention
        )
        query = self._select().where(table.expires_ms > 0, table.expires_ms <= now_ms, ~held.exists())
        return [Stored(*row) for row in connection.execute(query.order_by(table.expires_ms).limit(limit))]

    def orders_since(self, connection: Connection, since_ms: int) -> int:
        """How many orders came since then; nobody placed canaries."""
        table = vault_record.c
        mine = (table.tenant == self._tenant) & (table.kind == "order") & (table.created_ms > since_ms)
        mine &= ~table.canary
        return int(connection.scalar(select(func.count()).select_from(vault_record).where(mine)) or 0)

    def ngrams(self, connection: Connection) -> frozenset[str]:
        """The n-gram indexes that somebody switched on."""
        return ngrams_on(connection, self._tenant)

    def switch_ngrams(self, connection: Connection, name: str, *, on: bool, person: str, now_ms: int) -> bool:
        """Switch an index of n-grams on or off; false where it stands so already."""
        return switch_ngrams(connection, self._tenant, name, on=on, person=person, now_ms=now_ms)

    def reindex(self, connection: Connection, rows: Sequence[Stored]) -> None:
        """Write the index rows of these records anew, under the newest index key."""
        ring, ngrams = self._keys.ring(connection), self.ngrams(connection)
        made = [
            each
            for opened in self.open(connection, rows)
            for each in self._index_rows(ring, opened.row, opened.values, ngrams)
        ]
        self._drop_index(connection, [row.id for row in rows])
        put_rows(connection, vault_index, made)

    def after(self, connection: Connection, record_id: str, limit: int) -> list[Stored]:
        """Records in the order of their ids, for who walks through them all."""
        query = self._select().where(vault_record.c.id > record_id)
        return [Stored(*row) for row in connection.execute(query.order_by(vault_record.c.id).limit(limit))]

    # One record.

    def _sealed(self, write: Write, old: Stored | None, drawer: Drawer, now_ms: int) -> Stored:
        if old is not None and (old.subject, old.kind) != (write.subject, write.kind):
            raise Conflict(
                "this record is another customer's or of another kind", code="record_conflict", path="id",
                expected="the customer and kind that it was made with, or another id",
            )  # fmt: skip
        version = 1 if old is None else old.version + 1
        place = drawer.place + whole_suffix(write.kind, write.id, version)
        sealed = drawer.cipher.seal(padded_record(_pack(write.values)), place)
        return Stored(
            write.id, write.subject, write.kind, KINDS[write.kind].retention, write.region, version, sealed,
            write.canary, now_ms if old is None else old.created_ms, now_ms, write.expires_ms,
        )  # fmt: skip

    def _checked_values(self, row: Stored, drawer: Drawer, names: frozenset[str] | None) -> Mapping[str, str]:
        """The values of a record that is the one which its customer's ledger names. Fails closed."""
        apart = None if row.sealed.startswith(_WHOLE) else fields_apart(row)
        check = _NAMES_INSIDE if apart is None else names_check(apart)
        if drawer.ledger.records.get(row.id) != (row.version, check):
            raise rolled_back()
        if names is not None and not names:
            return {}
        return self._values(row, apart, drawer, names)

    @staticmethod
    def _values(
        row: Stored, apart: Mapping[str, bytes] | None, drawer: Drawer, names: frozenset[str] | None
    ) -> Mapping[str, str]:
        if apart is not None:
            prefix = drawer.place + record_suffix(row.kind, row.id)
            wanted = apart if names is None else {name: each for name, each in apart.items() if name in names}
            return drawer.cipher.open_fields(wanted, prefix, row.version)
        plain = drawer.cipher.open(row.sealed, drawer.place + whole_suffix(row.kind, row.id, row.version))
        values = _unpack(unpadded(plain))
        return values if names is None else {name: each for name, each in values.items() if name in names}

    # Rows.

    def _write_rows(
        self, connection: Connection, done: Mapping[str, Stored], before: Mapping[str, Stored]
    ) -> None:
        put_rows(
            connection,
            vault_record,
            [(self._tenant, *row) for name, row in done.items() if name not in before],
        )
        for name in before:
            connection.execute(
                update(vault_record)
                .where(vault_record.c.tenant == self._tenant, vault_record.c.id == name)
                .values(**done[name]._asdict())
            )

    def _index_rows(
        self, ring: Ring, row: Stored, values: Mapping[str, str], ngrams: frozenset[str]
    ) -> list[IndexRow]:
        """Rows of ``vault_index``."""
        version, record = ring.index_version, row.id
        found = ring.indexes[version].rows(row.kind, values, row.region, ngrams)
        return [(self._tenant, name, version, value, record) for name, value in found]

    def _drop_index(self, connection: Connection, ids: Sequence[str]) -> int:
        gone = 0
        for part in parts(ids):
            mine = (vault_index.c.tenant == self._tenant) & vault_index.c.record.in_(part)
            gone += connection.execute(delete(vault_index).where(mine)).rowcount
        return gone

    def _select(self) -> Any:
        return select(*(vault_record.c[name] for name in Stored._fields)).where(
            vault_record.c.tenant == self._tenant
        )


def names_check(names: Iterable[str]) -> int:
    """Tells the fields of a record from any others, and never is ``_NAMES_INSIDE``: no names at all would be, and names are quickly made up that are."""
    return zlib.crc32(",".join(sorted(names)).encode()) or 1


def fields_apart(row: Stored) -> dict[str, bytes]:
    """The envelopes of a record whose fields are sealed apart; raises ``SealBroken`` where it is no record."""
    try:
        return _unpack_apart(row.sealed)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    raise broken("a record")
