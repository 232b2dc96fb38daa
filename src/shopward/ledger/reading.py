"""Reading the books.

Promise: every call runs in the caller's transaction and changes nothing. A page of transfers is in their order of recording,
newest first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import select, tuple_

from shopward.errors import NotFound
from shopward.ledger.rows import (
    Ending,
    endings_of,
    standings_of,
    transfers_after,
    transfers_at,
    transfers_by_id,
)
from shopward.ledger.tables import ledger_balance, ledger_entry, ledger_head, ledger_ref

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Select

    from shopward.ledger.accounts import Account
    from shopward.ledger.rows import Recorded

STREAM_ROWS: Final = 1_000


class Balance(NamedTuple):
    """Where an account stands in one currency, in minor units; debits above zero, credits below."""

    account: str
    currency: str
    posted_minor: int
    pending_debit_minor: int
    pending_credit_minor: int


class Reading:
    """The books of one tenant, to read; holds no connection.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def transfer(self, connection: Connection, transfer_id: str) -> tuple[Recorded, Ending | None]:
        """One transfer and how it was ended, if it was; raises ``NotFound``."""
        found = transfers_by_id(connection, self._tenant, [transfer_id])
        if not found:
            raise NotFound("no such transfer", path="id", expected="the id of a transfer", found="another id")
        return found[0], endings_of(connection, self._tenant, [transfer_id]).get(transfer_id)

    def balances(self, connection: Connection, account: Account) -> list[Balance]:
        """Where an account stands, currency by currency; nothing where it never moved."""
        found = standings_of(connection, self._tenant, [str(account)])
        return [Balance(name, currency, *at) for (name, currency), at in sorted(found.items())]

    def all_balances(self, connection: Connection, *, after: tuple[str, str], limit: int) -> list[Balance]:
        """Accounts in the order of their names and currencies, after one of them."""
        table = ledger_balance.c
        rows = connection.execute(
            select(ledger_balance)
            .where(table.tenant == self._tenant, tuple_(table.account, table.currency) > after)
            .order_by(table.account, table.currency)
            .limit(limit)
        )
        return [Balance(*row[1:]) for row in rows]

    def about(
        self, connection: Connection, *, kind: str, ref: str, before: int | None, limit: int
    ) -> list[Recorded]:
        """Transfers about a claim, an incident, an order or a transaction, newest first."""
        table = ledger_ref.c
        seqs = select(table.seq).where(table.tenant == self._tenant, table.kind == kind, table.ref == ref)
        return self._listed(connection, seqs, table.seq, before=before, limit=limit)

    def of_account(
        self, connection: Connection, account: Account, *, before: int | None, limit: int
    ) -> list[Recorded]:
        """Transfers that touch an account, newest first."""
        table = ledger_entry.c
        seqs = select(table.seq).where(table.tenant == self._tenant, table.account == str(account)).distinct()
        return self._listed(connection, seqs, table.seq, before=before, limit=limit)

    def length(self, connection: Connection) -> int:
        """How many transfers there are."""
        table = ledger_head.c
        return connection.scalar(select(table.last_seq).where(table.tenant == self._tenant)) or 0

    def stream(self, connection: Connection, *, after: int = 0) -> Iterator[Recorded]:
        """Every transfer after a place in the order, oldest first, some at a time."""
        while found := transfers_after(connection, self._tenant, after, limit=STREAM_ROWS):
            yield from found
            after = found[-1].seq

    def _listed(
        self,
        connection: Connection,
        seqs: Select[int],
        place: object,
        *,
        before: int | None,
        limit: int,
    ) -> list[Recorded]:
        if before is not None:
            seqs = seqs.where(place < before)  # type: ignore[operator,arg-type] # a column
        newest = list(connection.scalars(seqs.order_by(place.desc()).limit(limit)))  # type: ignore[attr-defined]
        return transfers_at(connection, self._tenant, newest)[::-1] if newest else []
