"""The book: the same whether events come live, again from the log, or after a snapshot; and earlier successes are found."""

from __future__ import annotations

import json

import pytest

from shopward.events import FactsMaker, Tokeniser, decode_event
from shopward.flows.engine import Engine
from shopward.flows.replay import MemoryRecall, Replay
from shopward.risk.policy import Policy, load_default_policy
from shopward.testing import ShopSimulator
from shopward.testing.demo import demo_week

POLICY = Policy(load_default_policy())


def engine():
    """An engine of the default policy, under a fixed key."""
    return Engine(POLICY, FactsMaker(Tokeniser(b"t" * 32)), MemoryRecall())


def event(number, minute, user, kind="login", status="failed", device="dx", ip="203.0.113.7", **more):
    """A raw event."""
    return {
        "id": f"e-{number}", "type": kind, "status": status, "time": f"2026-01-{5 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}:00Z",
        "user": {"id": user}, "context": {"ip": ip, "device_id": device, "asn": 65_000}, **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def week():
    """A week of a small shop with attacks in it."""
    return [decode_event(json.dumps(each).encode()) for each in demo_week()]


def test_a_rebuild_knows_the_campaigns_that_the_log_taught(week):
    """Recorded decisions taken back in give the same state, byte for byte, as deciding did."""
    live, rebuilt = engine(), engine()
    for each in week:
        facts, record = live.decide(each)
        rebuilt.reapply(facts, record)
    assert live.campaigns.live() or live.campaigns.remembered()
    assert rebuilt.campaigns.dump() == live.campaigns.dump()


def test_a_snapshot_in_the_middle_changes_nothing(week):
    """An engine that is saved and loaded half-way decides the rest alike and ends in the same state."""
    whole, second = engine(), engine()
    half = len(week) // 2
    for each in week[:half]:
        whole.decide(each)
    second.load(whole.dump())
    for each in week[half:]:
        assert second.decide(each)[1] == whole.decide(each)[1]
    assert second.campaigns.dump() == whole.campaigns.dump()


def test_who_looks_does_not_change_what_follows(week):
    """Taking changes, or reading campaigns, leaves every later decision as it was."""
    looked, left = engine(), engine()
    for number, each in enumerate(week):
        if number % 97 == 0:
            looked.campaigns.take()
            looked.campaigns.alarm_s("cold_failures", "*", looked.latest_ms)
        assert looked.decide(each)[1] == left.decide(each)[1]


def test_an_account_entered_before_the_alarm_is_named():
    """A device gets into one account, then tries many: the earlier success becomes a finding with a higher score."""
    raws = [
        event(n, 10 + n, f"calm{n}", status="succeeded", device=f"h{n}", ip=f"198.51.100.{n}")
        for n in range(5)
    ]
    raws.append(event(100, 6_000, "victim", status="succeeded"))
    raws += [event(200 + n, 6_010 + n, f"target{n}") for n in range(12)]
    run = Replay(POLICY)
    results = list(run.run(json.dumps(raw).encode() for raw in raws))
    entered = next(record for facts, record in results if record.event_id == "e-100")
    assert entered.decision == "allow"
    changes = run.engine.campaigns.take()
    (finding,) = changes.findings
    assert finding.event_id == "e-100"
    assert finding.rescored_centi > max(finding.score_centi, 5_700)
    (campaign,) = changes.campaigns
    assert campaign.accounts == 13
    assert campaign.members[finding.user].entered == 1


def test_a_decision_inside_a_campaign_knows_it():
    """Once the campaign is live, what its device does is challenged with the campaign named in the evidence."""
    raws = [event(200 + n, 6_000 + n, f"target{n}") for n in range(12)]
    raws.append(event(300, 6_100, "late", kind="payment", status="succeeded", transaction={"id": "t", "amount_minor": 5, "currency": "IDR", "instrument": "card"}))  # fmt: skip
    run = Replay(POLICY)
    *_, (_facts, last) = run.run(json.dumps(raw).encode() for raw in raws)
    assert last.decision in ("challenge", "deny")
    reason = next(each for each in last.reasons if each.code == "campaign_device")
    (campaign,) = run.engine.campaigns.live()
    assert reason.evidence["device_campaign"] == campaign.id
    assert reason.evidence["device_campaign_accounts"] >= 10


def test_a_shop_without_attackers_has_no_campaign():
    """Weeks of honest customers who mistype, travel and share devices open no campaign."""
    run = Replay(POLICY)
    shop = ShopSimulator(seed=3, users=600, days=25)
    for raw, label in shop.labelled():
        if label is None:
            list(run.run([json.dumps(raw).encode()]))
    changes = run.engine.campaigns.take()
    assert changes.campaigns == []


def test_shed_changes_are_counted_and_decisions_stand(monkeypatch):
    """Where nobody takes the changes, the oldest are dropped and counted, and events are decided as ever."""
    monkeypatch.setattr("shopward.risk.campaigns.book.CHANGED_MAX", 5)
    run = Replay(POLICY)
    raws = [event(n, 6_000 + n, f"target{n}") for n in range(40)]
    records = [record for _facts, record in run.run(json.dumps(raw).encode() for raw in raws)]
    assert run.engine.campaigns.shed > 0
    assert records[-1].decision == "deny"
