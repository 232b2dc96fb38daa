"""A group of events is decided as if each had come alone, and taken back from the log likewise."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopward.adapters.snapshots import NoSnapshots
from shopward.adapters.sql import SqlEventLog
from shopward.events import FactsMaker, Tokeniser
from shopward.flows.decide import DecisionDesk
from shopward.flows.engine import Engine
from shopward.flows.groups import Groups, plain
from shopward.ports import LogEntry, Span
from shopward.values import ManualClock
from trials import EVENTS, RULES, engine_of, facts_of, policy_of

if TYPE_CHECKING:
    from pathlib import Path

encode = msgspec.json.Encoder().encode
CUTS = st.lists(st.integers(0, 40), max_size=4)


def weighed_in_groups(engine, events, cuts, many=1):
    """The events in groups that end at the cuts; rules are asked over columns from so many events on."""
    groups, facts, records = Groups(engine, few=1, many=many), facts_of(events), []
    for begin, end in pairwise(sorted({0, len(facts), *(min(cut, len(facts)) for cut in cuts)})):
        records += groups.weigh(facts[begin:end])
    return records


@settings(max_examples=40, deadline=None)
@given(rules=RULES, events=EVENTS, cuts=CUTS, has_derived=st.booleans(), many=st.sampled_from([1, 10, 100]))
def test_a_group_is_weighed_as_its_events_one_by_one(rules, events, cuts, has_derived, many):
    """Random rules and events, challenges and proofs among them: the same records and the same state, bit by bit."""
    policy = policy_of([rule for rule in rules if has_derived or "steep" not in rule[0]])
    alone, together = engine_of(policy, "compiled"), engine_of(policy, "compiled")
    expected = [alone.weigh(facts) for facts in facts_of(events)]
    assert weighed_in_groups(together, events, cuts, many) == expected
    assert together.dump() == alone.dump()


def take_back_in_spans(groups, entries, size):
    """Entries as a log holds them, those that are plain without looking at each."""
    for at in range(0, len(entries), size):
        part = entries[at : at + size]
        facts, decisions = (
            "[" + ",\n".join(getattr(each, column).decode() for each in part) + "]"
            for column in ("facts", "decision")
        )
        span = Span(part[0].seq, part[-1].seq, is_events=True, facts=facts, decisions=decisions)
        if groups.takes_spans and plain(span):
            groups.reapply_spans([span])
        else:
            groups.reapply(part)


@settings(max_examples=40, deadline=None)
@given(rules=RULES, events=EVENTS, again=EVENTS, size=st.integers(1, 12))
def test_a_log_is_taken_back_in_groups_as_it_was_written(rules, events, again, size):
    """After a restart the state is what it was, entry by entry and in spans, and what comes next hears the same."""
    policy = policy_of(rules)
    live, back = engine_of(policy, "compiled"), engine_of(policy, "compiled")
    entries = []
    for seq, facts in enumerate(facts_of(events), start=1):
        live.latest_ms = facts.at_ms
        record = live.weigh(facts)
        entries.append(
            LogEntry(seq, "event", facts.id, facts.at_ms, 0, b"", "", encode(facts), b"", encode(record))
        )
    Groups(back).reapply(entries)
    assert back.dump() == live.dump()
    in_spans = engine_of(policy, "compiled")
    take_back_in_spans(Groups(in_spans), entries, size)
    assert in_spans.dump() == live.dump()
    assert [back.weigh(facts) for facts in facts_of(again)] == [
        live.weigh(facts) for facts in facts_of(again)
    ]


def desk_in(folder: Path, policy):
    folder.mkdir()
    log = SqlEventLog.open(f"sqlite:///{folder / 'log.db'}")
    log.claim()
    maker = FactsMaker(Tokeniser(b"t" * 32))
    return log, DecisionDesk(
        log=log,
        engine_of=lambda recall: Engine(policy, maker, recall),
        snapshots=NoSnapshots(),
        clock=ManualClock(1_800_000_000_000),
    )


def line(number: int, **changes) -> bytes:
    raw = {
        "id": f"e{number}", "type": "payment", "status": "attempted", "time": f"2026-01-05T00:{number % 60:02}:00Z",
        "user": {"id": f"u{number % 5}"}, "context": {"device_id": f"d{number % 3}", "os": "Android"},
        "transaction": {"id": f"t{number // 2}", "amount_minor": number, "currency": "IDR", "payee_id": "p"},
    }  # fmt: skip
    return json.dumps(raw | changes).encode()


def test_a_batch_leaves_the_log_of_single_calls(tmp_path: Path):
    """With retries, a reused id, bad lines and a label of an event in the same group: answers and entries are the same."""
    policy = policy_of(
        [
            ("f.events >= 3", (), "review", 7.5, False),
            ("f.frauds >= 1 && f.devices >= 2", (), "challenge", 30.0, False),
            ("f.spent > 20", ("payment",), "deny", 5.0, True),
        ]
    )
    label = {"status": "fraud", "type": "label", "transaction": {}, "context": {}}
    lines = [line(number) for number in range(60)]
    lines[40:40] = [
        b"{",
        line(7),
        line(7, status="failed"),
        line(100, **label, label={"event_id": "e39"}),
        line(101, context={"ip": "no address"}),
        line(39),
        line(102, time="2099-01-05T00:00:00Z"),
    ]
    ways = []
    for name, size in (("singles", 1), ("batch", len(lines))):
        log, desk = desk_in(tmp_path / name, policy)
        answers = [each for at in range(0, len(lines), size) for each in desk.decide(lines[at : at + size])]
        told = [getattr(each, "code", each) for each in answers]
        desk.rebuild()
        ways.append((told, log.read(after_seq=0, limit=1_000), desk.engine.dump()))
        log.close()
    assert ways[0] == ways[1]
    assert len(ways[0][1]) == 61


@pytest.mark.parametrize("orders_version", [0, 4])
def test_orders_in_force_are_asked_event_by_event(orders_version):
    """Where an order was ever in force, a group goes the way of single events, which asks the orders."""
    engine = engine_of(policy_of([("f.events >= 3", (), "review", 1.0, False)]), "compiled")
    engine.orders._kept.version = orders_version  # as if the journal had told of changes
    records = weighed_in_groups(engine, [("login", "succeeded", 0, 0, "", 0, 1)] * 30, [])
    assert [record.in_force for record in records] == [orders_version] * 30
