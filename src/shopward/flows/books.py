"""The books as people use them: what they ask, and the few postings that are made by hand.

Promise:
- what is posted by hand and its line in the audit log are one transaction; who posted is told by the key;
- a key that was used for the same body gives the recorded transfer again and leaves no second line;
- holds, approvals and payments are never posted by hand: those follow from orders and claims.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, Struct

from shopward.ledger import postings
from shopward.ledger.accounts import Account, parse_account
from shopward.ledger.transfers import AMOUNT_MAX

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.access import Caller
    from shopward.flows.arrows import Trail
    from shopward.ledger import Balance, Book, Reading, Recorded, Transfer
    from shopward.ledger.rows import Ending
    from shopward.ports import Records
    from shopward.values import Clock

Amount = Annotated[int, Meta(ge=1, le=AMOUNT_MAX)]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]
Key = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:\-]{1,64}\Z")]
AccountName = Annotated[str, Meta(min_length=1, max_length=96)]
Ref = Annotated[str, Meta(min_length=1, max_length=128)]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}\Z")]
Partner = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}\Z")]


class Opening(Struct, tag_field="word", tag="opening", forbid_unknown_fields=True, frozen=True):
    """A balance that was owed before these books: once for each account, currency and day."""

    account: AccountName
    amount_minor: Amount
    currency: Currency
    as_of: Day


class Recovery(Struct, tag_field="word", tag="recovery", forbid_unknown_fields=True, frozen=True):
    """Money came back by ``way``; from a ``partner`` who owes it, or from anybody else."""

    key: Key
    way: Partner
    amount_minor: Amount
    currency: Currency
    partner: Partner | None = None
    incident: Ref | None = None
    claim: Ref | None = None


class WriteOff(Struct, tag_field="word", tag="write_off", forbid_unknown_fields=True, frozen=True):
    """What nobody will pay back: of a receivable or a provisional credit."""

    key: Key
    account: AccountName
    amount_minor: Amount
    currency: Currency


class Reversal(Struct, tag_field="word", tag="reversal", forbid_unknown_fields=True, frozen=True):
    """Take a posted transfer back, once."""

    key: Key
    transfer: Ref


Posting = Opening | Recovery | WriteOff | Reversal


class LedgerDesk:
    """May be called from any thread.

    Args:
        records: transactions.
        book: writes.
        reading: reads.
        trail: the audit log.
        clock: the server's.
    """

    def __init__(self, *, records: Records, book: Book, reading: Reading, trail: Trail, clock: Clock) -> None:
        self._records = records
        self._book = book
        self._reading = reading
        self._trail = trail
        self._clock = clock

    def post(self, caller: Caller, posting: Posting) -> Recorded:
        """Post by hand; raises why it is not possible."""
        transfer, now_ms = transfer_of(posting), self._clock.now_ms()

        def work(connection: Any) -> Recorded:
            made = self._book.post_one(connection, transfer, at_ms=now_ms)
            if not made.is_replay:
                self._trail.append(
                    connection, at_ms=now_ms, actor=caller.key, deed="ledger:post", subject=made.id,
                    details={"word": made.word, "seq": made.seq},
                )  # fmt: skip
            return made

        return self._records.write(work)

    def transfer(self, transfer_id: str) -> tuple[Recorded, Ending | None]:
        """One transfer and how it was ended; raises ``NotFound``."""
        return self._records.read(lambda connection: self._reading.transfer(connection, transfer_id))

    def about(self, *, kind: str, ref: str, before: int | None, limit: int) -> list[Recorded]:
        """Transfers about a claim, an incident, an order or a transaction, newest first."""
        return self._records.read(
            lambda each: self._reading.about(each, kind=kind, ref=ref, before=before, limit=limit)
        )

    def of_account(self, account: Account, *, before: int | None, limit: int) -> list[Recorded]:
        """Transfers that touch an account, newest first."""
        return self._records.read(
            lambda each: self._reading.of_account(each, account, before=before, limit=limit)
        )

    def balances(self, *, after: tuple[str, str], limit: int) -> list[Balance]:
        """Where the accounts stand, by name."""
        return self._records.read(lambda each: self._reading.all_balances(each, after=after, limit=limit))


def transfer_of(posting: Posting) -> Transfer:
    """The transfer that a posting by hand is; raises ``InvalidField`` for an account that there cannot be."""
    return _RULES[type(posting)](posting)


def _opening(asked: Opening) -> Transfer:
    account = parse_account(asked.account, path="account")
    return postings.opening(
        account, amount_minor=asked.amount_minor, currency=asked.currency, as_of=asked.as_of
    )


def _recovery(asked: Recovery) -> Transfer:
    about = {"incident": asked.incident, "claim": asked.claim}
    return postings.recover(
        key=asked.key, way=asked.way, amount_minor=asked.amount_minor, currency=asked.currency,
        refs={name: value for name, value in about.items() if value}, partner=asked.partner or "",
    )  # fmt: skip


def _write_off(asked: WriteOff) -> Transfer:
    account = parse_account(asked.account, path="account")
    return postings.write_off(
        account, key=asked.key, amount_minor=asked.amount_minor, currency=asked.currency, refs={}
    )


def _reversal(asked: Reversal) -> Transfer:
    return postings.reverse(asked.transfer, key=asked.key, refs={})


_RULES: dict[type, Callable[[Any], Transfer]] = {
    Opening: _opening,
    Recovery: _recovery,
    WriteOff: _write_off,
    Reversal: _reversal,
}
