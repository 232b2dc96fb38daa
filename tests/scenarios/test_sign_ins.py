"""Row 4: passwords that thieves hold."""

from __future__ import annotations

from scenarios.stage import Stranger
from shopward.testing.attackers import BoughtPasswords

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
