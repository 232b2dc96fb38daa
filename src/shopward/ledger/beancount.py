"""The books as a Beancount file, so that somebody else's program can say whether they are sound.

Promise: every transfer that counts is a transaction under its key, id and place; what is promised or given up is a comment. The
balances that stand beside the entries are asserted at the end, without tolerance, so that ``bean-check`` derives them
itself and agrees or not. One line at a time: books of any size can be written.

Names of accounts: the root that Beancount wants, the kind, and the owner after an ``O``; a character that Beancount does
not take in a name is ``-`` and its two hexadecimal digits, the hyphen too, so that no two owners share a name.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from shopward.ledger.accounts import Account, Kind, parse_account
from shopward.ledger.transfers import Stage
from shopward.values import minor_digits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shopward.ledger.reading import Balance
    from shopward.ledger.rows import Recorded

_ROOTS: Final = {
    Kind.WALLET: "Liabilities:Wallet",
    Kind.WALLET_HELD: "Liabilities:WalletHeld",
    Kind.GIFT_CARD: "Liabilities:GiftCard",
    Kind.GIFT_CARD_HELD: "Liabilities:GiftCardHeld",
    Kind.CLAIM_PAYABLE: "Liabilities:ClaimPayable",
    Kind.OUTSIDE: "Assets:Outside",
    Kind.RECEIVABLE: "Assets:Receivable",
    Kind.PROVISIONAL: "Assets:Provisional",
    Kind.FRAUD_LOSS: "Expenses:FraudLoss",
    Kind.GOODWILL: "Expenses:Goodwill",
    Kind.WRITE_OFF: "Expenses:WriteOff",
    Kind.RECOVERED: "Income:Recovered",
    Kind.OPENING: "Equity:Opening",
}
_COUNTS: Final = frozenset({Stage.POSTED, Stage.POST, Stage.REVERSAL})
_PLAIN: Final = re.compile(r"[^A-Za-z0-9]")


def beancount_lines(transfers: Iterable[Recorded], balances: Iterable[Balance]) -> Iterator[str]:
    """The file, line by line without ends of lines.

    Args:
        transfers: all of them, oldest first.
        balances: as they are kept, after the last transfer.
    """
    yield 'option "title" "Shopward ledger"'
    opened: set[Account] = set()
    last_ms = 0
    for transfer in transfers:
        last_ms = max(last_ms, transfer.at_ms)
        if transfer.stage not in _COUNTS:
            yield f"; {transfer.seq} {transfer.stage.value} {json.dumps(transfer.key)}"
            continue
        for entry in transfer.entries:
            if entry.account not in opened:
                opened.add(entry.account)
                yield f"1970-01-01 open {account_name(entry.account)}"
        yield f"{_day(transfer.at_ms)} * {json.dumps(transfer.word)} {json.dumps(transfer.key, ensure_ascii=False)}"
        yield f'  transfer: "{transfer.id}"'
        yield f"  seq: {transfer.seq}"
        for account, currency, amount_minor in transfer.entries:
            yield f"  {account_name(account)}  {amount(amount_minor, currency)}"
    after = _day(last_ms + timedelta(days=1) // timedelta(milliseconds=1))
    for balance in balances:
        account = parse_account(balance.account, path="account")
        if account in opened:
            number, currency = amount(balance.posted_minor, balance.currency).split()
            yield f"{after} balance {account_name(account)}  {number} ~ 0 {currency}"


def account_name(account: Account) -> str:
    """``wallet:u008490`` as ``Liabilities:Wallet:Ou008490``."""
    return f"{_ROOTS[account.kind]}:O{_PLAIN.sub(lambda found: f'-{ord(found[0]):02x}', account.owner)}"


def amount(amount_minor: int, currency: str) -> str:
    """``-1250 CNY`` in minor units as ``-12.50 CNY``; exact, without a float."""
    digits = minor_digits(currency)
    whole = f"{abs(amount_minor):0{digits + 1}d}"
    sign = "-" if amount_minor < 0 else ""
    number = f"{whole[:-digits]}.{whole[-digits:]}" if digits else whole
    return f"{sign}{number} {currency}"


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()
