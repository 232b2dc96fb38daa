"""A machine that freezes, proves, steps, waits, releases and undoes in any order, beside a small model of what must hold."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyotp
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ordering import ANNA, NOW_MS, SHOP, pays
from serving import POLICY
from shopward import stepup
from shopward.config import Settings
from shopward.errors import ShopwardError
from shopward.events.catalogue import Context, User
from shopward.flows.asked import Who
from shopward.flows.recover import Reviewed
from shopward.protection.states import FINAL as ORDER_FINAL
from shopward.recovery import STEPS as STEPS_FROM
from shopward.service import Shopward
from shopward.values import DAY_MS, HOUR_MS, MINUTE_MS, ManualClock, to_rfc3339

ME = Who(User("u1"), Context(device_id="mine"))
THIEF = Who(User("u1"), Context(device_id="thief"))
PASSWORDS = ("one", "two", "three")
STEPS = ("identity", "password", "sessions", "review", "release")


class Machine(RuleBasedStateMachine):
    """One account, its owner with an app, a thief who knows the password, staff, and a clock."""

    @initialize()
    def opens(self):
        """A shop on SQLite; the owner enrolled an app long ago."""
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock(NOW_MS)
        self.open()
        desk, user = self.shop.factors._desk, self.shop.maker.user_token("u1")
        offer = stepup.start_totp(desk, user, account="u1", at_ms=self.clock.at_ms)
        self.app = pyotp.TOTP(offer.secret_base32)
        stepup.confirm_totp(desk, user, offer.factor_id, code=self.code(), at_ms=self.clock.at_ms)
        self.clock.advance(30 * DAY_MS)
        self.case = None
        self.number = 0
        self.password_given = 0
        self.steps = []

    def open(self):
        """As a process does at its start."""
        settings_ = Settings(data=str(Path(self.folder.name) / "data"), policy=str(POLICY))
        self.shop = Shopward.open(settings_, clock=self.clock)

    def code(self):
        """What the app shows."""
        return self.app.at(self.clock.at_ms // 1000)

    def decide(self, **changes):
        """A payment of now."""
        self.number += 1
        self.shop.desk.look_at_orders()
        event = pays(self.number) | {"time": to_rfc3339(self.clock.at_ms)} | changes
        return self.shop.decide(event)

    def seen(self):
        """The case as it is kept."""
        return self.shop.recoveries._peek(self.case)

    @rule(reason=st.sampled_from(["account_at_risk", "takeover"]))
    def freezes(self, reason):
        """Its owner freezes the account."""
        known = self.case
        self.case = self.shop.recoveries.freeze(SHOP, "u1", reason=reason, since_ms=0).id
        if known is None or self.case != known or self.seen().proved_ms == 0:
            self.steps = []

    @precondition(lambda self: self.case is not None)
    @rule(who=st.sampled_from([ME, THIEF]), right=st.booleans())
    def answers(self, who, right):
        """Somebody answers the challenge of the case; the thief has no app and guesses."""
        is_owner = who is ME and right
        answer = self.code() if is_owner else f"{(int(self.code()) + 1) % 10**6:06d}"
        try:
            heard = self.shop.proofs.verify(SHOP, self.case, who, factor="totp", answer=answer)
        except ShopwardError:
            return
        if heard.refused is None:
            assert is_owner
            self.shop.decide(heard.event)

    @precondition(lambda self: self.case is not None)
    @rule(step=st.sampled_from(STEPS), who=st.sampled_from([ME, THIEF]), password=st.sampled_from(PASSWORDS))
    def steps_on(self, step, who, password):
        """Somebody takes a step, in turn or not."""
        before, desk = self.seen(), self.shop.recoveries
        try:
            if step == "identity":
                after = desk.prove(SHOP, self.case, who)
            elif step == "password":
                after = desk.renew(SHOP, self.case, who, password_hmac=password, breached=False)
            elif step == "sessions":
                after = desk.end_sessions(SHOP, self.case, who)
            elif step == "review":
                listed = [each.event_id for each in desk.look(self.case, "en").changes]
                after = desk.review(SHOP, self.case, who, Reviewed(tuple(listed)))
            else:
                after = desk.release(SHOP, self.case, who)
        except ShopwardError as refused:
            lapsed = getattr(refused, "code", "") == "recovery_lapsed"
            assert self.seen().state == ("frozen" if lapsed else before.state)
            if lapsed:
                self.steps = []
            return
        if after.state != before.state:
            assert who is ME
            self.steps.append(step)
            assert tuple(self.steps) == STEPS[: len(self.steps)]

    @precondition(lambda self: self.case is not None)
    @rule()
    def goes_on(self):
        """The owner does what comes next, so that the machine sees the end of the way often enough."""
        step = STEPS_FROM.get(self.seen().state)
        if step == "identity":
            self.clock.advance(MINUTE_MS)
            self.answers(ME, right=True)
        if step is not None:
            self.steps_on(step, ME, PASSWORDS[self.number % 3])

    @precondition(lambda self: self.case is not None)
    @rule()
    def staff_release_an_order(self):
        """A member of staff ends what was placed for the case."""
        order_id = self.seen().orders[0]
        order, _count = self.shop.overseer.get(order_id)
        if order.state not in ORDER_FINAL:
            self.shop.protection.release(ANNA, order_id)

    @rule(by_ms=st.sampled_from([MINUTE_MS, 11 * MINUTE_MS, HOUR_MS]))
    def waits(self, by_ms):
        """Time passes."""
        self.clock.advance(by_ms)

    @rule()
    def dies_and_starts_again(self):
        """The process ends at any moment; the store is all that is left."""
        self.shop.close(snapshot=False)
        self.open()

    @invariant()
    def what_stands_is_enforced(self):
        """While a freeze of the case stands, no money leaves; once released, nothing of it is left."""
        if getattr(self, "case", None) is None:
            return
        case = self.seen()
        orders = [self.shop.overseer.get(each)[0] for each in case.orders]
        stands = any(each.standing.kind == "freeze" and each.state == "active" for each in orders)
        assert (self.decide().decision == "deny") == stands
        if case.state == "released":
            assert not stands
            assert (case.proved_ms > 0, case.password_ms >= case.proved_ms) == (True, True)

    def teardown(self):
        """Close and forget."""
        if hasattr(self, "shop"):
            self.shop.close(snapshot=False)
            self.folder.cleanup()


TestRecovery = Machine.TestCase
TestRecovery.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
