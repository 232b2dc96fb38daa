"""Whose is a link, and what speaks against it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from publicsuffixlist import PSLFILE, PublicSuffixList

from screening.shop import shop
from shopward.screening import LinkLists, ListEntry, check_link, load_profile, profile_of
from shopward.screening.links.address import _PLAIN, _read, read_address, split_host
from shopward.screening.verdict import LEVELS, Verdict, judged
from shopward.values import DAY_MS

SHOP = shop()
NOW = 1_800_000_000_000


def codes(verdict: Verdict) -> set[str]:
    return {finding.code for finding in verdict.findings}


@pytest.mark.parametrize(
    "link",
    [
        "https://tokonusa.co.id",
        "http://www.tokonusa.co.id/promo?x=1#top",
        "TOKONUSA.CO.ID",
        "  <https://tokonusa.co.id/bayar>, ",
        "https://tokonusa.co.id.:443/",
        "https:\\\\tokonusa.co.id\\x",
        "tokonusa.co.id:8443/x",
        "https://ｔｏｋｏｎｕｓａ．ｃｏ．ｉｄ/",
        "ｈｔｔｐｓ：／／tokonusa。co。id",
        "https://toko\tnusa.co.id/",
        "hxxps://tokonusa[.]co[.]id/x",
        "https://me:secret@tokonusa.co.id/",
        "//m.tokonusantara.com",
        "https://tkns.link/abc",
        "https://www.instagram.com/tokonusa/",
        "instagram.com/tokonusa?igsh=1",
        "https://tokonusa.myshopify.com/products",
    ],
)
def test_the_shops_own_links_are_official_in_every_spelling(link: str) -> None:
    """A browser that opens it ends at the shop, so it is the shop's, and nothing raises its score."""
    verdict = check_link(link, SHOP)
    assert (verdict.level, verdict.score, verdict.brand) == ("official", 0.0, "Toko Nusantara")


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ("https://tokonusa.co.id@evil.example/login", "brand_in_userinfo"),
        ("https://tokonusa.co.id.masuk.cn/", "official_inside"),
        ("https://tokonusa.shop/", "brand_other_ending"),
        ("https://t0konusa.com/", "brand_homograph"),
        ("https://tоkоnusа.com/", "brand_homograph"),
        ("https://xn--tkonusa-l0a.com/", "brand_homograph"),
        ("https://promo-tokonusantara.xyz/", "brand_in_host"),
        ("https://tokonuza.com/", "brand_typo"),
        ("https://tokonusamall-hadiah.top", "brand_in_host"),
        ("https://tekonosa.top/", "brand_scrambled"),
        ("https://login.co.id.qwertz.cn/", "embedded_suffix"),
        ("https://www.google.com/url?q=https%3A%2F%2Ftokonusa.shop", "redirect_unwrapped"),
        ("http://0x7f.1/", "odd_ip"),
        ("javascript:alert(1)", "script_link"),
        ("https://apk.example/tokonusa.apk", "app_file"),
    ],
)
def test_what_imitates_the_shop_is_flagged_with_its_reason(link: str, code: str) -> None:
    """Each trick is named by its code, and the verdict is a warning."""
    verdict = check_link(link, SHOP)
    assert code in codes(verdict), verdict
    assert verdict.is_flagged


@pytest.mark.parametrize(
    "link",
    [
        "https://kurircepat.co.id/lacak/123",
        "bankcontoh.co.id",
        "https://www.kompas.com/read/2026/toko-online",
        "https://www.jne.co.id/tracking",
        "https://www.bca.co.id/",
    ],
)
def test_partners_and_institutions_are_known_and_not_the_shops(link: str) -> None:
    """A courier, a bank or a newspaper is known good, with whose it is."""
    verdict = check_link(link, SHOP)
    assert (verdict.level, verdict.score, verdict.brand) == ("known_good", 0.0, "")


@pytest.mark.parametrize(
    "link", ["https://example.org/", "instagram.com/somebody", "hello world", "", "tel:+62811", "☃"]
)
def test_what_nothing_speaks_against_is_unknown_and_never_safe(link: str) -> None:
    """No reason means that nobody knows, not that it is good."""
    assert check_link(link, SHOP).level == "unknown"


def test_a_page_is_the_shops_and_its_neighbour_is_not() -> None:
    """A path of a shared site covers itself and what is below, not what begins with the same letters."""
    assert check_link("https://instagram.com/tokonusa/reels", SHOP).level == "official"
    assert check_link("https://instagram.com/tokonusa_promo", SHOP).level != "official"
    assert check_link("https://instagram.com/tokonusa/../penipu", SHOP).level != "official"


def test_each_span_shows_its_evidence() -> None:
    """The span of a reason is the label that it speaks of."""
    link = "klik https://promo.tokonuza.com/x"
    verdict = check_link(link[5:], SHOP)
    found = next(each for each in verdict.findings if each.code == "brand_typo")
    assert link[5:][found.start : found.end] == "tokonuza"


def test_without_one_of_its_reasons_the_score_is_lower() -> None:
    """Every finding counts."""
    for link in (
        "https://tokonusa.co.id@198.51.100.7:99/tokonusa.apk",
        "http://tokonusa.co.id.evil.cn/login",
    ):
        verdict = check_link(link, SHOP)
        assert len(verdict.findings) > 1
        for left_out in verdict.findings:
            assert judged(each for each in verdict.findings if each is not left_out).score < verdict.score


def test_a_short_name_is_compared_as_a_whole_word_alone() -> None:
    """A shop that is called Line does not own every online shop."""
    line = load_profile(b'name = "Line"\nofficial_domains = ["line.example"]')
    assert codes(check_link("https://line-login.top", line)) == {"brand_in_host"}
    for link in ("https://online.top", "https://airlines.example", "https://linea.top", "https://wine.top"):
        assert not check_link(link, line).findings


def test_a_list_entry_counts_until_it_runs_out() -> None:
    """After its end the domain may belong to somebody else."""
    lists = LinkLists([ListEntry(link="evil.example", scope="host", source="feed", seen_ms=NOW)])
    assert "listed" in codes(check_link("https://evil.example/a", SHOP, lists=lists, at_ms=NOW + 29 * DAY_MS))
    assert "listed" not in codes(
        check_link("https://evil.example/a", SHOP, lists=lists, at_ms=NOW + 30 * DAY_MS)
    )


def test_a_shared_host_on_a_list_harms_none_of_its_other_pages() -> None:
    """A feed that lists a whole shortener or page builder is taken at its word for the path alone, or not at all."""
    entries = [
        ListEntry(link="https://s.id/jahat", scope="host", source="feed", seen_ms=NOW),
        ListEntry(link="docs.google.com", scope="domain", source="feed", seen_ms=NOW),
        ListEntry(link="pages.dev", scope="domain", source="feed", seen_ms=NOW),
        ListEntry(link="https://x.pages.dev/", scope="host", source="feed", seen_ms=NOW),
    ]
    lists = LinkLists(entries)
    listed = {
        link: "listed" in codes(check_link(link, SHOP, lists=lists, at_ms=NOW))
        for link in (
            "https://s.id/jahat",
            "https://s.id/baik",
            "https://docs.google.com/a",
            "https://y.pages.dev",
        )
    }
    assert list(listed.values()) == [True, False, False, False]
    assert [reason for _entry, reason in lists.refused] == ["shared_host", "shared_host"]


def test_redirects_inside_redirects_end() -> None:
    """However deep they are nested, a few are followed, and that alone is a reason."""
    link = "https://evil.example"
    for _ in range(3):
        link = "https://href.li/?" + link
    assert "redirect_unwrapped" in codes(check_link(link, SHOP))
    for _ in range(2_000):
        link = "https://href.li/?" + link
    assert "redirects_without_end" in codes(check_link(link, SHOP))


@pytest.mark.parametrize(
    "link",
    [
        "(" * 10**6,
        "a." * 10**6,
        "[dot" * 300_000,
        "x@" * 500_000,
        "\ud800" * 10**6,
        "https://" + "a-" * 10**6,
    ],
)
def test_a_megabyte_costs_no_more_than_its_beginning(link: str) -> None:
    """Time is bounded by what is read, which is bounded."""
    started = time.process_time()
    verdict = check_link(link, SHOP)
    assert time.process_time() - started < 1.0  # two hundred times what it takes
    assert verdict.level in LEVELS


@given(st.text(alphabet=st.characters(), max_size=200))
@example("https://xn--.com")
@example("https://[::1]:99999/")
@example("//")
def test_any_text_has_a_verdict_with_spans_inside_it(link: str) -> None:
    """Nothing that somebody pastes is an error."""
    verdict = check_link(link, SHOP)
    assert verdict.level in LEVELS
    assert 0 <= verdict.score <= 100
    assert all(0 <= each.start <= each.end <= len(link) for each in verdict.findings)


@given(st.from_regex(_PLAIN, fullmatch=True).filter(lambda link: len(link) <= 2_000))
def test_plain_links_are_read_as_the_parser_reads_them(link: str) -> None:
    """The short way of reading is the long way, shorter."""
    short, long = read_address(link), _read(link)
    assert (short.host, short.path.split("%")[0]) == (long.host, long.path.split("%")[0])
    assert short[:6] == long[:6]


def test_an_ending_in_the_wrong_place_names_the_shop_only_where_it_has_one_like_it() -> None:
    """It is a trick whatever the ending; whose name is stolen is told where the shop's own domains end so."""
    own, other = (
        check_link("https://login.co.id.qwertz.cn/", SHOP),
        check_link("https://login.co.jp.qwertz.cn/", SHOP),
    )
    assert own.is_flagged
    assert other.is_flagged
    assert (own.brand, other.brand) == ("Toko Nusantara", "")


def test_a_host_is_split_as_the_whole_list_splits_it():
    """The short way agrees with the list's own reader on every rule, alone and with names in front."""
    whole = PublicSuffixList()
    for line in Path(PSLFILE).read_text("utf-8").splitlines():
        if line and not line.startswith("//"):
            rule = line.split()[0].lstrip("!*.").encode("idna").decode()
            for host in (rule, f"a.{rule}", f"b.a.{rule}", f"c.b.a.{rule}", f"a..{rule}", f".{rule}"):
                registered = whole.privatesuffix(host) or ""
                suffix = registered.partition(".")[2] if registered else whole.publicsuffix(host) or ""
                assert split_host(host) == (suffix, registered)


def test_a_slip_of_a_short_name_inside_ordinary_words_names_nobody():
    """At the edge of a word it does; and a scrambled name keeps its consonants."""
    depot = profile_of({"name": "Isetan", "aliases": ["Mistore"], "official_domains": ["mistore.example"]})
    for host, is_named in (
        ("www.tibetangeeks.com", False), ("meteora.example", False), ("ibetan-shop.top", True), ("loginbetan.top", False),
        ("iseten-login.top", True), ("loginisetn.top", False), ("mistoro.top", True), ("mestora-pay.top", True),
    ):  # fmt: skip
        codes = {finding.code for finding in check_link(f"https://{host}/", depot).findings}
        assert bool(codes & {"brand_typo", "brand_scrambled"}) == is_named, host
