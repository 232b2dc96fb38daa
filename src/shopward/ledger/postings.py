"""The posting rules: which lines each thing that happens has in the books.

Promise: pure, and each rule is one transfer that sums to zero. The key of a transfer is made of what happened and to what, so
that the same thing can never be booked twice, however often it is tried.

``OUTSIDE`` stands for money beyond these books: paying out credits it, money that comes in debits it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shopward.ledger.accounts import HELD, Account, Kind
from shopward.ledger.transfers import Entry, Stage, Transfer

if TYPE_CHECKING:
    from collections.abc import Mapping


def move(
    key: str,
    word: str,
    *,
    debit: Account,
    credit: Account,
    amount_minor: int,
    currency: str,
    refs: Mapping[str, str],
    stage: Stage = Stage.POSTED,
) -> Transfer:
    """One amount from ``credit`` to ``debit``."""
    lines = (Entry(debit, currency, amount_minor), Entry(credit, currency, -amount_minor))
    return Transfer(key, word, lines, stage, "", refs)


def opening(account: Account, *, amount_minor: int, currency: str, as_of: str) -> Transfer:
    """A balance that was owed before these books; once for each account, currency and day (``2026-01-05``)."""
    return move(
        f"opening/{account}/{currency}/{as_of}", "opening", debit=Account(Kind.OPENING), credit=account,
        amount_minor=amount_minor, currency=currency, refs={},
    )  # fmt: skip


def hold(account: Account, *, amount_minor: int, currency: str, order: str) -> Transfer:
    """What an order holds of a balance goes to its frozen part; once for each order, account and currency."""
    return move(
        f"hold/{order}/{account}/{currency}", "hold", debit=account, credit=_held(account),
        amount_minor=amount_minor, currency=currency, refs={"order": order},
    )  # fmt: skip


def release(account: Account, *, amount_minor: int, currency: str, order: str) -> Transfer:
    """What an order held is the customer's to spend again."""
    return move(
        f"release/{order}/{account}/{currency}", "release", debit=_held(account), credit=account,
        amount_minor=amount_minor, currency=currency, refs={"order": order},
    )  # fmt: skip


def accrue(
    *, claim: str, step: str, amount_minor: int, currency: str, refs: Mapping[str, str], partner: str = "",
    is_goodwill: bool = False,
) -> Transfer:  # fmt: skip
    """What was approved on a claim is owed from now on.

    Args:
        claim: its id.
        step: which approval of the claim, for one that is approved again after an appeal.
        amount_minor: what is owed, above zero.
        currency: ISO 4217.
        refs: what it is about.
        partner: bears one half; of an odd amount the shop bears the unit more.
        is_goodwill: nothing was owed.
    """
    loss = Account(Kind.GOODWILL if is_goodwill else Kind.FRAUD_LOSS)
    owed = Entry(Account(Kind.CLAIM_PAYABLE, claim), currency, -amount_minor)
    theirs = amount_minor // 2 if partner else 0
    lines = [Entry(loss, currency, amount_minor - theirs)]
    if theirs:
        lines.append(Entry(Account(Kind.RECEIVABLE, partner), currency, theirs))
    return Transfer(f"accrue/{claim}/{step}", "accrue", (*lines, owed), refs={**refs, "claim": claim})


def pay(
    *, claim: str, payout: str, to: Account, amount_minor: int, currency: str, refs: Mapping[str, str]
) -> Transfer:
    """Promise what is owed on a claim to where it is paid; pending until whoever carries it says that it is done."""
    return move(
        f"pay/{payout}", "pay", debit=Account(Kind.CLAIM_PAYABLE, claim), credit=to, amount_minor=amount_minor,
        currency=currency, refs={**refs, "claim": claim}, stage=Stage.PENDING,
    )  # fmt: skip


def paid(promised: str, *, payout: str) -> Transfer:
    """It was carried."""
    return Transfer(f"paid/{payout}", "paid", stage=Stage.POST, ends=promised)


def not_paid(promised: str, *, payout: str) -> Transfer:
    """It will not be carried; the claim is owed as before."""
    return Transfer(
        f"not_paid/{payout}", "not_paid", stage=Stage.VOID, ends=promised, refs={"payout": payout}
    )


def credit_provisionally(
    *, claim: str, payout: str, to: Account, amount_minor: int, currency: str, refs: Mapping[str, str]
) -> Transfer:
    """Promise a credit while a claim is looked at (Reg E, 12 CFR 1005.11(c)(2))."""
    return move(
        f"pay/{payout}", "credit_provisionally", debit=Account(Kind.PROVISIONAL, claim), credit=to,
        amount_minor=amount_minor, currency=currency, refs={**refs, "claim": claim},
        stage=Stage.PENDING,
    )  # fmt: skip


def settle_provisional(*, claim: str, step: str, amount_minor: int, currency: str) -> Transfer:
    """What was credited provisionally is what was owed."""
    return move(
        f"settle/{claim}/{step}", "settle_provisional", debit=Account(Kind.CLAIM_PAYABLE, claim),
        credit=Account(Kind.PROVISIONAL, claim), amount_minor=amount_minor, currency=currency, refs={"claim": claim},
    )  # fmt: skip


def write_off(
    account: Account, *, key: str, amount_minor: int, currency: str, refs: Mapping[str, str]
) -> Transfer:
    """What nobody will pay back: a receivable, or a provisional credit that was not owed."""
    return move(
        f"write_off/{key}", "write_off", debit=Account(Kind.WRITE_OFF), credit=account, amount_minor=amount_minor,
        currency=currency, refs=refs,
    )  # fmt: skip


def recover(
    *, key: str, way: str, amount_minor: int, currency: str, refs: Mapping[str, str], partner: str = ""
) -> Transfer:
    """Money came back: from a partner who owed it, or from anybody else as an income."""
    source = Account(Kind.RECEIVABLE, partner) if partner else Account(Kind.RECOVERED)
    return move(
        f"recover/{key}", "recover", debit=Account(Kind.OUTSIDE, way), credit=source, amount_minor=amount_minor,
        currency=currency, refs=refs,
    )  # fmt: skip


def reverse(transfer: str, *, key: str, refs: Mapping[str, str]) -> Transfer:
    """Take a posted transfer back, once."""
    return Transfer(f"reverse/{key}", "reverse", stage=Stage.REVERSAL, ends=transfer, refs=refs)


def _held(account: Account) -> Account:
    return Account(HELD[account.kind], account.owner)
