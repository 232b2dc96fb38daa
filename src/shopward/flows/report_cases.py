"""The queue of cases: who looks after one, what people write into it, what they say it is, and who hears when nobody looks.

Promise:
- every step is a line of the audit log in its own transaction, under the name of the person of the key;
- a settled case has a reason of a closed set that fits its state; said anew, the last word counts;
- confirming puts the case's link on the shop's list, with scope and end, and never a shared host as a whole; dismissing
  takes it off again;
- of a note only the text with its personal values masked is kept (``scrubber``: a net under what people type), sealed under the
  key of the case's customer, or of the shop where the case has none (``flows.words``);
- the shop is told once of a case that nobody settled in time. Fails open: the case stays as it is, and open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from shopward.errors import Conflict, InputTooLarge, InvalidField, NotFound
from shopward.flows.reports import with_bodies, with_shown
from shopward.flows.screen import entries_of
from shopward.outbox import Topic
from shopward.screening.links.lists import TTL_MS
from shopward.screening.reports import REASONS, NoteRow, Reason
from shopward.screening.reports.rows import ListedRow
from shopward.scrubber import scrub

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.access import Caller
    from shopward.flows.arrows import Outbox, Trail
    from shopward.flows.screen import ScreeningDesk
    from shopward.flows.words import Words
    from shopward.ports import Fence, Records
    from shopward.screening.reports import CaseRow, ReportRow
    from shopward.screening.reports.store import ReportStore
    from shopward.values import Clock, IdSource

KIND: Final = "note"
"""What its words are called."""
NOTES_MAX: Final = 500
"""Of one case."""
SWEEP_MAX: Final = 100
Person = Annotated[str, Meta(max_length=128)]


class Settling(Struct, frozen=True, forbid_unknown_fields=True):
    """What a person says a case is.

    Attributes:
        state: confirmed puts its link on the list; dismissed takes it off.
        scope: of the entry: this url, what is below its path, its host, or its registered domain.
        reason: why; ``fraud_seen`` or ``nothing_found`` where it is left out.
    """

    state: Literal["confirmed", "dismissed"]
    scope: Literal["url", "path", "host", "domain"] = "host"
    reason: Reason | UnsetType = UNSET


class Assigning(Struct, frozen=True, forbid_unknown_fields=True):
    """Who looks after a case: a person by name, nobody for an empty one; who asks where it is left out."""

    person: Person | UnsetType = UNSET


class Noted(Struct, frozen=True, forbid_unknown_fields=True):
    """What a person writes into a case."""

    text: Annotated[str, Meta(min_length=1, max_length=4_000)]


class WholeCase(NamedTuple):
    """A case with a page of its reports, and its notes."""

    case: CaseRow
    reports: list[ReportRow]
    notes: list[NoteRow]


class ReportCases:
    """May be called from any thread.

    Args:
        records: transactions.
        fence: lets one case be opened or settled at a time.
        store: the rows.
        words: keeps what people write.
        screening: takes the list.
        trail: the audit log.
        outbox: what the shop is owed to hear.
        clock: the server's.
        ids: names notes.
        token_of: makes a token of the shop's id of a user.
    """

    def __init__(
        self,
        *,
        records: Records,
        fence: Fence,
        store: ReportStore,
        words: Words,
        screening: ScreeningDesk,
        trail: Trail,
        outbox: Outbox,
        clock: Clock,
        ids: IdSource,
        token_of: Callable[[str], str],
    ) -> None:
        self._records = records
        self._fence = fence
        self._store = store
        self._words = words
        self._screening = screening
        self._trail = trail
        self._outbox = outbox
        self._clock = clock
        self._ids = ids
        self._token_of = token_of

    def cases(
        self, *, state: str = "", user_id: str = "", assignee: str = "", before: str = "",
        kinds: Sequence[str] = (), limit: int,
    ) -> list[CaseRow]:  # fmt: skip
        """Cases, newest first; an empty word asks for all."""
        user = self._token_of(user_id) if user_id else ""

        def work(connection: Any) -> list[CaseRow]:
            found = self._store.cases(
                connection, state=state, user=user, assignee=assignee, before=before, kinds=kinds, limit=limit
            )
            return with_shown(self._words, connection, found)

        return self._records.read(work)

    def queue(self, *, before: str, kinds: Sequence[str], limit: int) -> tuple[list[CaseRow], list[CaseRow]]:
        """Open cases of these kinds: those that nobody settled in time, the longest due first, and the others, newest first.

        The late ones stand before the first of the others alone, so many as ``limit``.
        """
        at_ms = self._clock.now_ms()

        def work(connection: Any) -> tuple[list[CaseRow], list[CaseRow]]:
            late = [] if before else self._store.late(connection, at_ms=at_ms, kinds=kinds, limit=limit)
            others = self._store.cases(
                connection, state="open", before=before, kinds=kinds, in_time_ms=at_ms, limit=limit
            )
            shown = with_shown(self._words, connection, [*late, *others])
            return shown[: len(late)], shown[len(late) :]

        return self._records.read(work)

    def case(self, case_id: str, *, after: str, limit: int) -> WholeCase:
        """A case, a page of its reports and its notes; raises ``NotFound``."""

        def work(connection: Any) -> WholeCase:
            reports = self._store.reports(connection, case_id, after=after, limit=limit)
            return WholeCase(
                self._shown(connection, self._case(connection, case_id)),
                with_bodies(self._words, connection, reports),
                notes_of(self._words, self._store, connection, case_id),
            )

        return self._records.read(work)

    def assign(self, caller: Caller, case_id: str, said: Assigning) -> CaseRow:
        """Who looks after an open case; raises ``NotFound`` and ``Conflict``."""
        caller.require("analyst")
        person = caller.person if said.person is UNSET else said.person
        at_ms = self._clock.now_ms()

        def work(connection: Any) -> CaseRow:
            self._fence.exclusive(connection)
            case = self._case(connection, case_id)
            if case.state != "open":
                raise Conflict(
                    "the case is settled", code="case_settled", path="id", expected="an open case", found=case.state
                )  # fmt: skip
            case = case._replace(assignee=person)
            self._store.put_case(connection, case)
            self._line(connection, caller, "report:assign", case_id, {"assignee": person}, at_ms)
            return self._shown(connection, case)

        return self._records.write(work)

    def note(self, caller: Caller, case_id: str, said: Noted) -> NoteRow:
        """Write into a case, settled or not; raises ``NotFound``, and ``InputTooLarge`` for one that is full."""
        caller.require("analyst")
        at_ms = self._clock.now_ms()
        note = NoteRow(self._ids.new("rn", at_ms), case_id, caller.person, at_ms, scrub(said.text).text)

        def work(connection: Any) -> NoteRow:
            self._fence.exclusive(connection)
            case = self._case(connection, case_id)
            if len(self._store.notes(connection, case_id, limit=NOTES_MAX)) == NOTES_MAX:
                raise InputTooLarge("the case is full", path="id", expected=f"at most {NOTES_MAX} notes")
            self._store.add_note(connection, note._replace(text=""))
            self._words.keep(connection, KIND, note.id, note.text, subject=case.user_token)
            self._line(connection, caller, "report:note", case_id, {"note": note.id}, at_ms)
            return note

        return self._records.write(work)

    def settle(self, caller: Caller, case_id: str, said: Settling) -> CaseRow:
        """What a person says a case is, and the list with it; said anew, the last word counts.

        Raises:
            InvalidField: the reason is not one of the state's.
            NotFound: there is no such case.
            Conflict: its link cannot be listed so, since pages of others stand on its host.
        """
        caller.require("analyst")
        at_ms, reason = self._clock.now_ms(), _reason(said)

        def work(connection: Any) -> CaseRow:
            self._fence.exclusive(connection)
            case = self._case(connection, case_id)
            link = msgspec.json.decode(self._shown(connection, case).body)["link"]
            self._store.drop_listed(connection, case_id)
            if said.state == "confirmed" and link:
                entry = ListedRow(case_id, link, said.scope, at_ms, at_ms + TTL_MS)
                _refuse_unlistable(entry)
                self._store.put_listed(connection, entry)
            case = case._replace(state=said.state, settled_by=caller.person, settled_ms=at_ms, reason=reason)
            self._store.put_case(connection, case)
            told = {"state": said.state, "reason": reason}
            self._outbox.owe(
                connection, at_ms=at_ms, topic=Topic.REPORT_SETTLED, subject=case_id, payload={**told, "kind": case.kind}
            )  # fmt: skip
            details = {**told, "scope": said.scope if link else "", "reports": case.reports}
            self._line(connection, caller, "report:settle", case_id, details, at_ms)
            return self._shown(connection, case)

        case = self._records.write(work)
        self._screening.look_again()
        return case

    def sweep(self) -> int:
        """Have the shop told of cases that nobody settled in time, each once; how many. Run by the server."""
        at_ms = self._clock.now_ms()
        if not self._records.read(lambda connection: self._store.overdue(connection, at_ms=at_ms, limit=1)):
            return 0

        def work(connection: Any) -> int:
            self._fence.exclusive(connection)
            late = self._store.overdue(connection, at_ms=at_ms, limit=SWEEP_MAX)
            for case in late:
                self._store.put_case(connection, case._replace(is_overdue=1))
                self._outbox.owe(
                    connection, at_ms=at_ms, topic=Topic.REPORT_OVERDUE, subject=case.id,
                    payload={"kind": case.kind, "reports": case.reports, "assigned": bool(case.assignee)},
                )  # fmt: skip
            return len(late)

        return self._records.write(work)

    def _shown(self, connection: Any, case: CaseRow) -> CaseRow:
        """A case with what is shown of it."""
        return with_shown(self._words, connection, [case])[0]

    def _case(self, connection: Any, case_id: str) -> CaseRow:
        """A case as its row has it."""
        case = self._store.case(connection, case_id)
        if case is None:
            raise NotFound("there is no such case", path="id", expected="the id of a case", found="another")
        return case

    def _line(
        self, connection: Any, caller: Caller, deed: str, subject: str, details: dict[str, Any], at_ms: int
    ) -> None:
        self._trail.append(
            connection, at_ms=at_ms, actor=caller.person, deed=deed, subject=subject, details=details
        )


def notes_of(words: Words, store: ReportStore, connection: Any, case_id: str) -> list[NoteRow]:
    """The notes of a case with what they say, oldest first; nothing where it was erased."""
    notes = store.notes(connection, case_id, limit=NOTES_MAX)
    told = words.of(connection, KIND, [each.id for each in notes])
    return [each._replace(text=told.get(each.id, each.text)) for each in notes]


def _reason(said: Settling) -> Reason:
    fitting = REASONS[said.state]
    if said.reason is UNSET:
        return fitting[0]
    if said.reason not in fitting:
        raise InvalidField(
            "this reason does not fit the state", path="reason", expected="one of " + ", ".join(fitting),
            found=said.reason,
        )  # fmt: skip
    return said.reason


def _refuse_unlistable(row: ListedRow) -> None:
    refused = entries_of([row]).refused
    if refused:
        raise Conflict(
            "pages of others stand on this host", code="shared_host", expected="a link with a path, or another scope",
            found=refused[0][1],
        )  # fmt: skip
