"""Rows of the ledger and the values that they stand for.

Promise: what is read is what was written, entry by entry in its order; nothing here decides.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from sqlalchemy import false, select

from shopward.bulk import among
from shopward.ledger.accounts import KINDS, Account
from shopward.ledger.tables import ledger_balance, ledger_ending, ledger_entry, ledger_transfer
from shopward.ledger.transfers import STAGES, Entry, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection

_decode: Final = msgspec.json.Decoder(dict[str, str]).decode


class Recorded(NamedTuple):
    """A transfer in the books.

    Attributes:
        seq: its place in the order of recording, from 1, without gaps.
        entries: its lines; those of a void are none.
        is_replay: it was there before this call.
    """

    id: str
    seq: int
    at_ms: int
    key: str
    word: str
    stage: Stage
    ends: str
    refs: dict[str, str]
    entries: tuple[Entry, ...]
    fingerprint: bytes
    chain: bytes
    is_replay: bool = False


class Ending(NamedTuple):
    """How and by which transfer one was ended."""

    stage: Stage
    by: str


class Standing(NamedTuple):
    """Where an account stands in one currency; debits above zero, credits below."""

    posted_minor: int = 0
    pending_debit_minor: int = 0
    pending_credit_minor: int = 0


def transfers_by_id(connection: Connection, tenant: str, ids: Iterable[str]) -> list[Recorded]:
    """Those that there are."""
    return _found(connection, tenant, among(connection, ledger_transfer.c.id, ids))


def transfers_by_key(connection: Connection, tenant: str, keys: Iterable[str]) -> list[Recorded]:
    """Those that there are."""
    return _found(connection, tenant, among(connection, ledger_transfer.c.key, keys))


def transfers_at(connection: Connection, tenant: str, seqs: Sequence[int]) -> list[Recorded]:
    """Those at these places, oldest first."""
    table = ledger_transfer.c
    rows = connection.execute(
        select(ledger_transfer)
        .where(table.tenant == tenant, among(connection, table.seq, seqs))
        .order_by(table.seq)
    )
    return _with_entries(connection, tenant, rows.all(), among(connection, ledger_entry.c.seq, seqs))


def transfers_after(connection: Connection, tenant: str, seq: int, *, limit: int) -> list[Recorded]:
    """The next ones after a place, oldest first."""
    table = ledger_transfer.c
    rows = connection.execute(
        select(ledger_transfer)
        .where(table.tenant == tenant, table.seq > seq)
        .order_by(table.seq)
        .limit(limit)
    ).all()
    theirs = ledger_entry.c.seq.between(rows[0].seq, rows[-1].seq) if rows else false()
    return _with_entries(connection, tenant, rows, theirs)


def endings_of(connection: Connection, tenant: str, ids: Iterable[str]) -> dict[str, Ending]:
    """Those of these transfers that are ended."""
    table = ledger_ending.c
    rows = connection.execute(
        select(table.id, table.stage, table.by).where(
            table.tenant == tenant, among(connection, table.id, ids)
        )
    )
    return {name: Ending(STAGES[stage], by) for name, stage, by in rows}


def standings_of(
    connection: Connection, tenant: str, accounts: Iterable[str]
) -> dict[tuple[str, str], Standing]:
    """Where these accounts stand, by account and currency."""
    table = ledger_balance.c
    rows = connection.execute(
        select(ledger_balance).where(table.tenant == tenant, among(connection, table.account, accounts))
    )
    return {(row[1], row[2]): Standing(*row[3:]) for row in rows}


def account_of(text: str) -> Account:
    """An account as it stands in a row."""
    word, _colon, owner = text.partition(":")
    return Account(KINDS[word], owner)


def _found(connection: Connection, tenant: str, which: ColumnElement[bool]) -> list[Recorded]:
    """By their places first, which an index alone knows: SQLite would else read all the tenant's for the rest of the row."""
    table = ledger_transfer.c
    seqs = list(connection.scalars(select(table.seq).where(table.tenant == tenant, which)))
    return transfers_at(connection, tenant, seqs) if seqs else []


def _with_entries(
    connection: Connection, tenant: str, rows: Sequence[Any], theirs: ColumnElement[bool]
) -> list[Recorded]:
    """Rows of transfers with their entries; one more statement for all of them."""
    if not rows:
        return []
    table = ledger_entry.c
    lines = connection.execute(
        select(table.seq, table.account, table.currency, table.amount_minor)
        .where(table.tenant == tenant, theirs)
        .order_by(table.seq, table.line)
    ).all()
    entries = {
        seq: tuple(Entry(account_of(account), currency, amount) for _seq, account, currency, amount in group)
        for seq, group in groupby(lines, key=itemgetter(0))
    }
    return [
        Recorded(
            name, seq, at_ms, key, word, STAGES[stage], ends, _decode(refs), entries.get(seq, ()),
            bytes(print_), bytes(chain),
        )
        for _tenant, seq, name, at_ms, key, word, stage, ends, refs, print_, chain in rows
    ]  # fmt: skip
