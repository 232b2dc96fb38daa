"""What a shop can say of the program behind a request: signs in its headers, and the page that its form came from."""

from __future__ import annotations

import random
import string

import pytest

from shopward.client import PageTokens, signs_of_asgi, signs_of_wsgi
from shopward.client.page_tokens import FRESH_S

CHROME = "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0"
SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_4) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15"
OLD_SAFARI = SAFARI.replace("17.4", "15.1")
OLD_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 15_8 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/124.0 Mobile/15E148 Safari/604.1"
WECHAT = CHROME + " MicroMessenger/8.0.49"
FACEBOOK = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/460.0]"
AS_BROWSERS_DO = {"HTTP_ACCEPT_LANGUAGE": "id-ID,id;q=0.9", "HTTP_SEC_FETCH_MODE": "navigate"}
KEY = b"k" * 32


@pytest.mark.parametrize("agent", [CHROME, FIREFOX, SAFARI])
def test_a_browser_has_no_signs_and_a_script_in_its_name_has_two(agent):
    """The same over WSGI and ASGI; in clear text, where browsers leave metadata out, that alone is no sign."""
    assert signs_of_wsgi({"HTTP_USER_AGENT": agent, **AS_BROWSERS_DO}, is_secure=True) == []
    assert signs_of_wsgi({"HTTP_USER_AGENT": agent}, is_secure=True) == ["no_language", "no_fetch_metadata"]
    assert signs_of_wsgi({"HTTP_USER_AGENT": agent}, is_secure=False) == ["no_language"]
    scope = {"headers": [(b"User-Agent", agent.encode())]}
    assert signs_of_asgi(scope, is_secure=True) == ["no_language", "no_fetch_metadata"]


@pytest.mark.parametrize(
    "agent", [OLD_SAFARI, OLD_IPHONE, WECHAT, FACEBOOK, "", "MyShopApp/3.1", "\x00" * 5_000]
)
def test_what_may_be_honest_without_them_has_no_signs(agent):
    """Old systems, views inside other apps, apps of the shop, and what cannot be read."""
    assert signs_of_wsgi({"HTTP_USER_AGENT": agent}, is_secure=True) == []


def test_a_browser_that_calls_itself_headless_is_heard():
    """By its brands, where the user agent was changed."""
    brands = '"HeadlessChrome";v="124", "Chromium";v="124"'
    told = {"HTTP_USER_AGENT": CHROME, **AS_BROWSERS_DO, "HTTP_SEC_CH_UA": brands}
    assert signs_of_wsgi(told, is_secure=True) == ["headless_brand"]


def test_a_page_token_says_which_page_and_how_old():
    """Each page its own; stale after some hours; another key, a cut one and an empty one are what they are."""
    tokens = PageTokens(KEY)
    one, two = tokens.issue(now_s=1_000), tokens.issue(now_s=1_000)
    read = tokens.read(one, now_s=1_010)
    assert (read["state"], read["id"] in one, one != two) == ("fresh", True, True)
    assert tokens.read(one, now_s=1_000 + FRESH_S) == read | {"state": "stale"}
    assert tokens.read(one[:-1], now_s=1_010) == {"state": "forged"}
    assert PageTokens(b"j" * 32).read(one, now_s=1_010) == {"state": "forged"}
    assert tokens.read("", now_s=1_010) == {"state": "none"}
    with pytest.raises(ValueError, match="16 bytes"):
        PageTokens(b"short")


def test_whatever_comes_back_is_a_word():
    """A thousand made-up and changed tokens: forged, and nothing raises."""
    rng, tokens = random.Random(7), PageTokens(KEY)
    real = tokens.issue(now_s=1_000)
    for _ in range(1_000):
        at = rng.randrange(len(real))
        changed = (
            real[:at] + rng.choice(string.printable.replace(real[at], "") + "é😀\ud800") + real[at + 1 :]
        )
        made_up = "".join(rng.choices(string.printable + "é", k=rng.randrange(1, 200)))
        for each in (changed, made_up):
            assert tokens.read(each, now_s=1_010) == {"state": "forged"}
