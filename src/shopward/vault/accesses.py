"""Who saw what, how much a person saw today, what is locked, and what waits for a second person.

Promise: every call runs in the caller's transaction. A quota is taken in one statement, so that two reveals at once never
pass it together. Rows of accesses hold tokens, names of fields and versions, and no value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, insert, select, update

from shopward.bulk import put_new
from shopward.vault.rows import SHOWN, Access, Lock, RevealRequest
from shopward.vault.tables import vault_access, vault_lock, vault_quota, vault_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Connection

CHUNK: Final = 400


class AccessBook:
    """The rows of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    # Accesses.

    def note(self, connection: Connection, accesses: Sequence[Access]) -> None:
        """Write down accesses."""
        if accesses:
            connection.execute(
                insert(vault_access), [{"tenant": self._tenant, **each._asdict()} for each in accesses]
            )

    def of_subject(
        self, connection: Connection, subject: str, *, before: str | None, limit: int
    ) -> list[Access]:
        """Who looked at a customer, newest first."""
        columns = [vault_access.c[name] for name in Access._fields]
        query = select(*columns).where(
            vault_access.c.tenant == self._tenant, vault_access.c.subject == subject
        )
        if before is not None:
            query = query.where(vault_access.c.id < before)
        return [
            Access(*row) for row in connection.execute(query.order_by(vault_access.c.id.desc()).limit(limit))
        ]

    def reach(self, connection: Connection, since_ms: int, until_ms: int) -> dict[str, int]:
        """How many customers each person was shown something of in a span of time."""
        table = vault_access.c
        query = select(table.person, func.count(table.subject.distinct())).where(
            *self._between(since_ms, until_ms)
        )
        return {person: int(count) for person, count in connection.execute(query.group_by(table.person))}

    def shown(
        self, connection: Connection, subjects: Sequence[str], since_ms: int, until_ms: int
    ) -> Iterator[Access]:
        """Everything of some customers that anybody was shown in a span of time."""
        columns = [vault_access.c[name] for name in Access._fields]
        for start in range(0, len(subjects), CHUNK):
            part = vault_access.c.subject.in_(subjects[start : start + CHUNK])
            for row in connection.execute(select(*columns).where(part, *self._between(since_ms, until_ms))):
                yield Access(*row)

    def _between(self, since_ms: int, until_ms: int) -> tuple[Any, ...]:
        table = vault_access.c
        return (
            table.tenant == self._tenant, table.at_ms >= since_ms, table.at_ms < until_ms,
            table.outcome.in_(SHOWN),
        )  # fmt: skip

    def seen_by(
        self, connection: Connection, person: str, since_ms: int, until_ms: int
    ) -> list[tuple[str, str]]:
        """Whom a person saw in a span of time: customer's token and names of fields, once for each access."""
        table = vault_access.c
        query = select(table.subject, table.fields).where(
            table.tenant == self._tenant, table.person == person, table.at_ms >= since_ms, table.at_ms < until_ms,
            table.outcome.in_(SHOWN),
        )  # fmt: skip
        return [(subject, fields) for subject, fields in connection.execute(query)]

    # Quotas.

    def take(self, connection: Connection, person: str, *, day: int, records: int, most: int) -> bool:
        """Take so many records of a person's day; false, and nothing taken, where they would be more than ``most``."""
        row = {"tenant": self._tenant, "person": person, "day": day, "used": 0}
        put_new(connection, vault_quota, row)
        table = vault_quota.c
        taken = connection.execute(
            update(vault_quota)
            .where(
                table.tenant == self._tenant, table.person == person, table.day == day, table.used + records <= most
            )
            .values(used=table.used + records)
        )  # fmt: skip
        return taken.rowcount == 1

    def forget_days(self, connection: Connection, *, before_day: int) -> int:
        """Drop what was taken of days that are over; how much."""
        table = vault_quota.c
        return connection.execute(
            delete(vault_quota).where(table.tenant == self._tenant, table.day < before_day)
        ).rowcount

    # Locks.

    def lock(self, connection: Connection, lock: Lock) -> bool:
        """Shut something; false where it is shut already."""
        return put_new(connection, vault_lock, {"tenant": self._tenant, **lock._asdict()})

    def unlock(self, connection: Connection, kind: str, target: str) -> bool:
        """Open it again; false where it was not shut."""
        table = vault_lock.c
        gone = connection.execute(
            delete(vault_lock).where(table.tenant == self._tenant, table.kind == kind, table.target == target)
        )
        return bool(gone.rowcount)

    def locked(self, connection: Connection, targets: Sequence[tuple[str, str]]) -> Lock | None:
        """One of these that is shut, if any."""
        wanted = set(targets) | {("vault", "")}
        return next((each for each in self.locks(connection) if (each.kind, each.target) in wanted), None)

    def locks(self, connection: Connection) -> list[Lock]:
        """Everything that is shut; few, since a person shuts each."""
        columns = [vault_lock.c[name] for name in Lock._fields]
        query = select(*columns).where(vault_lock.c.tenant == self._tenant).order_by(vault_lock.c.since_ms)
        return [Lock(*row) for row in connection.execute(query)]

    def locks_in_clear(
        self, connection: Connection, _after: str, limit: int, *, name: Callable[[str, str], str], word: str
    ) -> list[tuple[str, str, str, int]]:
        """What an earlier version kept: locks whose reason lies in them and is not ``word``.

        Of each the ``name`` of kind and target, nobody's token, the reason, and since when.
        """
        found = [each for each in self.locks(connection) if each.reason not in {"", word}]
        return [(name(each.kind, each.target), "", each.reason, each.since_ms) for each in found[:limit]]

    def empty_locks(
        self, connection: Connection, names: Sequence[str], *, name: Callable[[str, str], str]
    ) -> None:
        """Take the reasons out of these locks."""
        table = vault_lock.c
        for each in self.locks(connection):
            if name(each.kind, each.target) in names:
                mine = (table.tenant == self._tenant) & (table.kind == each.kind)
                connection.execute(
                    update(vault_lock).where(mine, table.target == each.target).values(reason="")
                )

    # What waits for a second person.

    def ask(self, connection: Connection, request: RevealRequest) -> None:
        """Keep a request."""
        connection.execute(insert(vault_request), {"tenant": self._tenant, **request._asdict()})

    def request(self, connection: Connection, request_id: str) -> RevealRequest | None:
        """One request."""
        row = connection.execute(self._requests().where(vault_request.c.id == request_id)).one_or_none()
        return None if row is None else RevealRequest(*row)

    def waiting(self, connection: Connection, now_ms: int, limit: int) -> list[RevealRequest]:
        """Requests that wait, oldest first."""
        table = vault_request.c
        query = self._requests().where(table.state == "waiting", table.ends_ms > now_ms)
        return [RevealRequest(*row) for row in connection.execute(query.order_by(table.id).limit(limit))]

    def move(self, connection: Connection, request: RevealRequest, state: str, *, by: str = "") -> bool:
        """Into another state; false where somebody moved it meanwhile."""
        table = vault_request.c
        moved = connection.execute(
            update(vault_request)
            .where(table.tenant == self._tenant, table.id == request.id, table.state == request.state)
            .values(state=state, approved_by=by or request.approved_by)
        )
        return moved.rowcount == 1

    def _requests(self) -> Any:
        columns = [vault_request.c[name] for name in RevealRequest._fields]
        return select(*columns).where(vault_request.c.tenant == self._tenant)
