"""Writing in the books.

Promise, for each call, which runs in the caller's transaction and neither begins nor commits one:
- every transfer gets its own answer: recorded, recorded before, or why not; one that is refused leaves nothing and spoils
  no other;
- transfers are taken in their order; each sees those before it, of this call and of every call before;
- writers of one tenant take turns at the head, so that two at the same time are as one after the other.

The steps of a call:
  (1) what could never be in the books is refused
  (2) the head is locked: from here on nobody else writes
  (3) what these transfers repeat, end and touch is read
  (4) each is judged, in order: repeated, ended once, covered
  (5) what is new is written, balances beside it, and the head moves on
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import select, update

from shopward.bulk import put_rows
from shopward.errors import Conflict, NotFound, ShopwardError
from shopward.ledger.accounts import OWED, OWNED, Kind
from shopward.ledger.rows import (
    Ending,
    Recorded,
    Standing,
    endings_of,
    standings_of,
    transfers_by_id,
    transfers_by_key,
)
from shopward.ledger.tables import (
    ledger_balance,
    ledger_ending,
    ledger_entry,
    ledger_head,
    ledger_ref,
    ledger_transfer,
)
from shopward.ledger.transfers import (
    ENDING,
    GENESIS,
    Entry,
    Stage,
    Transfer,
    chained,
    check,
    fingerprint,
    id_of,
    turned,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

_encode: Final = msgspec.json.Encoder(order="sorted").encode
_NOWHERE: Final = Standing()
_BOUND: Final = OWED | OWNED
_EFFECTS: Final = {
    Stage.POSTED: (1, 0), Stage.REVERSAL: (1, 0), Stage.PENDING: (0, 1), Stage.POST: (1, -1), Stage.VOID: (0, -1),
}  # fmt: skip
"""How often a stage counts an amount as posted and as pending."""

Answer = Recorded | ShopwardError


class Book:
    """The books of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def post(self, connection: Connection, transfers: Sequence[Transfer], *, at_ms: int) -> list[Answer]:
        """Record transfers, in their order; for each what is recorded, or why it is not.

        Refusals: ``InvalidField`` (never possible), ``Conflict`` with the codes ``conflict`` (the key stands for another
        body), ``already_ended``, ``not_covered`` (the account has less than that), ``wrong_stage``; ``NotFound`` (what
        it ends is not there).
        """
        refused = [check(each) for each in transfers]  # (1)
        sound = [each for each, why in zip(transfers, refused, strict=True) if why is None]
        if not sound:
            return [why for why in refused if why is not None]
        seq, chain = self._lock(connection)  # (2)
        page = self._page(connection, sound, seq, chain, at_ms)  # (3)
        taken = iter([page.take(transfer) for transfer in sound])  # (4)
        self._write(connection, page)  # (5)
        return [next(taken) if why is None else why for why in refused]

    def post_one(self, connection: Connection, transfer: Transfer, *, at_ms: int) -> Recorded:
        """Record one transfer, or raise why not."""
        answer = self.post(connection, (transfer,), at_ms=at_ms)[0]
        if isinstance(answer, ShopwardError):
            raise answer
        return answer

    def _lock(self, connection: Connection) -> tuple[int, bytes]:
        table = ledger_head.c
        asked = select(table.last_seq, table.chain).where(table.tenant == self._tenant).with_for_update()
        row = connection.execute(asked).one_or_none()
        if row is None:
            put_rows(connection, ledger_head, [(self._tenant, 0, GENESIS)], keeping=True)
            row = connection.execute(asked).one()
        return row.last_seq, bytes(row.chain)

    def _page(
        self, connection: Connection, sound: list[Transfer], seq: int, chain: bytes, at_ms: int
    ) -> _Page:
        tenant = self._tenant
        before = transfers_by_key(connection, tenant, [each.key for each in sound])
        ends = {each.ends for each in sound if each.ends}
        ended = transfers_by_id(connection, tenant, ends) if ends else []
        endings = endings_of(connection, tenant, ends) if ends else {}
        lines = [each.entries for each in sound] + [each.entries for each in ended]
        accounts = {str(entry.account) for entries in lines for entry in entries}
        return _Page(
            tenant, seq, chain, at_ms, before, ended, endings, standings_of(connection, tenant, accounts)
        )

    def _write(self, connection: Connection, page: _Page) -> None:
        if not page.fresh:
            return
        tenant = self._tenant
        put_rows(connection, ledger_transfer, [(tenant, *_row(each)) for each in page.fresh])
        put_rows(connection, ledger_entry, [(tenant, *line) for each in page.fresh for line in _lines(each)])
        put_rows(
            connection, ledger_ref,
            [(tenant, kind, ref, each.seq) for each in page.fresh for kind, ref in each.refs.items()],
        )  # fmt: skip
        put_rows(connection, ledger_ending, [(tenant, *each) for each in page.ended])
        self._put_balances(connection, page)
        connection.execute(
            update(ledger_head)
            .where(ledger_head.c.tenant == self._tenant)
            .values(last_seq=page.seq, chain=page.chain)
        )

    def _put_balances(self, connection: Connection, page: _Page) -> None:
        rows = [(self._tenant, *place, *standing) for place, standing in sorted(page.moved.items())]
        put_rows(connection, ledger_balance, rows, replacing=Standing._fields)


class _Page:
    """What is read, and what is new, of one call: step (4) without a database."""

    def __init__(
        self,
        tenant: str,
        seq: int,
        chain: bytes,
        at_ms: int,
        before: list[Recorded],
        ended: list[Recorded],
        endings: dict[str, Ending],
        standings: dict[tuple[str, str], Standing],
    ) -> None:
        self._tenant = tenant
        self.seq, self.chain = seq, chain
        self._at_ms = at_ms
        self._by_key = {each.key: each for each in before}
        self._by_id = {each.id: each for each in ended}
        self._endings = endings
        self._standings = standings
        self.fresh: list[Recorded] = []
        self.ended: list[tuple[str, str, str]] = []
        self.moved: dict[tuple[str, str], Standing] = {}

    def take(self, transfer: Transfer) -> Answer:
        print_ = fingerprint(transfer)
        before = self._by_key.get(transfer.key)
        if before is not None:
            return before._replace(is_replay=True) if before.fingerprint == print_ else _other_body()
        entries = self._entries(transfer)
        if isinstance(entries, ShopwardError):
            return entries
        moved = self._moved(transfer.stage, entries)
        if isinstance(moved, ShopwardError):
            return moved
        self._standings |= moved
        self.moved |= moved
        return self._record(transfer, print_, () if transfer.stage is Stage.VOID else entries)

    def _entries(self, transfer: Transfer) -> tuple[Entry, ...] | ShopwardError:
        """The lines of a transfer; of one that ends another, what the other's lines become."""
        if transfer.stage not in ENDING:
            return transfer.entries
        ended = self._by_id.get(transfer.ends)
        if ended is None:
            return NotFound(
                "no such transfer", path="ends", expected="the id of a transfer", found="another id"
            )
        if (by := self._endings.get(transfer.ends)) is not None:
            return Conflict(
                "a transfer is ended once", code="already_ended", path="ends",
                expected="one that nobody posted, voided or reversed", found=f"ended by a {by.stage.value}",
            )  # fmt: skip
        fits = {Stage.PENDING} if transfer.stage in {Stage.POST, Stage.VOID} else {Stage.POSTED, Stage.POST}
        if ended.stage not in fits:
            return Conflict(
                "this transfer cannot end so", code="wrong_stage", path="ends", found=ended.stage.value,
                expected=" or ".join(sorted(each.value for each in fits)),
            )  # fmt: skip
        return turned(ended.entries) if transfer.stage is Stage.REVERSAL else ended.entries

    def _moved(
        self, stage: Stage, entries: tuple[Entry, ...]
    ) -> dict[tuple[str, str], Standing] | ShopwardError:
        """Where the accounts stand after this, unless one would be overdrawn."""
        moved: dict[tuple[str, str], Standing] = {}
        bound: dict[tuple[str, str], Kind] = {}
        posts, pends = _EFFECTS[stage]
        for account, currency, amount in entries:
            place = (str(account), currency)
            posted, debit, credit = moved.get(place) or self._standings.get(place) or _NOWHERE
            if amount > 0:
                debit += pends * amount
            else:
                credit += pends * amount
            moved[place] = Standing(posted + posts * amount, debit, credit)
            if account.kind in _BOUND:
                bound[place] = account.kind
        for place, kind in bound.items():
            over = _overdrawn(kind, moved[place])
            if over and over > _overdrawn(kind, self._standings.get(place) or _NOWHERE):
                return Conflict(
                    "more than the account has", code="not_covered", path="entries", found="a larger amount",
                    expected=f"at most what {kind.value} has in {place[1]}, with what is pending taken off",
                )  # fmt: skip
        return moved

    def _record(self, transfer: Transfer, print_: bytes, entries: tuple[Entry, ...]) -> Recorded:
        name = id_of(self._tenant, transfer.key)
        self.seq += 1
        self.chain = chained(self.chain, self.seq, self._at_ms, print_)
        made = Recorded(
            name, self.seq, self._at_ms, transfer.key, transfer.word, transfer.stage, transfer.ends,
            dict(transfer.refs), entries, print_, self.chain,
        )  # fmt: skip
        self.fresh.append(made)
        self._by_key[transfer.key] = self._by_id[name] = made
        if transfer.ends:
            self.ended.append((transfer.ends, transfer.stage.value, name))
            self._endings[transfer.ends] = Ending(transfer.stage, name)
        return made


def _overdrawn(kind: Kind, at: Standing) -> int:
    """By how much an account that is owed or owned is overdrawn when everything pending against it comes; 0 where it is covered."""
    if kind in OWED:
        return max(at.posted_minor + at.pending_debit_minor, 0)
    return max(-at.posted_minor - at.pending_credit_minor, 0)


def _other_body() -> Conflict:
    return Conflict(
        "this key stands for another transfer", path="key", expected="a new key, or the same body", found="another body",
    )  # fmt: skip


def _row(made: Recorded) -> tuple[Any, ...]:
    return (
        made.seq, made.id, made.at_ms, made.key, made.word, made.stage.value, made.ends, _encode(made.refs).decode(),
        made.fingerprint, made.chain,
    )  # fmt: skip


def _lines(made: Recorded) -> list[tuple[Any, ...]]:
    return [
        (made.seq, line, str(entry.account), entry.currency, entry.amount_minor)
        for line, entry in enumerate(made.entries)
    ]
