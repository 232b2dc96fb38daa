"""Victim sets in SQL: named, versioned, filled page by page, sealed, and never changed after.

Promise:
- a set is open until it is sealed; an open one is in force nowhere, a sealed one never changes: who wants another makes
  the next version of its name;
- a page is replaced whole by the same number, so that sending it again changes nothing;
- what is sealed is what was read for it: ``seal`` refuses where a page came in between.

Every method works inside the caller's transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import delete, func, insert, select, update

from shopward.errors import Conflict, NotFound
from shopward.protection.members import SET_USERS_MAX, WIDTH, Members, VictimSet
from shopward.protection.tables import victim_set, victim_set_page
from shopward.values import digest16

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

_CHUNK: Final = 65_536 * WIDTH


class SetStore:
    """The sets of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def add(self, connection: Connection, made: VictimSet) -> VictimSet:
        """An open set: the next version of its name."""
        table = victim_set.c
        newest = connection.scalar(
            select(func.max(table.version)).where(table.tenant == self._tenant, table.name == made.name)
        )
        made = msgspec.structs.replace(made, version=(newest or 0) + 1)
        connection.execute(insert(victim_set), self._row(made))
        return made

    def get(self, connection: Connection, set_id: str) -> VictimSet:
        """A set; raises ``NotFound``."""
        table = victim_set.c
        asked = select(victim_set).where(table.tenant == self._tenant, table.id == set_id)
        row = connection.execute(asked).mappings().first()
        if row is None:
            raise NotFound(
                "no such victim set",
                path="victim_set_id",
                expected="the id of a victim set",
                found="another id",
            )
        return msgspec.convert({name: row[name] for name in VictimSet.__struct_fields__}, VictimSet)

    def sealed(self, connection: Connection, set_id: str) -> VictimSet:
        """A sealed set, which an order may be about."""
        found = self.get(connection, set_id)
        if found.state != "sealed":
            raise Conflict(
                "this victim set is still open", code="set_state", path="victim_set_id", expected="a sealed set",
                found="an open one", hint="POST /v1/victim-sets/{id}/seal",
            )  # fmt: skip
        return found

    def newest(self, connection: Connection, *, name: str | None, limit: int) -> list[VictimSet]:
        """Sets, newest first; of one name or of all."""
        table = victim_set.c
        asked = select(victim_set).where(table.tenant == self._tenant)
        if name is not None:
            asked = asked.where(table.name == name)
        newest = (table.created_ms.desc(), table.version.desc(), table.id)
        rows = connection.execute(asked.order_by(*newest).limit(limit)).mappings()
        return [
            msgspec.convert({each: row[each] for each in VictimSet.__struct_fields__}, VictimSet)
            for row in rows
        ]

    def put_page(self, connection: Connection, set_id: str, number: int, tokens: bytes) -> VictimSet:
        """A page in the place of one of the same number."""
        held = self._locked(connection, set_id)
        table = victim_set_page.c
        at = (table.tenant == self._tenant, table.set_id == set_id, table.page == number)
        before = connection.scalar(select(func.length(table.tokens)).where(*at)) or 0
        users = held.users + (len(tokens) - before) // WIDTH
        if users > SET_USERS_MAX:
            raise Conflict(
                "the set is too large",
                code="set_state",
                expected=f"at most {SET_USERS_MAX} users",
                found="more",
            )
        connection.execute(delete(victim_set_page).where(*at))
        self._add_page(connection, set_id, number, tokens)
        return self._put(connection, msgspec.structs.replace(held, users=users))

    def pages(self, connection: Connection, set_id: str) -> Iterator[bytes]:
        """Its pages, in order."""
        table = victim_set_page.c
        asked = select(table.tokens).where(table.tenant == self._tenant, table.set_id == set_id)
        return (bytes(page) for page in connection.scalars(asked.order_by(table.page)))

    def seal(self, connection: Connection, read: VictimSet, tokens: bytes, at_ms: int) -> VictimSet:
        """Close a set over these members, which were made of the pages that ``read`` had.

        Raises:
            Conflict: it was sealed, or a page came in between.
        """
        held = self._locked(connection, read.id, revision=read.revision)
        table = victim_set_page.c
        connection.execute(
            delete(victim_set_page).where(table.tenant == self._tenant, table.set_id == read.id)
        )
        for number, start in enumerate(range(0, len(tokens), _CHUNK)):
            self._add_page(connection, read.id, number, tokens[start : start + _CHUNK])
        sealed = msgspec.structs.replace(
            held, state="sealed", users=len(tokens) // WIDTH, digest=digest16(tokens), sealed_ms=at_ms
        )
        return self._put(connection, sealed)

    def members(self, connection: Connection, set_id: str) -> Members:
        """Who is in a sealed set."""
        self.sealed(connection, set_id)
        return Members(b"".join(self.pages(connection, set_id)))

    def _locked(self, connection: Connection, set_id: str, revision: int | None = None) -> VictimSet:
        """An open set with its next revision; nobody else changes or seals it before the transaction ends."""
        table = victim_set.c
        changing = update(victim_set).where(
            table.tenant == self._tenant, table.id == set_id, table.state == "open"
        )
        if revision is not None:
            changing = changing.where(table.revision == revision)
        changed = connection.execute(changing.values(revision=table.revision + 1))
        held = self.get(connection, set_id)
        if changed.rowcount == 1:
            return held
        if held.state == "open":
            raise Conflict(
                "a page came in while the set was sealed", code="set_state", expected="no page in between",
                found="another page", hint="seal it again when all pages are there",
            )  # fmt: skip
        raise Conflict(
            "a sealed victim set does not change", code="set_state", expected="an open set", found="a sealed one",
            hint="make the next version: POST /v1/victim-sets with the same name",
        )  # fmt: skip

    def _put(self, connection: Connection, after: VictimSet) -> VictimSet:
        """The row of a set that is locked."""
        table = victim_set.c
        connection.execute(
            update(victim_set)
            .where(table.tenant == self._tenant, table.id == after.id)
            .values(self._row(after))
        )
        return after

    def _add_page(self, connection: Connection, set_id: str, number: int, tokens: bytes) -> None:
        connection.execute(
            insert(victim_set_page),
            {"tenant": self._tenant, "set_id": set_id, "page": number, "tokens": tokens},
        )

    def _row(self, kept: VictimSet) -> dict[str, Any]:
        return {"tenant": self._tenant} | msgspec.structs.asdict(kept)
