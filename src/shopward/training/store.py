"""Trainings in SQL.

Promise: every method works inside the caller's transaction; lines are added and never changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, select

from shopward.training.record import Training
from shopward.training.tables import training_record

if TYPE_CHECKING:
    from sqlalchemy import Connection

_T = training_record.c
_COLUMNS: Final = tuple(_T[name] for name in Training._fields)


class TrainingStore:
    """The lines of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def add(self, connection: Connection, training: Training) -> None:
        """A line."""
        connection.execute(insert(training_record), {"tenant": self._tenant, **training._asdict()})

    def newest_of(self, connection: Connection, person: str, course: str) -> Training | None:
        """The line that counts."""
        query = select(*_COLUMNS).where(_T.tenant == self._tenant, _T.person == person, _T.course == course)
        row = connection.execute(query.order_by(_T.at_ms.desc(), _T.id.desc()).limit(1)).first()
        return None if row is None else Training(*row)

    def newest(self, connection: Connection) -> dict[tuple[str, str], Training]:
        """The lines that count, by person and course."""
        query = select(*_COLUMNS).where(_T.tenant == self._tenant).order_by(_T.at_ms, _T.id)
        found = (Training(*row) for row in connection.execute(query))
        return {(each.person, each.course): each for each in found}  # the newest is last

    def listed(self, connection: Connection, *, person: str, before: str, limit: int) -> list[Training]:
        """Lines by id, newest first; of one person where one is named."""
        query = select(*_COLUMNS).where(_T.tenant == self._tenant)
        if person:
            query = query.where(_T.person == person)
        if before:
            query = query.where(_T.id < before)
        return [Training(*row) for row in connection.execute(query.order_by(_T.id.desc()).limit(limit))]
