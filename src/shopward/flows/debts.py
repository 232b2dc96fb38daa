"""What a claim owes, in the books and as payouts: accrued once, promised once, and what was credited before counts.

Promise, for calls on claims that are locked, in the caller's transaction:
- what is accrued on a claim is what its rounds approved, each amount once;
- what is promised and paid is never more than that, whatever was credited provisionally and whichever payouts failed;
- a provisional credit that was paid is settled against what is owed; one that was not owed stays a receivable
  (``provisional:CLAIM``) until a person writes it off or it comes back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from shopward.claims import states
from shopward.claims.claim import borne
from shopward.claims.payouts import Payout, payout_id
from shopward.claims.regimes import regime_of
from shopward.errors import ShopwardError
from shopward.ledger import Account, Kind, Transfer, postings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shopward.claims.claim import Claim
    from shopward.claims.payouts import Instrument
    from shopward.claims.store import ClaimStore
    from shopward.ledger import Book

PARTNER: Final = "receiving_partner"
"""Who bears one half where the regime says so; whose it is in the end, people settle and book as a recovery."""


def owe(
    connection: Any, store: ClaimStore, book: Book, claim: Claim, instrument: Instrument, now_ms: int
) -> Claim:
    """Accrue what this round owes beyond the rounds before, and promise what is not promised yet; the claim after it."""
    owed, before = borne(claim), claim.accrued_minor
    fresh = {key: amount - before.get(key, 0) for key, amount in owed.items() if amount > before.get(key, 0)}
    partner = PARTNER if regime_of(claim.regime).partner_share else ""
    for currency, amount in sorted(fresh.items()):
        rule = postings.accrue(
            claim=claim.id, step=f"{claim.round}-{currency}", amount_minor=amount, currency=currency, refs=_refs(claim),
            partner=partner,
        )  # fmt: skip
        book.post_one(connection, rule, at_ms=now_ms)
    accrued = before | {key: before.get(key, 0) + amount for key, amount in fresh.items()}
    claim = msgspec.structs.replace(claim, accrued_minor=accrued)
    for payout in store.payouts_of(connection, claim.id):
        if payout.is_provisional and payout.state == "paid":
            claim = _count(connection, book, claim, payout, now_ms)
    promise(connection, store, book, claim, instrument, now_ms)
    return closed(claim, store.payouts_of(connection, claim.id), now_ms)


def owe_many(
    connection: Any,
    store: ClaimStore,
    book: Book,
    claims: Sequence[Claim],
    instrument: Instrument,
    now_ms: int,
) -> None:
    """The same for new claims that were approved at once, in one call of the books; ``accrued_minor`` is set already.

    Raises what the books have against any accrual or promise of them: nothing of the transaction may stay.
    """
    rules: list[Transfer] = []
    owed: list[tuple[str, str, str, int]] = []
    for claim in claims:
        partner = PARTNER if regime_of(claim.regime).partner_share else ""
        to, refs = account_of(instrument, claim.user), _refs(claim)
        for number, (currency, amount) in enumerate(sorted(claim.accrued_minor.items())):
            name = payout_id(claim.id, number=number)
            rules += (
                postings.accrue(
                    claim=claim.id, step=f"{claim.round}-{currency}", amount_minor=amount, currency=currency,
                    refs=refs, partner=partner,
                ),
                postings.pay(
                    claim=claim.id, payout=name, to=to, amount_minor=amount, currency=currency, refs=refs,
                ),
            )  # fmt: skip
            owed.append((name, claim.id, currency, amount))
    promised = []
    for answer in book.post(connection, rules, at_ms=now_ms):
        if isinstance(answer, ShopwardError):
            raise answer
        promised.append(answer.id)
    made = [
        Payout(name, claim, "due", now_ms, 0, amount, currency, instrument, is_provisional=False, transfer=transfer)
        for (name, claim, currency, amount), transfer in zip(owed, promised[1::2], strict=True)
    ]  # fmt: skip
    store.add_payouts(connection, made)


def promise(
    connection: Any, store: ClaimStore, book: Book, claim: Claim, instrument: Instrument, now_ms: int
) -> list[Payout]:
    """Payouts for what is accrued and neither paid nor on its way."""
    payouts = store.payouts_of(connection, claim.id)
    covered = _sums([each for each in payouts if each.state != "failed"])
    left = {
        currency: amount - covered.get(currency, 0)
        for currency, amount in sorted(claim.accrued_minor.items())
    }
    made: list[Payout] = []
    for currency, amount in left.items():
        if amount <= 0:
            continue
        name = payout_id(claim.id, number=len(payouts) + len(made))
        rule = postings.pay(
            claim=claim.id, payout=name, to=account_of(instrument, claim.user), amount_minor=amount, currency=currency,
            refs=_refs(claim),
        )  # fmt: skip
        transfer = book.post_one(connection, rule, at_ms=now_ms).id
        made.append(
            Payout(
                name, claim.id, "due", now_ms, 0, amount, currency, instrument, is_provisional=False, transfer=transfer
            )
        )  # fmt: skip
    store.add_payouts(connection, made)
    return made


def credit(connection: Any, store: ClaimStore, book: Book, claim: Claim, now_ms: int) -> None:
    """Promise a provisional credit of all that is disputed."""
    made = []
    for number, (currency, amount) in enumerate(sorted(claim.provisional_minor.items())):
        name = payout_id(claim.id, number=len(store.payouts_of(connection, claim.id)) + number)
        rule = postings.credit_provisionally(
            claim=claim.id, payout=name, to=account_of("original", claim.user), amount_minor=amount, currency=currency,
            refs=_refs(claim),
        )  # fmt: skip
        transfer = book.post_one(connection, rule, at_ms=now_ms).id
        made.append(
            Payout(
                name, claim.id, "due", now_ms, 0, amount, currency, "original", is_provisional=True, transfer=transfer
            )
        )  # fmt: skip
    store.add_payouts(connection, made)


def settled(
    connection: Any,
    store: ClaimStore,
    book: Book,
    claims: Mapping[str, Claim],
    payouts: Sequence[Payout],
    now_ms: int,
) -> None:
    """Payouts ended: a credit that is owed by now is counted, one that failed is promised as what it is owed for.

    Args:
        connection: in a transaction.
        store: where the claims and payouts are.
        book: the ledger.
        claims: those that the payouts are of, by id, locked; one that is not there any more is left out.
        payouts: that ended, in the store already.
        now_ms: when.
    """
    after = {name: claim for name, claim in claims.items() if claim.state == "approved"}
    for payout in payouts:
        if not payout.is_provisional or payout.claim not in after:
            continue
        if payout.state == "paid":
            after[payout.claim] = _count(connection, book, after[payout.claim], payout, now_ms)
        if payout.state == "failed":
            promise(connection, store, book, after[payout.claim], payout.instrument, now_ms)
    every = store.payouts_of_each(connection, after)
    changed = [closed(claim, every[name], now_ms) for name, claim in after.items()]
    store.put_many(connection, [each for each in changed if each is not claims[each.id]])


def closed(claim: Claim, payouts: Sequence[Payout], now_ms: int) -> Claim:
    """Paid, where all that is accrued was paid; else the claim as it is."""
    paid = _sums([each for each in payouts if each.state == "paid"])
    is_whole = all(paid.get(currency, 0) >= amount for currency, amount in claim.accrued_minor.items())
    return states.paid(claim, at_ms=now_ms) if is_whole else claim


def account_of(instrument: Instrument, user: str) -> Account:
    """Where a payout goes in the books."""
    match instrument:
        case "balance":
            return Account(Kind.WALLET, user)
        case "gift_card":
            return Account(Kind.GIFT_CARD, user)
        case "original":
            return Account(Kind.OUTSIDE, "original")


def _count(connection: Any, book: Book, claim: Claim, payout: Payout, now_ms: int) -> Claim:
    """A provisional credit that was paid, against what is owed; what is above it stays a receivable."""
    currency, counted = payout.currency, claim.counted_minor
    amount = min(payout.amount_minor, claim.accrued_minor.get(currency, 0)) - counted.get(currency, 0)
    if amount <= 0:
        return claim
    rule = postings.settle_provisional(
        claim=claim.id, step=f"{claim.round}-{currency}", amount_minor=amount, currency=currency
    )
    book.post_one(connection, rule, at_ms=now_ms)
    return msgspec.structs.replace(
        claim, counted_minor=counted | {currency: counted.get(currency, 0) + amount}
    )


def _sums(payouts: Sequence[Payout]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for payout in payouts:
        sums[payout.currency] = sums.get(payout.currency, 0) + payout.amount_minor
    return sums


def _refs(claim: Claim) -> Mapping[str, str]:
    return {"incident": claim.incident} if claim.incident else {}
