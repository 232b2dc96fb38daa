"""Whose a number, an address or an account is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.shop import shop
from shopward.screening import check_sender
from shopward.screening.verdict import LEVELS

SHOP = shop()


@pytest.mark.parametrize(
    ("channel", "sender"),
    [
        ("sms", "TokoNusa"),
        ("whatsapp", "0811 1000 200"),
        ("whatsapp", "+628111000200"),
        ("", "00628111000200"),
        ("", "628111000200"),
        ("email", "HALO@tokonusa.co.id"),
        ("", "1234567890"),
    ],
)
def test_what_the_shop_declared_is_official_however_it_is_written(channel: str, sender: str) -> None:
    """Spaces, case and the country's prefix do not count."""
    verdict = check_sender(sender, SHOP, channel=channel)
    assert (verdict.level, verdict.score) == ("official", 0.0)


@pytest.mark.parametrize(
    ("channel", "sender", "code"),
    [
        ("", "ТOKONUSA", "sender_imitates"),
        ("", "T0K0NUSA", "sender_imitates"),
        ("instagram", "@tokonusa_cs", "sender_uses_name"),
        ("email", "halo@tokonusa.co.id.masuk.cn", "official_inside"),
        ("email", "tokonusa@gmail.com", "sender_uses_name"),
        ("call", "+628111000200", "sender_other_channel"),
    ],
)
def test_who_pretends_to_be_the_shop_is_flagged(channel: str, sender: str, code: str) -> None:
    """A look-alike letter never makes a stranger official."""
    verdict = check_sender(sender, SHOP, channel=channel)
    assert code in {each.code for each in verdict.findings}
    assert verdict.is_flagged


@pytest.mark.parametrize("sender", ["+86 8111000200", "+62 812 0000 0000", "budi@example.org", "Budi", ""])
def test_a_stranger_is_unknown(sender: str) -> None:
    """A number of another country with the same digits is another number."""
    assert check_sender(sender, SHOP).level == "unknown"


def test_an_address_below_the_shops_domain_is_not_official_unless_declared() -> None:
    """Sender addresses can be forged, so the domain alone proves nothing; it is said, and nobody is warned of it."""
    verdict = check_sender("promo@tokonusa.co.id", SHOP)
    assert (verdict.level, verdict.findings[0].code) == ("unknown", "sender_on_official_domain")


@given(st.text(max_size=80), st.sampled_from(["", "sms", "email"]))
def test_any_text_has_a_verdict(sender: str, channel: str) -> None:
    """Nothing that somebody asks about is an error, and its spans lie inside it."""
    verdict = check_sender(sender, SHOP, channel=channel)
    assert verdict.level in LEVELS
    assert all(0 <= each.start <= each.end <= len(sender) for each in verdict.findings)
