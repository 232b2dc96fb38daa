"""The owner's side of the log: claim, append, and what to do when a connection breaks in between.

Promise:

- ``append`` is one transaction. It moves the head only where tenant, epoch and position are what this owner left,
  and inserts in the same transaction; it returns when the commit is on the disk. An id that is recorded refuses all of it.
- A stale owner never appends: ``claim`` raises the epoch, and the head of an old epoch cannot be moved.
- ``StoreUnavailable`` means: not recorded. Where a connection breaks between COMMIT and its answer, the outcome
  is looked up over a new connection. Where that is impossible too, the code of the error is
  ``store_outcome_unknown``, and this owner appends again only after it has seen that nothing was recorded;
  otherwise it gives up the claim (``StoreLocked``), for the log then knows more than the memory of its process.

Not here: reading (``log``), the words for a driver's error (``failures``).
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from shopward.adapters.sql.failures import driver_errors, is_passing, translate, translating
from shopward.adapters.sql.locks import refused
from shopward.adapters.sql.pages import heads_of, packed
from shopward.adapters.sql.schema import log_head
from shopward.errors import Conflict, StoreError, StoreLocked, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from shopward.adapters.sql.drivers import Driver
    from shopward.adapters.sql.pages import Page
    from shopward.adapters.sql.statements import Row, Statements
    from shopward.adapters.sql.tail import Slice, Tail
    from shopward.errors import ShopwardError
    from shopward.ports import LogEntry


class Owner:
    """The one that appends to a tenant's log: one connection, one thread at a time."""

    def __init__(self, driver: Driver, sql: Statements, tenant: str, tail: Tail) -> None:
        self._driver = driver
        self._sql = sql
        self._tenant = tenant
        self._tail = tail
        self._writing = threading.Lock()
        self._writer: Any = None
        self._epoch: int | None = None
        self._last_seq = 0
        self._is_settled = False

    @property
    def feeds_tail(self) -> bool:
        """Whether the tail knows everything that is recorded, without asking the database."""
        return self._is_settled

    @translating("claim store")
    def claim(self) -> None:
        """Become the only decision server of this store, or raise ``StoreLocked``."""
        with self._writing:
            if self._epoch is not None:
                return
            try:
                self._take_over(self._connected())
            except BaseException:
                self._give_up()
                raise

    def held(self, connection: Connection) -> int:
        """The last position, under a lock of the caller's transaction; raises ``StoreLocked`` where the claim is another's."""
        head = log_head.c
        query = select(head.epoch, head.last_seq).where(head.tenant == self._tenant).with_for_update()
        epoch, last_seq = connection.execute(query).one()
        if epoch != self._epoch:
            raise StoreLocked("another decision server took this store over", hint="restart this process")
        return int(last_seq)

    def append(self, entries: Sequence[LogEntry]) -> None:
        """Record a group in one transaction, durable on return; all of it or none."""
        with self._writing:
            self._check_owned()
            self._check_order(entries)
            pages = list(packed(entries))
            if pages:
                self._check_new([head.event_id for page in pages for head in page.heads])
                with self._driver.turn():
                    self._record(pages)

    def close(self) -> None:
        """Give up the claim and the connection; whoever opens the store next finds it free."""
        with self._writing:
            if self._writer is not None:
                with suppress(*driver_errors()):  # a connection that broke holds nothing for long
                    self._driver.let_go(self._writer)
            self._give_up()

    # The steps of a claim and of an append.

    def _take_over(self, connection: Any) -> None:
        """The polite lock, then the epoch, which is what holds."""
        holder = self._driver.lock(connection)
        if holder is not None:
            raise refused(holder)
        connection.execute(self._driver.begin)
        connection.execute(self._sql.add_head.text, self._sql.add_head.values(t=self._tenant))
        connection.execute(self._sql.raise_epoch.text, self._sql.raise_epoch.values(t=self._tenant))
        epoch, last_seq, indexed_seq = connection.execute(
            self._sql.head.text, self._sql.head.values(t=self._tenant)
        ).fetchone()
        (newest,) = connection.execute(
            self._sql.newest.text, self._sql.newest.values(t=self._tenant)
        ).fetchone()
        if newest != last_seq:  # fail closed: a log with a lost end must not be continued
            raise StoreError(
                "the log does not end where its head says",
                expected=f"position {last_seq}",
                found=f"position {newest}",
                hint="rows were removed or the head was edited by hand; restore the newest backup",
            )
        behind = connection.execute(
            self._sql.heads.text, self._sql.heads.values(t=self._tenant, s=indexed_seq)
        ).fetchall()
        connection.execute("COMMIT")
        self._tail.start(indexed_seq)
        for first_seq, heads in behind:
            self._tail.add(first_seq, heads_of(heads))
        self._epoch, self._last_seq, self._is_settled = epoch, last_seq, True

    def _record(self, pages: Sequence[Page]) -> None:
        """Write, and once more where the first try broke before its COMMIT was sent."""
        last_seq = pages[-1].last_seq
        due = self._tail.due(last_seq - self._last_seq)
        if not self._staged(pages, due, is_last_try=False):
            self._staged(pages, due, is_last_try=True)
        self._commit(last_seq)
        self._tail.written(due)
        for page in pages:
            self._tail.add(page.first_seq, page.heads)
        self._is_settled = True
        if self._writer is not None:
            self._driver.committed(self._writer, sum(len(text) for page in pages for text in page.texts))

    def _staged(self, pages: Sequence[Page], due: Slice, *, is_last_try: bool) -> bool:
        """Whether everything of the transaction but its end is done; if not, it may be tried again."""
        try:
            self._stage(self._owned(), pages, due)
        except driver_errors() as error:
            again = is_passing(error) and not is_last_try
            failure = translate(error, "append")
        except BaseException:
            self._roll_back()
            raise
        else:
            return True
        self._roll_back()
        if again:
            return False
        raise failure

    def _stage(self, connection: Any, pages: Sequence[Page], due: Slice) -> None:
        """Move the head if it is still where this owner left it, then insert."""
        sql, tenant = self._sql, self._tenant
        connection.execute(self._driver.begin)
        values = sql.advance.values(
            t=tenant, mine=self._epoch, old=self._last_seq, new=pages[-1].last_seq, indexed=due.indexed_seq
        )
        if connection.execute(sql.advance.text, values).rowcount != 1:
            raise self._lost("another decision server took this store over")
        rows = [(tenant, page.first_seq, page.last_seq, *page.texts) for page in pages]
        self._driver.insert(connection, sql.insert, rows)
        if due.events:
            self._driver.index(connection, sql.index_events, tenant, due.events)
        if due.users:
            self._driver.index(connection, sql.index_users, tenant, due.users)

    def _commit(self, last_seq: int) -> None:
        """End the transaction; where the end is not answered, look up what became of it."""
        failure = None
        try:
            self._writer.execute("COMMIT")
        except driver_errors() as error:
            failure = translate(error, "append")
        if failure is not None:
            self._drop_writer()
            if self._position_after(failure) == self._last_seq:
                raise failure
        self._last_seq = last_seq

    def _position_after(self, failure: ShopwardError) -> int:
        """The position of the log after a COMMIT that was not answered.

        Raises:
            StoreUnavailable: with the code ``store_outcome_unknown`` where the store cannot be asked.
        """
        try:
            return self._resume()
        except driver_errors():
            self._drop_writer()
        self._is_settled = False
        raise StoreUnavailable(
            "append: the store went away during the commit",
            code="store_outcome_unknown",
            found=failure.found,
            hint="the group may be recorded; look for its event ids when the store is back",
            retry_after_s=failure.retry_after_s,
        )

    def _owned(self) -> Any:
        """The owner's connection; a new one only after claim and position were seen to be ours still."""
        if self._writer is None:
            if self._resume() != self._last_seq:
                raise self._lost("the log moved on without this process")
            if self._writer is None:
                raise StoreUnavailable(
                    "append: the database has not noticed yet that the last connection broke",
                    retry_after_s=5.0,
                )
        return self._writer

    def _resume(self) -> int:
        """Connect anew and return the position of the log, if the claim is still ours.

        Reading the head for update waits for a transaction of the lost connection, so what is read is final.
        Where that lost session still holds the polite lock, the new connection is not kept: ask again later.
        """
        connection = self._connected()
        holder = self._driver.lock(connection)
        epoch, last_seq = self._head(connection)
        if epoch != self._epoch:
            raise self._lost("another decision server took this store over")
        if holder is not None:
            self._drop_writer()
        return int(last_seq)

    def _head(self, connection: Any) -> Row:
        """Epoch and position, after every transaction on the head that is under way has ended."""
        connection.execute(self._driver.begin)
        row: Row | None = connection.execute(
            self._sql.settle.text, self._sql.settle.values(t=self._tenant)
        ).fetchone()
        connection.execute("COMMIT")
        return (0, 0) if row is None else row

    def _check_owned(self) -> None:
        if self._epoch is None:
            raise StoreLocked("this process has no claim on the store", hint="call claim() first, or restart")

    def _check_order(self, entries: Sequence[LogEntry]) -> None:
        """Fail closed: a gap would make every replay differ from what was decided."""
        for expected, entry in enumerate(entries, start=self._last_seq + 1):
            if entry.seq != expected:
                raise StoreError(
                    "the group does not continue the log",
                    path="seq",
                    expected=str(expected),
                    found=str(entry.seq),
                )

    def _check_new(self, event_ids: Sequence[str]) -> None:
        """Raise ``Conflict`` where an id is recorded; those that were looked up just before are not looked up again."""
        is_known = len(set(event_ids)) < len(event_ids) or bool(self._tail.places(event_ids))
        if not is_known and self._tail.indexed_seq and (unsure := self._tail.unsure(event_ids)):
            is_known = bool(self._indexed(unsure))
        if is_known:
            raise Conflict(
                "append: an event of this group has an id that the log already holds, or that is twice in the group",
                path="event_id",
                expected="an id that was not recorded before",
                hint="nothing of the group is recorded; find() tells which",
            )

    @translating("append")
    def _indexed(self, event_ids: Sequence[str]) -> list[Row]:
        """Those of the ids that the index knows."""
        values = self._sql.find.values(t=self._tenant, keys=self._driver.key_list(event_ids))
        rows: list[Row] = self._owned().execute(self._sql.find.text, values).fetchall()
        return rows

    def _lost(self, why: str) -> StoreLocked:
        """Give up for good: only a restart, which replays, may claim again."""
        self._give_up()
        return StoreLocked(
            why, hint="nothing was recorded; restart this process to replay the log and claim it again"
        )

    # Connections.

    def _connected(self) -> Any:
        if self._writer is None:
            self._writer = self._driver.writer()
        return self._writer

    def _roll_back(self) -> None:
        """End a transaction that failed; where that fails too, so that nothing half done can be continued."""
        if self._writer is None:
            return
        try:
            self._writer.execute("ROLLBACK")
        except driver_errors():
            self._drop_writer()

    def _give_up(self) -> None:
        self._epoch, self._is_settled = None, False
        self._drop_writer()
        self._driver.unlock()

    def _drop_writer(self) -> None:
        if self._writer is not None:
            with suppress(*driver_errors()):
                self._writer.close()
            self._writer = None
