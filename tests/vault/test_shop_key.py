"""One key for the whole shop: the same vault to its users, other words in its certificates."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from sqlalchemy import select, update

from shopward.errors import InvalidField, Misconfigured, SealBroken, StoreError
from shopward.service import Shopward
from shopward.vault.envelope import XAES
from shopward.vault.tables import vault_record, vault_subject
from vault.conftest import ANI, SHOP, ask, order, reveal


@pytest.fixture
def wide(settings, clock):
    """A vault of one key over each kind of store."""
    with Shopward.open(replace(settings, vault_keys="shop"), clock=clock) as opened:
        yield opened


def test_records_live_as_under_keys_of_customers(wide, settings, clock):
    """Put, corrected, found, revealed; sealed by XAES; the other width is refused on this store."""
    wide.vault.custody.put(SHOP, [order(number, f"u{number % 3}") for number in range(6)])
    wide.vault.custody.rectify(SHOP, "o-1", {"city": "Bandung"})
    assert wide.vault.custody.look("o-1", "screen").fields["city"] == "Bandung"
    hits = wide.vault.reveals.search(
        ANI, kind="order", field="phone", transform="last4", value="7890", limit=9
    )
    assert len(hits.found) == 6
    assert reveal(wide, ANI, ask())
    sealed = wide.records.read(lambda each: each.execute(select(vault_record.c.sealed)).scalars().first())
    assert bytes((1, XAES)) in bytes(sealed)
    wide.close()
    with pytest.raises(Misconfigured) as refused:
        Shopward.open(settings, clock=clock)
    assert refused.value.path == "vault_keys"


def test_an_erasure_says_that_rows_are_gone_and_no_key(wide):
    """The dry run and the certificate say the same; the others' records stay."""
    wide.vault.custody.put(SHOP, [order(1, "u1"), order(2, "u2")])
    for is_dry in (True, False):
        done = wide.vault.erasing.erase(ANI, "u1", classes=(), reason="", dry_run=is_dry)
        assert (done.by, done.keys, done.records) == ("rows", 0, 1)
    assert wide.vault.custody.of_user("u1", kind=None, after="", limit=9) == []
    assert wide.vault.custody.look("o-2", "screen").fields["city"] == "Jakarta"


def test_moved_rows_do_not_open_though_the_key_is_the_same(wide):
    """Under one key the bound place is what tells customers and records apart."""
    wide.vault.custody.put(SHOP, [order(1, "u1"), order(2, "u2")])
    first = select(vault_record.c.sealed).where(vault_record.c.id == "o-1")

    def swap(connection):
        sealed = connection.scalar(first)
        connection.execute(update(vault_record).where(vault_record.c.id == "o-2").values(sealed=sealed))

    wide.records.write(swap)
    with pytest.raises(SealBroken):
        wide.vault.custody.look("o-2", "screen")


def test_a_customer_without_a_key_of_his_own_is_refused_where_each_has_one(shop):
    """A store that was tampered with does not talk the vault into another key."""
    shop.vault.custody.put(SHOP, [order()])
    shop.records.write(lambda each: each.execute(update(vault_subject).values(wrapped=b"")))
    with pytest.raises(StoreError) as refused:
        shop.vault.custody.look("o-1", "screen")
    assert refused.value.code == "key_retired"


def test_the_key_of_the_shop_is_replaced_while_it_serves(wide):
    """Each step moves some customers; reading and writing go on; then the old key can go, and every value is there."""
    wide.vault.custody.put(SHOP, [order(number, f"u{number % 4}") for number in range(12)])
    with pytest.raises(InvalidField):
        wide.vault.rekeying.begin(ANI, "kek")
    assert wide.vault.rekeying.begin(ANI, "data").total == 4
    rotations, left = wide.vault.room.rotations, []
    for step in range(6):
        wide.records.write(lambda each: rotations.step(each, 0, records=2))
        wide.vault.custody.rectify(SHOP, f"o-{step}", {"city": "Bandung"})
        wide.vault.custody.put(SHOP, [order(20 + step, f"v{step}")])
        left.append(next(each.left for each in wide.vault.rekeying.report() if each.key.version == 1))
    assert left == [3, 2, 1, 0, 0, 0]
    wide.vault.rekeying.retire(ANI, "data", 1)
    for number in (*range(12), 25):
        city = wide.vault.custody.look(f"o-{number}", "screen").fields["city"]
        assert city == ("Bandung" if number < 6 else "Jakarta")
