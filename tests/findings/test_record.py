"""Campaigns and findings become records, and the shop is told once, whatever ends the process in between."""

from types import SimpleNamespace

import msgspec
import pytest

from findings.attack import ENTERED, attack, login
from outbox.reading import owed
from shopward.access.keys import Caller
from shopward.errors import Conflict, NotFound, StoreUnavailable
from shopward.flows import record
from shopward.risk.campaigns.book import Changes
from shopward.values import DAY_MS, HOUR_MS, MINUTE_MS

ANALYST = Caller("siti-laptop", "siti", ("analyst",))


def told(shop):
    """The topics owed of campaigns and findings, sorted: those of one step have one time."""
    return sorted(topic for topic, _id, _payload in owed(shop) if topic.startswith(("campaign.", "finding.")))


def decide(shop, events):
    """Decide each, then record what was found."""
    for event in events:
        shop.decide(event)
    shop.carry_out()


def only_campaign(shop):
    """The one campaign that is live, and its members."""
    (row,) = shop.cases.live()
    return shop.cases.campaign(row.id, after="", limit=100)


def test_an_attack_is_told_as_it_opens_and_as_it_doubles(opened, clock):
    """One message as it opens, one for each doubling, one for the account that was entered before."""
    with opened() as shop:
        decide(shop, attack(clock.now_ms(), 12))
        row, members = only_campaign(shop)
        assert told(shop) == ["campaign.opened", "finding.opened"]
        assert (row.told, len(members)) == (13, 13)
        assert {member.user for member in members} == {"victim", *(f"target{n}" for n in range(12))}
        decide(shop, attack(clock.now_ms(), 3, first=12))
        assert told(shop) == ["campaign.opened", "finding.opened"]
        decide(shop, attack(clock.now_ms(), 20, first=15))
        assert told(shop) == ["campaign.grew", "campaign.opened", "finding.opened"]
        text = msgspec.json.encode(owed(shop)).decode()
        assert "target" not in text
        assert "victim" not in text


def test_a_rebuild_owes_nothing_twice(opened, clock):
    """The whole book is held against the records after a start, with and without a snapshot."""
    with opened() as shop:
        decide(shop, attack(clock.now_ms(), 12))
        before = owed(shop), only_campaign(shop)
        shop.close(snapshot=False)
    for _ in range(2):
        with opened() as shop:
            shop.carry_out()
            assert (owed(shop), only_campaign(shop)) == before


def test_what_was_decided_before_a_crash_is_recorded_after_it(opened, clock):
    """A process that dies between a decision and its record loses neither."""
    with opened() as shop:
        for event in attack(clock.now_ms(), 12):
            shop.decide(event)
        shop.recorder.offer(shop.desk.engine.campaigns, shop.desk.seq)
    with opened() as shop:
        assert shop.cases.live() == []
        shop.carry_out()
        assert told(shop) == ["campaign.opened", "finding.opened"]
        assert len(only_campaign(shop)[1]) == 13


def test_a_store_that_fails_is_asked_again(opened, clock, monkeypatch):
    """What was copied waits, and is written whole later."""
    with opened() as shop:
        for event in attack(clock.now_ms(), 12):
            shop.decide(event)

        shop.recorder.offer(shop.desk.engine.campaigns, shop.desk.seq)

        def fail(_work):
            raise StoreUnavailable("no", retry_after_s=1.0)

        with monkeypatch.context() as broken:
            broken.setattr(shop.records, "write", fail)
            with pytest.raises(StoreUnavailable):
                shop.recorder.step()
        shop.recorder.step()
        assert told(shop) == ["campaign.opened", "finding.opened"]


def test_a_copy_is_bounded_and_the_rest_follows(opened, clock, monkeypatch):
    """A decision waits for a small copy; all members are recorded in the end."""
    monkeypatch.setattr(record, "MEMBERS_MAX", 5)
    with opened() as shop:
        decide(shop, attack(clock.now_ms(), 12))
        assert len(only_campaign(shop)[1]) == 5
        while shop.recorder.is_behind:
            shop.carry_out()
        assert len(only_campaign(shop)[1]) == 13
        assert told(shop) == ["campaign.opened", "finding.opened"]


def test_a_copy_that_was_cut_short_asks_for_the_next(monkeypatch):
    """A campaign of which no member changed takes room too, so that a copy may be full with fewer members."""
    monkeypatch.setattr(record, "MEMBERS_MAX", 5)
    unchanged, grown = SimpleNamespace(members={}, left=[]), SimpleNamespace(members={}, left=list("abcd"))
    book = SimpleNamespace(
        shed=0, tell_all=list, remembered=list, take=lambda **_most: Changes([unchanged, grown], [], 0)
    )
    recorder = record.CampaignRecorder(records=None, store=None, outbox=None, clock=None, within_ms=lambda: 0)
    recorder.offer(book, 1)
    assert recorder.is_behind


def test_an_alert_nobody_acknowledges_is_told_again_a_few_times(opened, clock):
    """Each time that its time is over, and no more once somebody looks after it, or after the third."""
    with opened() as shop:
        decide(shop, attack(clock.now_ms(), 12))
        for _ in range(5):
            clock.advance(HOUR_MS)
            shop.recorder.look()
            shop.recorder.look()
        assert told(shop).count("campaign.escalated") == record.ESCALATIONS_MAX


def test_whoever_acknowledges_is_named_and_ends_the_escalation(opened, clock):
    """The first one stays; the audit log holds the deed once."""
    with opened() as shop:
        decide(shop, attack(clock.now_ms(), 12))
        (row,) = shop.cases.live()
        shop.cases.acknowledge(ANALYST, row.id)
        second = shop.cases.acknowledge(Caller("budi-1", "budi", ("analyst",)), row.id)
        assert second.acknowledged_by == "siti"
        clock.advance(2 * HOUR_MS)
        shop.recorder.look()
        assert "campaign.escalated" not in told(shop)
        with pytest.raises(NotFound):
            shop.cases.acknowledge(ANALYST, "c-none")


def test_what_a_person_said_of_a_finding_outlives_the_machine(opened, clock):
    """A finding that was dismissed stays so after a rebuild."""
    with opened() as shop:
        decide(shop, attack(clock.now_ms(), 12))
        ((row, user),) = shop.cases.findings(state="open", before=None, limit=10)
        assert (user, row.id) == ("victim", "f-" + ENTERED)
        shop.cases.settle(ANALYST, row.id, "dismissed")
        shop.close(snapshot=False)
    with opened() as shop:
        shop.carry_out()
        assert shop.cases.open_findings() == 0
        ((row, _user),) = shop.cases.findings(state="dismissed", before=None, limit=10)
        assert row.changed_by == "siti"


def test_alerts_of_an_hour_are_bounded(opened, clock, monkeypatch):
    """What finds no room is recorded, and told of at its next change."""
    monkeypatch.setattr(record, "ALERTS_PER_HOUR", 0)
    with opened() as shop:
        decide(shop, attack(clock.now_ms(), 12))
        assert told(shop) == []
        assert shop.cases.open_findings() == 1
        monkeypatch.setattr(record, "ALERTS_PER_HOUR", 1)
        decide(shop, attack(clock.now_ms(), 1, first=12))
        assert told(shop) == ["campaign.opened"]


def test_history_is_recorded_and_nobody_is_told(opened, clock):
    """A log of days ago that is told now alarms nobody."""
    with opened() as shop:
        decide(shop, attack(clock.now_ms() - 3 * DAY_MS, 12))
        assert shop.cases.open_findings() == 1
        assert told(shop) == []


def test_the_shop_hears_once_that_an_attack_is_over(opened, clock):
    """Quiet for its declared time, at the next event of anybody; the record stays, and nothing more is told of it."""
    with opened() as shop:
        decide(shop, attack(clock.now_ms(), 12))
        (row,) = shop.cases.live()
        for number in range(3):
            clock.advance(DAY_MS)
            decide(shop, [login(f"e-later-{number}", clock.now_ms(), "calm", "succeeded", "own")])
        assert told(shop).count("campaign.ended") == 1
        assert shop.cases.live() == []
        ended, members = shop.cases.campaign(row.id, after="", limit=100)
        assert (ended.state, len(members)) == ("ended", 13)
        with pytest.raises(Conflict):
            shop.cases.escalate(ANALYST, row.id)


def test_two_attacks_that_turn_out_to_be_one_have_one_heir(opened, clock):
    """Two devices, two networks; then one device comes from the other's address: the older campaign takes all members."""
    began_ms = clock.now_ms() - 100 * MINUTE_MS

    def tries(name, first, device, ip):
        return [
            login(f"e-{name}{n}", began_ms + MINUTE_MS * (first + n), f"{name}{n}", device=device, ip=ip)
            for n in range(12)
        ]

    with opened() as shop:
        decide(shop, tries("a", 0, "d-one", "198.51.100.9") + tries("b", 30, "d-two", "203.0.113.7"))
        older, younger = sorted(shop.cases.live(), key=lambda each: each.id)
        decide(shop, tries("c", 60, "d-two", "198.51.100.9"))
        (heir,) = shop.cases.live()
        assert heir.id == older.id
        merged, nobody = shop.cases.campaign(younger.id, after="", limit=100)
        assert (merged.state, msgspec.json.decode(merged.body)["heir"], nobody) == ("merged", older.id, [])
        names = {each.user for each in shop.cases.campaign(heir.id, after="", limit=100)[1]}
        assert {f"{name}{n}" for name in "abc" for n in range(12)} == names
        ((ended, subject, payload),) = [each for each in owed(shop) if each[0] == "campaign.ended"]
        assert (ended, subject, payload["heir"]) == ("campaign.ended", younger.id, older.id)


def test_an_analyst_has_the_shop_told_again_at_once(opened, clock):
    """Once in ten minutes, audited, counted; also of a campaign that somebody looks after already."""
    with opened() as shop:
        decide(shop, attack(clock.now_ms(), 12))
        (row,) = shop.cases.live()
        shop.cases.acknowledge(ANALYST, row.id)
        assert shop.cases.escalate(ANALYST, row.id).escalations == 1
        with pytest.raises(Conflict):
            shop.cases.escalate(ANALYST, row.id)
        clock.advance(10 * MINUTE_MS)
        shop.cases.escalate(ANALYST, row.id)
        assert told(shop).count("campaign.escalated") == 2
        with pytest.raises(NotFound):
            shop.cases.escalate(ANALYST, "c-none")
