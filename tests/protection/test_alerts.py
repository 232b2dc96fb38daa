"""A provider says that a foreign account was stolen: what is done by itself, to whom, once, and how the customer gets out."""

import msgspec
import pytest

from ordering import ANNA, pays
from shopward.errors import Refused
from shopward.flows.trace import LinksAsked
from shopward.values import HOUR_MS, to_rfc3339

SUBJECT = {"changes": [{"field": "identity", "new_token": "sub-1"}]}


def tells(shop, number, kind, user="u1", provider="apple", is_known=True, **more):
    """An event of a linked identity, now."""
    made = {
        "type": kind, "status": "succeeded", "time": to_rfc3339(shop.clock.now_ms()),
        "transaction": {"identity_provider": provider} if provider else {}, "user": {"id": user, "known": is_known},
    }  # fmt: skip
    shop.decide(pays(number, user) | made | more)
    shop.carry_out()
    shop.desk.look_at_orders()


def pays_linked(shop, number, user="u1", provider="apple"):
    """Decision, kinds of orders and action types of a payment through a provider."""
    paid = {
        "id": f"t-{number}",
        "amount_minor": 5,
        "currency": "IDR",
        "instrument": "linked",
        "identity_provider": provider,
    }
    answer = shop.decide(pays(number, user, transaction=paid))
    kinds = sorted(shop.overseer.get(each)[0].standing.kind for each in answer.orders)
    return answer.decision, kinds, {action.type for action in answer.actions}


def in_force(shop):
    """Kinds of orders in force, by user token."""
    found = {}
    for order in shop.overseer.newest(state="active", before=None, limit=100):
        found.setdefault(order.standing.target.tokens[0], set()).add(order.standing.kind)
    return found


def accounts_of(shop, provider="apple"):
    """How many accounts the foreign account signs in to."""
    asked = {"kind": "identity", "token": "sub-1", "provider": provider}
    return shop.tracer.trace(ANNA, msgspec.convert(asked, LinksAsked)).accounts


def test_an_alert_acts_on_its_account_and_no_other(shop):
    """More proof, sessions ended, the provider unlinked, each by an order of the system that gives the alert as its reason."""
    tells(shop, 1, "identity_alert", actor={"type": "service", "id": "apple"})
    assert in_force(shop) == {shop.maker.user_token("u1"): {"step_up", "unlink", "revoke"}}
    decision, kinds, actions = pays_linked(shop, 2)
    assert (decision, kinds) == ("challenge", ["revoke", "step_up", "unlink"])
    assert actions == {"step_up", "revoke_sessions", "unlink_identity"}
    assert "unlink" not in pays_linked(shop, 3, provider="google")[1]
    assert pays_linked(shop, 4, "u2") == ("allow", [], set())
    orders = shop.overseer.newest(state="active", before=None, limit=9)
    assert {(each.author, each.decision, each.standing.reason) for each in orders} == {
        ("shopward", "d-p-1", "linked_identity_breach")
    }
    excluded = next(each.standing.exclude for each in orders if each.standing.kind == "step_up")
    assert excluded == ("email", "sms")


def test_once_and_not_again_while_it_stands(shop):
    """The same alert again, another one, and the follower once more add nothing; another provider's adds its unlink."""
    tells(shop, 1, "identity_alert")
    before = shop.overseer.newest(state=None, before=None, limit=99)
    tells(shop, 1, "identity_alert")
    tells(shop, 2, "identity_alert")
    shop.carry_out()
    assert shop.overseer.newest(state=None, before=None, limit=99) == before
    tells(shop, 3, "identity_alert", provider="google")
    added = shop.overseer.newest(state=None, before=None, limit=99)
    assert len(added) == len(before) + 1
    providers = {each.standing.provider for each in added if each.standing.kind == "unlink"}
    assert providers == {"apple", "google"}


def test_who_else_has_the_identity_is_told_and_not_stopped(shop):
    """Linked by events, known until unlinked; a hub says nothing of anybody."""
    for number, user in enumerate(("u1", "u2", "u3")):
        tells(shop, number, "identity_link", user, **SUBJECT)
    tells(shop, 3, "identity_link", "u4", provider="google", **SUBJECT)
    assert accounts_of(shop) == 3
    tells(shop, 4, "identity_unlink", "u3", **SUBJECT)
    assert (accounts_of(shop), accounts_of(shop, "google")) == (2, 1)
    tells(shop, 5, "identity_alert", "u1", **SUBJECT)
    of = shop.maker.user_token
    assert in_force(shop) == {of("u1"): {"step_up", "unlink", "revoke"}, of("u2"): {"notify_only"}}
    assert pays_linked(shop, 6, "u2") == ("allow", ["notify_only"], {"notify"})
    assert pays_linked(shop, 7, "u3") == ("allow", [], set())


def test_a_hub_says_nothing_of_any_of_its_accounts(lite):
    """Sixty accounts behind one foreign account are a test device of the shop's, not sixty victims."""
    for number in range(60):
        tells(lite, number, "identity_link", f"c{number}", **SUBJECT)
    tells(lite, 99, "identity_alert", "c1", **SUBJECT)
    assert in_force(lite) == {lite.maker.user_token("c1"): {"step_up", "unlink", "revoke"}}


def test_the_way_out_is_an_own_proof(lite):
    """Neither a new password nor somebody's word for a proof lets the customer out; staff may, under their own name."""
    tells(lite, 1, "identity_alert")
    orders = {each.standing.kind: each for each in lite.overseer.newest(state="active", before=None, limit=9)}
    with pytest.raises(Refused):
        lite.protection.exempt(ANNA, orders["step_up"].id, ["u1"], cause="password_changed", evidence="")
    for kind in ("step_up", "unlink", "revoke"):
        with pytest.raises(Refused):
            lite.protection.exempt(ANNA, orders[kind].id, ["u1"], cause="identity_proved", evidence="case-1")
        lite.protection.exempt(ANNA, orders[kind].id, ["u1"], cause="staff_release", evidence="case-1")
    lite.desk.look_at_orders()
    assert pays_linked(lite, 2) == ("allow", [], set())


def test_history_an_unknown_account_and_too_many_have_none(lite):
    """What is told late is recorded; of an account that does not exist too; beyond the policy's bound people decide."""
    tells(lite, 1, "identity_alert", time=to_rfc3339(lite.clock.now_ms() - 2 * HOUR_MS))
    tells(lite, 2, "identity_alert", "nobody", is_known=False)
    assert in_force(lite) == {}
    for number in range(40):
        tells(lite, 100 + number, "identity_alert", f"u{number}")
    assert sum(map(len, in_force(lite).values())) == 100


def test_an_alert_without_a_provider_asks_for_proof_all_the_same(lite):
    """There is nothing to unlink; who is alerted about is challenged for every linked payment."""
    tells(lite, 1, "identity_alert", provider="")
    assert in_force(lite) == {lite.maker.user_token("u1"): {"step_up", "revoke"}}
    assert pays_linked(lite, 2, provider="google")[0] == "challenge"
