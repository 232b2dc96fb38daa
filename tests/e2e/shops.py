"""A real oscar shop as a process, and browsers of people who use it: honest ones and thieves, over real HTTP."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import httpx2

EXAMPLE = Path(__file__).parents[2] / "examples" / "oscar_shop"
KEY = "a key for tests"
PHONE = (
    "Mozilla/5.0 (Linux; Android {version}; SM-A5{n}) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Mobile Safari/537.36"
)
STARTS_WITHIN_S = 90
_CODE = re.compile(r"\b(\d{4}) (\d{4})\b")


def seeded(folder, customers, gift_cards):
    """The shop's data, made once."""
    _python(folder, "seed.py", "--fast", "--customers", str(customers), "--gift-cards", str(gift_cards))
    return folder


def copied(seeds, folder):
    """The same data for another shop."""
    shutil.copytree(seeds, folder)
    return folder


def environment(folder, **more):
    """Of the shop's processes."""
    return {
        **os.environ,
        "SHOP_DATA": str(folder),
        "SHOP_SECRET_KEY": KEY,
        "SHOP_UNSAFE_FAST_HASH": "1",
        "PYTHONPATH": os.pathsep.join(
            filter(None, (str(EXAMPLE.parents[1] / "src"), os.environ.get("PYTHONPATH")))
        ),
        "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONWARNINGS": "ignore",
    } | more


def _python(folder, *arguments, **more):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=EXAMPLE,
        env=environment(folder, **more),
        check=True,
        capture_output=True,
        text=True,
    )


class Shop:
    """One process; guarded where a server of Shopward's is given."""

    def __init__(self, folder, server=None, **more):
        self.folder = folder
        guarded = (
            {"DJANGO_SETTINGS_MODULE": "guarded", "SHOPWARD_URL": server.url, "SHOPWARD_KEY": server.key}
            if server
            else {}
        )
        self.environment = environment(folder, **guarded, **more)
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "log"
        self._process = None

    def start(self):
        """Start it and wait for a page."""
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "runserver", "--noreload", "--insecure", f"127.0.0.1:{self.port}"],
                cwd=EXAMPLE, env=self.environment, stdout=log, stderr=log,
            )  # fmt: skip
        until = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                httpx2.get(self.url + "/giftcards/", timeout=120, trust_env=False).raise_for_status()
            except httpx2.HTTPError:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise AssertionError("the shop did not start: " + self.text()) from None
                time.sleep(0.1)
            else:
                return self

    @property
    def pid(self):
        """Of the process."""
        return self._process.pid

    def text(self):
        """What it wrote."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def mailed_code(self, address):
        """The newest code that was mailed to somebody; only they may look."""
        mails = sorted((self.folder / "mail").glob("*.log"), key=lambda each: each.stat().st_mtime_ns)
        for mail in reversed(mails):
            text = mail.read_text(encoding="utf-8")
            if f"To: {address}" in text and (code := _CODE.search(text)):
                return "".join(code.groups())
        return ""

    def stop(self):
        """End it."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=120)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def device_cookie(device_id):
    """The cookie that a browser holds which the shop has seen."""
    from django.core import signing  # noqa: PLC0415 -- the dependency group may be missing

    return signing.Signer(key=KEY, salt="shopward.device", fallback_keys=[]).sign(device_id)


def agent(n):
    """A phone of the sort that half of a country has."""
    return PHONE.format(version=11 + n % 4, n=n % 7)


class Browser:
    """One browser on one network; the shop's own proxy writes its address."""

    def __init__(self, shop, ip, *, device_id="", number=0):
        self.shop = shop
        self.http = httpx2.Client(
            base_url=shop.url,
            headers={
                "User-Agent": agent(number),
                "X-Forwarded-For": ip,
                "Accept-Language": "id",
                "Accept": "text/html",
            },
            follow_redirects=False,
            timeout=60,
            trust_env=False,
        )
        if device_id:
            self.http.cookies.set("shopward_device", device_cookie(device_id))

    def close(self):
        """Close its connections."""
        self.http.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def get(self, path):
        """A page."""
        return self.http.get(path)

    def post(self, path, **fields):
        """A form; the token is fetched where there is none yet."""
        if "csrftoken" not in self.http.cookies:
            self.http.get("/giftcards/")
        fields = {name.replace("__", "-"): value for name, value in fields.items()}
        data = {"csrfmiddlewaretoken": self.http.cookies["csrftoken"]} | fields
        return self.http.post(path, data=data, headers={"Referer": self.shop.url + path})

    def log_in(self, email, password):
        """Whether the account is open."""
        answer = self.post(
            "/accounts/login/", login__username=email, login__password=password, login__redirect_url="/basket/",
            login_submit="Log In",
        )  # fmt: skip
        self.last = answer
        return answer.status_code == 302 and answer.headers["location"] == "/basket/"

    @property
    def is_challenged(self):
        """Whether the last login leads to the challenge."""
        return self.last.status_code == 302 and self.last.headers["location"] == "/shopward/challenge"

    def prove(self, email):
        """Read the mailed code and enter it; where it leads."""
        self.post("/shopward/challenge", send="1")
        return self.enter(self.shop.mailed_code(email))

    def enter(self, code):
        """Enter a code, whoever's."""
        return self.post("/shopward/challenge", factor="email", answer=code)

    def fill_basket(self):
        """One book."""
        return self.post("/basket/add/1/", quantity="1")

    def ship_home(self, address_id):
        """To an address of the book."""
        return self.http.post(
            "/checkout/shipping-address/",
            data={
                "csrfmiddlewaretoken": self.http.cookies["csrftoken"], "action": "ship_to", "address_id": str(address_id)
            },
        )  # fmt: skip

    def ship_elsewhere(self, street):
        """To an address that is typed."""
        return self.post(
            "/checkout/shipping-address/", first_name="Budi", last_name="S", line1=street, line4="Medan", postcode="20111",
            country="ID",
        )  # fmt: skip

    def place_order(self):
        """Whether the order was placed; the answer is kept."""
        self.last = self.post("/checkout/preview/", action="place_order")
        return self.last.status_code == 302 and "thank-you" in self.last.headers["location"]


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as it:
        return it.getsockname()[1]


ids = count(1)
