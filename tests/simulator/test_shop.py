from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from shopward.testing import Shop
from shopward.testing import attackers as a
from shopward.testing.attackers.takeover import distance_km
from shopward.testing.places import City

ALL = [
    a.OneAddressStuffing(tries=40),
    a.DistributedStuffing(tries=60, hits=4),
    a.PasswordSpray(users=20),
    a.ImpossibleTravel(),
    a.NewDeviceThenChange(),
    a.BalanceDrain(),
    a.GiftCardEnumeration(checks=40),
    a.OtpPhishing(victims=6),
    a.OtpPumping(requests=60),
    a.OtpBombing(gives_in=1.0),
    a.SessionTheft(),
    a.WhatsAppTap(),
    a.LinkedIdentityDrain(victims=6),
    a.MuleFanIn(),
    a.InsiderScrape(reads=30, exports=1),
    a.DormantTakeover(),
    a.RefundHijack(),
    a.RecoveryAbuse(),
]


def moment(event):
    """The time of an event."""
    return datetime.fromisoformat(event["time"])


def of(story, kind, status=None):
    """The story's events of a type."""
    return [e for e in story.events if e["type"] == kind and status in (None, e["status"])]


def quiet(attack, seed=5):
    """One attack in a shop where nothing else happens."""
    return Shop(seed, customers=0).attack(attack)


@pytest.mark.parametrize("attack", ALL, ids=lambda attack: attack.name)
@pytest.mark.parametrize("residents", [0, 40])
def test_every_attack_runs_in_a_small_shop(attack, residents):
    """An attack runs to its end, quiet or amid honest days, labelled, with the stream in time order."""
    shop = Shop(3, customers=residents)
    shop.ordinary_days(1)
    story = shop.attack(attack)
    assert len(story.labels) == len(story.events) > 0
    times = [event["time"] for event in shop.events]
    assert times == sorted(times)
    assert shop.now > moment(story.events[-1])
    assert (len(shop.events) > 2 * len(story.events) + 20) <= bool(residents)


def test_ordinary_days_are_honest():
    """Ordinary days leave events and no label; the same seed leaves the same."""
    shop, twin = Shop(8), Shop(8)
    assert shop.ordinary_days(10) == twin.ordinary_days(10) == shop.events
    assert len(shop.events) > 100
    assert shop.labels == []


def test_a_customer_does_what_is_said():
    """A customer's steps come one after the other, and nothing else comes in a quiet shop."""
    shop = Shop(1, customers=0)
    customer = shop.customer()
    customer.login(typos=2)
    payment = customer.pay(9_900, payee="m600")
    shop.advance(hours=2)
    customer.take_new_phone()
    customer.login()
    changed = customer.change("phone")
    assert [e["type"] for e in shop.events] == ["login"] * 3 + ["payment", "login", "phone_change"]
    assert payment["transaction"]["amount_minor"] == 9_900
    assert payment["session"] == shop.events[2]["session"] != changed["session"]
    assert payment["context"]["device_id"] != changed["context"]["device_id"]
    assert moment(shop.events[4]) - moment(payment) >= timedelta(hours=2)
    assert {e["user"]["id"] for e in shop.events} == {customer.id}


def test_more_of_what_a_customer_can_do():
    """Codes, resets, visits, journeys and any event of the contract."""
    shop = Shop(2, customers=0)
    customer = shop.customer()
    customer.travel("US")
    assert customer.login()["context"]["country"] == "US"
    assert customer.fail_login()["status"] == "failed"
    assert customer.code()["type"] == "otp"
    assert customer.reset_password()["type"] == "password_reset"
    assert customer.do("payee_add", properties={"payee_id": "p1"})["properties"] == {"payee_id": "p1"}
    assert customer.visit()


def test_row_1_one_address():
    """Row 1: at least five users from one address in ten minutes, four in five of the tries failing."""
    story = quiet(a.OneAddressStuffing(tries=60))
    tries = of(story, "login")[:40]
    assert len({e["context"]["ip"] for e in tries}) == 1
    assert moment(tries[-1]) - moment(tries[0]) < timedelta(minutes=12)
    assert Counter(e["status"] for e in tries)["failed"] / len(tries) > 0.8
    assert sum(not e["user"]["known"] for e in tries) >= 5


def test_row_2_distributed():
    """Row 2: about one try an address; those who get in are back later, mostly on the same device."""
    story = quiet(a.DistributedStuffing(tries=300, hits=20))
    label = {one.event_id: one.label for one in story.labels}
    tries = [e for e in of(story, "login") if label[e["id"]].startswith("stuffing")]
    assert len({e["context"]["ip"] for e in tries}) > 200
    hits = {e["user"]["id"]: e for e in tries if e["status"] == "succeeded"}
    back = [e for e in of(story, "login") if label[e["id"]] == "ato"]
    assert len(hits) == len(back) == 20
    assert all(moment(e) > moment(hits[e["user"]["id"]]) + timedelta(hours=3) for e in back)
    same = sum(e["context"]["device_id"] == hits[e["user"]["id"]]["context"]["device_id"] for e in back)
    assert same >= 10


def test_row_3_spray():
    """Row 3: one wrong password on ten users or more, at most two failures for each."""
    story = quiet(a.PasswordSpray(users=20))
    failed = of(story, "login", "failed")
    assert min(Counter(e["credential"]["password_hmac"] for e in failed).values()) >= 10
    assert max(Counter(e["user"]["id"] for e in failed).values()) <= 2


def test_row_6_travel():
    """Row 6: faster than 900 km/h over more than 500 km, on another device."""
    shop = Shop(5, customers=0)
    story = shop.attack(a.ImpossibleTravel(victims=4))
    for theft in of(story, "login"):
        mine = [e for e in shop.events if e["type"] == "login" and e["user"] == theft["user"]]
        (home, away) = mine[:2]
        one, two = (City("", e["context"]["lat"], e["context"]["lon"]) for e in (home, away))
        hours = (moment(away) - moment(home)).total_seconds() / 3600
        assert distance_km(one, two) > max(500, 900 * hours)
        assert home["context"]["device_id"] != away["context"]["device_id"]


def test_row_7_and_8_change_and_drain():
    """Rows 7 and 8: a change within a day before the money; three redemptions in a row and most of the balance."""
    changes = {"password_change", "phone_change", "payee_add", "mfa_remove", "address_add"}
    for victim in (story := quiet(a.NewDeviceThenChange())).victims:
        kinds = [e["type"] for e in story.events if e["user"]["id"] == victim]
        assert kinds[0] == "login"
        assert kinds[1] in changes
    for victim in (story := quiet(a.BalanceDrain())).victims:
        mine = [e for e in story.events if e["user"]["id"] == victim and e["status"] == "succeeded"]
        spent = [e["transaction"] for e in mine if e.get("transaction", {}).get("instrument") == "balance"]
        assert sum(e["type"] == "gift_card_redeem" for e in mine) >= 3
        assert sum(t["amount_minor"] for t in spent) >= 0.5 * spent[0]["balance_before_minor"]


def test_row_9_cards():
    """Row 9: many card numbers from few addresses, most of them not known."""
    checks = of(quiet(a.GiftCardEnumeration(checks=60)), "gift_card_check")
    assert len({e["transaction"]["instrument_id"] for e in checks}) == 60
    assert len({e["context"]["ip"] for e in checks}) <= 2
    assert Counter(e["status"] for e in checks)["failed"] > 48


def test_row_11_codes():
    """Row 11: some codes are typed in on another device than they were asked for on, and used at once."""
    story = quiet(a.OtpPhishing(victims=20))
    split = 0
    for victim in story.victims:
        mine = [e for e in story.events if e["user"]["id"] == victim]
        asked, typed = (next(e for e in mine if e["status"] == s) for s in ("requested", "succeeded"))
        used = next(e for e in mine if e["type"] == "login")
        split += asked["context"]["device_id"] != typed["context"]["device_id"]
        assert used["context"]["device_id"] == typed["context"]["device_id"]
        assert moment(used) - moment(typed) < timedelta(seconds=10)
    assert 3 <= split <= 17


def test_row_12_pumping_and_bombing():
    """Row 12: fifty codes an hour to one prefix, hardly one typed in; or many to one owner in ten minutes."""
    story = quiet(a.OtpPumping(requests=120))
    asked = of(story, "otp", "requested")
    assert len({e["properties"]["phone_prefix"] for e in asked}) == 1
    assert len({e["user"]["tokens"]["phone"] for e in asked}) == 120
    assert not of(story, "otp", "succeeded")
    bombed = of(quiet(a.OtpBombing(victims=1)), "otp", "requested")
    assert len(bombed) == 12
    assert moment(bombed[-1]) - moment(bombed[0]) < timedelta(minutes=12)


def test_row_13_session():
    """Row 13: one session goes on from another network and device, with no sign-in between."""
    shop = Shop(6, customers=0)
    story = shop.attack(a.SessionTheft(victims=4))
    for theft in of(story, "session_refresh"):
        owner = next(e for e in shop.events if e.get("session") == theft["session"])
        assert owner["id"] not in {label.event_id for label in story.labels}
        assert owner["context"]["asn"] != theft["context"]["asn"]
        assert owner["context"]["device_id"] != theft["context"]["device_id"]
    assert not of(story, "login")


def test_row_14_tap():
    """Row 14: a device is linked within ten minutes of a code, and reads along."""
    story = quiet(a.WhatsAppTap())
    kinds = [e["type"] for e in story.events]
    assert kinds[:3] == ["otp", "otp", "device_link"]
    assert moment(story.events[2]) - moment(story.events[0]) < timedelta(minutes=10)
    assert set(kinds[3:]) == {"message_received"}


def test_row_15_and_17_linked_and_mule():
    """Rows 15 and 17: one provider and repeated amounts; one payee and many unrelated payers."""
    paid = of(quiet(a.LinkedIdentityDrain(victims=12)), "payment")
    assert len({e["transaction"]["identity_provider"] for e in paid}) == 1
    assert len({e["transaction"]["amount_minor"] for e in paid}) <= 6
    sent = of(quiet(a.MuleFanIn()), "wallet_transfer", "succeeded")
    assert len({e["transaction"]["payee_id"] for e in sent}) == 1
    assert len({e["user"]["id"] for e in sent}) == 12


def test_row_18_insider():
    """Row 18: one member of staff, very many customers, most reads with no case and no order."""
    story = quiet(a.InsiderScrape(reads=60, exports=1))
    reads = of(story, "pii_view")
    assert len({e["actor"]["id"] for e in story.events}) == 1
    assert len({e["user"]["id"] for e in reads}) == 60
    assert sum(not e["access"].keys() & {"case_id", "order_id"} for e in reads) > 36
    assert of(story, "pii_export")[0]["access"]["records"] > 400


def test_row_20_dormant():
    """Row 20: nobody has seen the account before, it is old, and money leaves within the hour."""
    shop = Shop(7)
    shop.ordinary_days(20)
    before = {e["user"]["id"] for e in shop.events if "user" in e and "actor" not in e}
    story = shop.attack(a.DormantTakeover(victims=5))
    assert before.isdisjoint(story.victims)
    for victim in story.victims:
        mine = [e for e in story.events if e["user"]["id"] == victim]
        first = next(e for e in mine if e["type"] == "payment")
        assert moment(first) - moment(mine[0]) < timedelta(hours=1)


def test_row_21_refund():
    """Row 21: address, order, refund to another card, in this order within a day."""
    story = quiet(a.RefundHijack(victims=4))
    for victim in story.victims:
        mine = [e for e in story.events if e["user"]["id"] == victim]
        steps = [e["type"] for e in mine]
        assert steps == ["login", "order_view", "address_change", "order_cancel", "refund_request"]
        assert moment(mine[-1]) - moment(mine[0]) < timedelta(hours=24)


def test_row_23_recovery():
    """Row 23: resets for five users or more from one address in an hour; then a sign-in from another network."""
    story = quiet(a.RecoveryAbuse())
    asked = of(story, "password_reset_request")
    assert len({e["context"]["ip"] for e in asked}) == 1
    assert len({e["user"]["id"] for e in asked}) >= 5
    assert moment(asked[-1]) - moment(asked[0]) <= timedelta(hours=1)
    assert asked[0]["context"]["asn"] not in {e["context"]["asn"] for e in of(story, "login")}


def test_lookalikes_are_honest():
    """Families, carriers, sales, travellers and new phones look like attacks and carry no label."""
    shop = Shop(9, customers=0)
    family = shop.family_evening(members=8)
    rush = shop.carrier_rush(customers=30)
    peak = shop.staff_peak(reads=100)
    traveller, phone = shop.traveller(), shop.new_phone(shop.customer())
    assert shop.labels == []
    assert len({e["context"]["ip"] for e in family.events}) == 1
    assert len(family.victims) == 8
    assert len({e["context"]["ip"] for e in rush.events}) == 1
    assert 3 <= sum(e["status"] == "failed" for e in rush.events) <= 15
    assert all(e["access"].keys() & {"case_id", "order_id"} for e in peak.events if e["type"] == "pii_view")
    home, *_, away = traveller.events
    assert home["context"]["country"] != away["context"]["country"]
    assert home["context"]["device_id"] == away["context"]["device_id"]
    assert phone.events[-1]["type"] == "payment"
    assert all(one["time"] <= two["time"] for one, two in pairwise(shop.events))
