"""Rows 4, 5, 10 and 22: passwords that thieves hold, unlikely sign-ins, numbers on another SIM, and programs."""

from __future__ import annotations

from scenarios.stage import Stranger
from shopward.testing.agenda import Draft
from shopward.testing.attackers import BoughtPasswords, NewDeviceThenChange, ScriptedLogins, SimSwap

HONEST_STOPPED_MAX = 0.015
SPENDS = ("gift_card_redeem", "wallet_transfer", "phone_change", "payee_add")
STOLEN = "stolen_password_spends"


def stolen(person):
    """What a shop says of a sign-in with the password of somebody who reuses one."""
    return {"password_hmac": person.customer.password, "breached": True}


def transfer(amount_minor=900, payee="f-new"):
    """A transfer of stored value."""
    return {"amount_minor": amount_minor, "currency": "USD", "instrument": "balance", "payee_id": payee}


def gift_card(payee="m-new"):
    """A gift card that is redeemed."""
    return {"amount_minor": 2_500, "currency": "USD", "instrument": "gift_card", "payee_id": payee}


def test_row_04_a_bought_password(stage):
    """Who comes alone with a password that fits is told apart at the first try to spend, and a new one is demanded."""
    told = stage.attack(BoughtPasswords(victims=14))
    entries = told.of("login", "succeeded")
    assert entries.share(entries.with_code("breached_password_used")) >= 0.9
    opened = type(told)(t for kind in SPENDS for t in told.of(kind))
    assert opened.share(opened.with_code(STOLEN)) >= 0.8
    assert opened.share(opened.stopped) >= 0.9
    assert all("reset_password" in {a.type for a in t.record.actions} for t in opened.with_code(STOLEN))
    assert stage.honest_stopped() <= HONEST_STOPPED_MAX


def test_row_04_the_owner_of_a_stolen_password_shops_on(quiet):
    """On the own device, or on a new one at home, nothing is stopped, whatever is bought."""
    owner = quiet.regular()
    told = [
        owner.do("login", credential=stolen(owner)),
        owner.do("gift_card_redeem", transaction=gift_card()),
    ]
    owner.take_new_phone()
    told += [owner.do("login", credential=stolen(owner)), owner.do("wallet_transfer", transaction=transfer())]
    assert not quiet.tell(told).stopped


def test_row_04_a_new_password_ends_it(quiet):
    """Abroad on a borrowed device the owner is asked; once the password is changed, never for this again."""
    owner = quiet.regular()
    owner.travel("US" if owner.customer.country.code != "US" else "ID")
    owner.take_new_phone()
    owner.do("login", credential=stolen(owner))
    asked = quiet.last(owner.do("gift_card_redeem", transaction=gift_card()))
    owner.do("password_change", credential={"password_hmac": "another"})
    later = quiet.last(owner.do("gift_card_redeem", transaction=gift_card()))
    assert (STOLEN in asked.codes, asked.stopped) == (True, True)
    assert STOLEN not in later.codes


def test_row_04_a_stranger_without_the_shops_word(quiet):
    """A shop that does not look passwords up has no such sign: nothing fires, and nothing breaks."""
    victim = quiet.regular()
    thief = Stranger(quiet, far_from=victim)
    thief.does(victim, "login")
    assert STOLEN not in thief.does(victim, "gift_card_redeem", transaction=gift_card()).codes


def test_row_05_an_unlikely_login(stage):
    """Most intruders sign in as this customer never did, few customers do, and none is stopped for that alone."""
    told = stage.attack(NewDeviceThenChange(victims=14))
    entries = told.of("login", "succeeded")
    assert entries.share(entries.with_code("unlikely_login")) >= 0.6
    honest = stage.honest().of("login", "succeeded")
    assert honest.share(honest.with_code("unlikely_login")) <= 0.2
    assert not [t for t in honest.stopped if t.codes <= {"unlikely_login", "score"}]
    assert stage.honest_stopped() <= HONEST_STOPPED_MAX


def test_row_05_habits_are_likely_whatever_they_are(quiet):
    """Two browsers by turns, always a tunnel, a first visit: what is a customer's own habit surprises nobody."""
    owner = quiet.regular()
    for day in range(6):
        sign = {
            "browser": f"Firefox {120 + day % 2}",
            "asn": 65_500,
            "device_id": f"fresh-{day}",
            "ip": f"198.51.100.{day}",
        }
        told = owner.do("login", context=sign)
        quiet.shop.advance(days=1)
    assert "unlikely_login" not in quiet.last(told).codes
    assert "unlikely_login" not in quiet.last(quiet.shop.customer().do("login")).codes


def test_row_10_a_sim_swap(stage):
    """Who holds the number is stopped from the reset on, no code to the phone counts, and money waits."""
    told = stage.attack(SimSwap(victims=10))
    entries = told.of("login", "succeeded")
    assert entries.share(entries.with_code("sim_swapped_stranger").stopped) >= 0.9
    money = told.of("wallet_transfer", "attempted")
    assert money.share(money.stopped) == 1.0
    assert all(
        "hold" in {a.type for a in t.record.actions} for t in money.with_code("sim_swapped_stored_value")
    )
    assert all({"sms", "whatsapp"} <= t.excluded for t in told.stopped)
    assert stage.honest_stopped() <= HONEST_STOPPED_MAX


def test_row_10_a_lost_phone_is_no_thief(quiet):
    """A new SIM and a new phone at home: in, an order by card, a transfer to a payee of old; what is new is asked once."""
    lucky = [quiet.tell(quiet.shop.lost_phone(person)) for person in quiet.regulars(4)]
    assert not [told for tale in lucky for told in tale.stopped]
    owner = quiet.regular()
    for day in range(2):
        owner.do("wallet_transfer", transaction=transfer(payee="f-sister"))
        quiet.shop.advance(days=1 + day)
    quiet.shop.lost_phone(owner)
    known = quiet.last(owner.do("wallet_transfer", transaction=transfer(payee="f-sister")))
    new = quiet.last(owner.do("wallet_transfer", transaction=transfer(payee="f-else")))
    assert (known.stopped, new.stopped) == (False, True)
    assert {"sms", "whatsapp"} <= new.excluded


def test_row_10_three_days_later_it_is_over(quiet):
    """A number that stays where it is for three days is trusted again, and only the operator's word begins it."""
    owner = quiet.regular()
    said = {"actor": {"type": "customer"}, "changes": [{"field": "sim"}]}
    owner.do("custom", **said)
    assert not quiet.last(owner.do("payee_add")).codes
    owner.do("custom", **(said | {"actor": {"type": "service", "id": "operator"}}))
    assert "sim_swapped_money_out" in quiet.last(owner.do("payee_add")).codes
    quiet.shop.advance(days=3, minutes=1)
    assert "sim_swapped_money_out" not in quiet.last(owner.do("payee_add")).codes


def test_row_22_one_page_for_a_whole_list(stage):
    """However slowly and from wherever: from the third account on the page gives it away, and a hit is challenged."""
    told = stage.attack(ScriptedLogins())
    tries = told.of("login", label="stuffing") + told.of("login", label="stuffing_hit")
    paged = type(told)(t for t in tries if "properties" in t.event)
    assert paged.share(paged.with_code("page_replayed").stopped) >= 0.9
    assert stage.honest_stopped() <= HONEST_STOPPED_MAX


def sends(person, page, kind="login", status="succeeded", **more):
    """A form of a page, with what the shop saw of the program behind it."""
    properties = {"page": {"id": page, "state": "fresh"} if page else {"state": "none"}, **more}
    return person.do(kind, status, properties=properties)


def test_row_22_people_and_what_helps_them_are_not_stopped(quiet):
    """A screen reader, a view inside another app, a family at one open page, somebody who forgot, a page left open."""
    anna, budi = quiet.regulars(2)
    new = quiet.shop.customer()
    told = [sends(anna, "p-1"), sends(budi, "p-1")]
    told += [sends(new, "p-2", status="failed") for _ in range(4)] + [sends(new, "p-2")]
    told += [sends(quiet.shop.customer(), "p-3", client_signs=["no_fetch_metadata"])]
    told += [quiet.shop.customer().do("login", properties={"page": {"id": "p-4", "state": "stale"}})]
    told += [quiet.shop.customer().do("login", properties={"page": "of another kind", "client_signs": 7})]
    assert not quiet.tell(told).stopped


def test_row_22_the_shops_own_monitor_goes_on(quiet):
    """A script that comes to its own account for days from its own place, by the shop's leave, is known there."""
    monitor = quiet.regular()
    told = [sends(monitor, "", client_signs=["no_language", "no_fetch_metadata"]) for _ in range(12)]
    assert not quiet.tell(told).stopped


def test_row_22_scripts_are_challenged(quiet):
    """Without a page, with the headers of no browser, or faster than anybody types."""
    victim, hurried = quiet.regular(), quiet.shop.customer()
    thief = Stranger(quiet, far_from=victim)
    signs = {"client_signs": ["no_language", "no_fetch_metadata"]}
    assert "client_incoherent" in thief.does(victim, "login", properties=signs).codes
    assert "page_missing" in thief.does(victim, "login", properties={"page": {"state": "none"}}).codes
    trail = [quiet.shop.now_ms + 200 * number for number in range(8)]
    drafts = [Draft(at_ms, "gift_card_check", "failed", device(hurried), "", "") for at_ms in trail]
    told = quiet.tell(quiet.shop.happen(drafts, trail[-1] + 1))
    assert "forms_too_fast" in told[-1].codes
    assert told[-1].stopped


def device(person):
    """A body with somebody's device alone."""
    return {"user": {"id": person.id}, "context": {"device_id": person.device.id}}
