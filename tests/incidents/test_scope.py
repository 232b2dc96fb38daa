"""Who was touched: from what is known of a thief to people, each under the law of his home, frozen by version."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protection.conftest import clock, database, lite, shop  # noqa: F401 -- fixtures
from shopward.access.keys import Caller
from shopward.errors import Conflict, InvalidField, NotFound
from shopward.flows.scan import first_seq
from shopward.flows.scope import Asked
from shopward.incidents.scope import (
    EXPOSED,
    GRADES,
    Group,
    Touched,
    Wanted,
    counted,
    depth_of,
    grades_of,
    jurisdictions_of,
    packed_rows,
    rows_of,
)
from shopward.incidents.store import PAGE_ROWS, IncidentStore
from shopward.protection.attributes import DeclaredUser, declared
from shopward.values import DAY_MS, HOUR_MS, MINUTE_MS, to_rfc3339

SITI = Caller("siti-laptop", "siti", ("analyst",))
THIEF, OWN = "203.0.113.7", "198.51.100.1"


def event(number, at_ms, user, kind="login", status="succeeded", ip=THIEF, **more):
    """An event of a customer."""
    return {
        "id": f"e-{number}", "type": kind, "status": status, "time": to_rfc3339(at_ms), "user": {"id": user},
        "context": {"ip": ip, "device_id": more.pop("device", f"of-{ip}")}, **more,
    }  # fmt: skip


@pytest.fixture
def told(shop, clock):  # noqa: F811 -- the fixtures
    """A shop in which a thief tried four accounts, got into two, spent from one on another address of the same session."""
    at = clock.now_ms() - HOUR_MS
    money = {"transaction": {"id": "t-1", "amount_minor": 500, "currency": "IDR", "instrument": "balance"}}
    events = [
        event(1, at - DAY_MS, "anna", ip=OWN),
        event(2, at, "anna", status="failed"),
        event(3, at + 1, "bo", status="failed"),
        event(4, at + 2, "cici", session={"id": "s-c"}),
        event(5, at + 3, "dewi", session={"id": "s-d"}),
        event(6, at + MINUTE_MS, "dewi", "order_view", ip=OWN, session={"id": "s-d"}),
        event(7, at + 2 * MINUTE_MS, "cici", "payment", ip=OWN, session={"id": "s-c"}, **money),
        event(8, at + 3 * MINUTE_MS, "eka", ip=OWN),
        event(9, at + 4 * MINUTE_MS, "fajar", "otp", status="requested"),
    ]
    for each in events:
        shop.decide(each)
    homes = {"cici": "ID-JK", "dewi": "ID,SG"}
    shop.overseer.declare(
        {user: declared(DeclaredUser(region=region), shop.maker.blind) for user, region in homes.items()}
    )
    return shop


def opened(shop):  # noqa: F811 -- the fixture
    """A new incident's id."""
    return shop.incidents.open(
        SITI,
        title="Stuffing",
        kind="credential_stuffing",
        severity="high",
        campaign="",
        began_ms=0,
        ended_ms=0,
    ).id


def by_grade(shop, incident, version=1):  # noqa: F811 -- the fixture
    """The shop's ids by grade."""
    return {
        grade: {each.user for each in shop.scopes.people(SITI, incident, version, Wanted(grade=grade), after="", limit=100)[0]}
        for grade in (*GRADES, "exposed")
    }  # fmt: skip


def test_an_address_becomes_people(told):
    """Tried is not entered; what the session did from elsewhere is the thief's; what others did from home is not."""
    incident, now = opened(told), told.clock.now_ms()
    query = told.scopes.query([Asked("ip", THIEF)], since_ms=now - 2 * HOUR_MS, until_ms=now)
    found = told.scopes.find(incident, query, by="siti", reason="first")
    assert told.incidents.get(incident)[0].scopes == ()
    after = told.scopes.freeze(SITI, incident, found)
    everybody = {"anna", "bo", "cici", "dewi", "fajar"}
    assert by_grade(told, incident) == {
        "reached": everybody, "tried": everybody - {"fajar"}, "entered": {"cici", "dewi"}, "read": {"dewi"},
        "spent": {"cici"}, "exposed": {"cici", "dewi"},
    }  # fmt: skip
    assert THIEF not in str(after)
    assert told.incidents.get(incident)[2] == {"reached": 5, "tried": 4, "entered": 2, "read": 1, "spent": 1}
    assert after.scopes[0].counts["jurisdiction"] == {"ID": 2, "SG": 1}
    assert after.facts.subjects == {"ID": 2, "SG": 1}
    assert {each.jurisdiction for each in told.incidents.get(incident)[1]} == {"ID", "SG"}
    deeds = told.records.read(lambda each: told.trail.read(each, after_seq=0, limit=500))
    assert [each.deed for each in deeds].count("incident:people") == 6


def test_widening_is_a_version_and_the_old_one_stays(told):
    """A second address finds one more; the first version lists whom it listed; two who scope at once do not mix."""
    incident, now = opened(told), told.clock.now_ms()

    def find(*addresses, **more):
        asked = [Asked("ip", each) for each in addresses]
        query = told.scopes.query(asked, since_ms=now - 2 * HOUR_MS, until_ms=now, **more)
        return told.scopes.find(incident, query, by="siti", reason="count")

    first, late = find(THIEF, follow=False), find(THIEF)
    told.scopes.freeze(SITI, incident, first)
    with pytest.raises(Conflict) as refused:
        told.scopes.freeze(SITI, incident, late)
    assert refused.value.code == "scope_version"
    told.scopes.freeze(SITI, incident, find(THIEF, OWN))
    assert by_grade(told, incident)["spent"] == set()
    assert by_grade(told, incident, 2)["spent"] == {"cici"}
    assert "eka" in by_grade(told, incident, 2)["entered"] - by_grade(told, incident)["entered"]
    with pytest.raises(NotFound):
        told.scopes.people(SITI, incident, 3, Wanted(), after="", limit=1)


def test_who_is_in_two_incidents_is_named(told):
    """The second incident says how many it shares with the first; the pass began where a walk along the log would."""
    now = told.clock.now_ms()
    query = told.scopes.query([Asked("ip", THIEF)], since_ms=now - 2 * HOUR_MS, until_ms=now)
    first, second = opened(told), opened(told)
    told.scopes.freeze(SITI, first, told.scopes.find(first, query, by="siti", reason="count"))
    assert told.scopes.find(second, query, by="siti", reason="count").scope.overlaps == {first: 5}
    entries = told.log.read(after_seq=0, limit=100)
    for at_ms in {each.at_ms + by for each in entries for by in (-1, 0, 1)}:
        walked = next((each.seq for each in entries if each.at_ms >= at_ms), len(entries) + 1)
        assert first_seq(told.log, at_ms) == walked


def test_an_indicator_that_is_none_is_refused(lite):  # noqa: F811 -- the fixture
    """With what was expected, and without the value."""
    for kind, value in (("ip", "not-an-address"), ("network", "203.0.113.0/20"), ("network", "nonsense")):
        with pytest.raises(InvalidField) as refused:
            lite.scopes.query([Asked(kind, value)], since_ms=0, until_ms=1)
        assert value not in str(refused.value)


@pytest.mark.parametrize(
    ("region", "elsewhere", "places"),
    [
        ("ID", "", ("ID",)), ("ID-JK", "", ("ID",)), ("ID,SG", "", ("ID", "SG")), ("sg; id", "", ("SG", "ID")),
        ("north", "ID", ("ID",)), ("", "", ()), ("", "CN", ("CN",)), ("中国", "CN", ("CN",)),
    ],
)  # fmt: skip
def test_a_region_says_whose_law_counts(region, elsewhere, places):
    """Two homes are two laws; a word that is no country is nobody's."""
    assert jurisdictions_of(region, elsewhere) == places


TYPES = ("login", "payment", "order_view", "message_received", "pii_view", "otp", "label", "withdrawal")
touched = st.builds(
    Touched, st.sampled_from(TYPES), st.sampled_from(("attempted", "requested", "succeeded", "failed")),
    st.sampled_from(("customer", "staff", "partner", "service")), st.booleans(),
)  # fmt: skip


@given(touched)
def test_grades_hold_each_other(each):
    """Whoever is touched is reached; what did not go through exposes nobody; a customer who is inside was tried."""
    bits = grades_of(each)
    assert not bits or bits & GRADES["reached"]
    if each.status != "succeeded" or not each.passed:
        assert not bits & EXPOSED
    if each.actor_type == "customer" and bits & EXPOSED:
        assert bits & GRADES["entered"]
        assert bits & GRADES["tried"]


@given(st.dictionaries(st.binary(min_size=16, max_size=16), st.integers(0, 2**16 - 1), max_size=50))
def test_rows_give_back_the_people(people):
    """Sorted, each once; and each number is how many its request lists."""
    groups = (Group((), "en", "none"), Group(("ID", "SG"), "id", "email"))
    cells = {token: bits | (bits % 2) << 16 for token, bits in people.items()}
    rows = list(rows_of(packed_rows(cells)))
    assert rows == [(token, people[token], people[token] % 2) for token in sorted(people)]
    tally = {}
    for cell in cells.values():
        tally[cell] = tally.get(cell, 0) + 1
    for of, numbers in counted(tally, groups).items():
        for kind, users in numbers.items():
            wanted = Wanted(grade=kind) if of == "grade" else Wanted(**{"grade": "exposed", of: kind})
            assert users == sum(wanted.holds(bits, groups[group]) for _token, bits, group in rows)


def test_one_person_is_found_among_many_pages(shop):  # noqa: F811 -- the fixture
    """Whoever has a row is found with it, whichever page it stands on; whoever has none is not."""
    tokens = [number.to_bytes(16) for number in range(1, 40_001)]
    rows = b"".join(token + number.to_bytes(4) for number, token in enumerate(tokens))
    store = IncidentStore("main", shop.vault.words)
    shop.records.write(lambda each: store.put_victims(each, "inc-1", 2, rows))

    def row(token, version=2):
        return shop.records.read(lambda each: store.victim(each, "inc-1", version, token))

    for at in (0, 1, PAGE_ROWS - 1, PAGE_ROWS, 2 * PAGE_ROWS, 39_999):
        assert row(tokens[at]) == tokens[at] + at.to_bytes(4)
    assert [row(each) for each in (bytes(16), b"\xff" * 16, (50_000).to_bytes(16))] == [b"", b"", b""]
    assert row(tokens[0], version=1) == b""


def test_the_deepest_is_how_far_it_went():
    """Whoever was spent from was entered as well; whose data alone was open has no depth."""
    assert [depth_of(GRADES["reached"] | GRADES["spent"]), depth_of(GRADES["tried"]), depth_of(32)] == [
        "spent",
        "tried",
        "",
    ]
