"""Rotation of keys while everything goes on: what is done, what is left, and when an old key can go.

Promise: a step moves a bounded number of rows in the caller's transaction and notes how far it came, so that a process that
dies goes on where it was; nothing is read or written by an old key that a step has moved. A key is safe to retire when no
row of the store names it, which is counted and not remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, func, insert, select, update

from shopward.vault.drawers import key_place
from shopward.vault.rows import WIDTHS, Rotation
from shopward.vault.tables import vault_index, vault_record, vault_rotation, vault_subject

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from shopward.ports import Fence
    from shopward.vault.keys import TenantKeys, Wrapped
    from shopward.vault.periods import Periods
    from shopward.vault.records import SealedRecords
    from shopward.vault.texts import SealedTexts

STEPPED: Final = ("kek", "data", "index")
"""Keys whose rows are moved in steps; of the others no row is kept."""
WRAPS: Final = 2_000
"""Keys of customers that are wrapped anew in one transaction."""
RECORDS: Final = 200
"""Records whose index rows are written anew in one transaction."""


class Rotations:
    """The rotations of one tenant.

    Args:
        tenant: leads every key.
        keys: of the tenant.
        records: whose index rows are written anew.
        texts: which follow the key that seals for the whole shop.
        periods: whose keys a new key wraps too.
        fence: lets two writers of one customer come one after the other.
    """

    def __init__(
        self,
        tenant: str,
        keys: TenantKeys,
        records: SealedRecords,
        texts: SealedTexts,
        periods: Periods,
        fence: Fence,
    ) -> None:
        self._tenant = tenant
        self._fence = fence
        self._keys = keys
        self._records = records
        self._texts = texts
        self._periods = periods

    def begin(self, connection: Connection, new: Wrapped, person: str, now_ms: int) -> Rotation:
        """Keep a new key; writing goes by it from here on, the rest follows in steps."""
        version = self._keys.add(connection, new, now_ms)
        if new.use in WIDTHS.values():
            self._periods.rewrap(connection)
        begun = self._begun(connection, new.use, version, person, now_ms)
        if new.use not in STEPPED:
            begun = begun._replace(state="done", total=0)
            self._note(connection, begun)
        return begun

    def begin_indexing(self, connection: Connection, person: str, now_ms: int) -> Rotation:
        """Have all index rows written anew under the key that stands, after an index was switched on or off."""
        version = self._keys.ring(connection).index_version
        running = self._one(connection, "index", version)
        if running is None:
            return self._begun(connection, "index", version, person, now_ms)
        again = running._replace(state="running", done=0, cursor="", changed_ms=now_ms)
        self._note(connection, again)
        return again

    def all(self, connection: Connection) -> list[Rotation]:
        """Every rotation, the running ones first."""
        columns = [vault_rotation.c[name] for name in Rotation._fields]
        query = select(*columns).where(vault_rotation.c.tenant == self._tenant)
        rows = [Rotation(*row) for row in connection.execute(query)]
        return sorted(rows, key=lambda each: (each.state != "running", -each.started_ms, each.use))

    def step(
        self, connection: Connection, now_ms: int, *, wraps: int = WRAPS, records: int = RECORDS
    ) -> bool:
        """Do some of the rotation that runs; false where none does."""
        running = [each for each in self.all(connection) if each.state == "running"]
        if not running:
            return False
        rotation = running[-1]
        if rotation.use == "kek":
            moved, cursor = self._wrap(connection, wraps), ""
        elif rotation.use == "data":
            moved, cursor = self._reseal(connection, records), ""
        else:
            moved, cursor = self._index(connection, rotation.cursor, records)
        state = "running" if moved else "done"
        self._note(
            connection,
            rotation._replace(state=state, done=rotation.done + moved, cursor=cursor, changed_ms=now_ms),
        )
        return True

    def left(self, connection: Connection, use: str, version: int) -> int:
        """How many rows of the store name a key."""
        if use in {"kek", "data"}:
            beside = self._periods.wrapped_by(connection, version)
            beside += self._texts.sealed_by(connection, version) if use == "data" else 0
            table, mine = vault_subject, vault_subject.c.kek == version
        else:
            return self._found_by(connection, version) if use == "index" else 0
        query = select(func.count()).select_from(table).where(table.c.tenant == self._tenant, mine)
        return beside + int(connection.scalar(query) or 0)

    def _found_by(self, connection: Connection, version: int) -> int:
        """How many index rows a key made: index by index, as they stand; one more order of them would cost every write."""
        table, name, count = vault_index.c, "", 0
        while True:
            behind = (table.tenant == self._tenant) & (table.name > name)
            name = connection.scalar(select(func.min(table.name)).where(behind)) or ""
            if not name:
                return count
            mine = (table.tenant == self._tenant) & (table.name == name) & (table.version == version)
            count += int(connection.scalar(select(func.count()).select_from(vault_index).where(mine)) or 0)

    def _begun(self, connection: Connection, use: str, version: int, person: str, now_ms: int) -> Rotation:
        table = vault_record if use == "index" else vault_subject
        total = connection.scalar(
            select(func.count()).select_from(table).where(table.c.tenant == self._tenant)
        )
        rotation = Rotation(use, version, "running", 0, int(total or 0), "", person, now_ms, now_ms)
        connection.execute(insert(vault_rotation), {"tenant": self._tenant, **rotation._asdict()})
        return rotation

    def _wrap(self, connection: Connection, count: int) -> int:
        """Unwrap by the old key, wrap by the new one; values are not touched."""
        ring, table = self._keys.ring(connection), vault_subject.c
        query = (
            select(table.subject, table.retention, table.key_id, table.kek, table.wrapped)
            .where(table.tenant == self._tenant, table.kek < ring.kek_version)
            .limit(count)
            .with_for_update()
        )
        new, rows = ring.kek_of(ring.kek_version), []
        for subject, retention, key_id, kek, wrapped in connection.execute(query):
            place = key_place(self._tenant, subject, retention, key_id)
            key = ring.kek_of(kek).open(bytes(wrapped), place)
            rows.append({"b_subject": subject, "b_retention": retention, "b_wrapped": new.seal(key, place)})
        if rows:
            moved = (
                update(vault_subject)
                .where(
                    table.tenant == self._tenant,
                    table.subject == bindparam("b_subject"),
                    table.retention == bindparam("b_retention"),
                )
                .values(wrapped=bindparam("b_wrapped"), kek=ring.kek_version)
            )
            connection.execute(moved, rows)
        return len(rows)

    def _reseal(self, connection: Connection, count: int) -> int:
        """Open by the shop's old key, seal by the new one, customer by customer until there were that many records; then as many texts at a time."""
        ring, table, done, moved = self._keys.ring(connection), vault_subject.c, 0, 0
        query = select(table.subject, table.retention).where(
            table.tenant == self._tenant, table.kek < ring.data_version
        )
        for name in [tuple(row) for row in connection.execute(query.limit(count))]:
            if done >= count:
                break
            self._fence.one_user(connection, f"vault:{name[0]}")
            done += self._records.reseal(connection, [name])
            moved += 1
        return moved or self._texts.reseal(connection, count)

    def _index(self, connection: Connection, cursor: str, count: int) -> tuple[int, str]:
        """Open the next records and write what they are found by anew."""
        rows = self._records.after(connection, cursor, count)
        for subject in sorted({row.subject for row in rows}):
            self._fence.one_user(connection, f"vault:{subject}")
        if rows:
            self._records.reindex(connection, self._records.rows(connection, [row.id for row in rows]))
        return len(rows), rows[-1].id if rows else cursor

    def _one(self, connection: Connection, use: str, version: int) -> Rotation | None:
        return next(
            (each for each in self.all(connection) if (each.use, each.version) == (use, version)), None
        )

    def _note(self, connection: Connection, rotation: Rotation) -> None:
        table = vault_rotation.c
        connection.execute(
            update(vault_rotation)
            .where(table.tenant == self._tenant, table.use == rotation.use, table.version == rotation.version)
            .values(**rotation._asdict())
        )
