"""Books that an older version wrote are taken over as they are."""

from functools import partial

from alembic import command
from sqlalchemy import text

from ledger.conftest import TENANT, Books
from protection.conftest import NOW_MS
from shopward.adapters.sql import bring_up_to_date, open_engine
from shopward.ledger import Account, Kind, postings
from shopward.ledger.transfers import GENESIS, chained, fingerprint, id_of

CLAIM = "c-019b76da3c00a1b2c3d4e5f60718293a"


def test_older_books_keep_their_ids_and_know_their_keys(database, monkeypatch):
    """A transfer is found by its old id, its key is a replay, it can be ended, and the books are sound before and after."""
    opening = postings.opening(
        Account(Kind.WALLET, "anna"), amount_minor=1_000, currency="IDR", as_of="2026-01-05"
    )
    print_ = fingerprint(opening)
    chain = chained(GENESIS, 1, NOW_MS, print_)
    row = {"id": "t-" + "7" * 32, "key": opening.key, "at_ms": NOW_MS, "print": print_, "chain": chain}
    with monkeypatch.context() as patch:
        patch.setattr("alembic.command.upgrade", partial(_only_to, "0040_forgetting", command.upgrade))
        bring_up_to_date(engine := open_engine(database))
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO ledger_transfer (tenant, id, seq, at_ms, key, word, stage, ends, refs, fingerprint, chain) "
                "VALUES ('main', :id, 1, :at_ms, :key, 'opening', 'posted', '', '{}', :print, :chain)"
            ),
            row,
        )
        for line, (account, currency, amount) in enumerate(opening.entries):
            place = {"line": line, "account": str(account), "currency": currency, "amount": amount}
            connection.execute(
                text("INSERT INTO ledger_entry VALUES ('main', 1, :line, :account, :currency, :amount)"),
                place,
            )
            connection.execute(
                text("INSERT INTO ledger_balance VALUES ('main', :account, :currency, :amount, 0, 0)"),
                place,
            )
        connection.execute(text("INSERT INTO ledger_head VALUES ('main', 1, :chain)"), row)
    engine.dispose()

    books = Books(database)
    try:
        assert books.verify().is_sound
        again = books.post(opening)[0]
        assert (again.id, again.seq, again.is_replay) == (row["id"], 1, True)
        assert books.codes(postings.reverse(row["id"], key="r-1", refs={})) == ["ok"]
        assert books.balance(Account(Kind.WALLET, "anna")) == 0
        assert books.verify().is_sound
    finally:
        books.close()


def test_ids_sort_by_the_time_of_what_their_keys_name():
    """So that what is written together lies together; a key without a time has an id all the same."""
    first, later = f"pay/p-{CLAIM[2:]}", "pay/p-019b76da3c01" + "0" * 20
    assert id_of(TENANT, first) < id_of(TENANT, later)
    assert id_of(TENANT, first)[:14] == "t-019b76da3c00"
    assert id_of(TENANT, "opening/wallet:anna/IDR/2026-01-05") != id_of(
        "other", "opening/wallet:anna/IDR/2026-01-05"
    )
    assert {len(id_of(TENANT, each)) for each in (first, "k")} == {40}


def _only_to(revision, upgrade, config, _head):
    upgrade(config, revision)
