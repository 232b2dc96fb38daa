"""What a mask shows, and that it never shows more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopward.vault.kinds import KINDS
from shopward.vault.masks import HIDDEN, RULES, masked


@pytest.mark.parametrize(
    ("rule", "value", "screen", "waybill"),
    [
        ("name", "张三", "张**", "张**"),
        ("name", "欧阳娜娜", "欧阳**", "欧阳**"),
        ("name", "Budi Santoso", "B*** S***", "B*** S***"),
        ("phone", "+6281234567890", "+62****7890", "812******90"),
        ("phone", "13812345678", "****5678", "138******78"),
        ("phone", "110", "****", "******10"),
        ("email", "budi@contoh.id", "b***@contoh.id", HIDDEN),
        ("email", "no mail", HIDDEN, HIDDEN),
        (
            "street",
            "浙江省杭州市西湖区文三路138号3号楼2单元501室",
            "浙江省杭州市西湖区***",
            "浙江省杭州市西湖区文三路*号*号楼*单元*室",
        ),
        ("street", "Jl. Sudirman No. 5, RT 03/RW 04 Blok C2", HIDDEN, "Jl. Sudirman No *, RT */RW * Blok *"),
        ("number", "3174096112900001", "31***01", "31***01"),
        ("number", "12345", HIDDEN, HIDDEN),
        ("birth_date", "1990-03-07", "1990-**-**", "1990-**-**"),
        ("card", "4111 1111 1111 1111", "****1111", "****1111"),
        ("text", "my password is rahasia", HIDDEN, HIDDEN),
        ("handle", "wx_abc", "w***", "w***"),
    ],
)
def test_a_mask_shows_what_its_rule_says(rule, value, screen, waybill):
    """On a page of staff and on a parcel."""
    assert masked(rule, value) == screen
    assert masked(rule, value, "waybill") == waybill


@given(st.from_regex(r"1[3-9][0-9]{9}|\+62 ?8[0-9]{8,11}|08[0-9]{8,11}", fullmatch=True))
def test_a_waybill_hides_six_digits_of_a_phone(number):
    """GB/T 41833-2022: six digits or more are hidden, whatever the number."""
    digits = [each for each in number if each.isdigit()]
    shown = [each for each in masked("phone", number, "waybill") if each.isdigit()]
    assert len(digits) - len(shown) >= 6


@given(st.text(alphabet="张三李四王五赵六", min_size=2, max_size=5))
def test_a_waybill_hides_a_character_of_a_name(name):
    """GB/T 41833-2022: one Han character or more is hidden."""
    assert masked("name", name, "waybill").count("*") == 2
    assert sum(each != "*" for each in masked("name", name, "waybill")) < len(name)


@given(st.sampled_from(RULES), st.text(max_size=80), st.sampled_from(["screen", "waybill"]))
def test_no_value_breaks_a_mask(rule, value, style):
    """Whatever the value is, there is a mask of it, and only the empty one stays empty."""
    assert bool(masked(rule, value, style)) == bool(value)


def test_every_field_of_every_kind_has_a_rule():
    """No field is without a mask."""
    assert {spec.mask for kind in KINDS.values() for spec in kind.fields.values()} <= set(RULES)
