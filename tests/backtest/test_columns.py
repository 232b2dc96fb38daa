"""The two ways of a backtest, live closures and columns, say the same of every event."""

from __future__ import annotations

import json
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving import POLICY
from shopward.adapters.sql import SqlEventLog
from shopward.flows.backtest import stretches_of
from shopward.flows.columns import STRIDE, ColumnTrial, fits
from shopward.ports import LogEntry, Span
from shopward.risk.policy import Policy, load_default_policy, load_policy
from trials import EVENTS, RULES, engine_of, facts_of, policy_of


def told(record):
    return (
        record.decision,
        record.score,
        record.reasons,
        record.actions,
        record.shadow,
        record.deciding,
        record.condemned,
        record.policy,
    )


def in_strides(trial, facts):
    strides = (facts[start : start + STRIDE] for start in range(0, len(facts), STRIDE))
    return [record for stride in strides for record in trial.judged(stride)]


@pytest.mark.parametrize("kernel", ["reference", "compiled"])
@settings(max_examples=25, deadline=None)
@given(rules=RULES, events=EVENTS, has_derived=st.booleans())
def test_columns_say_what_live_closures_say(kernel, rules, events, has_derived):
    """Random rules with errors, patterns, overflows and orders of texts over random events: every record is the same."""
    policy = policy_of([rule for rule in rules if has_derived or "steep" not in rule[0]])
    assert fits(policy)
    live = engine_of(policy)
    expected = [live.weigh(facts) for facts in facts_of(events)]
    records = in_strides(ColumnTrial(engine_of(policy, kernel)), list(facts_of(events)))
    assert [told(record) for record in records] == [told(record) for record in expected]


def test_strides_follow_each_other():
    """More events than one stride holds: the state goes on from stride to stride."""
    policy = policy_of([("f.events >= 3", (), "review", 1.0, False)])
    events = [("login", "succeeded", number % 3, 0, "", 0, number % 7) for number in range(STRIDE + 50)]
    live = engine_of(policy)
    expected = [told(live.weigh(facts)) for facts in facts_of(events)]
    records = in_strides(ColumnTrial(engine_of(policy, "compiled")), list(facts_of(events)))
    assert [told(record) for record in records] == expected


def test_stretches_hold_every_entry_once_up_to_where_the_log_ended(tmp_path):
    """Spans of events, entries where something else stands among them, and of the last page no more than was asked for."""
    log = SqlEventLog.open(f"sqlite:///{tmp_path}/log.db")
    log.claim()
    kinds = ["event"] * 5 + ["event", "policy", "event"] + ["event"] * 4
    entries = [
        LogEntry(seq, kind, f"e{seq}", seq, seq, b"d" * 16, "", b'{"id":"e"}', b"", b"{}")
        for seq, kind in enumerate(kinds, start=1)
    ]
    for first, end in ((0, 5), (5, 8), (8, 12)):
        log.append(entries[first:end])
    told = []
    found = list(stretches_of(log, last=10, limit=4, update=told.append))
    log.close()
    assert [isinstance(each, Span) for each in found] == [True, False, False]
    seqs = [
        range(each.first_seq, each.last_seq + 1) if isinstance(each, Span) else [entry.seq for entry in each]
        for each in found
    ]
    assert list(chain(*seqs)) == list(range(1, 11))
    assert sum(told) == 10


@pytest.mark.parametrize("policy", [load_default_policy(), load_policy(POLICY)], ids=["default", "small"])
def test_a_policy_that_learns_from_decisions_does_not_fit(policy):
    """What is known is earned by decisions: such a policy is run event by event."""
    assert not fits(Policy(policy))


def test_the_command_takes_columns_where_they_fit(recorded, command, small_policy, tmp_path):
    """Both ways print the same account; asked for columns where they do not fit, the command says why."""
    without = (POLICY / "features.toml").read_text().partition("[feature.device_known]")[0]
    folder = small_policy()
    (folder / "features.toml").write_text(without)
    data = recorded()
    reports = [
        json.loads(command("backtest", "--data", data, "--policy", folder, "--how", how, "--json").stdout)
        for how in ("live", "columns", "auto")
    ]
    assert reports[0] == reports[1] == reports[2]
    assert reports[0]["total"]["events"] > 0
    refused = command("backtest", "--data", data, "--how", "columns")
    assert refused.exit_code == 2
