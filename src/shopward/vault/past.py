"""What records were found by before they were corrected, so that a leak of an old value finds its record and its version.

Promise: of a value that a newer version of a record no longer has, its blind index stays, with the last version that had
it; never the value. It goes with the record, and with the index key under which it was made: what it was made of is gone,
so it cannot be made again. Every call runs in the caller's transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, select

from shopward.vault.rows import Had
from shopward.vault.search import KEPT
from shopward.vault.tables import vault_index, vault_past

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from shopward.vault.keys import Ring

CHUNK: Final = 400
RECORDS_OF_A_VALUE_MAX: Final = 200
"""A value that more records share says too little about any of them to be followed."""


class Past:
    """The rows of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def keep(
        self, connection: Connection, last: Mapping[str, int], now: Mapping[str, Iterable[tuple[str, bytes]]]
    ) -> None:
        """Keep what some records are found by and will not be any more; before their index rows go.

        ``last`` is of each record the version that is replaced, ``now`` what it is found by from now on, by name and value.
        """
        table, kept = vault_index.c, []
        for part in _parts(list(last)):
            query = select(table.record, table.name, table.version, table.value).where(
                table.tenant == self._tenant, table.record.in_(part), table.name.in_(KEPT)
            )
            for record, name, version, value in connection.execute(query):
                if (name, bytes(value)) not in now.get(record, ()):
                    row = {"record": record, "name": name, "version": version, "value": value}
                    kept.append({"tenant": self._tenant, "last": last[record], **row})
        if kept:
            connection.execute(insert(vault_past), kept)

    def forget(self, connection: Connection, ids: Sequence[str]) -> int:
        """Forget all of some records; how many rows."""
        gone = 0
        for part in _parts(ids):
            mine = (vault_past.c.tenant == self._tenant) & vault_past.c.record.in_(part)
            gone += connection.execute(delete(vault_past).where(mine)).rowcount
        return gone

    def retire(self, connection: Connection, version: int) -> None:
        """Forget what was made under an index key that is destroyed."""
        mine = (vault_past.c.tenant == self._tenant) & (vault_past.c.version == version)
        connection.execute(delete(vault_past).where(mine))

    def had(self, connection: Connection, ring: Ring, wanted: Mapping[str, Iterable[str]]) -> list[Had]:
        """Which records have or had values, in which versions; ``wanted`` has for each index the terms."""
        found: dict[tuple[str, str], list[tuple[str, int]]] = {}
        for name, terms in wanted.items():
            by_value = {
                (version, key.value(name, term)): term
                for term in terms
                for version, key in ring.indexes.items()
            }
            for record, version, value, last in self._rows(connection, name, list(by_value)):
                found.setdefault((name, by_value[version, value]), []).append((record, last))
        common = {key for key, records in found.items() if len(records) > RECORDS_OF_A_VALUE_MAX}
        changes = self._changes(connection, {each for records in found.values() for each, _last in records})
        return [
            Had(record, name, term, _first(changes.get((record, name), ()), last), last)
            for (name, term), records in found.items()
            if (name, term) not in common
            for record, last in dict.fromkeys(records)
        ]

    def _rows(
        self, connection: Connection, name: str, pairs: Sequence[tuple[int, bytes]]
    ) -> Iterable[tuple[str, int, bytes, int]]:
        """Record, key version, value and last version (0 for now) of the rows that have one of the values."""
        for version in sorted({each for each, _value in pairs}):
            for part in _parts([value for each, value in pairs if each == version]):
                now, past = vault_index.c, vault_past.c
                for record, value in connection.execute(
                    select(now.record, now.value).where(
                        now.tenant == self._tenant,
                        now.name == name,
                        now.version == version,
                        now.value.in_(part),
                    )
                ):
                    yield record, version, bytes(value), 0
                for record, value, last in connection.execute(
                    select(past.record, past.value, past.last).where(
                        past.tenant == self._tenant,
                        past.name == name,
                        past.version == version,
                        past.value.in_(part),
                    )
                ):
                    yield record, version, bytes(value), last

    def _changes(self, connection: Connection, records: Iterable[str]) -> dict[tuple[str, str], list[int]]:
        """For each record and index the versions after which a value of it went, in order."""
        table = vault_past.c
        changes: dict[tuple[str, str], set[int]] = {}
        for part in _parts(sorted(records)):
            query = select(table.record, table.name, table.last).where(
                table.tenant == self._tenant, table.record.in_(part)
            )
            for record, name, last in connection.execute(query):
                changes.setdefault((record, name), set()).add(last)
        return {key: sorted(versions) for key, versions in changes.items()}


def _first(changes: Sequence[int], last: int) -> int:
    """The first version that may have had a value that went after ``last`` (0: is still there)."""
    before = [each for each in changes if not last or each < last]
    return before[-1] + 1 if before else 1


def _parts(items: Sequence[str] | Sequence[bytes]) -> Iterable[Sequence[str] | Sequence[bytes]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
