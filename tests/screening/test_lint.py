"""The shop's own templates under the checker of its customers."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from screening.shop import TOML, shop
from shopward.cli import main
from shopward.screening.lint import lint_template

SHOP = shop()


@pytest.mark.parametrize(
    "text",
    [
        "Kode OTP TokoNusa Anda {code}. Jangan berikan kode ini kepada siapa pun.\n@tokonusa.co.id #{code}",
        "【努山达拉商城】验证码 {code}，请勿泄露，本店不会索要验证码。\n@tokonusa.co.id #{code}",
        "Your TokoNusa code is {code}. We will never ask for it; do not share it.\n@tokonusa.co.id #{code}",
        "Pesanan TN-12345678 telah dikirim. Lacak di https://www.tokonusa.co.id/lacak",
    ],
)
def test_a_good_template_has_no_fault(text):
    """In three languages, with a code and without."""
    assert lint_template(text, SHOP) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Kode OTP TokoNusa Anda {code}. Jangan berikan kepada siapa pun.", "template_code_unbound"),
        (
            "Kode OTP Anda {code}. Jangan berikan kepada siapa pun.\n@tokonusa.example #{code}",
            "template_code_of_other",
        ),
        ("Kode OTP TokoNusa Anda {code}.\n@tokonusa.co.id #{code}", "template_without_warning"),
        ("Lacak pesanan Anda di https://bit.ly/abc", "template_shortener"),
        ("Track your order: https://tokonusa-promo.example/x", "template_link_foreign"),
        ("Lacak pesanan Anda di {url}", "template_link_unknown"),
    ],
)
def test_each_fault_is_told_with_its_place(text, code):
    """What would make an honest message look like fraud."""
    faults = lint_template(text, SHOP)
    assert code in {each.code for each in faults}
    assert all(0 <= each.start <= each.end <= len(text) for each in faults)


def test_the_command_ends_with_1_where_a_template_has_a_fault(tmp_path):
    """So that it can stand in a shop's continuous integration."""
    file = tmp_path / "shop.toml"
    file.write_text(TOML, encoding="utf-8")
    lines = '{"id":"otp","text":"Kode OTP Anda {code}"}\n{"id":"sent","text":"Pesanan Anda telah dikirim."}\n'
    ran = CliRunner().invoke(main, ["screen", "lint", "-", "--profile", str(file)], input=lines)
    said = [json.loads(line) for line in ran.output.splitlines()]
    assert (ran.exit_code, [each["id"] for each in said], [each["ok"] for each in said]) == (
        1,
        ["otp", "sent"],
        [False, True],
    )
