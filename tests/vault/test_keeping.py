"""Events as they were sent lie sealed from the first byte, under a key of each customer when their day is settled."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import select, text

from named import personal_values
from shopward.adapters.sql.schema import log_page
from shopward.config import Settings
from shopward.errors import SealBroken, StoreLocked
from shopward.flows.keeping import InClear
from shopward.service import Shopward
from shopward.service.doctor.events import look_at_events
from shopward.testing.shop import Shop
from shopward.values import DAY_MS, MINUTE_MS
from shopward.vault.period_key import ERASED, period_of
from shopward.vault.tables import vault_period, vault_period_key, vault_subject
from vault.conftest import ANI
from vault.test_erase import erase, login, told


def settle(shop):
    """Until nothing is left; how many steps."""
    steps = 0
    while shop.vault.keeper.step():
        steps += 1
    return steps


def next_day(shop, clock):
    """A day later something is decided, and the day before is settled."""
    clock.advance(DAY_MS)
    shop.decide(login(int(clock.now_ms() // DAY_MS), "u9"))
    return settle(shop)


def rows(shop, query):
    return shop.records.read(lambda each: each.execute(query).all())


def periods(shop):
    """Of each period, its number and whether its key is there."""
    columns = select(vault_period.c.number, vault_period.c.wrapped).order_by(vault_period.c.number)
    return [(number, bool(wrapped)) for number, wrapped in rows(shop, columns)]


def clear_column(shop):
    """Everything of the column, joined."""
    return b"".join(bytes(each) for (each,) in rows(shop, select(log_page.c.personal)))


def in_clear(shop):
    """How many events lie in clear, as the doctor counts them."""
    return shop.records.read(lambda each: look_at_events(each, shop.log.last_seq())).clear


def test_no_event_lies_in_clear_and_its_reader_has_it_as_it_was_sent(shop):
    """By both stores; a user, a stranger and nobody."""
    nobody = login(3) | {"type": "gift_card_check"}
    del nobody["user"]
    for each in (login(1), login(2, "u2"), nobody):
        shop.decide(each)
    for personal in (b"203.0.113.9", b"Tampak", b'"u1"'):
        assert personal not in clear_column(shop)
    assert [period_of(entry.personal) for entry in shop.log.read(after_seq=0, limit=9)] == [1, 1, 1]
    assert msgspec.json.decode(told(shop, "e-1"))["context"]["ip"] == "203.0.113.9"
    assert b"Tampak" in told(shop, "e-3")
    assert shop.vault.history.users([shop.maker.user_token("u1"), "x"]) == {
        shop.maker.user_token("u1"): "u1",
        "x": "",
    }


def test_a_day_is_settled_under_keys_of_customers_and_its_own_key_destroyed(shop, clock):
    """All events go on opening, also after a restart; of each customer there is one key, whatever the days."""
    for number in range(1, 60):
        shop.decide(login(number, f"u{number % 7}"))
    assert settle(shop) == 0
    assert next_day(shop, clock) > 0
    assert next_day(shop, clock) > 0
    assert periods(shop) == [(1, False), (2, False), (3, True)]
    assert b"203.0.113.9" in told(shop, "e-1")
    owners = rows(shop, select(vault_subject.c.subject).where(vault_subject.c.retention == "events"))
    assert len(owners) == 8
    assert len(rows(shop, select(vault_period_key.c.subject))) == 8


def test_an_erasure_destroys_the_key_and_empties_what_a_living_day_has(shop, clock):
    """Settled events are noise where they lie, today's are emptied, the certificate counts both, others keep theirs."""
    shop.decide(login(1)), shop.decide(login(2, "u2"))
    next_day(shop, clock)
    shop.decide(login(3))
    before = shop.log.find(["e-1"])["e-1"].personal
    done = erase(shop)
    assert (done.keys, done.events) == (1, 2)
    assert (told(shop, "e-1"), told(shop, "e-3")) == (ERASED, ERASED)
    assert shop.log.find(["e-1"])["e-1"].personal == before
    assert b"203.0.113.9" in told(shop, "e-2")
    shop.decide(login(4))
    assert erase(shop).events == 1
    next_day(shop, clock)
    assert (told(shop, "e-1"), told(shop, "e-4")) == (ERASED, ERASED)


def test_who_comes_back_after_an_erasure_is_kept_anew(shop, clock):
    """Within the same day and on the next."""
    shop.decide(login(1))
    erase(shop)
    shop.decide(login(2))
    assert b"203.0.113.9" in told(shop, "e-2")
    next_day(shop, clock)
    assert (told(shop, "e-1"), b"203.0.113.9" in told(shop, "e-2")) == (ERASED, True)


def test_a_copy_of_the_log_from_before_an_erasure_stays_noise(shop, clock):
    """Also of the day of the erasure, and though the customer came back on that day: no key that is kept opens it."""
    for number in range(1, 5):
        shop.decide(login(number, f"u{number % 2 + 1}"))
    next_day(shop, clock)
    shop.decide(login(11, "u1")), shop.decide(login(12, "u2"))
    copy = shop.log.read(after_seq=0, limit=99)
    erase(shop, "u1"), erase(shop, "u2")
    shop.decide(login(13, "u1"))
    next_day(shop, clock)
    assert b"203.0.113.9" in told(shop, "e-13")
    gone = [entry for entry in copy if entry.user_token != shop.maker.user_token("u9")]
    assert len(gone) == 6
    for entry in gone:
        try:
            assert shop.vault.history.told([entry]) == [ERASED]
        except SealBroken:
            assert entry.event_id == "e-11"


def test_decisions_are_those_of_a_log_in_clear_and_replay_after_an_erasure(settings, clock):
    """Bit by bit: what was decided, and the state that a start takes back from the log."""
    events = Shop(11, customers=30).ordinary_days(3)[:300]
    clock.advance(400 * DAY_MS)
    with Shopward.open(settings, clock=clock) as shop:
        shop.desk.decide([msgspec.json.encode(each) for each in events])
        recorded = [entry.decision for entry in shop.log.read(after_seq=0, limit=500)]
        state = shop.desk.engine.dump()
        for user in sorted({each["user"]["id"] for each in events if "user" in each})[:5]:
            assert erase(shop, user).events
        shop.close(snapshot=False)
    with Shopward.open(settings, clock=clock) as shop:
        assert shop.desk.engine.dump() == state
        assert [entry.decision for entry in shop.log.read(after_seq=0, limit=500)] == recorded


def test_no_value_of_the_simulator_lies_in_the_files(tmp_path):
    """Store, its write-ahead log, snapshot and all else of the folder, while it runs and afterwards."""
    events = Shop(11, customers=60).ordinary_days(3)
    values = {
        each.encode()
        for each in personal_values(events) | {each["user"]["id"] for each in events if "user" in each}
    }
    assert len(values) > 100
    with Shopward.open(Settings(data=str(tmp_path / "data"))) as shop:
        shop.desk.decide([msgspec.json.encode(each) for each in events])
        seen = [path.read_bytes() for path in (tmp_path / "data").iterdir()]
    seen += [path.read_bytes() for path in (tmp_path / "data").iterdir()]
    assert {value for value in values if any(value in each for each in seen)} == set()


def test_what_was_recorded_in_clear_is_sealed_step_by_step(settings, clock):
    """A log from before opens as it is, goes on where a step ended, and has nothing in clear at the end; the erased stay erased."""
    with Shopward.open(settings, clock=clock) as shop:
        shop.desk._keeper = InClear()
        for number in range(1, 700):
            shop.decide(login(number, f"u{number % 5}"))
        erase(shop, "u4")
    with Shopward.open(settings, clock=clock) as shop:
        assert b"203.0.113.9" in clear_column(shop)
        assert in_clear(shop) == 559  # without the erased, and what stands in the log besides
        assert b"203.0.113.9" in told(shop, "e-1")
        shop.decide(login(1000))
        assert shop.vault.keeper.step()
        assert b"203.0.113.9" in clear_column(shop)
    with Shopward.open(settings, clock=clock) as shop:
        assert settle(shop) == 2
        assert b"203.0.113.9" not in clear_column(shop)
        assert in_clear(shop) == 0
        assert periods(shop) == [(0, False), (1, True)]
        assert b"203.0.113.9" in told(shop, "e-1")
        assert told(shop, "e-4") == ERASED
        assert erase(shop, "u1").events == 141


def test_a_moved_or_changed_event_does_not_open(shop):
    """Bound to customer, period and id: fails closed."""
    shop.decide(login(1)), shop.decide(login(2))
    one, two = shop.log.read(after_seq=0, limit=2)
    changed = one.personal[:-1] + bytes((one.personal[-1] ^ 1,))
    another = one.personal[:2] + (7).to_bytes(4, "big") + one.personal[6:]
    for personal in (two.personal, changed, another, one.personal[:9]):
        with pytest.raises(SealBroken):
            shop.vault.history.told([msgspec.structs.replace(one, personal=personal)])


def test_keys_of_days_follow_the_key_above_them(shop, clock):
    """A new kek wraps them at once, and the old one can go."""
    shop.decide(login(1))
    next_day(shop, clock)
    shop.vault.rekeying.begin(ANI, "kek")
    while shop.vault.rekeying.step():
        pass
    shop.vault.rekeying.retire(ANI, "kek", 1)
    shop.decide(login(2))
    assert b"203.0.113.9" in told(shop, "e-1")
    next_day(shop, clock)
    assert b"203.0.113.9" in told(shop, "e-2")


def test_one_key_for_the_shop_keeps_days_and_erases_by_rows(settings, clock):
    """Nothing is settled, no row of a customer is made, and an erasure empties events."""
    wide = msgspec.structs.replace(settings, vault_keys="shop")
    with Shopward.open(wide, clock=clock) as shop:
        shop.decide(login(1)), shop.decide(login(2, "u2"))
        assert b"203.0.113.9" not in clear_column(shop)
        assert next_day(shop, clock) == 0
        assert periods(shop) == [(1, True), (2, True)]
        assert erase(shop).events == 1
        shop.vault.rekeying.begin(ANI, "data")
        assert (told(shop, "e-1"), b"203.0.113.9" in told(shop, "e-2")) == (ERASED, True)
        assert rows(shop, select(vault_subject.c.subject)) == [("",)]  # the shop's own: why it was erased


def test_a_day_whose_key_cannot_be_made_goes_on_under_the_one_before(lite, clock):
    """Fails open for decisions and closed for what is kept; a minute later it is tried again."""
    lite.decide(login(1))
    clock.advance(DAY_MS)
    lite.records.write(lambda each: each.execute(text("ALTER TABLE vault_period RENAME TO away")))
    lite.decide(login(2))
    assert period_of(lite.log.find(["e-2"])["e-2"].personal) == 1
    lite.records.write(lambda each: each.execute(text("ALTER TABLE away RENAME TO vault_period")))
    clock.advance(MINUTE_MS)
    lite.decide(login(3))
    assert period_of(lite.log.find(["e-3"])["e-3"].personal) == 2
    assert settle(lite) > 0
    assert b"203.0.113.9" in told(lite, "e-2")


def test_a_server_that_lost_the_log_begins_no_day(shop, clock):
    """Its position is old: entries of the new owner would count to a day whose key they do not have."""
    shop.decide(login(1))
    shop.records.write(lambda each: each.execute(text("UPDATE log_head SET epoch = epoch + 1")))
    clock.advance(DAY_MS)
    with pytest.raises(StoreLocked):
        shop.decide(login(2))
    assert periods(shop) == [(1, True)]
