"""Linked accounts: who shares what, how far it reaches, which hubs are named, and that no clear value is anywhere."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ordering import ANNA, SHOP, asked
from shopward.errors import InvalidField, Refused
from shopward.flows.trace import LinksAsked
from shopward.protection import DeclaredUser, declared
from shopward.protection import linkage as walk
from shopward.protection.links import AccountLinks
from shopward.service import TENANT

ASKED_PHONE = {"kind": "phone", "token": "ph-1"}


def declare(shop, **users):
    """Users by the tokens that they are reached by."""
    blind = shop.maker.blind
    shop.overseer.declare({
        user: declared(msgspec.convert({"tokens": tokens}, DeclaredUser), blind) for user, tokens in users.items()
    })  # fmt: skip


def trace(shop, **body):
    """An analyst's trace."""
    return shop.tracer.trace(ANNA, msgspec.convert(body, LinksAsked))


def test_one_phone_leads_to_its_accounts_and_from_them_to_others(shop):
    """Two share the phone; one of them shares an address with a third, who shares a card of identity with a fourth."""
    declare(
        shop, a={"phone": "ph-1"}, b={"phone": "ph-1", "address": "ad-1"}, c={"address": "ad-1", "national_id": "id-1"},
        d={"national_id": "id-1"}, alone={"phone": "ph-2"},
    )  # fmt: skip
    one = trace(shop, **ASKED_PHONE)
    assert (one.start, one.accounts) == (walk.Shared("phone", 2, exact=True, hub=False), 2)
    assert set(one.sample) == {shop.maker.user_token("a"), shop.maker.user_token("b")}
    three = trace(shop, **ASKED_PHONE, steps=3)
    assert [(each.accounts, each.by_kind) for each in three.steps] == [
        (2, {"phone": 2}), (1, {"address": 1}), (1, {"national_id": 1}),
    ]  # fmt: skip
    assert three.complete
    assert trace(shop, user="d", steps=1).sample == (shop.maker.user_token("c"),)
    assert trace(shop, user="alone", steps=3).accounts == 0
    assert trace(shop, **ASKED_PHONE | {"token": "ph-9"}).accounts == 0


def test_a_call_centres_phone_is_named_and_not_walked_through(shop):
    """Sixty accounts behind one phone are a hub: the walk from one of them names it and goes on by the others alone."""
    crowd = {f"c{number}": {"phone": "call-centre"} for number in range(60)}
    declare(shop, **crowd, one={"phone": "call-centre", "email": "em-1"}, two={"email": "em-1"})
    found = trace(shop, user="one", steps=2)
    assert found.sample == (shop.maker.user_token("two"),)
    assert [(hub.kind, hub.accounts, hub.exact) for hub in found.hubs] == [("phone", 61, True)]
    whole = trace(shop, **ASKED_PHONE | {"token": "call-centre", "steps": 2})
    assert (whole.start.hub, whole.accounts, [each.step for each in whole.steps]) == (True, 61, [1])
    assert not whole.complete


def test_the_orders_that_cover_them_are_counted(shop):
    """An order for one of them, one for all, and somebody who was let out."""
    declare(shop, a={"phone": "ph-1"}, b={"phone": "ph-1"})
    one = shop.protection.place(ANNA, asked(target={"user": "a"}))
    all_ = shop.protection.place(ANNA, asked())
    shop.protection.exempt(ANNA, all_.id, ["b"], cause="staff_release", evidence="")
    covering = {each.id: each.accounts for each in trace(shop, **ASKED_PHONE).orders}
    assert covering == {one.id: 1, all_.id: 1}


def test_a_foreign_account_is_linked_until_it_is_unlinked(shop):
    """Two accounts behind one identity of a provider find each other; another provider's is another."""
    identity = shop.maker.blind("identity", "apple:sub-1")

    def link(connection):
        links = AccountLinks(connection, TENANT)
        for user in ("a", "b"):
            links.put(shop.maker.user_token(user), "apple", identity, 1)

    shop.records.write(link)
    asked_identity = {"kind": "identity", "provider": "apple", "token": "sub-1"}
    assert trace(shop, **asked_identity).accounts == 2
    assert trace(shop, **asked_identity | {"provider": "google"}).accounts == 0
    assert trace(shop, user="a").steps[0].by_kind == {"identity": 1}
    shop.records.write(
        lambda connection: AccountLinks(connection, TENANT).remove(shop.maker.user_token("b"), "apple", "")
    )
    assert trace(shop, **asked_identity).accounts == 1


def test_no_clear_token_is_kept_or_told(lite):
    """What the shop sent stands neither in the tables, nor in an answer, nor in the audit log."""
    declare(lite, a={"phone": "a-phone-token-of-the-shop"})
    told = msgspec.json.encode(trace(lite, **ASKED_PHONE | {"token": "a-phone-token-of-the-shop"}))
    kept = b"".join(path.read_bytes() for path in lite.settings.folder.iterdir())
    assert b"a-phone-token-of-the-shop" not in told + kept
    assert b"links:trace" in kept


def test_who_may_trace_and_what_is_no_question(lite):
    """Analysts; a user or one identifier, an identity with its provider."""
    with pytest.raises(Refused):
        lite.tracer.trace(SHOP, msgspec.convert(ASKED_PHONE, LinksAsked))
    for body, path in (
        ({}, "user"), (ASKED_PHONE | {"user": "a"}, "user"), ({"user": "a", "token": "t"}, "kind"),
        ({"kind": "phone"}, "token"), (ASKED_PHONE | {"provider": "apple"}, "provider"),
        ({"kind": "identity", "token": "t"}, "provider"),
    ):  # fmt: skip
        with pytest.raises(InvalidField) as refused:
            trace(lite, **body)
        assert refused.value.path == path


class World:
    """Accounts and their identifiers in a dictionary: the port, and what the walk is held against."""

    def __init__(self, held):
        self.held = held

    def identifiers_of(self, accounts):
        """As they are."""
        return {account: sorted(self.held.get(account, ())) for account in accounts}

    def accounts_of(self, identifiers, limit):
        """In order."""
        return {
            each: sorted(a for a, held in self.held.items() if each in held)[:limit] for each in identifiers
        }

    def count(self, identifier, limit):
        """All of them, up to the limit."""
        return min(limit, sum(identifier in held for held in self.held.values()))

    def near(self, start, steps):
        """Everybody in so many steps, naively."""
        reached, frontier = set(), {start}
        for _step in range(steps):
            shared = {each for account in frontier for each in self.held.get(account, ())}
            frontier = {a for a, held in self.held.items() if held & shared} - reached - {start}
            reached |= frontier
        return reached


identifiers = st.tuples(st.sampled_from(("phone", "email", "address")), st.sampled_from("abcdefgh"))


@settings(deadline=None)
@given(
    held=st.dictionaries(st.integers(0, 20).map(str), st.sets(identifiers, max_size=3), max_size=20),
    steps=st.integers(1, 3),
)
def test_the_walk_reaches_exactly_those_within_so_many_steps(held, steps):
    """Held against a naive search on worlds without hubs; each account once, nearest first."""
    found = walk.from_account(World(held), "0", steps)
    assert set(found.accounts) == World(held).near("0", steps)
    assert len(found.accounts) == len(set(found.accounts)) == sum(each.accounts for each in found.steps)
    assert found.complete


def test_a_walk_stops_at_its_bound_and_says_so():
    """Forty-nine others behind each of thirty phones of one account are more than are looked at."""
    held = {"me": {("phone", str(phone)) for phone in range(30)}}
    held |= {f"{phone}-{n}": {("phone", str(phone))} for phone in range(30) for n in range(49)}
    found = walk.from_account(World(held), "me", 1)
    assert len(found.accounts) == walk.REACHED_MAX
    assert not found.complete
