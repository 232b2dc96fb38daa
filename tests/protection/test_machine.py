"""A model against the real thing: orders, releases, exceptions, time, restarts, decisions and captures in any sequence.

The model is a dictionary of orders and who was let out. Whatever happened before, a payment is denied exactly when an
order in force covers its user, the decision names exactly those orders, and a capture agrees with the decision.
"""

import tempfile

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from ordering import ANNA, BUDI, NOW_MS, asked, pays
from serving import POLICY
from shopward.config import Settings
from shopward.errors import Conflict, Refused
from shopward.events import decode_event
from shopward.flows.engine import DecisionRecord
from shopward.protection import Declared
from shopward.service import Shopward
from shopward.values import HOUR_MS, ManualClock, to_rfc3339

USERS = ("u1", "u2", "u3")
GOLD = {"u1"}
TARGETS = {
    "everyone": ({"everyone": True}, set(USERS)),
    "gold": ({"predicate": 'tier == "gold"'}, GOLD),
    "set": ({"victim_set": ["u2", "u3"]}, {"u2", "u3"}),
    "one": ({"user": "u2"}, {"u2"}),
}


class Orders(RuleBasedStateMachine):
    """The real thing on a SQLite file, and the model beside it."""

    placed = Bundle("placed")

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock(NOW_MS)
        self.settings = Settings(data=self.folder.name + "/data", policy=str(POLICY))
        self.shop = Shopward.open(self.settings, clock=self.clock)
        self.shop.overseer.declare({user: Declared(tier="gold") for user in GOLD})
        self.model = {}
        self.number = 0

    def teardown(self):
        self.shop.close()
        self.folder.cleanup()

    def covering(self, user):
        """The orders that the model has in force for a user."""
        return {
            order_id for order_id, each in self.model.items()
            if each["state"] == "active" and user in each["users"] - each["out"]
        }  # fmt: skip

    @rule(
        target=placed,
        target_name=st.sampled_from(sorted(TARGETS)),
        hours=st.integers(1, 5),
        later=st.integers(0, 2),
    )
    def place(self, target_name, hours, later):
        """A freeze of somebody, now or in some hours."""
        whom, users = TARGETS[target_name]
        starts = self.clock.now_ms() + later * HOUR_MS
        request = asked(
            target=whom, starts_at=to_rfc3339(starts), ends_at=to_rfc3339(starts + hours * HOUR_MS)
        )
        order = self.shop.protection.place(ANNA, request)
        assert order.state == ("scheduled" if later else "active")
        self.model[order.id] = {
            "state": order.state, "users": set(users), "out": set(), "mass": target_name != "one", "asked": False,
            "starts": starts, "ends": starts + hours * HOUR_MS,
        }  # fmt: skip
        return order.id

    @rule(order_id=placed, approver=st.sampled_from((ANNA, BUDI)))
    def release(self, order_id, approver):
        """Ask for a release, and approve it as somebody."""
        each = self.model[order_id]
        try:
            self.shop.protection.release(ANNA, order_id)
        except Conflict:
            assert each["asked"] or each["state"] not in ("active", "scheduled")
        else:
            assert each["state"] in ("active", "scheduled")
            each["asked"] = each["mass"]
            if not each["mass"]:
                each["state"] = "cancelled"
        try:
            self.shop.protection.approve(approver, order_id)
        except (Conflict, Refused):
            assert approver is ANNA or not each["asked"] or each["state"] not in ("active", "scheduled")
        else:
            assert (approver, each["asked"], each["state"] in ("active", "scheduled")) == (BUDI, True, True)
            each["state"] = "cancelled"

    @rule(order_id=placed, user=st.sampled_from(USERS))
    def let_out(self, order_id, user):
        """Except one user from one order."""
        each = self.model[order_id]
        try:
            self.shop.protection.exempt(ANNA, order_id, [user], cause="staff_release", evidence="")
        except Conflict:
            assert each["state"] != "active" or user in each["out"]
        else:
            assert each["state"] == "active"
            each["out"].add(user)

    @rule(hours=st.integers(1, 3))
    def wait(self, hours):
        """Time goes on; what is due begins and ends."""
        self.clock.advance(hours * HOUR_MS)
        self.shop.overseer.sweep()
        now = self.clock.now_ms()
        for each in self.model.values():
            if each["state"] == "scheduled" and each["starts"] <= now:
                each["state"] = "active"
        self.shop.overseer.sweep()
        for each in self.model.values():
            if each["state"] == "active" and each["ends"] <= now:
                each["state"] = "expired"

    @precondition(lambda self: self.number)
    @rule(snapshot=st.booleans())
    def restart(self, snapshot):
        """The process ends and comes back."""
        self.shop.close(snapshot=snapshot)
        self.shop = Shopward.open(self.settings, clock=self.clock)

    @rule(user=st.sampled_from(USERS))
    def pay(self, user):
        """A decision and a capture, held against the model."""
        self.number += 1
        self.shop.desk.look_at_orders()
        answer = self.shop.decide(pays(self.number, user, second=0))
        covering = self.covering(user)
        assert set(answer.orders) == covering
        assert answer.decision == ("deny" if covering else "allow")
        event = decode_event(msgspec.json.encode(pays(self.number, user, second=0)))
        held = self.shop.authorizations.open(
            event, DecisionRecord("d", event.id, "allow", 0.0), self.clock.now_ms()
        )
        if covering:
            with pytest.raises(Conflict) as stopped:
                self.shop.authorizations.capture(held.id)
            assert stopped.value.code == "capture_stopped"
        else:
            assert self.shop.authorizations.capture(held.id).state == "captured"

    @invariant()
    def states_agree(self):
        """Every order is in the state that the model says."""
        found = {
            order.id: order.state for order in self.shop.overseer.newest(state=None, before=None, limit=200)
        }
        assert found == {order_id: each["state"] for order_id, each in self.model.items()}


TestOrders = Orders.TestCase
TestOrders.settings = settings(
    max_examples=15, stateful_step_count=25, deadline=None, database=None, derandomize=True
)
