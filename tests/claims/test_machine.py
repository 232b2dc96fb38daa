"""Claims under random steps: whatever is tried, the platform bears what it must and nobody is refused alone."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shopward.claims import Claim, Item, assess, shipped_regimes, states
from shopward.claims.assess import ALWAYS
from shopward.claims.claim import Known, borne, claimed, decode, encode
from shopward.errors import ShopwardError
from shopward.values import DAY_MS

NOW = 1_767_225_600_000
PEOPLE = st.sampled_from(["siti", "budi", "dewi"])
FULL = shipped_regimes()["full"]
items = st.builds(
    Item,
    event_id=st.sampled_from([f"e-{number}" for number in range(6)]),
    transaction_id=st.just("t"),
    at_ms=st.integers(NOW - 90 * DAY_MS, NOW),
    type=st.just("payment"),
    amount_minor=st.integers(1, 5_000_000_00),
    currency=st.sampled_from(["IDR", "CNY"]),
    known=st.builds(
        Known,
        device_since_ms=st.sampled_from([0, NOW - 300 * DAY_MS]),
        orders=st.sampled_from([(), ("o-1",)]),
    ),
)


class Claims(RuleBasedStateMachine):
    """One claim and three people."""

    @initialize(
        filed=st.lists(items, min_size=1, max_size=6, unique_by=lambda item: item.event_id),
        notice=st.integers(NOW - 90 * DAY_MS, NOW),
    )
    def file(self, filed, notice):
        """A form comes in."""
        draft = Claim(
            id="c",
            user="u",
            state="draft",
            regime="full",
            created_ms=NOW,
            items=tuple(filed),
            window_until_ms=NOW,
        )
        self.now = NOW
        claim = states.received(draft, FULL, filed, notice_ms=notice, at_ms=NOW, by="customer")
        self.claim = states.assessed(claim, assess(claim, FULL, is_victim=False), at_ms=NOW)
        self.assessed = self.claim

    def take(self, step):
        """A step, or its refusal."""
        before = self.claim
        try:
            self.claim = step(before)
        except ShopwardError as error:
            assert error.code in {
                "claim_state", "claim_needs_evidence", "claim_always_borne", "second_person_needed", "invalid_field",
            }  # fmt: skip
            return
        assert decode(encode(self.claim)) == self.claim

    @rule(days=st.integers(0, 9))
    def wait(self, days):
        """Time passes."""
        self.now += days * DAY_MS

    @rule(by=PEOPLE)
    def approve(self, by):
        """As assessed."""
        self.take(lambda claim: states.approved(claim, {}, at_ms=self.now, by=by))

    @rule(by=PEOPLE, which=st.sampled_from(range(6)), share=st.integers(0, 100))
    def propose(self, by, which, share):
        """Less for an item."""
        item = self.claim.items[which % len(self.claim.items)]
        less = {item.event_id: item.borne_minor * share // 100}
        self.take(
            lambda claim: states.proposed(claim, less, reason="authorised_by_owner", at_ms=self.now, by=by)
        )

    @rule(by=PEOPLE)
    def confirm(self, by):
        """A second person."""
        proposer = self.claim.proposer
        before = self.claim
        self.take(lambda claim: states.confirmed(claim, at_ms=self.now, by=by))
        assert self.claim is before or by != proposer

    @rule(by=PEOPLE)
    def reject(self, by):
        """A second person does not agree."""
        self.take(lambda claim: states.rejected(claim, at_ms=self.now, by=by))

    @rule(by=PEOPLE, which=st.sampled_from(range(6)))
    def evidence(self, by, which):
        """Against an item."""
        event_id = self.claim.items[which % len(self.claim.items)].event_id
        self.take(
            lambda claim: states.with_evidence(
                claim, event_id, "customer_admission", reference="call", at_ms=self.now, by=by
            )
        )

    @rule(by=PEOPLE, stop=st.booleans())
    def clock(self, by, stop):
        """It stands, or runs."""
        step = states.clock_stopped if stop else states.clock_started
        more = ("waiting_for_customer",) if stop else ()
        self.take(lambda claim: step(claim, *more, at_ms=self.now, by=by))

    @rule(by=PEOPLE, again=st.sampled_from(["appeal", "reopen"]))
    def once_more(self, by, again):
        """Another round."""
        if again == "appeal":
            self.take(lambda claim: states.appealed(claim, FULL, at_ms=self.now, by=by))
        else:
            self.take(lambda claim: states.reopened(claim, FULL, "new facts", at_ms=self.now, by=by))

    @rule()
    def sweep(self):
        """The clock decides."""
        self.take(lambda claim: states.expired(claim, at_ms=self.now))

    @rule()
    def late(self):
        """After the regime's total nothing is open any more, whoever stopped the clock."""
        self.now = max(self.now, self.claim.last_due_ms + 1)
        if self.claim.state in ("under_review", "decline_proposed"):
            self.claim = states.expired(self.claim, at_ms=self.now)
            assert self.claim.state == "approved"

    @invariant()
    def holds(self):
        """What must be true of every claim at every moment."""
        if not hasattr(self, "claim"):
            return
        claim, total = self.claim, claimed(self.claim)
        assert all(0 <= amount <= total[currency] for currency, amount in borne(claim).items())
        for item, first in zip(claim.items, self.assessed.items, strict=True):
            if first.reason in ALWAYS:
                assert item.borne_minor == item.amount_minor
            if item.borne_minor < first.borne_minor:
                assert item.evidence
        if claim.state == "declined":
            people = [
                each.by for each in claim.history if each.step in ("decline_proposed", "decline_confirmed")
            ]
            assert people[-1] != people[-2]
        assert claim.due_ms <= max(claim.last_due_ms, claim.first_due_ms)


Claims.TestCase.settings = settings(
    max_examples=150, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestClaims = Claims.TestCase
