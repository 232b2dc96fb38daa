"""Clusters: what belongs together is one campaign, and honest people are left out of it."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from campaigns.conftest import START_MS, plans_of
from shopward.risk.campaigns.clusters import ACCOUNTS_PER_SOURCE_MAX, Clusters, Trace

HOUR = 60
DAY = 24 * HOUR


def test_accounts_that_share_a_device_are_one_campaign(world):
    """From the declared number on they are joined, and from the declared size on the campaign is live."""
    for number in range(3):
        world.add(f"u{number}", device="d1")
    assert world.live() == []
    world.add("u3", device="d1")
    (campaign,) = world.live()
    assert set(campaign.members) == {"u0", "u1", "u2", "u3"}
    assert campaign.sources == {"context.device_id": 1}
    assert campaign.confidence == 100


def test_a_hub_of_honest_people_joins_nobody(world):
    """A network where most accounts do well, as behind a carrier, is no link between the few that fail there."""
    world.add("u0", net="n1")
    for number in range(40):
        world.clusters.sources[1]["n1"].did_well(f"good{number}", START_MS)
    for number in range(1, 10):
        world.add(f"u{number}", net="n1")
    assert world.live() == []


def test_a_mistyped_password_is_taken_back(world):
    """Who gets in on the same device within the hour was no target, also where a campaign had taken them for one."""
    for number in range(4):
        world.add(f"u{number}", device=f"d{number}", net="n1")
    (campaign,) = world.live()
    gone = world.clusters.explain(world.kind, "d2", START_MS + 600_000)
    assert [user for _campaign, user in gone] == ["u2"]
    assert set(campaign.members) == {"u0", "u1", "u3"}
    assert campaign.certain == sum(each.certainty for each in campaign.members.values())


def test_a_device_of_a_campaign_explains_nothing(world):
    """Where a device attacks many, a password that fits is a hit and no excuse."""
    for number in range(5):
        world.add(f"u{number}", device="d1")
    assert world.clusters.explain(world.kind, "d1", START_MS + 600_000) == []
    assert len(world.live()[0].members) == 5


def test_campaigns_that_share_a_source_become_the_older_one(world):
    """The younger names its heir, and everything that it had is the heir's."""
    for number in range(4):
        world.add(f"a{number}", device="d1", minute=1)
    for number in range(4):
        world.add(f"b{number}", device="d2", minute=2)
    older, younger = sorted(world.live(), key=lambda each: each.id)
    for number in range(4):
        world.add(f"c{number}", device="d1" if number % 2 else "d2", net="n1", minute=3)
    assert younger.state == "merged"
    assert younger.heir == older.id
    assert world.clusters.find(younger.id) is older
    assert len(older.members) == 12
    assert younger.members == {}


def test_a_rate_that_alarms_gathers_what_shares_nothing(world):
    """Traces since the rise began are one campaign, also those before the alarm; older ones are none of it."""
    world.add("old", device="d0", minute=0)
    for number in range(5):
        world.add(f"u{number}", device=f"x{number}", minute=60 + number)
    trace, _ = world.add("u5", device="x5", minute=70)
    joined = world.clusters.gather(
        world.kind, "failures\x1f*", trace, onset_ms=START_MS + 30 * 60_000, certainty=80
    )
    assert set(joined.campaign.members) == {f"u{number}" for number in range(6)}
    assert joined.campaign.confidence == 80


def test_a_quiet_campaign_ends_and_a_later_one_is_another(world):
    """After the quiet time it has ended; the same device then begins a campaign of its own."""
    for number in range(4):
        world.add(f"u{number}", device="d1")
    (first,) = world.live()
    ended = world.clusters.sweep(world.kind, START_MS + 2 * DAY * 60_000)
    assert ended == [first]
    assert first.state == "ended"
    for number in range(4, 9):
        world.add(f"u{number}", device="d1", minute=4 * DAY)
    (second,) = world.live()
    assert second.id != first.id
    assert "u0" not in second.members


class Shop(RuleBasedStateMachine):
    """Any order of traces, successes, alarms and time."""

    def __init__(self):
        super().__init__()
        self.kind = plans_of().kinds[0]
        self.clusters = Clusters([{} for _ in self.kind.links])
        self.at_ms = START_MS
        self.number = 0
        self.heirs = {}

    @rule(user=st.integers(0, 30), device=st.integers(0, 6), net=st.integers(0, 4), alarm=st.booleans())
    def trace(self, user, device, net, alarm):
        """Somebody fails."""
        self.number += 1
        made = Trace(
            f"u{user}", f"e{self.number}", self.at_ms, (f"d{device}" * (device > 0), f"n{net}"), f"d{device}"
        )
        self.clusters.add(self.kind, made)
        if alarm:
            self.clusters.gather(
                self.kind, "failures\x1f*", made, onset_ms=self.at_ms - 3_600_000, certainty=50
            )

    @rule(device=st.integers(0, 6), user=st.integers(0, 40), net=st.integers(0, 4))
    def succeed(self, device, user, net):
        """Somebody gets in."""
        self.clusters.explain(self.kind, f"d{device}", self.at_ms)
        for sources, token in zip(self.clusters.sources, (f"d{device}", f"n{net}"), strict=True):
            if token in sources:
                sources[token].did_well(f"u{user}", self.at_ms)

    @rule(minutes=st.integers(1, 4000))
    @precondition(lambda self: self.number)
    def pass_time(self, minutes):
        """Time passes, and the idle is swept."""
        self.at_ms += minutes * 60_000
        self.clusters.sweep(self.kind, self.at_ms)

    @invariant()
    def everybody_is_in_one_place(self):
        """A member is one of the campaign that its account names, and loose accounts are members of none that grows."""
        for campaign in self.clusters.campaigns.values():
            assert campaign.certain == sum(each.certainty for each in campaign.members.values())
            if campaign.state in ("forming", "live"):
                assert all(self.clusters.member_of[user] == campaign.id for user in campaign.members)
                assert not set(campaign.members) & set(self.clusters.loose)

    @invariant()
    def heirs_are_older_and_stay(self):
        """A merged campaign keeps its heir, which began before it."""
        for campaign in self.clusters.campaigns.values():
            if campaign.heir:
                assert campaign.heir < campaign.id
                assert self.heirs.setdefault(campaign.id, campaign.heir) == campaign.heir

    @invariant()
    def memory_is_bounded(self):
        """No list of a source is longer than its bound, and every source that is kept was touched within the window."""
        for sources in self.clusters.sources:
            for source in sources.values():
                assert len(source.suspicious) <= ACCOUNTS_PER_SOURCE_MAX
                assert len(source.honest) <= ACCOUNTS_PER_SOURCE_MAX


TestShop = Shop.TestCase
TestShop.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
