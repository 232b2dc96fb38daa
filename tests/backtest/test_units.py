"""How labels count: from their place on, by event or transaction, the last word, and what no label means."""

from __future__ import annotations

import pytest

from shopward.events import Facts
from shopward.flows.engine import DecisionRecord
from shopward.flows.tally import RuleName, Tally
from shopward.risk.verdict import Reason

DAY_MS = 86_400_000
FIRED = DecisionRecord("d", "e", "deny", 90.0, (Reason("rule_a"),), deciding=("rule_a",))
SILENT = DecisionRecord("d", "e", "allow", 0.0)


class Story:
    """A stream that is told event by event."""

    def __init__(self):
        self.tally = Tally([RuleName("rule_a", "deny", False, ())], since_ms=0, until_ms=2**62)
        self.number = 0

    def event(self, day, record=SILENT, *, transaction="", user="u", before=None):
        self.number += 1
        at_ms = day * DAY_MS
        facts = Facts(f"e-{self.number}", "payment", "attempted", at_ms, at_ms, user, transaction=transaction)
        self.tally.note(facts, record, before)
        return facts.id

    def label(self, day, *, event_id="", transaction="", status="fraud"):
        self.number += 1
        facts = Facts(f"l-{self.number}", "label", status, day * DAY_MS, day * DAY_MS, labelled=event_id)
        facts.transaction = transaction
        self.tally.note(facts, SILENT, None)

    def alerts(self, delay_days):
        return self.report(delay_days).rules[0].alerts

    def report(self, delay_days):
        return self.tally.report("p@1", compared_with="x", label_delay_ms=delay_days * DAY_MS)


@pytest.fixture
def story():
    return Story()


def test_a_label_tells_fraud_from_genuine(story):
    """Precision is among what is known, recall among all known fraud."""
    caught, wrong = story.event(1, FIRED), story.event(1, FIRED)
    missed = story.event(1)
    story.label(2, event_id=caught)
    story.label(2, event_id=missed)
    story.label(2, event_id=wrong, status="genuine")
    alerts = story.alerts(30)
    assert (alerts.fraud, alerts.genuine, alerts.unknown) == (1, 1, 0)
    assert (alerts.precision, alerts.recall) == (0.5, 0.5)


def test_no_label_is_genuine_only_after_the_delay(story):
    """Within the delay an event without a label is unknown and counts in neither figure."""
    story.event(1, FIRED)
    story.event(9, FIRED)
    story.event(10)
    assert (story.alerts(5).genuine, story.alerts(5).unknown) == (1, 1)
    assert (story.alerts(0).genuine, story.alerts(0).unknown) == (2, 0)
    assert story.alerts(30).precision is None


def test_a_transaction_is_one_unit_however_many_events_it_has(story):
    """``attempted`` and ``succeeded`` of one transaction are caught once, by either."""
    story.event(1, FIRED, transaction="t-1")
    story.event(1, transaction="t-1")
    story.event(1, transaction="t-2")
    story.label(2, transaction="t-1")
    story.label(2, transaction="t-2")
    alerts = story.alerts(0)
    assert (alerts.fraud, alerts.genuine, alerts.recall) == (1, 0, 0.5)


def test_a_label_of_an_event_is_one_of_its_transaction(story):
    """A label that names the attempt, with its transaction, speaks of the success as well."""
    attempt = story.event(1, transaction="t-1")
    story.event(1, FIRED, transaction="t-1")
    story.label(2, event_id=attempt, transaction="t-1")
    assert story.alerts(0).fraud == 1


def test_the_last_word_wins_whatever_it_names(story):
    """A charge that was disputed and then honoured is genuine."""
    attempt = story.event(1, FIRED, transaction="t-1")
    story.label(2, event_id=attempt, transaction="t-1")
    story.label(3, transaction="t-1", status="genuine")
    assert (story.alerts(30).fraud, story.alerts(30).genuine) == (0, 1)


def test_changes_name_whose_decision_becomes_another(story):
    """From and to, users, and what the labels say of them."""
    first = story.event(1, FIRED, user="a", before=SILENT)
    story.event(1, SILENT, user="b", before=FIRED)
    story.event(1, FIRED, user="c", before=FIRED)
    story.label(2, event_id=first)
    report = story.report(30)
    assert report.differs == 2
    assert {(each.before, each.after, each.users, each.fraud) for each in report.changes} == {
        ("allow", "deny", 1, 1),
        ("deny", "allow", 1, 0),
    }
    assert report.rules[0].overlap == {"rule_a": 1}
    assert report.rules[0].new == 1


def test_an_event_outside_the_period_is_applied_and_not_counted():
    """``since`` and ``until`` bound what is counted; a label may stand after them."""
    story = Story()
    story.tally = Tally([RuleName("rule_a", "deny", False, ())], since_ms=2 * DAY_MS, until_ms=3 * DAY_MS)
    story.event(1, FIRED)
    inside = story.event(2, FIRED)
    story.event(3, FIRED)
    story.label(9, event_id=inside)
    assert story.report(0).events == 1
    assert story.alerts(0).fraud == 1
