"""Activities and consents in SQL.

Promise: every method works inside the caller's transaction; rows are added and never changed. Who adds comes after every
other writer of that customer or name: the fence is the story's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from sqlalchemy import func, insert, select

from shopward.processing.activity import Activity, shipped_activities
from shopward.processing.consent import Consent
from shopward.processing.tables import processing_activity, processing_consent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

CHUNK: Final = 400
_A, _C = processing_activity.c, processing_consent.c
_activity: Final = msgspec.json.Decoder(Activity).decode


class InForce(NamedTuple):
    """An activity as it is in force; version 0 and nobody for one that ships."""

    name: str
    version: int
    at_ms: int
    person: str
    activity: Activity


class ProcessingStore:
    """The rows of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def declare(
        self, connection: Connection, name: str, version: int, activity: Activity, *, person: str, at_ms: int
    ) -> InForce:
        """A new version."""
        row = {"tenant": self._tenant, "name": name, "version": version, "at_ms": at_ms, "person": person}
        body = msgspec.json.encode(activity).decode()
        connection.execute(insert(processing_activity), row | {"body": body})
        return InForce(name, version, at_ms, person, activity)

    def activity(self, connection: Connection, name: str) -> InForce | None:
        """The version in force of one; what ships where the shop declared none."""
        query = select(_A.version, _A.at_ms, _A.person, _A.body).where(
            _A.tenant == self._tenant, _A.name == name
        )
        row = connection.execute(query.order_by(_A.version.desc()).limit(1)).one_or_none()
        if row is not None:
            return InForce(name, row.version, row.at_ms, row.person, _activity(row.body))
        shipped = shipped_activities().get(name)
        return None if shipped is None else InForce(name, 0, 0, "", shipped)

    def activities(self, connection: Connection) -> list[InForce]:
        """All that are in force, by name."""
        query = select(_A.name, _A.version, _A.at_ms, _A.person, _A.body).where(_A.tenant == self._tenant)
        found = {name: InForce(name, 0, 0, "", each) for name, each in shipped_activities().items()}
        for row in connection.execute(query.order_by(_A.name, _A.version)):  # the newest is last
            found[row.name] = InForce(row.name, row.version, row.at_ms, row.person, _activity(row.body))
        return [found[name] for name in sorted(found)]

    def add_consent(self, connection: Connection, consent: Consent) -> None:
        """A line."""
        connection.execute(insert(processing_consent), {"tenant": self._tenant, **consent._asdict()})

    def newest(self, connection: Connection, subject: str, purpose: str) -> Consent | None:
        """The line that counts."""
        query = self._lines().where(_C.subject == subject, _C.purpose == purpose)
        row = connection.execute(query.order_by(_C.number.desc()).limit(1)).one_or_none()
        return None if row is None else Consent(*row)

    def of_subject(self, connection: Connection, subject: str) -> list[Consent]:
        """Every line of a customer, by purpose, oldest first."""
        query = self._lines().where(_C.subject == subject).order_by(_C.purpose, _C.number)
        return [Consent(*row) for row in connection.execute(query)]

    def agreed(self, connection: Connection, purpose: str, subjects: Sequence[str]) -> set[str]:
        """Which of these customers have given their consent and not withdrawn it."""
        found: set[str] = set()
        for start in range(0, len(subjects), CHUNK):
            part = subjects[start : start + CHUNK]
            query = (
                self._lines()
                .where(_C.purpose == purpose, _C.subject.in_(part))
                .order_by(_C.subject, _C.number)
            )
            states = {row.subject: row.state for row in connection.execute(query)}
            found |= {subject for subject, state in states.items() if state == "given"}
        return found

    def counts(self, connection: Connection, purpose: str) -> tuple[int, int]:
        """How many customers have given their consent to a purpose, and how many have withdrawn it."""
        last = (
            select(_C.subject, func.max(_C.number).label("number"))
            .where(_C.tenant == self._tenant, _C.purpose == purpose)
            .group_by(_C.subject)
            .subquery()
        )
        query = (
            select(_C.state, func.count())
            .join(last, (last.c.subject == _C.subject) & (last.c.number == _C.number))
            .where(_C.tenant == self._tenant, _C.purpose == purpose)
            .group_by(_C.state)
        )
        found = {str(state): int(count) for state, count in connection.execute(query)}
        return found.get("given", 0), found.get("withdrawn", 0)

    def _lines(self) -> Any:
        return select(*(_C[name] for name in Consent._fields)).where(_C.tenant == self._tenant)
