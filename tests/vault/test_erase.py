"""What is erased is gone, also from a backup that is restored; what the law holds stays until it ends."""

from __future__ import annotations

import sqlite3

import pytest

from shopward.config import Settings
from shopward.errors import Conflict, InvalidField, Misconfigured, NotFound
from shopward.service import Shopward
from shopward.values import DAY_MS
from shopward.vault import Write
from shopward.vault.period_key import ERASED
from vault.conftest import ANI, BUDI, SHOP, ask, deeds, order, reveal

ALL = ("profile", "orders", "identity", "support", "events")


def login(number, user="u1"):
    return {
        "id": f"e-{number}", "type": "login", "status": "succeeded", "time": "2026-01-05T00:00:00Z", "user": {"id": user},
        "context": {"ip": "203.0.113.9", "user_agent": "Tampak/1.0"},
    }  # fmt: skip


def told(shop, event_id):
    return shop.vault.history.told([shop.log.find([event_id])[event_id]])[0]


def left(shop, user="u1"):
    return [each.id for each in shop.vault.custody.of_user(user, kind=None, after="", limit=50)]


def erase(shop, user="u1", classes=(), dry_run=False):
    return shop.vault.erasing.erase(ANI, user, classes=classes, reason="asked by mail", dry_run=dry_run)


def test_an_erasure_takes_records_keys_indexes_and_events(shop):
    """The certificate counts, says when backups lapse, and names nobody; others keep everything; decisions stay."""
    shop.decide(login(1))
    shop.decide(login(2, "u2"))
    shop.vault.custody.put(
        SHOP, [order(), Write("c", "u1", "", "customer", {"name": "Budi"}), order(2, "u2")]
    )
    assert erase(shop, dry_run=True).records == 2
    assert left(shop) == ["c", "o-1"]
    done = erase(shop)
    assert (done.classes, done.held, done.keys, done.records, done.events) == (ALL, (), 2, 2, 1)
    assert done.backups_lapse_at > done.at
    assert "u1" not in str(done)
    assert {each.store: each.rows for each in done.stores if each.rows} == {
        "vault_records": 2, "vault_indexes": 7, "vault_keys": 2, "log_events": 1,
    }  # fmt: skip
    assert [each.holds for each in done.stores[-4:]] == ["tokens", "tokens", "tokens", "nothing"]
    assert (left(shop), left(shop, "u2")) == ([], ["o-2"])
    assert (
        shop.vault.reveals.search(
            ANI, kind="order", field="order_id", transform="exact", value="1001", limit=5
        ).found
        == []
    )
    entries = shop.log.find(["e-1", "e-2"])
    assert told(shop, "e-1") == ERASED
    assert b"203.0.113.9" in told(shop, "e-2")
    assert entries["e-1"].decision
    assert entries["e-1"].facts
    assert shop.vault.erasing.certificates("u1") == [done]


def test_a_log_that_was_scrubbed_goes_on_and_is_replayed(settings, clock):
    """Decisions go on, a retry hears what was recorded, and a restart rebuilds from it."""
    with Shopward.open(settings, clock=clock) as shop:
        for number in range(70):
            shop.decide(login(number, f"u{number % 2 + 1}"))
        answered = shop.decide(login(0))
        assert erase(shop).events == 35
        assert shop.decide(login(0)) == answered
        shop.decide(login(100))
        shop.close(snapshot=False)
    with Shopward.open(settings, clock=clock) as shop:
        assert shop.desk.seq == shop.log.last_seq()
        assert erase(shop).events == 1


def test_a_customer_who_comes_back_begins_anew(shop):
    """A new key, a new record under the old id, and the next erasure takes that alone."""
    shop.vault.custody.put(SHOP, [order()])
    erase(shop)
    shop.vault.custody.put(SHOP, [order(name="Budi Baru")])
    (opened,) = reveal(shop, ANI, ask())
    assert opened.values["name"] == "Budi Baru"
    assert opened.row.version == 1


def test_a_restored_backup_forgets_again_before_it_serves(tmp_path, clock):
    """The store of yesterday is put back: who was erased since is erased before anybody is answered, the others are there."""
    settings = Settings(data=str(tmp_path / "data"))
    file, backup = tmp_path / "data" / "shopward.db", tmp_path / "backup.db"
    with Shopward.open(settings, clock=clock) as shop:
        shop.decide(login(1))
        shop.vault.custody.put(SHOP, [order(), order(2, "u2")])
        with sqlite3.connect(file) as store, sqlite3.connect(backup) as copy:
            store.backup(copy)
        store.close(), copy.close()
        clock.advance(DAY_MS)
        erase(shop)
    for old in tmp_path.glob("data/shopward.db*"):
        old.unlink()
    backup.rename(file)
    (tmp_path / "data" / "state.snapshot").unlink()
    with Shopward.open(settings, clock=clock) as shop:
        assert (left(shop), left(shop, "u2")) == ([], ["o-2"])
        assert told(shop, "e-1") == ERASED
        (done,) = shop.vault.erasing.certificates("u1")
        assert (done.keys, done.records, done.events) == (1, 1, 1)
        assert deeds(shop)[-1] == "personal:erase"
    with Shopward.open(settings, clock=clock) as shop:
        assert len(shop.vault.erasing.certificates("u1")) == 1


@pytest.mark.parametrize("spoil", ["remove", "cut", "change"])
def test_a_journal_that_is_not_whole_refuses_the_start(tmp_path, clock, spoil):
    """Missing, shorter than what the store knows, or changed: fails closed."""
    settings, journal = Settings(data=str(tmp_path / "data")), tmp_path / "data" / "vault.erasures"
    with Shopward.open(settings, clock=clock) as shop:
        for user in ("u1", "u2"):
            erase(shop, user)
    lines = journal.read_bytes().splitlines(keepends=True)
    if spoil == "remove":
        journal.unlink()
    else:
        journal.write_bytes(
            lines[0] if spoil == "cut" else lines[0].replace(b"support", b"orders") + lines[1]
        )
    with pytest.raises(Misconfigured):
        Shopward.open(settings, clock=clock)


def test_half_a_line_of_the_journal_was_promised_to_nobody(tmp_path, clock):
    """A crash while it was written: the start goes on, and the next erasure is kept."""
    settings, journal = Settings(data=str(tmp_path / "data")), tmp_path / "data" / "vault.erasures"
    with Shopward.open(settings, clock=clock) as shop:
        erase(shop)
    journal.write_bytes(journal.read_bytes() + b"00aa half")
    with Shopward.open(settings, clock=clock) as shop:
        erase(shop, "u2")
    with Shopward.open(settings, clock=clock) as shop:
        assert len(shop.vault.room.journal.read()) == 2


def test_a_legal_hold_keeps_its_class_and_the_erasure_waits(shop):
    """The rest goes; another person ends the hold, and then it goes too."""
    shop.vault.custody.put(SHOP, [order(), Write("c", "u1", "", "customer", {"name": "Budi"})])
    shop.vault.erasing.hold(ANI, "u1", classes=("orders",), reason="suit 7")
    done = erase(shop)
    assert done.held == ("orders",)
    assert "orders" not in done.classes
    assert left(shop) == ["o-1"]
    with pytest.raises(Conflict):
        shop.vault.erasing.release(ANI, "u1", classes=("orders",))
    ended = shop.vault.erasing.release(BUDI, "u1", classes=("orders",))
    assert ended is not None
    assert ended.classes == ("orders",)
    assert left(shop) == []
    with pytest.raises(NotFound):
        shop.vault.erasing.release(BUDI, "u1", classes=())


def test_a_hold_that_ends_with_nothing_waiting_erases_nothing(shop):
    """It only kept."""
    shop.vault.custody.put(SHOP, [order()])
    shop.vault.erasing.hold(ANI, "u1", classes=(), reason="suit 7")
    assert shop.vault.erasing.release(BUDI, "u1", classes=()) is None
    assert left(shop) == ["o-1"]


def test_a_record_whose_time_is_over_is_forgotten(shop, monkeypatch):
    """Unless it is held, and however many are held before it; the ledger knows that it is gone."""
    monkeypatch.setattr("shopward.flows.erase._EXPIRED_AT_ONCE", 1)
    ends = shop.clock.now_ms() + DAY_MS
    shop.vault.custody.put(
        SHOP, [order()._replace(expires_ms=ends), order(2), order(3, "u2")._replace(expires_ms=ends - 1)]
    )
    shop.vault.erasing.hold(ANI, "u2", classes=("orders",), reason="suit 7")
    assert shop.vault.erasing.forget_expired() == 0
    shop.clock.advance(DAY_MS)
    assert shop.vault.erasing.forget_expired() == 1
    assert (left(shop), left(shop, "u2")) == (["o-2"], ["o-3"])


def test_an_unknown_class_is_refused(lite):
    """With the classes that there are."""
    with pytest.raises(InvalidField):
        erase(lite, classes=("everything",))
