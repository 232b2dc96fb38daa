"""A model against the real thing, on both databases: orders of every aim, advisories, sets, declarations, time, restarts.

The model is a dictionary of orders, whom they are about, and who was let out; declarations are another. Whatever happened
before, the orders that have a say in a payment are exactly those of the model, a capture agrees with them, an advisory is
whole, and what the journal tells is what the rows say.
"""

import os
import tempfile
import uuid

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from ordering import ANNA, BUDI, NOW_MS, asked, pays
from serving import POLICY
from shopward.config import Settings
from shopward.errors import Conflict, Refused
from shopward.events import decode_event
from shopward.flows.advise import AdvisoryAsked
from shopward.flows.engine import DecisionRecord
from shopward.flows.victims import SealAsked, SetAsked
from shopward.protection import Declared
from shopward.service import Shopward
from shopward.values import HOUR_MS, ManualClock, to_rfc3339

USERS = ("u1", "u2", "u3")
PROVIDERS = ("apple", "google")
WAYS = {"balance": "", "apple": "apple", "google": "google", "hidden": ""}
ENDED = ("cancelled", "expired")


class Model:
    """One order as it should be."""

    def __init__(self, covers, *, group="", ends=0, mass=True):
        self.covers, self.group, self.ends, self.mass = covers, group, ends, mass
        self.state, self.asked_by, self.out = "active", None, set()


class World(RuleBasedStateMachine):
    """The real thing on a store of either kind, and the model beside it."""

    url = ""
    placed = Bundle("placed")
    advisories = Bundle("advisories")
    sets = Bundle("sets")

    @initialize(target=advisories, provider=st.sampled_from((None, *PROVIDERS)))
    def open(self, provider):
        """An empty store, with an advisory or without."""
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock(NOW_MS)
        self.schema = ""
        database = ""
        if self.url:
            self.schema = f"shopward_test_{uuid.uuid4().hex}"  # noqa: TID251 -- a name for a scratch schema
            self.administer(f"CREATE SCHEMA {self.schema}")
            separator = "&" if "?" in self.url else "?"
            database = f"{self.url}{separator}options=-csearch_path%3D{self.schema}"
        self.settings = Settings(data=self.folder.name + "/data", policy=str(POLICY), database=database)
        self.shop = Shopward.open(self.settings, clock=self.clock)
        self.orders, self.linked, self.set_users, self.number = {}, {}, {}, 0
        self.declare("u1", {"apple"})
        self.declare("u2", {"apple", "google"})
        return multiple(self.advised(provider, "i1")) if provider else multiple()

    def administer(self, statement):
        """Outside of any transaction of the shop's."""
        import psycopg  # noqa: PLC0415

        with psycopg.connect(self.url, autocommit=True) as admin:
            admin.execute(statement)

    def teardown(self):
        self.shop.close()
        if self.schema:
            self.administer(f"DROP SCHEMA {self.schema} CASCADE")
        self.folder.cleanup()

    def is_linked(self, user, way, provider):
        """Declared, or said by the payment itself."""
        return provider in self.linked.get(user, ()) or WAYS[way] == provider

    def covering(self, user, way):
        """The orders that the model has in force for a payment."""
        return {
            order_id for order_id, each in self.orders.items()
            if each.state == "active" and user not in each.out and each.covers(user, way)
        }  # fmt: skip

    @rule(user=st.sampled_from(USERS), providers=st.sets(st.sampled_from(PROVIDERS)))
    def declare(self, user, providers):
        """What is declared changes at once."""
        self.shop.overseer.declare({user: Declared(identity_providers=tuple(sorted(providers)))})
        self.linked[user] = providers

    @rule(target=sets, users=st.sets(st.sampled_from(USERS)), name=st.sampled_from(("a", "b")))
    def make_set(self, users, name):
        """A sealed set, some of it sent twice."""
        begun = self.shop.victims.make(ANNA, SetAsked(name))
        for page in (0, 1, 0):
            self.shop.victims.put_page(ANNA, begun.id, page, sorted(users))
        sealed = self.shop.victims.seal(ANNA, begun.id, SealAsked(len(users)))
        with pytest.raises(Conflict):
            self.shop.victims.put_page(ANNA, begun.id, 2, ["u9"])
        self.set_users[sealed.id] = users
        return sealed.id

    @rule(target=placed, set_id=sets, hours=st.integers(1, 4))
    def freeze_a_set(self, set_id, hours):
        """Stored value of those in it."""
        users = self.set_users[set_id]
        return self.place(
            {"victim_set_id": set_id}, lambda user, way: way == "balance" and user in users, hours
        )

    @rule(target=placed, provider=st.sampled_from(PROVIDERS), hours=st.integers(1, 4))
    def freeze_the_linked(self, provider, hours):
        """Stored value of those who are linked as declared when they pay."""
        where = {"predicate": f'"{provider}" in identity_providers'}
        return self.place(
            where, lambda user, way: way == "balance" and self.is_linked(user, way, provider), hours
        )

    @rule(target=placed, user=st.sampled_from(USERS), hours=st.integers(1, 4))
    def freeze_one(self, user, hours):
        """One user's."""
        return self.place(
            {"user": user}, lambda each, way: way == "balance" and each == user, hours, mass=False
        )

    def place(self, whom, covers, hours, *, mass=True):
        """A freeze of stored value from now on."""
        ends = self.clock.now_ms() + hours * HOUR_MS
        order = self.shop.protection.place(ANNA, asked(target=whom, ends_at=to_rfc3339(ends)))
        self.orders[order.id] = Model(covers, ends=ends, mass=mass)
        return order.id

    @rule(target=advisories, provider=st.sampled_from(PROVIDERS), incident=st.sampled_from(("i1", "i2")))
    def advise(self, provider, incident):
        """Of a provider in an incident; again it is the same."""
        return self.advised(provider, incident)

    def advised(self, provider, incident):
        """Two orders about whoever is linked."""
        body = {
            "provider": provider, "incident": incident, "review_at": "2026-06-01T00:00:00Z", "scope": ["pay_linked"],
            "limit": {"amount_minor": 0, "currency": "IDR", "window_s": 3600},
        }  # fmt: skip
        placed = self.shop.advisories.place(ANNA, msgspec.convert(body, AdvisoryAsked))
        limit, step_up = placed.orders
        if limit.id not in self.orders:
            linked = lambda user, way: way != "balance" and self.is_linked(user, way, provider)  # noqa: E731
            narrowed = lambda user, way: linked(user, way) and WAYS[way] in ("", provider)  # noqa: E731
            self.orders[limit.id] = Model(narrowed, group=placed.id)
            self.orders[step_up.id] = Model(linked, group=placed.id)
        return placed.id

    @rule(name=advisories, who=st.sampled_from((ANNA, BUDI)))
    def release_advisory(self, name, who):
        """Asked for whole, by somebody."""
        parts = [each for each in self.orders.values() if each.group == name and each.state not in ENDED]
        try:
            self.shop.advisories.release(who, name)
        except Conflict:
            assert not parts or any(each.asked_by for each in parts)
        else:
            assert parts
            for each in parts:
                each.asked_by = who

    @rule(name=advisories, who=st.sampled_from((ANNA, BUDI)))
    def approve_advisory(self, name, who):
        """Ended whole, by another."""
        parts = [each for each in self.orders.values() if each.group == name and each.state not in ENDED]
        try:
            self.shop.advisories.approve(who, name)
        except (Conflict, Refused):
            assert not parts or any(each.asked_by in (None, who) for each in parts)
        else:
            assert parts
            assert all(each.asked_by not in (None, who) for each in parts)
            for each in parts:
                each.state = "cancelled"

    @rule(order_id=placed, who=st.sampled_from((ANNA, BUDI)))
    def release(self, order_id, who):
        """One order: at once for one user, asked for and approved for many."""
        each = self.orders[order_id]
        try:
            self.shop.protection.release(ANNA, order_id)
            if each.mass:
                each.asked_by = ANNA
            else:
                each.state = "cancelled"
        except Conflict:
            assert each.state in ENDED or each.asked_by
        try:
            self.shop.protection.approve(who, order_id)
        except (Conflict, Refused):
            assert each.state in ENDED or each.asked_by in (None, who)
        else:
            assert (each.state, each.asked_by not in (None, who)) == ("active", True)
            each.state = "cancelled"

    @rule(order_id=placed, user=st.sampled_from(USERS))
    def let_out(self, order_id, user):
        """One user of one order."""
        each = self.orders[order_id]
        try:
            self.shop.protection.exempt(BUDI, order_id, [user], cause="staff_release", evidence="")
        except Conflict:
            assert each.state in ENDED or user in each.out
        else:
            assert each.state == "active"
            each.out.add(user)

    @rule(name=advisories, user=st.sampled_from(USERS))
    def let_out_of_advisory(self, name, user):
        """One user of all that is left of an advisory."""
        parts = [each for each in self.orders.values() if each.group == name and each.state == "active"]
        try:
            self.shop.advisories.exempt(BUDI, name, [user], cause="staff_release", evidence="")
        except Conflict:
            assert all(user in each.out for each in parts)
        else:
            assert parts
            for each in parts:
                each.out.add(user)

    @rule(hours=st.integers(1, 3))
    def wait(self, hours):
        """What is due ends."""
        self.clock.advance(hours * HOUR_MS)
        self.shop.overseer.sweep()
        for each in self.orders.values():
            if each.state == "active" and 0 < each.ends <= self.clock.now_ms():
                each.state = "expired"

    @rule(snapshot=st.booleans())
    def restart(self, snapshot):
        """The process ends and comes back."""
        self.shop.close(snapshot=snapshot)
        self.shop = Shopward.open(self.settings, clock=self.clock)

    @rule(way=st.sampled_from(sorted(WAYS)))
    def pay(self, way):
        """Everybody pays in one way."""
        for user in USERS:
            self.pays(user, way)

    def pays(self, user, way):
        """A decision and a capture, held against the model."""
        self.number += 1
        paid = {"id": f"t-{self.number}", "amount_minor": 5, "currency": "IDR"}
        paid |= {"instrument": "balance" if way == "balance" else "linked"}
        paid |= {"identity_provider": WAYS[way]} if WAYS[way] else {}
        event = pays(self.number, user, second=0, transaction=paid)
        self.shop.desk.look_at_orders()
        answer = self.shop.decide(event)
        covering = self.covering(user, way)
        assert set(answer.orders) == covering
        assert (answer.decision == "allow") == (not covering)
        checked = decode_event(msgspec.json.encode(event))
        allowed = DecisionRecord("d", checked.id, "allow", 0.0)
        held = self.shop.authorizations.open(checked, allowed, self.clock.now_ms())
        if covering:
            with pytest.raises(Conflict):
                self.shop.authorizations.capture(held.id)
        else:
            assert self.shop.authorizations.capture(held.id).state == "captured"

    @invariant()
    def rows_and_journal_agree_with_the_model(self):
        """Every order is in the model's state, and the journal leads to those that are active."""
        rows = {each.id: each.state for each in self.shop.overseer.newest(state=None, before=None, limit=200)}
        assert rows == {order_id: each.state for order_id, each in self.orders.items()}
        in_force = set()
        for change in self.shop.overseer.changes(0):
            if change.kind == "begin":
                in_force.add(change.order_id)
            elif change.kind == "end":
                in_force.remove(change.order_id)
        assert in_force == {order_id for order_id, state in rows.items() if state == "active"}


HELD = settings(
    stateful_step_count=30,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def test_on_sqlite():
    """Fifteen stories of up to thirty deeds."""
    run_state_machine_as_test(World, settings=settings(HELD, max_examples=15))


def test_on_postgresql():
    """Six of them; in CI the absence of a database is a failure."""
    url = os.environ.get("SHOPWARD_TEST_POSTGRES", "")
    if not url:
        if os.environ.get("CI"):
            pytest.fail("SHOPWARD_TEST_POSTGRES is not set: in CI both databases are tested")
        pytest.skip("SHOPWARD_TEST_POSTGRES is not set, e.g. postgresql://postgres@127.0.0.1/test")
    there = type("There", (World,), {"url": url})
    run_state_machine_as_test(there, settings=settings(HELD, max_examples=6))
