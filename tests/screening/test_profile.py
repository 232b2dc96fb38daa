"""What a shop may say of itself, and what is refused."""

from __future__ import annotations

import time

import pytest

from screening.shop import TOML, shop
from shopward.errors import BadInput, InvalidField
from shopward.screening import check_sender, load_profile, profile_of
from shopward.screening.wording import LANGUAGES, texts


@pytest.mark.parametrize(
    ("toml", "path"),
    [
        ('name = "A"', None),
        ('name = "A"\nofficial_domains = ["a.example"]\nofical = 1', None),
        ('name = "A"\nofficial_domains = ["co.id"]', "official_domains"),
        ('name = "A"\nofficial_domains = ["pages.dev"]', "official_domains"),
        ('name = "A"\nofficial_domains = ["a.example/x"]', "official_domains"),
        ('name = "A"\nofficial_domains = ["198.51.100.7"]', "official_domains"),
        ('name = "A"\nofficial_domains = ["a.example"]\norder_pattern = "(a"', "order_pattern[0]"),
        ('name = "A"\nofficial_domains = ["a.example"]\norder_pattern = "(?=a)b"', "order_pattern[0]"),
        (
            'name = "A"\nofficial_domains = ["a.example"]\nofficial_senders = [{channel = "smoke", id = "x"}]',
            None,
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_path(toml: str, path: str | None) -> None:
    """A misspelled field or an ending that anybody can have a name under is an error, not a surprise later."""
    with pytest.raises(InvalidField) as refused:
        load_profile(toml.encode())
    assert path is None or refused.value.path == path


@pytest.mark.parametrize("raw", [b"\xff", b"name = ", b"x" * 2_000_000, b"[" * 10_000])
def test_bytes_that_are_no_profile_are_refused(raw: bytes) -> None:
    """Whatever they are, in words."""
    with pytest.raises(BadInput):
        load_profile(raw)


def test_a_pattern_that_would_explode_elsewhere_takes_linear_time() -> None:
    """The shop's own pattern meets strangers' text, so it runs on RE2."""
    profile = profile_of({"name": "A", "official_domains": ["a.example"], "order_pattern": "(a+)+$"})
    started = time.process_time()
    assert profile.order_patterns[0].search("a" * 50_000 + "!") is None
    assert time.process_time() - started < 2.0


def test_the_version_tells_profiles_apart() -> None:
    """The same file has the same version; another name has another."""
    assert shop().version == shop().version
    assert shop().version != load_profile(TOML.replace("TokoNusa", "Tokonus").encode()).version


def test_every_reason_has_its_text_in_all_languages() -> None:
    """The three languages speak of the same codes, and a text that names something names it in all of them."""
    spoken = {language: texts(language) for language in LANGUAGES}
    assert spoken["id"].keys() == spoken["zh"].keys() == spoken["en"].keys()
    for code in spoken["en"]:
        assert len({"{about}" in spoken[language][code] for language in LANGUAGES}) == 1, code


def test_short_forms_say_what_the_long_ones_say() -> None:
    """Senders by channel, partners by a domain or a name alone, one pattern, other words for a channel."""
    profile = profile_of(
        {
            "name": "A", "official_domains": ["a.example"], "order_pattern": "A-[0-9]+", "partners": ["kurir.example", "Kurir"],
            "official_senders": {"WhatsApp": ["+62 811-1000-200"], "sms": "A-INFO"},
        }
    )  # fmt: skip
    assert check_sender("08111000200", profile, channel="wa").level == "official"
    assert check_sender("A-INFO", profile, channel="SMS").level == "official"
    assert [partner.domains for partner in profile.spec.partners] == [("kurir.example",), ()]
