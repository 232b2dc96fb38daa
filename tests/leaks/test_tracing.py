"""The trace from leaked rows to who is named, on a small shop."""

from __future__ import annotations

import random

import pytest

from shopward.leaks import Canaries, Marks, Matcher, Sighting, trace, weigh
from shopward.leaks.channels import write

KEY = b"k" * 32
CLEAR = frozenset(("name", "phone", "address"))
TOTAL = 3_000


def order(number):
    """An order of the shop."""
    return {
        "name": f"Customer {number:04}",
        "phone": f"0812{number:08}",
        "address": f"Jl. Mawar No. {number}, RT 1/RW 2, Bandung",
    }


@pytest.fixture(scope="module")
def matcher():
    """An index of all orders."""
    made = Matcher(KEY)
    for number in range(TOTAL):
        made.add(str(number), order(number))
    return made


def scopes():
    """A warehouse that sees a third, two couriers in it, an agent in a courier's, and a shop of random orders."""
    rng = random.Random(3)
    warehouse = rng.sample(range(TOTAL), 1_000)
    return {
        "warehouse": warehouse,
        "courier a": warehouse[:300],
        "courier b": warehouse[300:600],
        "agent": warehouse[:40],
        "print shop": rng.sample(range(TOTAL), 200),
    }


def sightings(fields=None):
    """Who saw what."""
    return [
        Sighting(name, str(number), (fields or {}).get(name, CLEAR))
        for name, rows in scopes().items()
        for number in rows
    ]


def traced(rows, matcher, **how):
    """A trace of some rows over the scopes."""
    return trace(rows, matcher, how.pop("sightings", None) or sightings(), total=TOTAL, position=int, **how)


def test_partial_shuffled_edited_rows_lead_to_who_saw_them(matcher) -> None:
    """The nested agent's own courier and warehouse saw all of it too, and still the agent is the lead, not the proof."""
    rng = random.Random(1)
    rows = [
        {"Phone".lower(): order(number)["phone"].replace("0812", "+62 812-"), "note": "x"}
        for number in rng.sample(scopes()["agent"], 25)
    ]
    report = traced([*rows, {"phone": "0999"}, {"name": "somebody"}], matcher)
    assert (report.rows, report.matched, report.foreign) == (27, 25, 2)
    assert (report.candidates[0].recipient, report.candidates[0].standing) == ("agent", "lead")
    assert report.nobody < 1e-6


def test_a_clear_phone_rules_out_whoever_saw_masks(matcher) -> None:
    """Of two who saw the same orders the one without clear phones is ruled out."""
    seen = [Sighting(name, str(number), fields) for name, fields in (("full", CLEAR), ("masked", frozenset(("name",)))) for number in range(50)]  # fmt: skip
    report = traced([{"phone": order(number)["phone"]} for number in range(20)], matcher, sightings=seen)
    standing = {each.recipient: each.standing for each in report.candidates}
    assert standing["masked"] == "ruled_out"
    assert standing["full"] != "ruled_out"


def test_an_older_version_rules_out_whoever_saw_the_newer(matcher) -> None:
    """A row that shows the address of before its change is nobody's who came later."""
    seen = [Sighting(name, str(number), CLEAR, version) for name, version in (("early", 1), ("late", 2)) for number in range(30)]  # fmt: skip
    report = traced(
        [order(number) for number in range(10)], matcher, sightings=seen, version=lambda _record, _row: 1
    )
    assert {each.recipient: each.rows_seen for each in report.candidates} == {"early": 10, "late": 0}


def test_a_dump_that_nobody_logged_names_nobody(matcher) -> None:
    """A contiguous stretch and random orders leave everybody possible at most, and say what fits better."""
    rng = random.Random(9)
    for numbers in (range(1_000, 1_100), rng.sample(range(TOTAL), 100)):
        report = traced([order(number) for number in numbers], matcher)
        assert {each.standing for each in report.candidates} <= {"possible", "ruled_out"}
        assert report.nobody > 0.9


def test_marks_name_the_leaker_even_where_he_frames_another(matcher) -> None:
    """The warehouse leaks only rows that the agent saw too: the log points at the agent, the marks prove the warehouse."""
    marks = Marks(KEY)
    rows = [
        write(order(number), lambda name, number=number: marks.bit("warehouse", f"{number}/{name}"))
        for number in scopes()["agent"]
    ]
    report = traced(rows, matcher, marks=marks)
    proven = [each.recipient for each in report.candidates if each.standing == "proof"]
    assert proven == ["warehouse"]


def test_two_canaries_prove_and_one_leads(matcher) -> None:
    """Rows that only one recipient ever had tell who it was."""
    canaries = Canaries(KEY, phone_prefix="+62851000", mail_domain="mail.shop.example", each=5)
    rows = [canary.row for canary in canaries.of("courier b")]
    assert traced(rows[:2], matcher, canaries=canaries).candidates[0][:2] == ("courier b", "proof")
    assert traced(rows[:1], matcher, canaries=canaries).candidates[0][:2] == ("courier b", "lead")
    assert {canary.row["phone"] for name in scopes() for canary in canaries.of(name)}.__len__() == 25


def test_a_file_of_another_shop_matches_nothing(matcher) -> None:
    """Nobody is suspected for rows that are not ours."""
    report = traced([{"phone": f"0899{number:08}", "name": "Someone"} for number in range(50)], matcher)
    assert (report.matched, report.foreign) == (0, 50)
    assert {each.standing for each in report.candidates} == {"ruled_out"}


def test_two_leakers_are_both_in_the_shares(matcher) -> None:
    """The mixture gives each about its half."""
    rng = random.Random(4)
    numbers = rng.sample(scopes()["courier b"], 30) + rng.sample(scopes()["print shop"], 30)
    report = traced([order(number) for number in numbers], matcher)
    shared = {each.recipient: each.share for each in report.candidates if each.share > 0.25}
    assert set(shared) == {"courier b", "print shop"}


def test_masked_values_are_not_taken_for_values(matcher) -> None:
    """A mask matches nobody."""
    assert matcher.match({"phone": "0812****0001", "name": "C***"}) is None


def test_nothing_leaked_weighs_nothing() -> None:
    """An empty sample names nobody."""
    assert weigh({}, {"a": 5}, total=10, positions=[]).lead is None
