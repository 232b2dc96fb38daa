"""The same attacks on the same shop, with and without Shopward, while honest customers shop."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from e2e.people import (
    BEHIND_SHARED,
    CUSTOMERS,
    HONEST,
    SHARED,
    STUFFED,
    VICTIMS,
    Thief,
    email,
    password,
    shops_honestly,
    stolen_list,
)
from e2e.shops import Browser

ONE = ["45.9.148.3"]
FORTY = [f"45.{n}.20.{n}" for n in range(60, 99)] + [SHARED]


@pytest.fixture(scope="module")
def storm(guarded):
    """Honest customers and three thieves in the shop at once: what came of each."""
    pairs, leaked = stolen_list(3, junk=70)
    later, _ = stolen_list(4, junk=70)
    names = [email(each) for each in STUFFED]
    all_right = [(email(each), password(each)) for each in STUFFED]
    visits = list(HONEST)
    random.Random(5).shuffle(visits)
    with ThreadPoolExecutor(5) as crowd:
        one = crowd.submit(Thief(guarded, ONE).opened, pairs)
        forty = crowd.submit(Thief(guarded, FORTY).opened, later)
        spray = crowd.submit(Thief(guarded, ["91.3.7.1"]).opened, [(name, "Jakarta2024") for name in names])
        clean = crowd.submit(Thief(guarded, [f"77.{n}.4.4" for n in range(25)]).opened, all_right)
        honest = list(crowd.map(lambda customer: shops_honestly(guarded, customer), visits))
        return {
            "leaked": leaked, "one": one.result(), "forty": forty.result(), "spray": spray.result(),
            "all_right": clean.result(), "honest": honest,
        }  # fmt: skip


def test_no_stuffed_account_is_opened(unguarded, storm, figures):
    """Of fifty accounts on a list none opens, from one address or forty; without Shopward each whose password leaked does."""
    pairs, leaked = stolen_list(3, junk=70)
    without = Thief(unguarded, ONE).opened(pairs)
    later, _ = stolen_list(4, junk=70)
    without_forty = Thief(unguarded, FORTY).opened(later)
    figures(
        {
            "attack": "stuffing",
            "accounts": len(STUFFED),
            "addresses": 1,
            "unguarded": without,
            "guarded": storm["one"],
        }
    )
    figures(
        {
            "attack": "stuffing",
            "accounts": len(STUFFED),
            "addresses": 40,
            "unguarded": without_forty,
            "guarded": storm["forty"],
        }
    )
    all_right = Thief(unguarded, ONE).opened([(email(each), password(each)) for each in STUFFED])
    figures(
        {"attack": "stuffing, every password right", "accounts": 50, "addresses": 25, "unguarded": all_right,
         "guarded": storm["all_right"]}
    )  # fmt: skip
    assert (without, without_forty) == (leaked, leaked)
    assert (storm["one"], storm["forty"], storm["spray"], storm["all_right"]) == (0, 0, 0, 0)


def test_honest_customers_finish_while_it_rages(storm, figures):
    """Of 200 honest visits 99 % end in an order, 5 % at most are challenged, and nobody behind the shared address is denied."""
    came = storm["honest"]
    finished, challenged = sum(each["finished"] for each in came), sum(each["challenged"] for each in came)
    denied = [each["customer"] for each in came if each["denied"]]
    figures({"honest": len(came), "finished": finished, "challenged": challenged, "denied": len(denied)})
    assert len(came) == 200
    assert finished >= 198
    assert challenged <= 10
    assert not [each for each in denied if each in BEHIND_SHARED]


def drain(shop, ip, victim, street):
    """Enter with the right password, send the goods elsewhere and pay with a stolen card; how far it came."""
    with Browser(shop, ip, number=5) as thief:
        entered = thief.log_in(email(victim), password(victim))
        return {"entered": entered, "ordered": entered and order(thief, street)}


def order(thief, street):
    """The takeover's order: to the thief's street, with a gift card."""
    thief.post("/accounts/profile/edit/", first_name="Ayu", last_name="L", email="thief@else.example")
    thief.fill_basket()
    thief.ship_elsewhere(street)
    thief.get("/checkout/shipping-method/")
    thief.post("/giftcards/use/", code="GIFT0003AAAA")
    return thief.place_order()


def test_a_takeover_does_not_get_its_order(guarded, unguarded, figures):
    """Who has the right password and nothing else gets no order; without Shopward the goods are on their way."""
    victim = VICTIMS[0]
    with_it, without = (drain(shop, "80.2.2.2", victim, "Jalan Maling 1") for shop in (guarded, unguarded))
    figures({"attack": "takeover", "guarded": with_it, "unguarded": without})
    assert with_it == {"entered": False, "ordered": False}
    assert without == {"entered": True, "ordered": True}


def test_a_phished_code_opens_the_door_and_no_purse(guarded, figures):
    """A victim who reads one code out lets the thief in; the mail address stays, and no order leaves for elsewhere."""
    victim = VICTIMS[1]
    with Browser(guarded, "80.3.3.3", number=5) as thief:
        assert not thief.log_in(email(victim), password(victim))
        assert thief.is_challenged
        assert thief.prove(email(victim)).headers["location"] == "/basket/", "the victim read the code out"
        changed = thief.post(
            "/accounts/change-password/",
            old_password=password(victim),
            new_password1="thief's own",
            new_password2="thief's own",
        )
        ordered = order(thief, "Jalan Maling 2")
        page = thief.get("/accounts/profile/").text
    figures({"attack": "phished code, then takeover", "ordered": ordered})
    assert not ordered
    assert changed.headers["location"] == "/shopward/challenge"
    assert email(victim) in page


def test_a_newcomer_joins_and_buys(server, guarded, figures):
    """Who registers and orders at once meets nothing, and is told of as a registration and no login."""
    with Browser(guarded, "36.99.9.9", number=1) as browser:
        joined = browser.post(
            "/accounts/login/", registration__email="new@shop.example", registration__password1="a long sentence",
            registration__password2="a long sentence", registration__redirect_url="/basket/", registration_submit="Register",
        )  # fmt: skip
        browser.fill_basket()
        browser.ship_elsewhere("Jalan Anggrek 3")
        browser.get("/checkout/shipping-method/")
        bought = browser.place_order()
    figures({"newcomer": "registers and orders", "ordered": bought})
    assert joined.headers["location"] == "/basket/"
    assert bought
    told = [each["event"]["type"] for each in reversed(_timeline(server, CUSTOMERS))]
    assert told[:1] + told[-2:] == ["registration", "payment", "payment"]
    assert "login" not in told


def test_a_code_fits_in_no_other_browser(guarded):
    """A code that the customer's own browser asked for opens nothing for a thief who is told it."""
    victim = VICTIMS[2]
    with Browser(guarded, "112.99.1.1", number=9) as own, Browser(guarded, "80.4.4.4", number=5) as thief:
        own.log_in(email(victim), password(victim))
        own.post("/shopward/challenge", send="1")
        code = guarded.mailed_code(email(victim))
        thief.log_in(email(victim), password(victim))
        assert thief.enter(code).status_code == 200, "the page again, and not on"
        assert own.enter(code).headers["location"] == "/basket/"


def test_our_own_denials_do_not_feed_the_score(server, guarded):
    """Ten tries with the right password that were stopped are no failed logins of the account."""
    victim = VICTIMS[3]
    for name in ("nobody1", "nobody2", "nobody3", "nobody4"):
        Thief(guarded, ["93.5.5.5"]).opens(f"{name}@else.example", "x")
    denied = [Thief(guarded, ["93.5.5.5"]).opens(email(victim), password(victim)) for _ in range(10)]
    assert not any(denied)
    entries = _timeline(server, victim)
    assert [each["event"]["status"] for each in entries if each["event"]["context"]["ip"] == "93.5.5.5"] == [
        "succeeded"
    ] * 10
    assert "deny" in {each["decision"]["decision"] for each in entries[:10]}


def test_a_proved_phone_is_not_asked_again(server, guarded):
    """A new phone that was proved is asked for nothing more when it signs in again at once."""
    victim = VICTIMS[4]
    with Browser(guarded, "112.77.1.1", number=3) as phone:
        assert not phone.log_in(email(victim), password(victim))
        assert phone.prove(email(victim)).headers["location"] == "/basket/"
        phone.get("/accounts/logout/")
        assert phone.log_in(email(victim), password(victim))
    statuses = [
        (each["event"]["type"], each["event"]["status"]) for each in reversed(_timeline(server, victim))
    ][8:]
    assert statuses == [
        ("login", "succeeded"), ("otp", "requested"), ("otp", "succeeded"), ("challenge", "succeeded"),
        ("login", "succeeded"), ("logout", "succeeded"), ("login", "succeeded"),
    ]  # fmt: skip


def _timeline(server, customer):
    return json.loads(server.get(f"/v1/users/{customer + 1}/timeline?limit=100")[1])["entries"]
