"""The service is killed while customers are in the shop, and comes back."""

from __future__ import annotations

import time

from e2e.people import VICTIMS, browser_of, email, password, shops_honestly
from shopward.client.breaker import PAUSE_S


def test_the_shop_goes_on_and_recovers_by_itself(own_server, own_shop, figures):
    """Orders by card go on, gift cards ask for a code of the shop's own, visitors wait; then decisions again, no restart."""
    customer = VICTIMS[5]
    with browser_of(own_shop, customer) as browser:
        assert browser.log_in(email(customer), password(customer))
        own_server.kill()
        orders = [shops_honestly(own_shop, each) for each in range(100, 110)]
        assert all(each["finished"] and not each["challenged"] for each in orders)
        asked = browser.post("/giftcards/", code="GIFT0001AAAA")
        assert asked.headers["location"] == "/shopward/challenge", (
            "as SHOPWARD['on_unreachable'] says where it says nothing"
        )
        browser.prove(email(customer))
        assert "500" in browser.post("/giftcards/", code="GIFT0001AAAA").text
        with browser_of(own_shop, VICTIMS[6]) as visitor:
            assert visitor.post("/giftcards/", code="GIFT0001AAAA").status_code == 503
        assert own_shop.text().count("shopward: unreachable") == 1, "told once"
        own_server.command += ["--port", str(own_server.port)]
        own_server.url = ""
        own_server.start()
        time.sleep(PAUSE_S)
        with browser_of(own_shop, VICTIMS[7]) as later:
            assert later.log_in(email(VICTIMS[7]), password(VICTIMS[7]))
        _, timeline = own_server.get(f"/v1/users/{VICTIMS[7] + 1}/timeline")
        assert b'"login"' in timeline
    figures(
        {
            "killed": "service",
            "orders_meanwhile": len(orders),
            "finished": sum(each["finished"] for each in orders),
        }
    )
    assert "Traceback" not in own_shop.text()
