"""Advisories on both databases: placed whole or not at all, narrowed to a provider, released whole; and the command."""

import json

import msgspec
import pytest
from click.testing import CliRunner

from ordering import ANNA, BUDI, SHOP, SOON, asked, pays
from serving import Server
from shopward.cli.order import order
from shopward.errors import Conflict, InvalidField, NotFound, Refused
from shopward.events import decode_event
from shopward.flows.advise import AdvisoryAsked
from shopward.protection import Declared

LIMIT = {"amount_minor": 4_000, "currency": "IDR", "window_s": 86_400}


def advisory(provider="apple", **changes):
    """An advisory that ends in three days."""
    body = {"provider": provider, "incident": "inc-7", "limit": LIMIT, "ends_at": SOON}
    return msgspec.convert(body | changes, AdvisoryAsked)


def linked(number, user="u1", provider="apple", amount_minor=5_000):
    """A payment through a linked account."""
    paid = {"id": f"t-{number}", "amount_minor": amount_minor, "currency": "IDR", "instrument": "linked"}
    return pays(number, user, transaction=paid | ({"identity_provider": provider} if provider else {}))


def decided(shop, event):
    """Decision and the kinds of orders that had a say."""
    shop.desk.look_at_orders()
    answer = shop.decide(event)
    return answer.decision, {shop.overseer.get(each)[0].standing.kind for each in answer.orders}


def test_it_reaches_whoever_is_linked_and_nobody_else(shop):
    """Declared or by the payment itself; another provider's limit is untouched; a payment that hides its provider is not."""
    shop.overseer.declare({"u1": Declared(identity_providers=("apple", "google"))})
    placed = shop.advisories.place(ANNA, advisory())
    assert [each.state for each in placed.orders] == ["active", "active"]
    assert decided(shop, linked(1)) == ("deny", {"limit", "step_up"})
    assert decided(shop, linked(2, provider="google"))[1] == {"step_up"}
    assert decided(shop, linked(3, provider="")) == ("deny", {"limit", "step_up"})
    assert decided(shop, linked(4, "undeclared")) == ("deny", {"limit", "step_up"})
    assert decided(shop, linked(5, "undeclared", provider="google")) == ("allow", set())
    assert decided(shop, pays(6)) == ("allow", set())


def test_a_capture_is_held_to_it_as_a_decision_is(shop):
    """What was authorised before the advisory is not captured after it, through that provider."""
    opened = {}
    for number, provider in ((1, "apple"), (2, "google")):
        event = decode_event(msgspec.json.encode(linked(number, "undeclared", provider)))
        shop.decide(linked(number, "undeclared", provider))
        record = shop.desk.decide([event])[0]
        opened[provider] = shop.authorizations.open(event, record, shop.clock.now_ms()).id
    shop.advisories.place(ANNA, advisory())
    assert shop.authorizations.capture(opened["google"]).state == "captured"
    with pytest.raises(Conflict) as stopped:
        shop.authorizations.capture(opened["apple"])
    assert stopped.value.code == "capture_stopped"


def test_one_of_a_provider_in_an_incident(shop):
    """Again is the same orders, by anybody; otherwise is refused; another incident is another advisory."""
    first = shop.advisories.place(ANNA, advisory())
    assert shop.advisories.place(BUDI, advisory()) == first
    with pytest.raises(Conflict) as other:
        shop.advisories.place(ANNA, advisory(assurance=3))
    assert other.value.code == "idempotency_key_reused"
    second = shop.advisories.place(ANNA, advisory(incident="inc-8"))
    assert second.id != first.id
    assert len(shop.overseer.newest(state="active", before=None, limit=10)) == 4


def test_a_dry_run_and_a_refusal_keep_nothing(shop):
    """No order, no key, no line: the same may be placed afterwards."""
    counted = shop.advisories.place(ANNA, advisory(dry_run=True))
    assert (counted.orders[0].measured.count, counted.orders[0].id) == (0, "")
    with pytest.raises(InvalidField):
        shop.advisories.place(ANNA, advisory(scope=["breathing"]))
    with pytest.raises(InvalidField):
        shop.advisories.place(ANNA, advisory(ends_at="2020-01-01T00:00:00Z"))
    with pytest.raises(Refused):
        shop.advisories.place(SHOP, advisory())
    with pytest.raises(NotFound):
        shop.advisories.get(counted.id)
    assert shop.overseer.newest(state=None, before=None, limit=10) == []
    assert shop.advisories.place(ANNA, advisory()).orders[0].state == "active"


def test_it_ends_by_two_and_whole(shop):
    """What ended before stays so; the rest is asked for, taken back, asked for and approved together."""
    name = shop.advisories.place(ANNA, advisory()).id
    assert all(each.release_by == "anna" for each in shop.advisories.release(ANNA, name).orders)
    with pytest.raises(Conflict):
        shop.advisories.release(BUDI, name)
    with pytest.raises(Refused):
        shop.advisories.approve(ANNA, name)
    assert all(each.release_by == "" for each in shop.advisories.release(ANNA, name, withdraw=True).orders)
    limit = shop.advisories.get(name).orders[0].id
    shop.protection.release(ANNA, limit)
    shop.protection.approve(BUDI, limit)
    shop.advisories.release(BUDI, name)
    ended = shop.advisories.approve(ANNA, name)
    assert [each.state for each in ended.orders] == ["cancelled", "cancelled"]
    with pytest.raises(Conflict) as over:
        shop.advisories.exempt(ANNA, name, ["u1"], cause="staff_release", evidence="")
    assert over.value.code == "order_state"


def test_who_is_out_of_one_of_its_orders_gets_out_of_the_other(shop):
    """And is refused once he is out of both."""
    name = shop.advisories.place(ANNA, advisory()).id
    step_up = shop.advisories.get(name).orders[1].id
    shop.protection.exempt(ANNA, step_up, ["u1"], cause="staff_release", evidence="")
    assert len(shop.advisories.exempt(ANNA, name, ["u1"], cause="staff_release", evidence="")) == 1
    assert decided(shop, linked(1)) == ("allow", set())
    with pytest.raises(Conflict):
        shop.advisories.exempt(ANNA, name, ["u1"], cause="staff_release", evidence="")


def test_a_provider_belongs_to_an_unlink_or_to_linked_payments_alone(lite):
    """A freeze of everything that names a provider would be read as wider or narrower than it is."""
    for request in (
        asked(provider="apple"),
        asked("revoke", scope=["pay_linked"], provider="apple"),
        asked("unlink", scope=[], target={"user": "u1"}),
    ):
        with pytest.raises(InvalidField) as refused:
            lite.protection.place(ANNA, request)
        assert refused.value.path == "provider"
    narrowed = lite.protection.place(ANNA, asked(scope=["pay_linked"], provider="apple"))
    assert narrowed.standing.provider == "apple"


def test_the_command_places_shows_and_releases_it(tmp_path):
    """A dry run shows; with ``--yes`` it is in force; its id goes where an order's does."""
    with Server(tmp_path / "data") as server:
        environment = {"SHOPWARD_KEY": server.key, "SHOPWARD_URL": server.url}

        def run(*words, **more):
            done = CliRunner().invoke(order, words, env=environment | more, catch_exceptions=False)
            assert done.exit_code == 0, done.output
            return done.output

        words = (
            "advisory",
            "apple",
            "--incident",
            "inc-7",
            "--amount-minor",
            "4000",
            "--currency",
            "IDR",
            "--for",
            "7d",
        )
        assert "nothing is lowered" in run(*words)
        assert json.loads(server.decide(linked(1))[1])["decision"] == "allow"
        shown = run(*words, "--exclude", "totp", "--yes", "--language", "zh")
        name = shown.split()[0]
        assert "仅限通过 apple 进行的操作" in shown
        assert json.loads(server.decide(linked(2))[1])["decision"] == "deny"
        assert run("show", name).startswith(name)
        assert "released: 1" in run("release", name, "--user", "u1", "--yes")
        assert json.loads(server.decide(linked(3))[1])["decision"] == "allow"
        assert "second person" in run("release", name, "--all", "--yes")
        made = server.post("/v1/keys", {"name": "budi-1", "person": "budi", "roles": ["analyst"]})
        assert "cancelled" in run("approve", name, SHOPWARD_KEY=json.loads(made[1])["key"])
