"""A shop that we did not write, guarded over HTTP alone: real Vendure, real server, real attackers and customers."""

import json
import subprocess

import pytest

from serving import Server
from shopward.client.fallback import DEFAULTS
from stepup.front import Letterbox, MailServer
from vendure.shop import EXAMPLE, Browser, Shop, installed

LEAKED = (7, 8, 9, 10, 11, 12)
"""Customers whose password was stolen elsewhere."""


@pytest.fixture(scope="module")
def modules():
    """What npm installed; without it there is nothing to try."""
    folder, why_not = installed()
    if why_not:
        pytest.skip(why_not)
    return folder


@pytest.fixture(scope="module")
def letterbox():
    """A mail server that keeps what it is handed."""
    box = Letterbox()
    mail = MailServer(box)
    mail.start()
    box.url = f"smtp://127.0.0.1:{mail.port}"
    yield box
    mail.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory, letterbox):
    """Shopward, with the policy that ships and a way to send codes."""
    sends = {
        "SHOPWARD_SMTP_URL": letterbox.url, "SHOPWARD_MAIL_FROM": "kode@shop.example", "SHOPWARD_SHOP_DOMAIN": "shop.example",
    }  # fmt: skip
    with Server(tmp_path_factory.mktemp("shopward") / "data", policy=None, environment=sends) as running:
        yield running


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, modules, server, filled):
    """The shop with the plugin."""
    folder = tmp_path_factory.mktemp("guarded") / "shop"
    with Shop(folder, modules, filled=filled, url=server.url, key=server.key) as running:
        yield running


@pytest.fixture(scope="module")
def unguarded(tmp_path_factory, modules):
    """The same shop without it."""
    with Shop(tmp_path_factory.mktemp("unguarded") / "shop", modules) as running:
        yield running


@pytest.fixture(scope="module")
def filled(tmp_path_factory, unguarded):
    """What a shop keeps that was just filled; to start others from."""
    return unguarded.copy_data(tmp_path_factory.mktemp("filled") / "data")


def entries(server, user):
    """The newest events of a user with their decisions."""
    status, raw = server.get(f"/v1/users/{user}/timeline?limit=100")
    return json.loads(raw)["entries"] if status == 200 else []


def stuffed(shop, address_of):
    """A list from elsewhere is tried: mails that are no customers, wrong passwords, and six that fit; who was opened."""
    opened = []
    pairs = [(f"nobody{number}@mail.example", "x") for number in range(8)]
    pairs += [(f"customer{number}@shop.example", "guess") for number in range(1, 7)]
    pairs += [(f"customer{number}@shop.example", f"correct-horse-{number}") for number in LEAKED]
    for at, (username, password) in enumerate(pairs):
        with Browser(shop, address_of(at)) as thief:
            if thief.sign_in(username, password)[0]:
                opened.append(username)
    return opened


def test_stuffing_opens_every_leaked_account_of_the_bare_shop_and_none_of_the_guarded_one(
    unguarded, guarded, server
):
    """One address, a new browser each time; our own denials and challenges are not told as failures."""
    assert len(stuffed(unguarded, lambda _at: "198.51.100.10")) == len(LEAKED)
    assert stuffed(guarded, lambda _at: "198.51.100.10") == []
    with Browser(guarded, "203.0.113.2") as owner:
        owner.customer(LEAKED[0])
        user = owner.ask("{ me { id } }")[0]["me"]["id"]
    told = [each["event"]["status"] for each in entries(server, user)]
    assert told == ["succeeded", "succeeded"]


def guessed(shop, address):
    """Eight coupon codes are tried; what the shop said to each."""
    with Browser(shop, address) as thief:
        thief.fill_basket()
        return [
            thief.coupon(code)
            for code in ("AAA10", "BBB10", "CCC10", "DDD10", "EEE10", "FFF10", "HEMAT10", "KOPI30")
        ]


def test_guessing_of_coupons_ends_at_the_fifth(unguarded, guarded):
    """The bare shop tells every code that is one; the guarded one stops telling before the sixth."""
    assert guessed(unguarded, "198.51.100.20")[-2:] == ["Order", "Order"]
    said = guessed(guarded, "198.51.100.20")
    assert said[:4] == ["CouponCodeInvalidError"] * 4
    assert said[5:] == ["SHOPWARD_DENY"] * 3


def test_a_customer_buys_with_a_coupon(guarded, server):
    """From signing in to a settled payment; what was asked and told stands in the user's timeline, without a name."""
    with Browser(guarded, "203.0.113.1") as customer:
        assert customer.customer(1)[0]
        code = customer.fill_basket()
        assert customer.coupon("HEMAT10") == "Order"
        assert customer.check_out() == "PaymentSettled"
        user = customer.ask("{ me { id } }")[0]["me"]["id"]
    told = [(each["event"]["type"], each["event"]["status"]) for each in reversed(entries(server, user))]
    assert told[-7:] == [
        ("login", "succeeded"),
        ("gift_card_check", "attempted"),
        ("gift_card_check", "succeeded"),
        ("address_change", "attempted"),
        ("address_change", "succeeded"),
        ("payment", "attempted"),
        ("payment", "succeeded"),
    ]
    newest = entries(server, user)[0]["event"]
    money, where = newest["transaction"], newest["context"]
    assert where["ip"] == "203.0.113.1"
    assert len(where["device_id"]) == 32
    assert (money["id"], money["instrument"]) == (code, "card")
    assert money["amount_minor"] > 0
    raw = json.dumps(entries(server, user))
    assert not [word for word in ("customer1@", "Jl. Contoh", "HEMAT10", "correct-horse") if word in raw]


def test_customers_behind_one_address_are_let_in(guarded):
    """Five of them, each in a browser of their own, one with a typo."""
    with Browser(guarded, "203.0.113.50") as clumsy:
        assert not clumsy.sign_in("customer2@shop.example", "correct-horse-3")[0]
        assert clumsy.customer(2)[0]
    for number in (3, 4, 5, 6):
        with Browser(guarded, "203.0.113.50") as customer:
            assert customer.customer(number)[0]


SEND = "mutation ($d: String!, $u: String) { shopwardSendCode(decision: $d, username: $u) { success } }"
PROVE = """mutation ($d: String!, $a: String!, $u: String) {
  shopwardProve(decision: $d, factor: "email", answer: $a, username: $u) { success } }"""


def test_a_challenged_login_is_let_in_after_a_code_by_mail(guarded, letterbox):
    """Five typos and then the right password: the code goes to the account's address and is worth nothing to others."""
    who = "customer6@shop.example"
    with Browser(guarded, "203.0.113.80") as customer, Browser(guarded, "203.0.113.80") as thief:
        for _ in range(5):
            assert customer.sign_in(who, "corect-horse-6") == (False, "")
        is_in, said = customer.customer(6)
        assert (is_in, said.partition(" ")[0]) == (False, "challenge")
        decision = said.split()[1]
        sent, _errors = customer.ask(SEND, d=decision, u=who)
        assert sent["shopwardSendCode"] == {"success": True}
        assert letterbox.mails[-1].rcpt_tos == [who]
        answers = {"d": decision, "a": letterbox.code(), "u": who}
        assert thief.ask(PROVE, **answers)[0]["shopwardProve"] == {"success": False}
        assert customer.ask(PROVE, **answers | {"u": "customer1@shop.example"})[0]["shopwardProve"] == {
            "success": False
        }
        assert customer.ask(PROVE, **answers)[0]["shopwardProve"] == {"success": True}
        assert customer.customer(6)[0]
        assert customer.ask(SEND, d="../../v1/keys", u=who)[0]["shopwardSendCode"] == {"success": False}


CHANGES = {
    "updateCustomerPassword": 'updateCustomerPassword(currentPassword: "correct-horse-5", newPassword: "battery-staple-5")',
    "requestUpdateCustomerEmailAddress":
        'requestUpdateCustomerEmailAddress(password: "correct-horse-5", newEmailAddress: "thief@mail.example")',
    "createCustomerAddress":
        'createCustomerAddress(input: {fullName: "T", streetLine1: "Drop 1", city: "X", countryCode: "ID"})',
}  # fmt: skip


@pytest.mark.parametrize(
    ("language", "word"), [("en", "customer service"), ("id", "layanan pelanggan"), ("zh", "客服")]
)
def test_a_frozen_account_changes_nothing_and_pays_nothing(guarded, server, language, word):
    """Password, mail, address and payment are denied, in the customer's language, and nothing was done."""
    with Browser(guarded, "203.0.113.60", language) as thief:
        assert thief.customer(5)[0]
        user = thief.ask("{ me { id } }")[0]["me"]["id"]
        assert server.post(f"/v1/users/{user}/freeze", {"reason": "lost_device"})[0] in (200, 201)
        for mutation in CHANGES.values():
            _data, errors = thief.ask("mutation { " + mutation + " { __typename } }")
            assert errors[0]["extensions"]["code"] == "SHOPWARD_DENY"
            assert word in errors[0]["message"]
        assert thief.buy().startswith("SHOPWARD_DENY")
        data, _errors = thief.ask(
            "{ activeCustomer { emailAddress addresses { id } } activeOrder { payments { id } } }"
        )
    assert data["activeCustomer"] == {"emailAddress": "customer5@shop.example", "addresses": []}
    assert data["activeOrder"]["payments"] == []


def test_many_mutations_in_one_request_are_guarded_one_by_one(guarded):
    """Aliases do not get round the count."""
    codes = " ".join(
        f'c{number}: applyCouponCode(couponCode: "ALIAS{number}") {{ __typename }}' for number in range(9)
    )
    with Browser(guarded, "198.51.100.30") as thief:
        thief.fill_basket()
        _data, errors = thief.ask("mutation { " + codes + " }")
    assert [error["extensions"]["code"] for error in errors][:1] == ["SHOPWARD_DENY"]


def test_the_table_of_the_plugin_is_the_one_of_the_sdk(modules):
    """What the shop does while Shopward is not heard is the same in both languages."""
    program = "console.log(JSON.stringify(require('./shopward-plugin/fallback').DEFAULTS))"
    ran = subprocess.run(["node", "-e", program], cwd=EXAMPLE, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == dict(DEFAULTS)


def test_without_shopward_the_shop_goes_on_as_its_table_says(tmp_path, modules, filled):
    """The service is killed: card orders are placed, stored value waits; it is back without a restart of the shop."""
    with (
        Server(tmp_path / "data", policy=None) as server,
        Shop(tmp_path / "shop", modules, filled=filled, url=server.url, key=server.key) as shop,
    ):
        with Browser(shop, "203.0.113.70") as customer:
            assert customer.customer(1)[0]
            assert customer.buy() == "PaymentSettled"
            server.kill()
            assert customer.buy() == "PaymentSettled"
            assert customer.buy("store-credit") == "SHOPWARD_LATER"
        with Browser(shop, "203.0.113.71") as other:
            assert other.customer(2)[0]
        server.command += ["--port", str(server.port)]
        server.url = ""
        server.start()
        with Browser(shop, "203.0.113.72") as third:
            while not entries(server, "4"):  # two seconds of being left alone
                third.customer(3)
        assert not [
            line for line in shop.lines if "correct-horse" in line or server.key in line or "at " in line[:8]
        ]
