"""Training of staff: the register, who is due, and purposes that are for trained persons.

Promise: nobody records his own training; each line is one transaction with its line of the audit log. ``Trained`` says whether a person may
use a purpose: where the shop demands a course for it and no line of the person's holds, the answer is no, for services too. Fails closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shopward.errors import InvalidField, Refused
from shopward.training import Training, due, holds
from shopward.values import DAY_MS, to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shopward.access import Caller
    from shopward.flows.arrows import Trail
    from shopward.ports import Records
    from shopward.training import Due
    from shopward.training.store import TrainingStore
    from shopward.values import Clock, IdSource


class Trained:
    """Whether a person may use a purpose; asked inside the caller's transaction.

    Args:
        store: the register.
        courses: by purpose, the course that it demands.
    """

    def __init__(self, store: TrainingStore, courses: Mapping[str, str]) -> None:
        self._store = store
        self._courses = courses

    def refusal(self, connection: Any, purpose: str, person: str, now_ms: int) -> Refused | None:
        """Why not; ``None`` where he may."""
        course = self._courses.get(purpose)
        if course is None or holds(self._store.newest_of(connection, person, course), now_ms):
            return None
        return Refused(
            "this purpose is for who is trained for it", code="training_needed", path="purpose",
            expected=f"a person whose training in {course} holds", found="nobody with a record of that",
            hint="have the training recorded by somebody else: POST /v1/training/records",
        )  # fmt: skip


class TrainingDesk:
    """May be called from any thread.

    Args:
        records: transactions.
        store: the register.
        courses: by purpose, the course that it demands.
        trail: the audit log.
        clock: the server's.
        ids: names lines.
    """

    def __init__(
        self,
        *,
        records: Records,
        store: TrainingStore,
        courses: Mapping[str, str],
        trail: Trail,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._records = records
        self._store = store
        self._courses = courses
        self._trail = trail
        self._clock = clock
        self._ids = ids

    def record(
        self, caller: Caller, *, person: str, course: str, done_ms: int, until_ms: int, evidence: str
    ) -> Training:
        """A line, from the days on which it was done and last holds.

        Raises:
            InvalidField: the days are not in order, or the first is yet to come.
            Refused: ``second_person_needed``: it is one's own.
        """
        if caller.person == person:
            raise Refused(
                "nobody records his own training", code="second_person_needed", path="person",
                expected="another person", found="the person whose key it is",
            )  # fmt: skip
        now_ms = self._clock.now_ms()
        if done_ms > now_ms:
            raise InvalidField("this day is yet to come", path="done_on", expected="today or earlier")
        if until_ms < done_ms:
            raise InvalidField("it ends before it begins", path="valid_until", expected="a later day")
        training = Training(
            self._ids.new("tr", now_ms), person, course, done_ms, until_ms + DAY_MS, evidence, caller.person, now_ms
        )  # fmt: skip

        def work(connection: Any) -> None:
            self._store.add(connection, training)
            self._trail.append(
                connection, at_ms=now_ms, actor=caller.key, deed="training:record", subject=training.id,
                details={"person": person, "course": course, "ends_at": to_rfc3339(training.ends_ms)},
            )  # fmt: skip

        self._records.write(work)
        return training

    def listed(self, *, person: str, before: str, limit: int) -> list[Training]:
        """Lines, newest first."""
        return self._records.read(
            lambda connection: self._store.listed(connection, person=person, before=before, limit=limit)
        )

    def due(self, persons: Iterable[str]) -> list[Due]:
        """Who of these persons, and of all in the register, has to be trained."""
        newest = self._records.read(self._store.newest)
        return due(newest, persons, sorted(set(self._courses.values())), self._clock.now_ms())
