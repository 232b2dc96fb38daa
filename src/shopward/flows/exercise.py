"""Exercises for staff: mails of ours that look like phishing, and what came of them.

The story of one:
  (1) it can be sent at all: a mail server, the address of the pages and the domains of staff are set
  (2) every address is of those domains, and none is a customer's, as far as the vault has customers; otherwise nobody is sent anything,
      and who asked about customers stands in the audit log
  (3) what is kept of each mail and the line of the audit log are committed; the same text to the same persons within a day is the same
      exercise, of which nobody is sent a second mail
  (4) some of the mails are handed in, one after the other, so that a call is short: who asks again has the next ones sent. After some in a
      row that the server did not take the rest is given up; asking once more tries those again,
      of which one may have been taken where the connection broke before its answer
  (5) who opens the link sees what gave the mail away; who reports it is counted

Addresses are handed on and kept nowhere. That a mail was opened is not known and not asked.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from shopward.errors import Conflict, InvalidField, NotFound, Refused
from shopward.ports import Parcel
from shopward.training.exercise import (
    PATH,
    Exercise,
    LureMail,
    digest_of,
    new_token,
    shown,
    token_in,
    written,
)
from shopward.values import DAY_MS
from shopward.vault.search import EXACT, terms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.access import Caller
    from shopward.flows.strongroom import Strongroom
    from shopward.ports import Postman
    from shopward.training.exercise import MailState
    from shopward.training.exercise_store import ExerciseStore

KEPT_MS: Final = 400 * DAY_MS
"""So long what a person did with a mail is kept: time enough to compare with the year before."""
SAME_MS: Final = DAY_MS
AT_ONCE: Final = 5
"""Mails of one call: a mail server that answers slowly takes some seconds for each."""
FAILED_MAX: Final = 3
"""So many mails in a row that are not taken, and the server is left alone."""


class Exercised(NamedTuple):
    """Whom a mail goes to."""

    person: str
    email: str
    language: str


class Outcome(NamedTuple):
    """An exercise and what came of its mails."""

    exercise: Exercise
    mails: list[LureMail]


class ExerciseDesk:
    """May be called from any thread.

    Args:
        room: the vault, for its store, and for who is a customer.
        store: exercises.
        postman: hands mails in; ``None`` where no mail server is set.
        page_url: where links lead; empty where it is not set.
        domains: of staff; none: no exercises.
        shop: the shop's name.
        entropy: makes tokens.
    """

    def __init__(
        self, *, room: Strongroom, store: ExerciseStore, postman: Postman | None, page_url: str, domains: frozenset[str],
        shop: str, entropy: Callable[[int], bytes],
    ) -> None:  # fmt: skip
        self._room, self._store, self._postman = room, store, postman
        self._page_url, self._domains, self._shop, self._entropy = (
            page_url.rstrip("/"), domains, shop, entropy,
        )  # fmt: skip
        self._beginning = threading.Lock()

    def send(self, caller: Caller, lure: str, people: Sequence[Exercised]) -> Outcome:
        """(1) to (4).

        Raises:
            Conflict: ``exercise_off``: a setting is missing.
            InvalidField: a person twice, or an address of another domain.
            Refused: ``exercise_customer``: an address is a customer's.
        """
        postman = self._postman  # (1)
        if postman is None or not self._page_url or not self._domains:
            raise Conflict(
                "exercises are not switched on", code="exercise_off",
                expected="the settings smtp_url, page_url and staff_domains", found="one that is empty",
            )  # fmt: skip
        self._check(caller, lure, people)  # (2)
        with self._beginning:  # (3), by one at a time: nobody else owns this store
            exercise = self._room.records.write(
                lambda connection: self._begun(connection, caller, lure, people)
            )
        self._handed_in(postman, exercise, people)  # (4)
        return self.one(exercise.id)

    def opened(self, token: str) -> tuple[str, dict[str, Any]] | None:
        """(5) The language and the texts of the page behind a link, whose opening is noted; ``None`` where it is none of ours."""
        digest, now_ms = digest_of(token), self._room.clock.now_ms()

        def work(connection: Any) -> tuple[LureMail, Exercise] | None:
            mail = self._store.of_digest(connection, digest)
            exercise = None if mail is None else self._store.one(connection, mail.exercise)
            return None if mail is None or exercise is None else (mail, exercise)

        found = self._room.records.read(work)  # anybody may ask, and who guesses writes nothing
        if found is None:
            return None
        mail, exercise = found
        if not mail.clicked_ms:
            self._room.records.write(
                lambda connection: self._store.mark(connection, digest, "clicked_ms", now_ms)
            )
        return mail.language, shown(exercise.lure, mail.language, shop=self._shop)

    def report(self, caller: Caller, text: str) -> str:
        """(5) Somebody passed a mail on: the exercise that it is of; reported once, however often it is passed on.

        Raises:
            NotFound: there is no link of an exercise in it.
        """
        token, now_ms = token_in(text), self._room.clock.now_ms()

        def work(connection: Any) -> str:
            digest = digest_of(token or "")
            mail = self._store.of_digest(connection, digest)
            if mail is None:
                raise NotFound("no mail of an exercise", path="link", expected="the link of one", found="another text")  # fmt: skip
            if self._store.mark(connection, digest, "reported_ms", now_ms):
                self._room.line(
                    connection, caller.key, "exercise:report", mail.exercise, {"person": mail.person}, now_ms
                )
            return mail.exercise

        return self._room.records.write(work)

    def one(self, exercise_id: str) -> Outcome:
        """What came of an exercise; raises ``NotFound``."""

        def work(connection: Any) -> Outcome:
            found = self._store.one(connection, exercise_id)
            if found is None:
                raise NotFound("no such exercise", path="id", expected="the id of an exercise")
            return Outcome(found, self._store.mails(connection, [found.id]))

        return self._room.records.read(work)

    def listed(self, *, before: str, limit: int) -> list[Outcome]:
        """Exercises, newest first."""

        def work(connection: Any) -> list[Outcome]:
            found = self._store.listed(connection, before=before, limit=limit)
            mails: dict[str, list[LureMail]] = {each.id: [] for each in found}
            for each in self._store.mails(connection, list(mails)):
                mails[each.exercise].append(each)
            return [Outcome(each, mails[each.id]) for each in found]

        return self._room.records.read(work)

    def forget(self) -> int:
        """Drop exercises of long ago, with who did what; how many mails."""
        before_ms = self._room.clock.now_ms() - KEPT_MS
        return self._room.records.write(
            lambda connection: self._store.forget(connection, before_ms=before_ms)
        )

    # The steps.

    def _begun(self, connection: Any, caller: Caller, lure: str, people: Sequence[Exercised]) -> Exercise:
        """(3) The exercise of these persons: a new one, or that of today, with what failed made to wait again once nothing waits."""
        now_ms = self._room.clock.now_ms()
        persons = {each.person for each in people}
        for exercise in self._store.since(connection, lure, now_ms - SAME_MS):
            mails = self._store.mails(connection, [exercise.id])
            if {each.person for each in mails} == persons:
                is_through = all(each.state != "waiting" for each in mails)
                again = self._store.move(connection, exercise.id, "failed", "waiting") if is_through else 0
                break
        else:
            exercise, again = (
                Exercise(self._room.ids.new("ex", now_ms), lure, caller.person, now_ms),
                len(people),
            )
            mails = [LureMail(exercise.id, each.person, "", each.language, "waiting") for each in people]
            self._store.add(connection, exercise, mails)
        if again:
            self._room.line(
                connection, caller.key, "exercise:send", exercise.id, {"lure": lure, "people": again}, now_ms
            )
        return exercise

    def _handed_in(self, postman: Postman, exercise: Exercise, people: Sequence[Exercised]) -> None:
        """(4) Each mail is written down before it is handed in: one that a crash leaves open is not sent again."""
        handed, failed = 0, 0
        for each in people:
            token = new_token(self._entropy)
            if handed == AT_ONCE or not self._claimed(exercise, each, token):
                continue
            is_taken = postman.hand_in(self._parcel(exercise, each, token)).said == "taken"
            handed, failed = handed + 1, 0 if is_taken else failed + 1
            self._sent(exercise, each, is_taken=is_taken)
            if failed == FAILED_MAX:
                self._room.records.write(
                    lambda connection: self._store.move(connection, exercise.id, "waiting", "failed")
                )
                return

    def _claimed(self, exercise: Exercise, to: Exercised, token: str) -> bool:
        return self._room.records.write(
            lambda connection: self._store.claim(connection, exercise.id, to.person, digest_of(token))
        )

    def _check(self, caller: Caller, lure: str, people: Sequence[Exercised]) -> None:
        """(2) Fails closed: one wrong address, and nobody is sent anything. That customers were found is written down before it is said."""
        if len({each.person for each in people}) != len(people):
            raise InvalidField("a person stands there twice", path="people", expected="each person once")
        for place, each in enumerate(people):
            if each.email.rpartition("@")[2].lower() not in self._domains:
                raise InvalidField(
                    "exercises are for staff alone", path=f"people[{place}].email",
                    expected="an address of staff_domains", found="another domain",
                )  # fmt: skip

        def customers(connection: Any) -> list[int]:
            return [
                place
                for place, each in enumerate(people)
                if any(
                    self._room.sealed.find(connection, name, terms("email", "exact", each.email), 1)
                    for name in EXACT["email"]
                )
            ]

        if found := self._room.records.read(customers):
            now_ms = self._room.clock.now_ms()
            details = {
                "lure": lure,
                "people": len(people),
                "customers": len(found),
                "refused": "exercise_customer",
            }
            self._room.records.write(
                lambda connection: self._room.line(
                    connection, caller.key, "exercise:send", f"lure:{lure}", details, now_ms
                )
            )
            raise Refused(
                "exercises are never for customers", code="exercise_customer", path=f"people[{found[0]}].email",
                expected="an address that no customer has", found=f"{len(found)} of customers",
            )  # fmt: skip

    def _parcel(self, exercise: Exercise, to: Exercised, token: str) -> Parcel:
        link = f"{self._page_url}{PATH}{token}"
        mail = written(exercise.lure, to.language, shop=self._shop, link=link)
        return Parcel(
            to.email, mail.subject, mail.text, to.language, self._room.ids.new("xm", exercise.at_ms)
        )

    def _sent(self, exercise: Exercise, to: Exercised, *, is_taken: bool) -> None:
        state: MailState = "sent" if is_taken else "failed"
        self._room.records.write(
            lambda connection: self._store.sent(connection, exercise.id, to.person, state)
        )
