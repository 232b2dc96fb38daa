"""Records are found by what they hold, and the store does not tell what that is."""

from __future__ import annotations

import pytest

from shopward.errors import InvalidField
from shopward.vault.search import IndexKey, phone
from vault.conftest import ANI, SHOP, order


def found(shop, field, transform, value, kind="order"):
    hits = shop.vault.reveals.search(ANI, kind=kind, field=field, transform=transform, value=value, limit=50)
    return [each.row.id for each in hits.found]


@pytest.mark.parametrize(
    ("field", "transform", "value"),
    [
        ("phone", "exact", "+62 812 3456 7890"), ("phone", "exact", "081234567890"), ("phone", "last4", "7890"),
        ("email", "exact", " budi@contoh.ID "), ("name", "exact", "budi  santoso"), ("name", "exact", "\uff22udi Santoso"),
        ("waybill", "exact", "jp 1234567890"), ("order_id", "exact", "1001"),
    ],
)  # fmt: skip
def test_a_value_is_found_however_it_is_typed(lite, field, transform, value):
    """Spaces, case, full-width letters and the country's prefix make no difference; another customer's record stays away."""
    lite.vault.custody.put(
        SHOP, [order(), order(2, "u2", name="Siti", phone="081100001111", email="s@x.id", waybill="J2")]
    )
    assert found(lite, field, transform, value) == ["o-1"]


def test_a_corrected_value_is_found_by_the_new_one_alone(shop):
    """The old index rows are gone with the old value, on both databases."""
    shop.vault.custody.put(SHOP, [order()])
    shop.vault.custody.rectify(SHOP, "o-1", {"phone": "0811-0000-1111", "email": ""})
    assert found(shop, "phone", "exact", "0812-3456-7890") == []
    assert found(shop, "phone", "exact", "081100001111") == ["o-1"]
    assert found(shop, "email", "exact", "budi@contoh.id") == []


def test_ngrams_are_kept_only_after_their_leakage_was_told(shop):
    """Refused before; the plan counts; switched on, what lay there already is found by a part; switched off, no more."""
    shop.vault.custody.put(SHOP, [order(), order(2, name="诸葛亮明"), order(3, name="Siti Santosa")])
    with pytest.raises(InvalidField):
        found(shop, "name", "ngram", "santos")
    plan = shop.vault.custody.plan("order", "name", "ngram")
    assert (plan.is_on, plan.records, plan.sampled) == (False, 3, 3)
    assert plan.leakage.rows > 10
    assert plan.leakage.largest == 2
    assert 0 < plan.leakage.unique_share < 1
    shop.vault.custody.switch_ngrams(ANI, "order", "name", on=True)
    while shop.vault.rekeying.step():
        pass
    assert found(shop, "name", "ngram", "SANTOS") == ["o-1", "o-3"]
    assert found(shop, "name", "ngram", "santoso") == ["o-1"]
    assert found(shop, "name", "ngram", "葛亮") == ["o-2"]
    shop.vault.custody.put(SHOP, [order(4, name="Agus Santoso")])
    assert found(shop, "name", "ngram", "santoso") == ["o-1", "o-4"]
    shop.vault.custody.switch_ngrams(ANI, "order", "name", on=False)
    with pytest.raises(InvalidField):
        found(shop, "name", "ngram", "santoso")


@pytest.mark.parametrize(
    ("kind", "field", "transform", "value"),
    [
        ("order", "name", "ngram", "ab"), ("order", "phone", "ngram", "0812"), ("order", "note", "exact", "x"),
        ("shoe", "name", "exact", "x"), ("order", "phone", "last4", "78"), ("order", "phone", "reverse", "0812"),
    ],
)  # fmt: skip
def test_what_no_index_answers_is_refused(lite, kind, field, transform, value):
    """Too short, not indexed, no such kind or transform."""
    with pytest.raises(InvalidField):
        lite.vault.reveals.search(ANI, kind=kind, field=field, transform=transform, value=value, limit=5)


def test_equal_values_of_two_fields_have_indexes_that_do_not_match():
    """Each index has a key of its own, and so has each version."""
    key = IndexKey(bytes(32), 1)
    made = {key.value(f"{kind}.phone.exact", "+6281234567890") for kind in ("order", "customer", "contact")}
    made.add(IndexKey(b"\1" * 32, 2).value("order.phone.exact", "+6281234567890"))
    assert len(made) == 4


@pytest.mark.parametrize(
    ("typed", "region", "number"),
    [
        ("0812-3456-7890", "", "+6281234567890"), ("+62 812 3456 7890", "", "+6281234567890"), ("62812345678", "", "+62812345678"),
        ("138 1234 5678", "", "+8613812345678"), ("008613812345678", "", "+8613812345678"), ("021 555 123", "ID", "021555123"),
    ],
)  # fmt: skip
def test_a_telephone_number_is_told_by_its_shape(typed, region, number):
    """Indonesian and Chinese mobiles as they are typed; what cannot be told keeps its digits."""
    assert phone(typed, region) == number
