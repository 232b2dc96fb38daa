"""The books from the outside: what is taken, what is refused, what the balances say after it."""

import threading

import pytest
from sqlalchemy import text

from shopward.ledger import Account, Entry, Kind, Stage, Transfer, postings

ANNA = Account(Kind.WALLET, "anna")
LOSS = Account(Kind.FRAUD_LOSS)
RECEIVABLE = Account(Kind.RECEIVABLE, "wallet-partner")


def owed(amount_minor=1_000, *, day="2026-01-05", to=ANNA):
    """What the shop owed before the books."""
    return postings.opening(to, amount_minor=amount_minor, currency="IDR", as_of=day)


def test_a_claim_is_owed_promised_and_paid(books):
    """Approved, carried and confirmed: nothing is payable any more and the customer has it."""
    pay = postings.pay(claim="c-1", payout="p-1", to=ANNA, amount_minor=700, currency="IDR", refs={})
    accrued = postings.accrue(
        claim="c-1", step="1", amount_minor=700, currency="IDR", refs={"incident": "i-1"}
    )
    promised = books.post(accrued, pay)[1]
    assert books.balance(Account(Kind.CLAIM_PAYABLE, "c-1")) == (-700, 700, 0)
    assert books.balance(ANNA) == (0, 0, -700)
    assert books.codes(postings.paid(promised.id, payout="p-1")) == ["ok"]
    assert (books.balance(Account(Kind.CLAIM_PAYABLE, "c-1")), books.balance(ANNA)) == (0, -700)
    assert books.balance(LOSS) == 700
    about = books.records.read(
        lambda each: books.reading.about(each, kind="claim", ref="c-1", before=None, limit=9)
    )
    assert [each.word for each in about] == ["pay", "accrue"]
    assert books.verify().is_sound


def test_what_was_not_carried_is_owed_as_before(books):
    """A promise that is given up leaves the claim payable, and it can be promised anew."""
    claim = Account(Kind.CLAIM_PAYABLE, "c-1")
    first = postings.pay(claim="c-1", payout="p-1", to=ANNA, amount_minor=700, currency="IDR", refs={})
    again = postings.pay(claim="c-1", payout="p-2", to=ANNA, amount_minor=700, currency="IDR", refs={})
    promised = books.post(
        postings.accrue(claim="c-1", step="1", amount_minor=700, currency="IDR", refs={}), first
    )[1]
    assert books.codes(again) == ["not_covered"]
    assert books.codes(postings.not_paid(promised.id, payout="p-1"), again) == ["ok", "ok"]
    assert books.balance(claim) == (-700, 700, 0)


def test_the_same_key_is_the_same_transfer(books):
    """A retry hears the first answer, in the same call and later; another body under the key is refused."""
    assert books.codes(owed(), owed()) == ["ok", "again"]
    first, second = books.post(owed())[0], books.post(owed())[0]
    assert (first.id, first.seq, first.is_replay) == (second.id, 1, True)
    assert books.codes(owed(1_001)) == ["conflict"]
    assert books.balance(ANNA) == -1_000


def test_a_refused_transfer_spoils_no_other(books):
    """Between two good ones, each kind of bad one is refused with its own code and leaves nothing."""
    bad = Transfer("k-1", "test", (Entry(ANNA, "IDR", 5), Entry(LOSS, "IDR", -4)))
    more = postings.hold(ANNA, amount_minor=1_001, currency="IDR", order="o-1")
    nothing = postings.paid("t-none", payout="p-9")
    assert books.codes(owed(), bad, more, nothing, owed(7, to=Account(Kind.WALLET, "budi"))) == [
        "ok", "unbalanced", "not_covered", "not_found", "ok",
    ]  # fmt: skip
    report = books.verify()
    assert (report.transfers, report.is_sound) == (2, True)


@pytest.mark.parametrize(
    "entries",
    [
        (),
        (Entry(ANNA, "IDR", 0), Entry(LOSS, "IDR", 0)),
        (Entry(ANNA, "IDR", 2**53), Entry(LOSS, "IDR", -(2**53))),
        (Entry(ANNA, "rupiah", 1), Entry(LOSS, "rupiah", -1)),
        (Entry(ANNA, "IDR", 1), Entry(LOSS, "USD", -1)),
        tuple(Entry(ANNA, "IDR", 1 if place % 2 else -1) for place in range(34)),
    ],
)
def test_what_can_never_be_in_the_books(books, entries):
    """No lines, nothing, too much, no currency, one currency against another, too many lines."""
    assert books.codes(Transfer("k-1", "test", entries)) in (["invalid_field"], ["unbalanced"])
    assert books.verify().transfers == 0


def test_an_order_holds_a_balance_visibly(books):
    """What is held cannot be spent, and what is released can."""
    books.post(owed())
    hold = postings.hold(ANNA, amount_minor=1_000, currency="IDR", order="o-1")
    spend = postings.move(
        "spend",
        "spend",
        debit=ANNA,
        credit=Account(Kind.OUTSIDE, "shop"),
        amount_minor=1,
        currency="IDR",
        refs={},
    )
    assert books.codes(hold, spend) == ["ok", "not_covered"]
    assert books.balance(Account(Kind.WALLET_HELD, "anna")) == -1_000
    assert books.codes(postings.release(ANNA, amount_minor=1_000, currency="IDR", order="o-1"), spend) == [
        "ok",
        "ok",
    ]
    assert books.balance(ANNA) == -999


def test_a_transfer_is_ended_once(books):
    """Posted or voided once, reversed once; what is reversed moves back, and a reversal is final."""
    promise = postings.move(
        "p", "pay", debit=LOSS, credit=ANNA, amount_minor=10, currency="IDR", refs={}, stage=Stage.PENDING
    )
    made = books.post(promise)[0]
    assert books.codes(postings.reverse(made.id, key="r-0", refs={})) == ["wrong_stage"]
    posted = books.post(postings.paid(made.id, payout="p"))[0]
    assert books.codes(postings.not_paid(made.id, payout="p")) == ["already_ended"]
    back = books.post(postings.reverse(posted.id, key="r-1", refs={}))[0]
    assert books.codes(postings.reverse(posted.id, key="r-2", refs={})) == ["already_ended"]
    assert books.codes(postings.reverse(back.id, key="r-3", refs={})) == ["wrong_stage"]
    assert (books.balance(ANNA), books.balance(LOSS)) == (0, 0)
    assert books.verify().is_sound


def test_a_credit_that_was_spent_cannot_be_reversed(books):
    """Taking back what is gone would overdraw the customer."""
    credit = books.post(owed())[0]
    out = Account(Kind.OUTSIDE, "shop")
    books.post(postings.move("s", "spend", debit=ANNA, credit=out, amount_minor=400, currency="IDR", refs={}))
    assert books.codes(postings.reverse(credit.id, key="r", refs={})) == ["not_covered"]


def test_a_partner_bears_one_half_and_the_shop_the_odd_unit(books):
    """Of 701 the partner owes 350; paying more than he owes is refused, the rest is written off."""
    books.post(
        postings.accrue(
            claim="c", step="1", amount_minor=701, currency="IDR", refs={}, partner="wallet-partner"
        )
    )
    assert (books.balance(LOSS), books.balance(RECEIVABLE)) == (351, 350)
    came = {"way": "bank", "currency": "IDR", "refs": {}, "partner": "wallet-partner"}
    assert books.codes(
        postings.recover(key="1", amount_minor=300, **came),
        postings.recover(key="2", amount_minor=51, **came),
        postings.write_off(RECEIVABLE, key="1", amount_minor=50, currency="IDR", refs={}),
    ) == ["ok", "not_covered", "ok"]
    assert books.balance(RECEIVABLE) == 0


def test_currencies_never_mix(books):
    """A balance in rupiah covers nothing in yuan."""
    books.post(owed())
    assert books.codes(postings.hold(ANNA, amount_minor=1, currency="CNY", order="o")) == ["not_covered"]


def test_two_writers_are_as_one_after_the_other(books):
    """Eight threads that want the same last thousand: one gets it, and the order of the books has no gap."""
    books.post(owed())
    codes = []

    def want(number):
        codes.extend(
            books.codes(postings.hold(ANNA, amount_minor=1_000, currency="IDR", order=f"o-{number}"))
        )

    threads = [threading.Thread(target=want, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["not_covered"] * 7 + ["ok"]
    assert books.verify().is_sound


CHANGES = {
    "an amount": "UPDATE ledger_entry SET amount_minor = amount_minor + 1 WHERE seq = 2 AND line = 0",
    "an account": "UPDATE ledger_entry SET account = 'wallet:eve' WHERE seq = 2 AND line = 1",
    "both lines": "UPDATE ledger_entry SET amount_minor = amount_minor * 2 WHERE seq = 2",
    "a time": "UPDATE ledger_transfer SET at_ms = at_ms + 1 WHERE seq = 2",
    "a word": "UPDATE ledger_transfer SET word = 'gift' WHERE seq = 2",
    "a reference": 'UPDATE ledger_transfer SET refs = \'{"claim":"c-2"}\' WHERE seq = 2',
    "a missing one": "DELETE FROM ledger_transfer WHERE seq = 2",
    "a cut-off end": "DELETE FROM ledger_transfer WHERE seq = 3",
    "a balance": "UPDATE ledger_balance SET posted_minor = posted_minor - 1 WHERE account = 'wallet:anna'",
    "an ending": "DELETE FROM ledger_ending",
    "a head": "UPDATE ledger_head SET last_seq = last_seq + 1",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_every_changed_row_is_found(books, change):
    """Whoever changes the tables by hand is seen."""
    books.post(owed(), postings.hold(ANNA, amount_minor=10, currency="IDR", order="o"))
    books.post(postings.reverse(books.post(owed())[0].id, key="r", refs={}))
    made = books.post(postings.hold(ANNA, amount_minor=10, currency="IDR", order="o-2"))[0]
    books.post(postings.reverse(made.id, key="r-2", refs={}))
    assert books.verify().is_sound
    assert books.records.write(lambda each: each.execute(text(change)).rowcount) > 0
    assert not books.verify().is_sound
