"""Rows 8, 15 and 17: stored value, linked identities and mules."""

from __future__ import annotations

from scenarios.stage import Stranger
from shopward.testing.attackers import BalanceDrain, LinkedIdentityDrain, MuleFanIn

HONEST_STOPPED_MAX = 0.015


def money(amount_minor, number, **more):
    """A transfer of stored value."""
    return {
        "id": f"t-{number}",
        "amount_minor": amount_minor,
        "currency": "USD",
        "instrument": "balance",
        "payee_id": "f-sister",
        **more,
    }


def pays_linked(person, provider="apple"):
    """A payment through a linked account from where the customer always is."""
    person.login()
    paid = {"amount_minor": 900, "currency": "USD", "instrument": "linked", "payee_id": "m-grocer"}
    return person.do("payment", transaction=paid | ({"identity_provider": provider} if provider else {}))


def test_row_08_balance_drain(stage):
    """The third card in a row on a new device, and most of the balance, are challenged without a message, and held."""
    told = stage.attack(BalanceDrain())
    for victim in told.users.values():
        third = victim.of("gift_card_redeem")[2]
        assert third.stopped
        assert "rapid_redemption" in third.codes
        assert "sms" in third.excluded
        assert victim.stopped
    spent = type(told)(t for t in told if t.event.get("transaction", {}).get("instrument") == "balance")
    assert spent.share(spent.stopped) >= 0.9
    drained = spent.with_code("balance_drained")
    assert spent.share(drained) >= 0.7
    assert all(t.stopped and "sms" in t.excluded for t in drained)
    assert all("hold" in {action.type for action in t.record.actions} for t in drained)
    assert stage.honest_stopped() <= HONEST_STOPPED_MAX


def test_row_15_linked_identity_drain(stage):
    """Payments through stolen identities are challenged from the first on; the wave at the provider is named."""
    told = stage.attack(LinkedIdentityDrain(victims=12))
    paid = told.of("payment")
    assert paid.first("linked_foreign") <= 3
    assert paid.share(paid.stopped) >= 0.85
    assert paid.share(paid.with_code("linked_provider_wave")) >= 0.5
    assert paid.share(paid.with_code("linked_again")) >= 0.5
    assert stage.honest_stopped() <= HONEST_STOPPED_MAX


def test_row_15_payments_after_the_providers_alert(quiet):
    """Once the provider alerts, payments through it are challenged without mail or message; others are not."""
    one, other = quiet.regulars(2)
    for person in (one, other):
        assert not quiet.last(pays_linked(person)).stopped
    one.do(
        "identity_alert", properties={"identity_provider": "apple"}, actor={"type": "service", "id": "apple"}
    )
    told = quiet.last(pays_linked(one))
    assert told.codes >= {"linked_after_alert"}
    assert (told.stopped, {"email", "sms"} <= told.excluded) == (True, True)
    assert "linked_after_alert" in quiet.last(pays_linked(one, provider="")).codes
    assert "linked_after_alert" not in quiet.last(pays_linked(one, provider="google")).codes
    assert "linked_after_alert" not in quiet.last(pays_linked(other)).codes


def test_row_17_mule_fan_in(stage):
    """From the sixth account on the common payee itself is a reason; what is not stopped before is held and looked at."""
    told = stage.attack(MuleFanIn())
    sent = told.of("wallet_transfer", "attempted")
    late = type(told)(sent[6:])
    assert late.share(late.with_code("mule_payee")) >= 0.6
    assert all(t.record.decision != "allow" for t in sent.with_code("mule_payee"))
    assert all("hold" in {action.type for action in t.record.actions} for t in sent.with_code("mule_payee"))
    assert sent.share(sent.stopped) >= 0.6
    kept = [
        each for each in sent if each.stopped or "hold" in {action.type for action in each.record.actions}
    ]
    assert sent.share(kept) >= 0.9
    assert stage.honest_stopped() <= HONEST_STOPPED_MAX


# --- look-alikes ------------------------------------------------------------------------------------------------


def test_customers_who_spend_their_own_balance_are_not_stopped(quiet):
    """Regular customers empty their balance or redeem three cards on the earned device."""
    people = quiet.regulars(6)
    told = []
    for number, person in enumerate(people):
        person.login()
        told.append(
            person.do("wallet_transfer", transaction=money(4_000, number, balance_before_minor=4_000))
        )
        told += [person.pay(2_000, instrument="gift_card", kind="gift_card_redeem") for _ in range(3)]
    assert not quiet.tell(told).denied
    assert quiet.tell(told).share(quiet.tell(told).stopped) <= 0.2


def test_a_popular_payee_is_no_mule(quiet):
    """A payee whom many regular customers pay from earned devices stays one when strangers pay it too."""
    people = quiet.regulars(14)
    for number, person in enumerate(people):
        person.do("wallet_transfer", transaction=money(1_000, number))
    for number, person in enumerate(people[:6]):
        paid = Stranger(quiet).does(person, "wallet_transfer", transaction=money(1_000, 100 + number))
    assert "mule_payee" not in paid.codes
