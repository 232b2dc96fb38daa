"""Exercises in SQL.

Promise: every method works inside the caller's transaction. A click and a report are written once: the first one stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, insert, select, update

from shopward.bulk import put_rows
from shopward.training.exercise import Exercise, LureMail
from shopward.training.tables import training_exercise, training_mail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Select

    from shopward.training.exercise import MailState

_E, _M = training_exercise.c, training_mail.c
_MAIL: Final = tuple(_M[name] for name in LureMail._fields)


class ExerciseStore:
    """The exercises of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def add(self, connection: Connection, exercise: Exercise, mails: Sequence[LureMail]) -> None:
        """An exercise with all its mails."""
        connection.execute(insert(training_exercise), {"tenant": self._tenant, **exercise._asdict()})
        put_rows(connection, training_mail, [(self._tenant, *each) for each in mails])

    def since(self, connection: Connection, lure: str, after_ms: int) -> list[Exercise]:
        """Exercises with a text that were begun after a time."""
        asked = self._exercises().where(_E.lure == lure, _E.at_ms > after_ms)
        return [Exercise(*row) for row in connection.execute(asked.order_by(_E.id.desc()))]

    def move(self, connection: Connection, exercise: str, before: MailState, after: MailState) -> int:
        """All mails of an exercise that are in one state into another; how many."""
        done = connection.execute(
            update(training_mail)
            .where(_M.tenant == self._tenant, _M.exercise == exercise, _M.state == before)
            .values(state=after)
        )
        return done.rowcount

    def claim(self, connection: Connection, exercise: str, person: str, digest: str) -> bool:
        """Take a mail that waits, under a token; false where somebody else has."""
        done = connection.execute(
            update(training_mail)
            .where(
                _M.tenant == self._tenant, _M.exercise == exercise, _M.person == person, _M.state == "waiting"
            )
            .values(state="sending", digest=digest)
        )
        return done.rowcount == 1

    def sent(self, connection: Connection, exercise: str, person: str, state: MailState) -> None:
        """What the mail server said of a mail."""
        connection.execute(
            update(training_mail)
            .where(_M.tenant == self._tenant, _M.exercise == exercise, _M.person == person)
            .values(state=state)
        )

    def of_digest(self, connection: Connection, digest: str) -> LureMail | None:
        """The mail whose link has this token."""
        query = select(*_MAIL).where(_M.tenant == self._tenant, _M.digest == digest)
        row = connection.execute(query).first()
        return None if row is None else LureMail(*row)

    def mark(self, connection: Connection, digest: str, column: str, at_ms: int) -> bool:
        """``clicked_ms`` or ``reported_ms`` of a mail, where it has none yet; whether it had none."""
        done = connection.execute(
            update(training_mail)
            .where(_M.tenant == self._tenant, _M.digest == digest, _M[column] == 0)
            .values({column: at_ms})
        )
        return done.rowcount == 1

    def one(self, connection: Connection, exercise: str) -> Exercise | None:
        """An exercise."""
        row = connection.execute(self._exercises().where(_E.id == exercise)).first()
        return None if row is None else Exercise(*row)

    def listed(self, connection: Connection, *, before: str, limit: int) -> list[Exercise]:
        """Newest first."""
        query = self._exercises().where(_E.id < before) if before else self._exercises()
        return [Exercise(*row) for row in connection.execute(query.order_by(_E.id.desc()).limit(limit))]

    def mails(self, connection: Connection, exercises: Sequence[str]) -> list[LureMail]:
        """All mails of some exercises, by person."""
        query = select(*_MAIL).where(_M.tenant == self._tenant, _M.exercise.in_(exercises))
        return [LureMail(*row) for row in connection.execute(query.order_by(_M.exercise, _M.person))]

    def forget(self, connection: Connection, *, before_ms: int) -> int:
        """Drop exercises of before a time; how many mails."""
        old = select(_E.id).where(_E.tenant == self._tenant, _E.at_ms < before_ms)
        gone = connection.execute(
            delete(training_mail).where(_M.tenant == self._tenant, _M.exercise.in_(old))
        ).rowcount
        connection.execute(delete(training_exercise).where(_E.tenant == self._tenant, _E.at_ms < before_ms))
        return gone

    def _exercises(self) -> Select[Any]:
        return select(*(_E[name] for name in Exercise._fields)).where(_E.tenant == self._tenant)
