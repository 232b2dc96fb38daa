"""Processing: the register of what is done with personal data, and the consents that some of it rests on.

Promise:
- an activity's new version and a consent's new line are each one transaction with the line of the audit log, under the name of
  the person of the key; nothing is ever changed or taken away;
- a consent is taken for a purpose that rests on consent, and for no other: asking for it elsewhere would mislead. It can be
  withdrawn for as long as there is one;
- said again, a consent adds nothing;
- ``Lawful`` says whether a purpose may be used for these customers. It fails closed: where the purpose rests on consent and no
  newest line says given, the answer is no.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from msgspec import Meta, Struct

from shopward.errors import Conflict, InvalidField, NotFound, Refused
from shopward.outbox import Topic
from shopward.processing import Consent
from shopward.processing.activity import NOTICE
from shopward.processing.consent import HISTORY_MAX, ConsentState, How
from shopward.processing.record import ActivityRow, ErasedRow, ProcessingRecord, RetentionRow
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from shopward.access import Caller
    from shopward.flows.arrows import Outbox, Trail
    from shopward.ports import Fence, Records
    from shopward.processing.activity import Activity
    from shopward.processing.store import InForce, ProcessingStore
    from shopward.values import Clock
    from shopward.vault.census import Census

ACTIVITIES_MAX: Final = 500
CONSENT: Final = "consent"


class ConsentSaid(Struct, frozen=True, forbid_unknown_fields=True):
    """What a customer says.

    Attributes:
        text_version: of the words that were shown.
        how: where it was said.
    """

    purpose: Annotated[str, Meta(min_length=1, max_length=48)]
    state: ConsentState
    text_version: Annotated[str, Meta(min_length=1, max_length=64)]
    how: How = "web"


class Lawful:
    """Whether a purpose may be used; asked inside the caller's transaction.

    Args:
        store: activities and consents.
    """

    def __init__(self, store: ProcessingStore) -> None:
        self._store = store

    def refusal(self, connection: Any, purpose: str, subjects: Sequence[str]) -> Refused | None:
        """Why not, for these customers by token; ``None`` where it may."""
        found = self._store.activity(connection, purpose)
        if found is None or found.activity.basis != CONSENT:
            return None
        missing = len(set(subjects) - self._store.agreed(connection, purpose, sorted(set(subjects))))
        if not missing:
            return None
        return Refused(
            "this purpose rests on a consent that is not there", code="consent_missing", path="purpose",
            expected="customers who have given their consent and not withdrawn it", found=f"{missing} without",
            hint="ask them, or name another purpose that is true",
        )  # fmt: skip


class ProcessingDesk:
    """May be called from any thread.

    Args:
        records: transactions.
        fence: lets one change of a customer's consent, or of an activity, come after the other.
        store: activities and consents.
        census: what the vault keeps, in numbers.
        deeds: the details of each audit line of a deed.
        token_of: makes a token of the shop's id of a user.
        trail: the audit log.
        outbox: what the shop is owed to hear.
        clock: the server's.
        controller: the shop's name.
    """

    def __init__(
        self,
        *,
        records: Records,
        fence: Fence,
        store: ProcessingStore,
        census: Census,
        deeds: Callable[[Any, str], Iterable[dict[str, Any]]],
        token_of: Callable[[str], str],
        trail: Trail,
        outbox: Outbox,
        clock: Clock,
        controller: str,
    ) -> None:
        self._records = records
        self._fence = fence
        self._store = store
        self._census = census
        self._deeds = deeds
        self._token_of = token_of
        self._trail = trail
        self._outbox = outbox
        self._clock = clock
        self._controller = controller

    def activities(self) -> list[InForce]:
        """What is in force, by name."""
        return self._records.read(self._store.activities)

    def declare(self, caller: Caller, name: str, activity: Activity) -> InForce:
        """A new version of an activity; the same again is the version that is there."""
        now_ms = self._clock.now_ms()

        def work(connection: Any) -> InForce:
            self._fence.one_user(connection, "processing")
            known = self._store.activity(connection, name)
            if known is not None and known.activity == activity:
                return known
            if known is None and len(self._store.activities(connection)) >= ACTIVITIES_MAX:
                raise Conflict(
                    "the register is full", path="name", expected=f"at most {ACTIVITIES_MAX} activities"
                )
            version = 1 if known is None else known.version + 1
            made = self._store.declare(
                connection, name, version, activity, person=caller.person, at_ms=now_ms
            )
            details = {"version": version, "basis": activity.basis}
            self._trail.append(
                connection,
                at_ms=now_ms,
                actor=caller.key,
                deed="processing:declare",
                subject=name,
                details=details,
            )
            return made

        return self._records.write(work)

    def say(self, caller: Caller, user_id: str, said: ConsentSaid) -> Consent:
        """A customer gives or withdraws consent; said again, the line that is there.

        Raises:
            NotFound: there is no such purpose.
            InvalidField: the purpose does not rest on consent, or there is none to withdraw.
            Conflict: so many lines that no more are kept.
        """
        now_ms, subject = self._clock.now_ms(), self._token_of(user_id)

        def work(connection: Any) -> Consent:
            self._fence.one_user(connection, f"consent:{subject}")
            newest = self._store.newest(connection, subject, said.purpose)
            self._check(connection, said, newest)
            if newest is not None and (newest.state, newest.text_version) == (said.state, said.text_version):
                return newest
            number = 1 if newest is None else newest.number + 1
            if number > HISTORY_MAX:
                raise Conflict(
                    "this consent was changed too often",
                    path="purpose",
                    expected=f"at most {HISTORY_MAX} changes",
                )
            line = Consent(
                subject, said.purpose, number, said.state, said.text_version, said.how, caller.person, now_ms
            )
            self._store.add_consent(connection, line)
            told = {"purpose": said.purpose, "state": said.state}
            self._outbox.owe(
                connection, at_ms=now_ms, topic=Topic.CONSENT_CHANGED, subject=subject, payload=told
            )
            self._trail.append(
                connection, at_ms=now_ms, actor=caller.key, deed="consent:change", subject=subject,
                details={**told, "text_version": said.text_version, "how": said.how},
            )  # fmt: skip
            return line

        return self._records.write(work)

    def consents(self, user_id: str) -> list[Consent]:
        """Every line of a customer, by purpose, oldest first."""
        subject = self._token_of(user_id)
        return self._records.read(lambda connection: self._store.of_subject(connection, subject))

    def record(self, language: str) -> ProcessingRecord:
        """The record of processing activities, as it is now; it looks through the whole audit log for what was erased."""
        made_at = to_rfc3339(self._clock.now_ms())

        def work(connection: Any) -> ProcessingRecord:
            rows = [
                _row(each, language, self._counts(connection, each))
                for each in self._store.activities(connection)
            ]
            kept = [RetentionRow(*each) for each in self._census.kept(connection)]
            expired = sum(int(each["records"]) for each in self._deeds(connection, "record:expire"))
            asked = [int(each["records"]) for each in self._deeds(connection, "personal:erase")]
            erased = ErasedRow(expired, sum(asked), len(asked))
            return ProcessingRecord(NOTICE, self._controller, made_at, rows, kept, erased)

        return self._records.read(work)

    def _counts(self, connection: Any, found: InForce) -> tuple[int, int]:
        """How many customers agree and do not any more; nobody where it rests on something else."""
        return self._store.counts(connection, found.name) if found.activity.basis == CONSENT else (0, 0)

    def _check(self, connection: Any, said: ConsentSaid, newest: Consent | None) -> None:
        found = self._store.activity(connection, said.purpose)
        if found is None:
            raise NotFound(
                "no such purpose", path="purpose", expected="the name of an activity", found="another word"
            )
        if said.state == "given" and found.activity.basis != CONSENT:
            raise InvalidField(
                "this purpose does not rest on consent", path="purpose", expected="one whose basis is consent",
                found=found.activity.basis, code="purpose_without_consent",
                hint="asking for a consent that nothing rests on would mislead",
            )  # fmt: skip
        if said.state == "withdrawn" and newest is None:
            raise InvalidField(
                "there is nothing to withdraw",
                path="state",
                expected="a purpose that was consented to",
                found="none",
            )


def _row(found: InForce, language: str, counts: tuple[int, int]) -> ActivityRow:
    activity, (given, withdrawn) = found.activity, counts
    return ActivityRow(
        found.name, found.version, getattr(activity.title, language), activity.basis, activity.law, list(activity.data),
        list(activity.subjects), list(activity.recipients), list(activity.transfers), activity.keep, activity.keep_days,
        activity.measures, found.person, to_rfc3339(found.at_ms) if found.at_ms else "", given, withdrawn,
    )  # fmt: skip
