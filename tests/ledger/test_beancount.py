"""The exported books, held against Beancount itself."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from ledger.conftest import Books
from shopward.ledger import Account, Kind, Reading, postings
from shopward.ledger.beancount import account_name, amount, beancount_lines

CHECK = Path(sys.executable).with_name("bean-check")
CURRENCIES = ["IDR", "CNY", "JPY", "KWD"]


@pytest.fixture
def filled(tmp_path):
    """Some hundred transfers of every kind, in currencies of 0, 2 and 3 digits, over three days."""
    books, rng = Books(f"sqlite:///{tmp_path}/books.db"), random.Random(7)
    for number in range(120):
        currency, claim = rng.choice(CURRENCIES), f"c-{number}"
        books.now_ms += rng.randrange(2_000_000)
        to = Account(
            rng.choice([Kind.WALLET, Kind.GIFT_CARD]), rng.choice(["anna", "budi-x", "eve_2", "Ana.3"])
        )
        value = {"amount_minor": rng.randrange(1, 99_999), "currency": currency}
        accrued = postings.accrue(claim=claim, step="1", refs={}, partner=rng.choice(["", "dana"]), **value)
        promised = books.post(accrued, postings.pay(claim=claim, payout=claim, to=to, refs={}, **value))[1]
        ending = rng.choice([postings.paid, postings.not_paid])
        done = books.post(ending(promised.id, payout=claim))[0]
        if ending is postings.paid and rng.random() < 0.3:
            assert books.codes(postings.reverse(done.id, key=claim, refs={})) == ["ok"]
    yield books
    books.close()


def checked(books, path):
    """What bean-check says of the export."""

    def lines(connection):
        reading = Reading(books.tenant)
        balances = reading.all_balances(connection, after=("", ""), limit=10_000)
        return list(beancount_lines(reading.stream(connection), balances))

    path.write_text("\n".join(books.records.read(lines)) + "\n", encoding="utf-8")
    return subprocess.run([CHECK, path], capture_output=True, text=True, check=False, timeout=60)


def test_beancount_agrees(filled, tmp_path):
    """It adds everything up itself and finds the balances that are kept."""
    said = checked(filled, tmp_path / "books.beancount")
    assert (said.returncode, said.stderr) == (0, "")
    assert "balance Liabilities:Wallet:Obudi-2dx" in (tmp_path / "books.beancount").read_text()


def test_beancount_finds_one_unit(filled, tmp_path):
    """A kept balance that is wrong by the smallest unit is found."""
    change = "UPDATE ledger_balance SET posted_minor = posted_minor + 1 WHERE account = 'fraud_loss:shop' AND currency = 'KWD'"
    assert filled.records.write(lambda each: each.execute(text(change)).rowcount) == 1
    assert checked(filled, tmp_path / "books.beancount").returncode == 1


def test_names_of_two_owners_differ():
    """What would be the same name without care is not."""
    owners = ["a-b", "a_b", "a.b", "a-2db", "a", "A"]
    assert len({account_name(Account(Kind.WALLET, owner)) for owner in owners}) == len(owners)


@pytest.mark.parametrize(
    ("minor", "currency", "written"),
    [(5, "CNY", "0.05 CNY"), (-1250, "CNY", "-12.50 CNY"), (7, "JPY", "7 JPY"), (-1, "KWD", "-0.001 KWD")],
)
def test_amounts_are_exact(minor, currency, written):
    """Digits as ISO 4217 says."""
    assert amount(minor, currency) == written
