"""Reports, cases and the shop's own list in SQL.

Promise: what a report, a case and a note say is not in the rows (``flows.words``); every call runs in the caller's transaction and neither begins nor commits one; who may call what, and one at a
time, is the story's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import case, delete, func, insert, not_, or_, select, update

from shopward.screening.reports.rows import CaseRow, ListedRow, NoteRow, ReportRow
from shopward.screening.reports.tables import (
    screening_case,
    screening_listed,
    screening_note,
    screening_report,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection


class ReportStore:
    """The rows of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def add(self, connection: Connection, report: ReportRow) -> None:
        """A report."""
        connection.execute(insert(screening_report), {"tenant": self._tenant, **report._asdict()})

    def open_case_of(self, connection: Connection, cluster: str) -> CaseRow | None:
        """The open case that gathers a cluster."""
        table = screening_case.c
        query = self._cases().where(table.cluster == cluster, table.state == "open").limit(1)
        row = connection.execute(query).one_or_none()
        return None if row is None else CaseRow(*row)

    def open_case_near(self, connection: Connection, keys: Sequence[str]) -> CaseRow | None:
        """The newest open case of messages that shares a key; it reads the open cases of messages alone."""
        table = screening_case.c
        near = or_(*(table.cluster.contains(key, autoescape=True) for key in keys))
        query = (
            self._cases()
            .where(table.state == "open", table.kind == "message", near)
            .order_by(table.id.desc())
            .limit(1)
        )
        row = connection.execute(query).one_or_none()
        return None if row is None else CaseRow(*row)

    def put_case(self, connection: Connection, case: CaseRow) -> None:
        """A case as it stands now, new or changed; what it says never changes, and may be sealed since it was read."""
        table, values = screening_case.c, case._asdict()
        body = values.pop("body")
        mine = (table.tenant == self._tenant) & (table.id == case.id)
        if not connection.execute(update(screening_case).where(mine).values(**values)).rowcount:
            connection.execute(insert(screening_case), {"tenant": self._tenant, "body": body, **values})

    def case(self, connection: Connection, case_id: str) -> CaseRow | None:
        """One case."""
        row = connection.execute(self._cases().where(screening_case.c.id == case_id)).one_or_none()
        return None if row is None else CaseRow(*row)

    def cases(
        self, connection: Connection, *, state: str = "", user: str = "", assignee: str = "", before: str = "",
        kinds: Sequence[str] = (), in_time_ms: int = 0, limit: int,
    ) -> list[CaseRow]:  # fmt: skip
        """Cases, newest first, from the one before ``before`` on; an empty word asks for all, a moment leaves out what is late then."""
        table = screening_case.c
        asked = ((table.state, state), (table.user_token, user), (table.assignee, assignee))
        query = self._cases().order_by(table.id.desc()).limit(limit)
        query = query.where(*(column == value for column, value in asked if value))
        if kinds:
            query = query.where(table.kind.in_(kinds))
        if in_time_ms:
            query = query.where(not_(_is_late(in_time_ms)))
        if before:
            query = query.where(table.id < before)
        return [CaseRow(*row) for row in connection.execute(query)]

    def overdue(self, connection: Connection, *, at_ms: int, limit: int) -> list[CaseRow]:
        """Open cases that nobody looked at in time and of which nobody was told, the longest due first."""
        table = screening_case.c
        query = self._cases().where(
            table.state == "open", table.is_overdue == 0, table.due_ms > 0, table.due_ms < at_ms
        )
        return [CaseRow(*row) for row in connection.execute(query.order_by(table.due_ms).limit(limit))]

    def near(self, connection: Connection, *, at_ms: int, until_ms: int, limit: int) -> list[tuple[str, int]]:
        """Open cases that ought to be settled in this time, with when; the soonest first."""
        table = screening_case.c
        query = select(table.id, table.due_ms).where(
            table.tenant == self._tenant, table.state == "open", table.due_ms.between(at_ms, until_ms)
        )
        return [
            (name, due_ms) for name, due_ms in connection.execute(query.order_by(table.due_ms).limit(limit))
        ]

    def late(self, connection: Connection, *, at_ms: int, kinds: Sequence[str], limit: int) -> list[CaseRow]:
        """Open cases of these kinds that nobody settled in time, the longest due first."""
        table = screening_case.c
        query = self._cases().where(table.state == "open", _is_late(at_ms), table.kind.in_(kinds))
        return [
            CaseRow(*row) for row in connection.execute(query.order_by(table.due_ms, table.id).limit(limit))
        ]

    def standing(self, connection: Connection, *, at_ms: int) -> tuple[int, int]:
        """How many cases are open, and of these how many nobody settled in time."""
        table = screening_case.c
        asked = select(func.count(), func.count(case((_is_late(at_ms), 1))))
        count, late = connection.execute(
            asked.where(table.tenant == self._tenant, table.state == "open")
        ).one()
        return int(count), int(late)

    def add_note(self, connection: Connection, note: NoteRow) -> None:
        """What a person wrote."""
        connection.execute(insert(screening_note), {"tenant": self._tenant, **note._asdict()})

    def notes(self, connection: Connection, case_id: str, *, limit: int) -> list[NoteRow]:
        """The notes of a case, oldest first."""
        table = screening_note.c
        query = (
            select(*(table[name] for name in NoteRow._fields))
            .where(table.tenant == self._tenant, table.case_id == case_id)
            .order_by(table.id)
            .limit(limit)
        )
        return [NoteRow(*row) for row in connection.execute(query)]

    def reports(self, connection: Connection, case_id: str, *, after: str, limit: int) -> list[ReportRow]:
        """Reports of a case, oldest first."""
        table = screening_report.c
        columns = [table[name] for name in ReportRow._fields]
        query = (
            select(*columns)
            .where(table.tenant == self._tenant, table.case_id == case_id, table.id > after)
            .order_by(table.id)
            .limit(limit)
        )
        return [ReportRow(*row) for row in connection.execute(query)]

    def of_user(self, connection: Connection, user: str, *, limit: int) -> list[ReportRow]:
        """Reports about a customer, by token, newest first."""
        table = screening_report.c
        query = select(*(table[name] for name in ReportRow._fields)).where(
            table.tenant == self._tenant, table.user_token == user
        )
        return [ReportRow(*row) for row in connection.execute(query.order_by(table.id.desc()).limit(limit))]

    def put_listed(self, connection: Connection, entry: ListedRow) -> None:
        """An entry of the list; it takes the place of an earlier one of its case."""
        self.drop_listed(connection, entry.case_id)
        connection.execute(insert(screening_listed), {"tenant": self._tenant, **entry._asdict()})

    def drop_listed(self, connection: Connection, case_id: str) -> None:
        """No entry of this case any more."""
        table = screening_listed.c
        connection.execute(
            delete(screening_listed).where(table.tenant == self._tenant, table.case_id == case_id)
        )

    def listed(self, connection: Connection, *, at_ms: int) -> list[ListedRow]:
        """The entries that have not run out."""
        table = screening_listed.c
        columns = [table[name] for name in ListedRow._fields]
        query = (
            select(*columns)
            .where(table.tenant == self._tenant, table.ends_ms > at_ms)
            .order_by(table.case_id)
        )
        return [ListedRow(*row) for row in connection.execute(query)]

    def list_version(self, connection: Connection) -> tuple[int, int]:
        """Tells one state of the settled cases from another: how many there are, and when the last was settled."""
        table = screening_case.c
        query = select(func.count(), func.max(table.settled_ms)).where(
            table.tenant == self._tenant, table.state != "open"
        )
        count, last_ms = connection.execute(query).one()
        return int(count), int(last_ms or 0)

    # What an earlier version kept in clear.

    def cases_in_clear(
        self, connection: Connection, after: str, limit: int
    ) -> list[tuple[str, str, str, int]]:
        """Cases whose body lies in them: id, token of the customer, body, and when they were opened."""
        table = screening_case.c
        query = select(table.id, table.user_token, table.body, table.opened_ms).where(
            table.tenant == self._tenant, table.id > after, table.body != ""
        )
        return [
            (*row,) for row in connection.execute(query.order_by(table.id).limit(limit).with_for_update())
        ]

    def empty_cases(self, connection: Connection, ids: Sequence[str]) -> None:
        """Take the bodies out of cases."""
        mine = (screening_case.c.tenant == self._tenant) & screening_case.c.id.in_(ids)
        connection.execute(update(screening_case).where(mine).values(body=""))

    def notes_in_clear(
        self, connection: Connection, after: str, limit: int
    ) -> list[tuple[str, str, str, int]]:
        """Notes whose text lies in them: id, token of the customer of their case, text, and when they were written."""
        table, case_ = screening_note.c, screening_case.c
        query = (
            select(table.id, case_.user_token, table.text, table.at_ms)
            .join(screening_case, (case_.tenant == table.tenant) & (case_.id == table.case_id))
            .where(table.tenant == self._tenant, table.id > after, table.text != "")
            .order_by(table.id)
            .limit(limit)
        )
        return [(*row,) for row in connection.execute(query.with_for_update(of=screening_note))]

    def empty_notes(self, connection: Connection, ids: Sequence[str]) -> None:
        """Take the texts out of notes."""
        mine = (screening_note.c.tenant == self._tenant) & screening_note.c.id.in_(ids)
        connection.execute(update(screening_note).where(mine).values(text=""))

    def reports_in_clear(
        self, connection: Connection, after: str, limit: int
    ) -> list[tuple[str, str, str, int]]:
        """Reports whose body lies in them: id, token of the customer, body, and when they came."""
        table = screening_report.c
        query = select(table.id, table.user_token, table.body, table.at_ms).where(
            table.tenant == self._tenant, table.id > after, table.body != ""
        )
        return [
            (*row,) for row in connection.execute(query.order_by(table.id).limit(limit).with_for_update())
        ]

    def empty_reports(self, connection: Connection, ids: Sequence[str]) -> None:
        """Take the bodies out of reports."""
        mine = (screening_report.c.tenant == self._tenant) & screening_report.c.id.in_(ids)
        connection.execute(update(screening_report).where(mine).values(body=""))

    def _cases(self) -> Any:
        columns = [screening_case.c[name] for name in CaseRow._fields]
        return select(*columns).where(screening_case.c.tenant == self._tenant)


def _is_late(at_ms: int) -> ColumnElement[bool]:
    table = screening_case.c
    return or_(table.is_overdue == 1, (table.due_ms > 0) & (table.due_ms < at_ms))
