"""Training on a stream: what is learnt, when, and what comes of it."""

from __future__ import annotations

import json

import pytest

from models.worlds import START, payments
from shopward.errors import InvalidField, ShopwardError
from shopward.flows.replay import Replay
from shopward.flows.train import bundle_of, gather, labelled
from shopward.risk.models import Scorer, Scorers, pack
from shopward.risk.policy import Policy, load_default_policy
from shopward.values import DAY_MS, to_ms

pytest.importorskip("lightgbm")

T_MS = to_ms(START) + 40 * DAY_MS


def trained(stream, *, until_ms=T_MS, words=()):
    """The bytes of a payment model."""
    policy = Policy(load_default_policy())
    collector, end_ms = gather(policy, "payment", stream, until_ms=until_ms, on_refused=pytest.fail)
    labelled(collector, words)
    return pack(bundle_of(policy, collector, until_ms=end_ms))


def test_what_comes_later_changes_nothing(stream):
    """A model of what was known at T is the same bytes whether the stream ends there or goes on."""
    cut = [line for line in stream if json.loads(line)["time"] < "2026-02-10"]
    assert 0 < len(cut) < len(stream)
    assert trained(stream) == trained(cut)


def test_labels_from_a_csv_say_the_same_as_labels_of_the_stream(stream):
    """A history whose labels came outside the stream teaches too; an event with another word is neither."""
    events = payments()
    silent = [json.dumps(event).encode() for event in events if event["type"] != "label"]
    words = [(event["label"]["event_id"], "fraud", None) for event in events if event["type"] == "label"]
    policy = Policy(load_default_policy())
    collector, until_ms = gather(policy, "payment", silent, on_refused=pytest.fail)
    labelled(collector, [*words, ("p1", "insider", None), ("nobody", "fraud", None)])
    head = bundle_of(policy, collector, until_ms=until_ms).head
    old = {f"p{row}" for row, at_ms in enumerate(collector.examples.at_ms) if at_ms < until_ms - 7 * DAY_MS}
    assert head.frauds == len(words)
    assert head.genuine == len(old - {"p1"} - {event_id for event_id, _word, _known in words})


def test_too_few_labels_teach_nothing(stream):
    """A stream without labels is refused with the reason, and no bundle is made."""
    silent = [line for line in stream if b'"label"' not in line]
    with pytest.raises(InvalidField, match="frauds"):
        trained(silent)


def test_a_model_finds_what_rules_do_not(stream, bundle):
    """In force, it ranks frauds far above genuine payments; by the rules alone they look the same."""
    frauds = {event["label"]["event_id"] for event in payments() if event["type"] == "label"}
    policy = Policy(load_default_policy())
    policy.scorers = Scorers([Scorer(bundle, policy.inputs["payment"])])
    high = {True: 0, False: 0}
    reasons = set()
    for result in Replay(policy).run(stream):
        assert not isinstance(result, ShopwardError)
        facts, record = result
        if facts.type == "payment" and record.score >= 50:
            high[facts.id in frauds] += 1
            reasons |= {reason.code for reason in record.reasons}
    assert high[True] > 0.4 * len(frauds)
    assert high[False] < 0.2 * high[True]
    assert "model_payment_payee" in reasons


def test_the_card_tells_what_was_learnt(bundle):
    """The card has the window, the counts, the figures beside the rules, and the limits."""
    for word in (
        "2026-01-01",
        f"{bundle.head.frauds} labelled frauds",
        "| rules |",
        "## Limits",
        "7 days old",
    ):
        assert word in bundle.card
