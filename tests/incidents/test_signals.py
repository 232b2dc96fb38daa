"""From a campaign to an incident, with nothing typed: proposed by the server, kept current by a person."""

import pytest

from findings.attack import ENTERED, attack, login
from protection.conftest import clock, database  # noqa: F401 -- fixtures
from shopward.access.keys import Caller
from shopward.config import Settings
from shopward.errors import Conflict, NotFound
from shopward.flows.scope import Asked
from shopward.flows.signal import WIDEN, Words
from shopward.incidents import shipped_rules, steps
from shopward.incidents.signals import severity_of
from shopward.incidents.store import IncidentStore
from shopward.service import Shopward
from shopward.values import DAY_MS, MINUTE_MS

SITI = Caller("siti-laptop", "siti", ("analyst",))


@pytest.fixture
def opened(database, tmp_path, clock):  # noqa: F811 -- the fixtures
    """Opens a Shopward of Indonesia under the policy that ships."""

    def open_(**more):
        settings = Settings(data=str(tmp_path / "data"), database=database, shop_jurisdiction="ID", **more)
        return Shopward.open(settings, clock=clock)

    return open_


def told(shop, events):
    """Decide these, and carry out what comes of it."""
    for each in events:
        shop.decide(each)
    shop.carry_out()


def incidents(shop, state=""):
    """All of a state, newest first."""
    return shop.incidents.listed(state=state, before="", limit=10)


def test_the_server_proposes_what_it_found(opened, clock):  # noqa: F811 -- the fixtures
    """Clocks are those of the attack, the entered account is exposed under its law, and it is proposed once."""
    with opened() as shop:
        told(shop, attack(clock.now_ms(), 12))
        (found,) = incidents(shop)
        shop.carry_out()
        assert incidents(shop) == [found]
        first = next(each for each in shop.log.read(after_seq=0, limit=50) if each.event_id == ENTERED)
        assert (found.state, found.kind, found.created_by) == ("proposed", "credential_stuffing", "shopward")
        assert found.clock("may_have_happened") == first.at_ms
        assert first.at_ms < found.clock("reasonable_belief") <= clock.now_ms()
        assert found.scopes[0].counts["grade"]["exposed"] == 1
        assert found.facts.subjects == {"ID": 1}
        assert shop.incidents.get(found.id)[1][0].status in ("open", "waiting")
        taken = shop.incidents.step(
            SITI, found.id, "state", lambda each, by, now: _moved(each, "open", by, now)
        )
        assert taken.state == "open"
        with pytest.raises(Conflict):
            shop.incidents.step(
                SITI, found.id, "state", lambda each, by, now: _moved(each, "dismissed", by, now)
            )


def test_growth_is_proposed_and_a_person_widens(opened, clock):  # noqa: F811 -- the fixtures
    """A line and a task once for a doubling; the scope stays until it is widened, and the task is then done."""
    with opened(incidents="open") as shop:
        told(shop, attack(clock.now_ms(), 12))
        (before,) = incidents(shop, "open")
        told(shop, attack(clock.now_ms(), 40, first=12))
        (after,) = incidents(shop, "open")
        assert after.scopes == before.scopes
        assert [each.text for each in after.tasks] == [WIDEN]
        assert after.signals[0].grown >= 2 * before.signals[0].accounts
        shop.carry_out()
        assert incidents(shop, "open") == [after]
        wider = shop.signals.widen(SITI, after.id, "it has grown")
        assert (len(wider.scopes), wider.signals[0].grown) == (2, 0)
        assert wider.scopes[1].counts["grade"]["reached"] > before.scopes[0].counts["grade"]["reached"]
        assert all(each.done_by == "siti" for each in wider.tasks)


def test_a_person_asks_for_the_incident_of_a_signal(opened, clock):  # noqa: F811 -- the fixtures
    """The same one each time, by campaign, by finding and by source; nothing by itself where that is off."""
    with opened(incidents="off") as shop:
        told(shop, attack(clock.now_ms(), 12))
        assert incidents(shop) == []
        (campaign,) = shop.cases.live()
        made = shop.signals.of_campaign(SITI, campaign.id, Words(severity="critical"))
        assert (made.state, made.severity, made.created_by) == ("open", "critical", "siti")
        assert shop.signals.of_campaign(SITI, campaign.id, Words()).id == made.id
        for row, _user in shop.cases.findings(state=None, before=None, limit=5):
            assert shop.signals.of_finding(SITI, row.id, Words()).id == made.id
        since = clock.now_ms() - DAY_MS
        source = Asked("ip", "203.0.113.7")
        other = shop.signals.of_source(SITI, source, since, clock.now_ms(), Words(title="The same address"))
        assert (other.id != made.id, other.title) == (True, "The same address")
        assert made.id in other.scopes[0].overlaps
        with pytest.raises(NotFound):
            shop.signals.of_campaign(SITI, "c-none", Words())


def test_history_is_not_proposed(opened, clock):  # noqa: F811 -- the fixtures
    """An import of last month proposes nothing."""
    with opened() as shop:
        told(
            shop,
            [*attack(clock.now_ms() - 30 * DAY_MS, 12), login("e-now", clock.now_ms() - MINUTE_MS, "calm")],
        )
        assert incidents(shop) == []


@pytest.mark.parametrize(
    ("counts", "severity"),
    [({}, "low"), ({"tried": 9}, "low"), ({"exposed": 1}, "medium"), ({"exposed": 1, "spent": 1}, "high"),
     ({"exposed": 10}, "high"), ({"exposed": 1_000}, "critical"), ({"exposed": 10, "spent": 10}, "critical")],
)  # fmt: skip
def test_severity_is_how_far_it_went(counts, severity):
    """From nobody entered to money gone."""
    assert severity_of(counts) == severity


def _moved(incident, state, by, now_ms):
    return steps.moved(incident, state, shipped_rules(), by=by, now_ms=now_ms)


def test_the_first_who_notes_a_signal_is_told_that_it_was(opened):
    """Of two who note the incident of one signal, one hears that it was new, on both databases."""
    with opened() as shop:
        store = IncidentStore("main", shop.vault.words)

        def note(incident):
            return shop.records.write(
                lambda each: store.put_signal(each, "source", "s", incident, accounts=0, only_new=True)
            )

        assert (note("inc-1"), note("inc-2")) == (True, False)
        assert shop.records.read(lambda each: store.signal(each, "source", "s")) == "inc-1"
