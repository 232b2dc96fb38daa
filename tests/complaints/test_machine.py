"""Complaints under random steps: whatever is tried, nobody judges himself, dates hold, and what is decided has its reason."""

import tomllib
from importlib.resources import files
from typing import get_args

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shopward.calendars import due_ms
from shopward.complaints import Remedy, shipped_regimes, states
from shopward.complaints.complaint import (
    OPEN,
    REASONS,
    ExtendReason,
    Outcome,
    Reason,
    RemedyKind,
    State,
    date_of,
    decode,
    encode,
    next_ms,
)  # fmt: skip
from shopward.complaints.regimes import load_regime
from shopward.complaints.wording import texts
from shopward.errors import InvalidField, ShopwardError
from shopward.values import DAY_MS

NOW = 1_767_225_600_000
PEOPLE = st.sampled_from(["siti", "budi", "dewi", "ayu"])
REFUSALS = {"complaint_state", "complaint_barred", "second_person_needed", "no_extension", "invalid_field"}


class Complaints(RuleBasedStateMachine):
    """One complaint and four people, one of whom it is about."""

    @initialize(regime=st.sampled_from(sorted(shipped_regimes())))
    def file(self, regime):
        """It comes in."""
        self.regime, self.now = shipped_regimes()[regime], NOW
        self.complaint = states.received(
            "cp", "u", "staff", self.regime, against="ayu", barred=["budi"], at_ms=NOW, by="shop"
        )
        self.first_due = self.complaint.due_ms

    def take(self, step, by=""):
        """A step, or its refusal; who is barred never gets one through."""
        before = self.complaint
        try:
            self.complaint = step(before)
        except ShopwardError as error:
            assert error.code in REFUSALS
            return
        assert decode(encode(self.complaint)) == self.complaint
        assert by not in before.barred
        assert len(self.complaint.history) == len(before.history) + 1

    @rule(days=st.integers(0, 40))
    def wait(self, days):
        """Time passes."""
        self.now += days * DAY_MS

    @rule(by=PEOPLE)
    def acknowledge(self, by):
        """Told that it is dealt with."""
        self.take(lambda each: states.acknowledged(each, at_ms=self.now, by=by), by)

    @rule(by=PEOPLE)
    def look(self, by):
        """Looks after it."""
        self.take(lambda each: states.taken(each, at_ms=self.now, by=by), by)

    @rule(by=PEOPLE)
    def extend(self, by):
        """More time."""
        self.take(lambda each: states.extended(each, self.regime, "difficult", at_ms=self.now, by=by), by)

    @rule(
        by=PEOPLE, outcome=st.sampled_from(get_args(Outcome)), reason=st.sampled_from(get_args(Reason)),
        remedies=st.lists(st.builds(Remedy, st.sampled_from(get_args(RemedyKind)), st.sampled_from(["", "o-1"])), max_size=2),
    )  # fmt: skip
    def decide(self, by, outcome, reason, remedies):
        """Decides, well or badly."""
        self.take(
            lambda each: states.decided(each, self.regime, outcome, reason, remedies, at_ms=self.now, by=by),
            by,
        )

    @rule(by=PEOPLE)
    def decide_well(self, by):
        """Decides as it has to be."""
        self.take(
            lambda each: states.decided(
                each, self.regime, "rejected", "no_fault_found", (), at_ms=self.now, by=by
            ),
            by,
        )

    @rule()
    def appeal(self):
        """The customer does not agree."""
        self.take(lambda each: states.appealed(each, self.regime, at_ms=self.now, by="shop"))

    @rule()
    def withdraw(self):
        """The customer takes it back."""
        self.take(lambda each: states.withdrawn(each, at_ms=self.now, by="shop"))

    @rule()
    def sweep(self):
        """The clock: once done there is nothing more to do until somebody acts."""
        due = next_ms(self.complaint)
        if 0 < due < self.now:
            self.complaint = states.passed(self.complaint, at_ms=self.now)
            assert not 0 < next_ms(self.complaint) < self.now
        else:
            self.take(lambda each: states.passed(each, at_ms=self.now))

    @invariant()
    def holds(self):
        """What must be true of every complaint at every moment."""
        if not hasattr(self, "complaint"):
            return
        each = self.complaint
        deciders = [step.by for step in each.history if step.step in ("decided", "appeal_decided")]
        assert len(set(deciders)) == len(deciders) <= 2
        assert not {"ayu", "budi"} & set(deciders)
        assert (each.state in ("decided", "appealed", "final")) is bool(deciders)
        if each.outcome:
            assert each.reason in REASONS[each.outcome]
            assert (each.outcome == "rejected") is not bool(each.remedies)
        assert sum(step.step == "extended" for step in each.history) == each.is_extended
        assert each.state not in OPEN or date_of(each) > 0
        if each.state != "appealed" and not deciders and not each.is_extended:
            assert each.due_ms == self.first_due


Complaints.TestCase.settings = settings(
    max_examples=120, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestComplaints = Complaints.TestCase


def test_dates_follow_from_the_regime():
    """Ten working days from a Friday before Indonesia's new year, eight weeks in London, three times 24 hours."""
    for name, days in (("uk_disp", 56), ("id_pdp", 3)):
        regime = shipped_regimes()[name]
        assert -1 < (due_ms(NOW, regime.decide_within, regime.place) - NOW) / DAY_MS - days < 2
    made = states.received("cp", "u", "service", shipped_regimes()["id_ojk"], at_ms=NOW, by="shop")
    assert (made.due_ms - NOW) // DAY_MS >= 13
    assert made.acknowledge_due_ms < made.due_ms


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"source": None}, "(the file)"),
        ({"verified": "yesterday"}, "verified"),
        ({"basis": "hearsay"}, "basis"),
        ({"place": {"country": "XX", "zone": "Mars/Olympus"}}, "place"),
        ({"decide_within": {"amount": -1, "unit": "days"}}, "decide_within.amount"),
        ({"surprise": 1}, "(the file)"),
    ],
)
def test_a_regime_without_its_source_or_with_a_strange_word_is_refused(change, path):
    """With the place in the file, and what was expected there."""
    text = files("shopward.complaints.regimes").joinpath("house.toml").read_text("utf-8")
    fields = tomllib.loads(text) | change
    with pytest.raises(InvalidField) as refused:
        load_regime(
            "\n".join(f"{name} = {_toml(value)}" for name, value in fields.items() if value is not None)
        )
    assert refused.value.path == path
    with pytest.raises(InvalidField):
        load_regime("source =")


def _toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + " }"
    return f'"{value}"' if isinstance(value, str) else str(value)


def test_every_word_of_a_complaint_is_said_in_three_languages():
    """No state, outcome, reason or remedy without its sentence, and no sentence without its word."""
    assert {section: set(words) for section, words in texts().items()} == {
        "states": set(get_args(State)), "outcomes": set(get_args(Outcome)), "reasons": set(get_args(Reason)),
        "remedies": set(get_args(RemedyKind)),
    }  # fmt: skip
    assert all(set(said) == {"id", "zh", "en"} for words in texts().values() for said in words.values())
    assert set().union(*map(set, REASONS.values())) == set(get_args(Reason))
    assert len(get_args(ExtendReason)) == 4
