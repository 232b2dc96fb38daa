"""Mailings and their recipients in SQL.

Promise: every method works inside the caller's transaction. ``add`` of somebody who is on the mailing already changes nothing; ``take``
gives a recipient to one process alone until the lease runs out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from shopward.bulk import put_rows
from shopward.notices.mailing import Mailing, Recipient, decode, encode
from shopward.notices.tables import notice_mailing, notice_recipient

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from shopward.notices.mailing import RecipientState


class NoticeStore:
    """The mailings of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def add_mailing(self, connection: Connection, mailing: Mailing) -> None:
        """A new one."""
        connection.execute(insert(notice_mailing), self._row(mailing))

    def put_mailing(self, connection: Connection, mailing: Mailing) -> None:
        """One that is locked, changed."""
        table = notice_mailing.c
        connection.execute(
            update(notice_mailing)
            .where(table.tenant == self._tenant, table.id == mailing.id)
            .values(self._row(mailing))
        )

    def mailing(self, connection: Connection, mailing_id: str, *, lock: bool = False) -> Mailing | None:
        """One of them."""
        table = notice_mailing.c
        query = select(table.body).where(table.tenant == self._tenant, table.id == mailing_id)
        body = connection.scalar(query.with_for_update() if lock else query)
        return None if body is None else decode(body)

    def sending(self, connection: Connection) -> Mailing | None:
        """The oldest that is under way."""
        table = notice_mailing.c
        query = (
            select(table.body)
            .where(table.tenant == self._tenant, table.state == "sending")
            .order_by(table.id)
            .limit(1)
        )
        body = connection.scalar(query)
        return None if body is None else decode(body)

    def add(self, connection: Connection, mailing_id: str, recipients: Sequence[Recipient]) -> int:
        """Put people on a mailing; how many were new."""
        rows = [(self._tenant, mailing_id, *each) for each in recipients]
        return put_rows(connection, notice_recipient, rows, keeping=True)

    def take(
        self, connection: Connection, mailing_id: str, *, at_ms: int, until_ms: int, limit: int
    ) -> list[Recipient]:
        """Recipients who are due, for this process alone until then; the longest due first."""
        table = notice_recipient.c
        query = (
            self._recipients()
            .where(table.mailing == mailing_id, table.state == "queued", table.due_ms <= at_ms)
            .order_by(table.due_ms)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        taken = [Recipient(*row) for row in connection.execute(query)]
        if taken:
            connection.execute(
                update(notice_recipient)
                .where(
                    table.tenant == self._tenant, table.mailing == mailing_id,
                    table.user_token.in_([each.user_token for each in taken]),
                )
                .values(due_ms=until_ms, tries=table.tries + 1)
            )  # fmt: skip
        return taken

    def settle(
        self,
        connection: Connection,
        mailing_id: str,
        settled: Recipient,
        *,
        message: str,
        states: Sequence[RecipientState],
    ) -> bool:
        """What became of one try of ``message``.

        False, and nothing changed, where another route is tried by now, or it stands in none of ``states`` any more: a bounce
        may be quicker than the answer to the message that it is about.
        """
        table = notice_recipient.c
        done = connection.execute(
            update(notice_recipient)
            .where(
                table.tenant == self._tenant, table.mailing == mailing_id, table.user_token == settled.user_token,
                table.message == message, table.state.in_(states),
            )
            .values(
                state=settled.state, due_ms=settled.due_ms, said=settled.said, route=settled.route,
                message=settled.message, receipt=settled.receipt, tries=settled.tries,
            )
        )  # fmt: skip
        return bool(done.rowcount)

    def forget(self, connection: Connection, user_token: str) -> int:
        """Take a person's addresses off every mailing; of how many. Who waited to be told is not told any more.

        Message and receipt go too, so that neither a try that is under way nor a bounce puts them in a queue again.
        """
        table = notice_recipient.c
        theirs = (table.tenant == self._tenant) & (table.user_token == user_token) & (table.address != b"")
        waiting = theirs & (table.state == "queued")
        connection.execute(update(notice_recipient).where(waiting).values(state="refused", said="erased"))
        gone = {"address": b"", "message": "", "receipt": ""}
        return connection.execute(update(notice_recipient).where(theirs).values(gone)).rowcount

    def named(
        self, connection: Connection, *, message: str = "", receipt: str = ""
    ) -> tuple[str, Recipient] | None:
        """Whom a message is to, by its id or by the channel's receipt, and its mailing; ``None`` where nobody knows it."""
        table = notice_recipient.c
        which = table.message == message if message else table.receipt == receipt
        columns = [table[name] for name in Recipient._fields]
        asked = select(table.mailing, *columns).where(table.tenant == self._tenant, which).limit(1)
        row = connection.execute(asked).first() if message or receipt else None
        return None if row is None else (row[0], Recipient(*row[1:]))

    def of_incident(self, connection: Connection, incident: str) -> list[Mailing]:
        """The mailings about an incident, oldest first."""
        table = notice_mailing.c
        asked = (
            select(table.body)
            .where(table.tenant == self._tenant, table.incident == incident)
            .order_by(table.id)
        )
        return [decode(body) for body in connection.scalars(asked)]

    def of_user(self, connection: Connection, user_token: str, *, limit: int) -> list[tuple[Mailing, str]]:
        """The mailings that somebody is on, once they were started, newest first, each with the language it was meant in."""
        mailing, recipient = notice_mailing.c, notice_recipient.c
        asked = (
            select(mailing.body, recipient.language)
            .join(
                notice_recipient,
                (recipient.tenant == mailing.tenant) & (recipient.mailing == mailing.id)
                & (recipient.user_token == user_token),
            )
            .where(mailing.tenant == self._tenant, mailing.state != "filling")
            .order_by(mailing.id.desc())
            .limit(limit)
        )  # fmt: skip
        return [(decode(body), str(language)) for body, language in connection.execute(asked)]

    def counts(self, connection: Connection, mailing_id: str) -> dict[str, int]:
        """How many recipients stand in each state."""
        table = notice_recipient.c
        query = (
            select(table.state, func.count())
            .where(table.tenant == self._tenant, table.mailing == mailing_id)
            .group_by(table.state)
        )
        return dict(map(tuple, connection.execute(query)))

    def _recipients(self) -> Any:
        columns = [notice_recipient.c[name] for name in Recipient._fields]
        return select(*columns).where(notice_recipient.c.tenant == self._tenant)

    def _row(self, mailing: Mailing) -> dict[str, Any]:
        return {
            "tenant": self._tenant, "id": mailing.id, "state": mailing.state, "body": encode(mailing).decode(),
            "incident": mailing.incident,
        }  # fmt: skip
