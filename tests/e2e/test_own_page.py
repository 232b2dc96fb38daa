"""A customer's own page in a real browser: by a redirect of the shop's, by keyboard and screen reader, on a phone."""

import json

import pytest

from browsing import CHROMIUM, Browser
from claims.account import past, theft
from serving import Server
from shopward.values import SystemClock

NAMED = ("button", "link", "textbox", "combobox", "checkbox")


@pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")
def test_a_customer_comes_from_the_shop_and_says_what_was_not_her(tmp_path):
    """The cookie arrives behind the shop's redirect; what was done has the focus; all has a name; nothing is wider than the phone."""
    with Server(tmp_path / "data") as server, Browser() as browser:
        for each in [*past(SystemClock().now_ms()), *theft(SystemClock().now_ms())]:
            assert server.decide(each)[0] == 200
        path = json.loads(server.post("/v1/users/anna/visits", {"language": "en"})[1])["path"]
        shop = server.url.replace("127.0.0.1", "localhost")  # another site, as the shop is
        browser.load(f"location.href = '{shop}/advice'")
        browser.load(f"location.href = '{server.url}{path}'")
        browser.press("button")
        assert browser.js("location.pathname") == "/account"
        browser.press("button[value=not_me]")
        assert browser.js("document.activeElement.id") == "told"
        browser.press("#told button[value=freeze]")
        assert "Your account is frozen" in browser.js("document.querySelector('#told').innerText")
        browser.press("button[value=claim]")
        browser.press("a[hreflang=zh]")
        browser.ask(
            "Emulation.setDeviceMetricsOverride", width=320, height=700, deviceScaleFactor=1, mobile=True
        )
        assert browser.js("document.documentElement.scrollWidth") <= 320
        tree = browser.ask("Accessibility.getFullAXTree")["nodes"]
        roles = [(each.get("role", {}).get("value"), each.get("name", {}).get("value")) for each in tree]
        assert [role for role, name in roles if role in NAMED and not name] == []
        assert {"main", "navigation", "region", "status", "checkbox"} <= {role for role, _name in roles}
        forged = f"<form method=post action='{server.url}/account'><input name=do value=close></form>"
        browser.open(f"data:text/html,{forged}")
        browser.load("document.forms[0].submit()")
        assert "another site" in browser.js("document.body.innerText")
        browser.open(f"{server.url}/account")
        assert browser.js("document.querySelector('h1').innerText") == "您的账户安全"
