"""Money out after a security change (AP5 and the cooling period), and the honest customers who look like it."""

from __future__ import annotations

import pytest

HOLDS = "hold"


def actions(told):
    """What the shop is asked to do besides."""
    return {action.type for action in told.record.actions}


def pays_often(stage, person, to="f-sister", days=4):
    """A payee that the customer has paid on some days, and so knows."""
    for _ in range(days):
        person.pay(900, payee=to, instrument="balance", kind="wallet_transfer")
        stage.shop.advance(days=1)


@pytest.mark.parametrize("change", ["password_change", "password_reset", "email_change", "phone_change"])
def test_after_a_change_on_a_strange_device_money_waits_three_days(quiet, change):
    """Neither a transfer nor a new payee goes through without a proof that no mailbox and no number gives."""
    owner, thief = quiet.regulars(2)
    pays_often(quiet, owner)
    thief.customer, thief.device = owner.customer, thief.device
    thief.login()
    thief.do(change)
    for told in (
        quiet.last(thief.pay(900, payee="f-sister", instrument="balance", kind="wallet_transfer")),
        quiet.last(thief.pay(900, instrument="transfer", kind="withdrawal")),
        quiet.last(thief.do("payee_add")),
    ):
        assert "cooling_after_strange_change" in told.codes
        assert (told.stopped, {"sms", "email", "whatsapp"} <= told.excluded) == (True, True)
        assert {"hold", "notify"} <= actions(told)
    card = quiet.last(owner.pay(900, instrument="card"))
    assert not card.codes & {"cooling_after_strange_change", "cooling_after_credential_change"}
    quiet.shop.advance(days=3)
    later = quiet.last(owner.pay(900, payee="f-sister", instrument="balance", kind="wallet_transfer"))
    assert "cooling_after_strange_change" not in later.codes


def test_a_thiefs_own_app_lets_no_money_out(quiet):
    """A factor added from a strange device would pass every challenge: for three days money is refused instead."""
    owner, thief = quiet.regulars(2)
    thief.customer = owner.customer
    thief.login()
    thief.do("mfa_enroll")
    told = quiet.last(thief.pay(900, payee="f-1", instrument="balance", kind="wallet_transfer"))
    assert told.record.decision == "deny"
    assert "cooling_after_strange_factor" in told.codes


def test_an_owner_who_changes_a_password_at_home_sends_money_to_those_they_know(quiet):
    """On the device that was always theirs, to a payee that was always theirs: nothing asks."""
    owner = quiet.regular()
    pays_often(quiet, owner)
    owner.do("password_change")
    told = quiet.last(owner.pay(900, payee="f-sister", instrument="balance", kind="wallet_transfer"))
    assert not told.stopped
    new = quiet.last(owner.pay(900, payee="f-new", instrument="balance", kind="wallet_transfer"))
    assert "cooling_after_credential_change" in new.codes
    assert new.stopped
    quiet.shop.advance(days=1, minutes=5)
    again = quiet.last(owner.pay(900, payee="f-new", instrument="balance", kind="wallet_transfer"))
    assert "cooling_after_credential_change" not in again.codes


def test_who_sets_up_an_account_has_changed_nothing(quiet):
    """The first day of an account is full of changes: they cool nothing."""
    person = quiet.shop.customer()
    person.customer.registered_ms = quiet.shop.now_ms
    person.do("registration")
    person.login()
    person.do("phone_change")
    told = quiet.last(person.pay(900, payee="f-1", instrument="balance", kind="wallet_transfer"))
    assert not told.codes & {"cooling_after_contact_change", "cooling_after_credential_change"}


def test_a_new_payee_is_a_word_of_warning_and_a_known_one_is_none(quiet):
    """Somebody whom many here pay, paid for the first time: the customer is told, nobody is asked, nothing is held."""
    friends = quiet.regulars(4)
    for friend in friends[1:]:
        pays_often(quiet, friend, "f-popular", days=2)
    told = quiet.last(friends[0].pay(900, payee="f-popular", instrument="balance", kind="wallet_transfer"))
    assert told.codes & {"first_transfer_to_payee", "transfer_to_stranger"} == {"first_transfer_to_payee"}
    assert (told.stopped, actions(told)) == (False, {"notify"})
    known = quiet.last(friends[1].pay(900, payee="f-popular", instrument="balance", kind="wallet_transfer"))
    assert not known.codes & {"first_transfer_to_payee", "transfer_to_stranger"}
    bought = quiet.last(friends[0].pay(900, payee="m-new", instrument="balance"))
    assert "first_transfer_to_payee" not in bought.codes


def test_money_to_a_stranger_is_looked_at_and_much_of_it_is_held(quiet):
    """By the customer's own measure: the same sum is ordinary for one and far too much for another."""
    small, large = quiet.regulars(2)
    for person, usual in ((small, 500), (large, 40_000)):
        for number in range(5):
            person.pay(usual, payee=f"m-{number}")
            quiet.shop.advance(hours=6)
    told = quiet.last(small.pay(1_200, payee="x-1", instrument="balance", kind="wallet_transfer"))
    assert (told.record.decision, HOLDS in actions(told)) == ("review", False)
    assert "transfer_to_stranger" in told.codes
    held = quiet.last(small.pay(40_000, payee="x-2", instrument="balance", kind="wallet_transfer"))
    assert (held.stopped, HOLDS in actions(held)) == (False, True)
    assert "large_transfer_to_stranger" in held.codes
    little = quiet.last(small.pay(300, payee="x-4", instrument="balance", kind="wallet_transfer"))
    assert "transfer_to_stranger" not in little.codes
    assert "first_transfer_to_payee" in little.codes
    usual = quiet.last(large.pay(40_000, payee="x-3", instrument="balance", kind="wallet_transfer"))
    assert "large_transfer_to_stranger" not in usual.codes


def test_who_called_it_off_meets_no_challenge_and_the_thief_does(quiet):
    """For a day after "that was not me" a strange device proves more, and the device of the owner is left alone."""
    owner, thief = quiet.regulars(2)
    thief.customer = owner.customer
    thief.login()
    owner.do("challenge", "failed", challenge={"decision_id": "d-1", "factor": "not_me"})
    again = quiet.last(thief.login())
    assert "owner_said_not_me" in again.codes
    assert again.stopped
    assert "owner_said_not_me" not in quiet.last(owner.login()).codes
    quiet.shop.advance(days=1, minutes=1)
    assert "owner_said_not_me" not in quiet.last(thief.login()).codes


def test_honest_days_are_not_stopped(stage):
    """Two weeks of two hundred customers who transfer, withdraw, add payees and change phones and passwords."""
    honest = stage.honest()
    moved = type(honest)(
        t for t in honest if t.event["type"] in ("wallet_transfer", "withdrawal", "payee_add")
    )
    cooled = moved.with_code(
        "cooling_after_strange_change", "cooling_after_strange_factor", "cooling_after_contact_change",
        "cooling_after_credential_change",
    )  # fmt: skip
    assert len(moved) > 30
    assert len({each.event["transaction"]["id"] for each in cooled}) <= 1


def test_a_friend_whom_nobody_else_pays_is_no_rare_payee(quiet):
    """Asked about and then told of, right after a login on the road: a transfer to a friend goes through."""
    owner = quiet.regular()
    told = owner.pay(900, payee="f-friend", instrument="balance", kind="wallet_transfer")
    told = quiet.last(told)
    assert not told.stopped
    assert not told.codes & {"rare_payee", "rare_payee_from_new_network", "spends_again"}
