"""Who uses the shop: two hundred honest customers, fifty whose passwords are on a thief's list, and some single victims."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta

from e2e.shops import Browser, agent
from shopward.client import TrustedProxies, from_wsgi

HONEST = range(200)
STUFFED = range(200, 250)
VICTIMS = range(250, 260)
CUSTOMERS = 260
SHARED = "114.4.9.9"
BEHIND_SHARED = range(40)
TYPOS = range(20, 50)
NEW_PHONES = range(60, 74)
NEW_PHONES_ON_THE_ROAD = range(80, 84)


def email(customer):
    """Where they sign in."""
    return f"customer{customer}@shop.example"


def password(customer):
    """Of the seed."""
    return f"correct horse {customer}"


def home(customer):
    """Their address: many phones of one carrier share one."""
    return SHARED if customer in BEHIND_SHARED else f"36.{70 + customer // 200}.{customer % 200}.7"


def known_context(customer):
    """What the shop saw of their device and network all the time."""
    environ = {
        "REMOTE_ADDR": home(customer),
        "HTTP_USER_AGENT": agent(customer),
        "HTTP_ACCEPT_LANGUAGE": "id",
    }
    return from_wsgi(environ, TrustedProxies(), device_id=f"phone-{customer}")


def browser_of(shop, customer):
    """Their browser today."""
    if customer in NEW_PHONES_ON_THE_ROAD:
        return Browser(shop, f"112.215.{customer}.9", number=customer + 3)
    if customer in NEW_PHONES:
        return Browser(shop, home(customer), number=customer + 3)
    return Browser(shop, home(customer), device_id=f"phone-{customer}", number=customer)


def shops_honestly(shop, customer):
    """One visit from login to order; what came of it."""
    came = {"customer": customer, "challenged": False, "denied": False, "finished": False}
    with browser_of(shop, customer) as browser:
        if customer in TYPOS:
            browser.log_in(email(customer), "corect horse")
        if not browser.log_in(email(customer), password(customer)):
            if not browser.is_challenged:
                return came | {"denied": True}
            came["challenged"] = True
            browser.prove(email(customer))
        browser.fill_basket()
        browser.ship_home(customer + 1)
        browser.get("/checkout/shipping-method/")
        came["finished"] = browser.place_order()
        if not came["finished"] and browser.last.headers.get("location") == "/shopward/challenge":
            came["challenged"] = True
            browser.prove(email(customer))
            came["finished"] = browser.place_order()
        came["denied"] = not came["finished"] and browser.last.status_code == 403
    return came


def histories_of(customers):
    """Eight logins of each customer over four weeks, from the device and network that are theirs."""
    begin = datetime.now(UTC) - timedelta(days=28)  # noqa: TID251 -- the shop's own past, behind its clock
    logins = [
        (begin + timedelta(days=3.2 * week, seconds=31 * customer), customer)
        for week in range(8)
        for customer in range(customers)
    ]
    return b"\n".join(
        json.dumps(
            {
                "id": f"history-{number}", "type": "login", "status": "succeeded",
                "time": at.isoformat(timespec="seconds").replace("+00:00", "Z"),
                "user": {"id": str(customer + 1)}, "context": known_context(customer),
            }
        ).encode()
        for number, (at, customer) in enumerate(sorted(logins))
    )  # fmt: skip


# --- thieves -----------------------------------------------------------------------------------------------------


def stolen_list(seed, *, junk):
    """A thief's list, shuffled: fifty accounts of this shop, twelve of them with today's password, and people of other shops."""
    rng = random.Random(seed)
    leaked = set(rng.sample(STUFFED, 12))
    pairs = [(email(each), password(each) if each in leaked else "an old password") for each in STUFFED]
    pairs += [(f"someone{n}@else.example", f"secret{n}") for n in range(junk)]
    rng.shuffle(pairs)
    return pairs, len(leaked)


class Thief:
    """Tries passwords with a fresh browser each time, from addresses that it changes; one token of the form will do."""

    def __init__(self, shop, addresses):
        self.shop = shop
        self.addresses = addresses
        self._tries = 0
        with Browser(shop, addresses[0]) as browser:
            browser.get("/accounts/login/")
            self._token = browser.http.cookies["csrftoken"]

    def opens(self, name, word):
        """Whether the account is open to it."""
        self._tries += 1
        with Browser(
            self.shop, self.addresses[self._tries % len(self.addresses)], number=self._tries
        ) as browser:
            browser.http.cookies.set("csrftoken", self._token)
            return browser.log_in(name, word)

    def opened(self, pairs):
        """How many accounts of a list it opens."""
        return sum(self.opens(name, word) for name, word in pairs)
